//! Usage errors and the help: prints them and exits.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::io::Write;
use summary::Printable;

use super::args::command;
use super::help;
use crate::progress::{print_message, printable_lines};

/// Exit status of a usage error.
const USAGE_ERROR: i32 = 2;

/// Prints a usage error of one line and exits.
pub(super) fn exit_with(message: &str) -> ! {
    print_message(Printable(message));
    std::process::exit(USAGE_ERROR)
}

/// Prints what clap reports, which is a usage error, the help or the version, and exits.
pub(super) fn exit(mut error: clap::Error) -> ! {
    if error.kind() == ErrorKind::DisplayHelp {
        // A closed standard output is not worth an error.
        let _ = help_command(&error).print_help();
        std::process::exit(0)
    }
    correct_tips(&mut error);
    escape_args(&mut error);
    // The reason of a parser may quote an argument too. An error that could still control the
    // terminal is printed without styles and escaped.
    let text = error.render().to_string();
    let printable = printable_lines(&text);
    if printable == text {
        error.exit();
    }
    // A closed standard error is not worth an error.
    let _ = std::io::stderr().write_all(printable.as_bytes());
    std::process::exit(error.exit_code())
}

/// Escapes the arguments that clap quotes, also their line feeds, which would forge lines.
fn escape_args(error: &mut clap::Error) {
    let escape = |text: &String| Printable(text).to_string();
    let contexts = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) => Some((kind, ContextValue::String(escape(text)))),
        ContextValue::Strings(texts) => {
            Some((kind, ContextValue::Strings(texts.iter().map(escape).collect())))
        }
        _ => None,
    });
    for (kind, value) in contexts.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
}

/// The command whose help was requested. clap does not report whether `-h` or `--help` was given,
/// but its texts for them differ.
fn help_command(error: &clap::Error) -> clap::Command {
    let is_short = error.render().to_string() == command().render_help().to_string();
    if is_short { help::short() } else { help::full() }
}

/// Removes clap's advice to turn an unknown option into a part of the filter, and adds the option
/// that prints the version.
fn correct_tips(error: &mut clap::Error) {
    error.remove(ContextKind::Suggested);
    let arg = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    let value = error.get(ContextKind::InvalidValue).map(ToString::to_string);
    if arg.starts_with("--read-list") && value.is_none_or(|value| value.is_empty()) {
        let tip = vec!["to print the version, use --version".into()];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tip));
    }
}
