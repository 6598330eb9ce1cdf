//! Usage errors and the help: prints them and exits.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use summary::Printable;

use super::args::command;
use super::help;
use crate::USAGE_ERROR;
use crate::error::STANDARD_OUTPUT_NAME;
use crate::progress::print_message;

/// Longest quotation of an argument, in characters.
const MAX_ARG_LEN: usize = 200;

/// Prints a usage error of one line and exits.
pub(super) fn exit_with(message: &str) -> ! {
    print_message(Printable(message));
    std::process::exit(i32::from(USAGE_ERROR))
}

/// Prints what clap reports, which is a usage error, the help or the version, and exits.
pub(super) fn exit(mut error: clap::Error) -> ! {
    if error.kind() == ErrorKind::DisplayHelp {
        exit_printed(help_command(&error).print_help())
    }
    if error.kind() == ErrorKind::DisplayVersion {
        exit_printed(error.print())
    }
    if error.kind() == ErrorKind::InvalidUtf8 {
        let is_invalid = |arg: &OsString| arg.to_str().is_none();
        let arg = std::env::args_os().find(is_invalid).unwrap_or_default();
        exit_with(&format!("`{}` is not valid UTF-8", Printable(arg.display())))
    }
    if error.get(ContextKind::InvalidArg).is_some_and(|arg| arg.to_string() == "-?") {
        exit_with("did you mean --help?")
    }
    correct_tips(&mut error);
    escape_args(&mut error);
    exit_with(&one_line(&error.render().to_string()))
}

/// Exits after help or version was printed.
fn exit_printed(printed: std::io::Result<()>) -> ! {
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            print_message(format!("cannot write {STANDARD_OUTPUT_NAME}: {error}"));
            std::process::exit(1)
        }
        _ => std::process::exit(0),
    }
}

/// What clap reports, in one line: the error and its tips, without the usage and the advice to read the
/// help.
fn one_line(text: &str) -> String {
    let mut parts = Vec::new();
    let mut is_error = true;
    for line in text.lines().map(str::trim) {
        is_error &= !line.is_empty();
        let part = line.strip_prefix("error: ").unwrap_or(line);
        match part.strip_prefix("tip: ") {
            Some(tip) => parts.push(format!("; {tip}")),
            None if is_error => parts.push(format!(" {part}")),
            None => {}
        }
    }
    parts.concat().trim_start().to_owned()
}

/// Escapes the arguments that clap quotes, also their line feeds, which would forge lines.
fn escape_args(error: &mut clap::Error) {
    let escape = |text: &String| {
        let mut text = Printable(text).to_string();
        if let Some((end, _)) = text.char_indices().nth(MAX_ARG_LEN) {
            text.truncate(end);
            text.push('…');
        }
        text
    };
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
