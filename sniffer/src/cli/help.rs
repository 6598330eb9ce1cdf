//! The texts of `-h` and `--help` around the options. The manual page has more: see `sections`.

use clap::{Command, CommandFactory};

use super::args::Args;
use super::sections::EXAMPLES;

/// How many examples `-h` shows.
const SHORT_EXAMPLES: usize = 4;

/// The help of `-h`: the most used options in one list, and examples.
pub(super) fn short() -> Command {
    let mut examples = String::from("Examples:");
    for (explanation, command) in EXAMPLES.iter().take(SHORT_EXAMPLES) {
        examples += &format!("\n  {command:<37} {explanation}");
    }
    Args::command().mut_args(|arg| arg.help_heading(None)).after_help(examples)
}

/// The help of `--help`: all options in groups, one or two lines for each.
pub(super) fn full() -> Command {
    Args::command()
        .mut_args(|arg| arg.hide_short_help(false))
        .after_help("The manual page has examples, signals, the exit status and more: man sniffer")
}
