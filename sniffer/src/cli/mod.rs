//! The command line: parses the arguments into an [`Action`], which holds plain configuration
//! values of the layers that carry it out. Only `lib.rs` uses this module.

mod args;
mod generate;
mod help;
mod values;

pub(crate) use args::Generate;
pub(crate) use generate::generate;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::io::Write;

use crate::filter::FilterOptions;
use crate::interfaces::ANY;
use crate::line_formatter::FieldOptions;
use crate::output::{FileId, Rotation, strftime};
use crate::progress::printable_lines;
use crate::{Error, capture, dump, file, live, output, sandbox, stream};
use args::{Args, SandboxMode};

/// The action that the command line selects.
#[derive(Debug)]
pub(crate) enum Action {
    Generate(Generate),
    ListInterfaces,
    Check(capture::Options),
    DumpFilter(dump::Config),
    Capture(live::Config),
    ReadFiles(file::Config),
}

/// Parses the arguments of the process. A usage error exits with code 2.
///
/// # Errors
///
/// If the file of `-F` cannot be read.
pub(crate) fn parse() -> Result<Action, Error> {
    let args = Args::try_parse().unwrap_or_else(|error| exit(&error));
    if let Err(reason) = args.check() {
        exit(&Args::command().error(ErrorKind::ValueValidation, reason));
    }
    args.into_action()
}

/// Prints a usage error, the help or the version, and exits. clap quotes arguments as they are; an
/// error that contains an argument which could control the terminal is printed without styles and
/// escaped.
fn exit(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    let printable = printable_lines(&text);
    if printable == text {
        error.exit();
    }
    // A closed standard error is not worth an error.
    let _ = std::io::stderr().write_all(printable.as_bytes());
    std::process::exit(error.exit_code())
}

impl Args {
    /// Checks options against each other, as far as clap cannot.
    fn check(&self) -> Result<(), String> {
        let names = &self.interface;
        let repeated =
            names.iter().enumerate().find(|&(index, name)| names[..index].contains(name));
        if let Some((_, name)) = repeated {
            return Err(format!("interface `{name}` is given more than once"));
        }
        if 1 < names.len() && names.iter().any(|name| name == ANY) {
            return Err(format!("`{ANY}` already includes all other interfaces"));
        }
        if 1 < self.read.iter().filter(|path| path.as_os_str() == "-").count() {
            return Err("standard input can be read only once".into());
        }
        if self.sandbox == SandboxMode::Off && self.relinquish_privileges.is_some() {
            return Err("--sandbox=off keeps all privileges; -Z has no effect with it".into());
        }
        let is_rotated = self.rotate_size.is_some() || self.rotate_seconds.is_some();
        if self.file_count.is_some() && !is_rotated {
            return Err("-W requires -C or -G".into());
        }
        if let Some(template) = self.write.as_ref().filter(|_| is_rotated) {
            if template.as_os_str() == "-" {
                return Err("-C and -G require an output file, not standard output".into());
            }
            if self.rotate_seconds.is_some() {
                strftime(template, &jiff::Zoned::now()).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// The action that the options select.
    ///
    /// # Errors
    ///
    /// If the file of `-F` cannot be read.
    fn into_action(self) -> Result<Action, Error> {
        if let Some(what) = self.generate {
            return Ok(Action::Generate(what));
        }
        if self.list_interfaces {
            return Ok(Action::ListInterfaces);
        }
        let capture = capture::Options {
            snaplen: self.snapshot_length,
            is_promiscuous: !self.no_promiscuous,
            direction: self.direction.into(),
            buffer_kib: self.buffer_size,
            block_kib: self.block_size,
            is_immediate: self.immediate,
            records_gso: !self.no_gso,
        };
        if self.check {
            return Ok(Action::Check(capture));
        }
        let text = match &self.filter_file {
            Some(path) => crate::filter::read_expression(path)?,
            None => self.expression.join(" "),
        };
        let filter = FilterOptions {
            expression: Some(text).filter(|text| !text.trim().is_empty()),
            optimize: !self.no_optimize,
            snaplen: self.snapshot_length,
        };
        let sandbox =
            sandbox::Options { mode: self.sandbox.into(), user: self.relinquish_privileges };
        if 0 < self.dump {
            return Ok(Action::DumpFilter(dump::Config {
                filter,
                format: match self.dump {
                    1 => filter::DumpFormat::Assembly,
                    2 => filter::DumpFormat::C,
                    _ => filter::DumpFormat::Decimal,
                },
                link: self.linktype,
                capture_file: self.read.into_iter().next(),
                interface: self.interface.into_iter().next(),
                sandbox,
            }));
        }
        let inputs = self.read.iter().chain(&self.filter_file);
        let inputs = inputs.filter_map(|path| FileId::of_input(path)).collect();
        let output = output::Options {
            path: self.write.filter(|path| path.as_os_str() != "-"),
            overwrite: self.force,
            compression: self.compress.map(Into::into),
            rotation: Rotation {
                size: self.rotate_size,
                interval: self.rotate_seconds,
                count: self.file_count,
            },
            inputs,
        };
        let stream = stream::Options {
            fields: FieldOptions {
                has_ethernet: self.ethernet,
                has_names: self.names,
                has_community_id: self.community_id,
            },
            count: self.count,
            snaplen: self.snapshot_length,
            filter: filter.expression.clone(),
        };
        let thread_count = self.threads.and_then(|count| usize::try_from(count).ok());
        Ok(if self.read.is_empty() {
            Action::Capture(live::Config {
                interfaces: self.interface,
                capture,
                thread_count,
                exits_on_down: self.exit_on_down,
                duration: self.duration,
                stats_interval: self.stats,
                output,
                stream,
                filter,
                sandbox,
                is_quiet: self.quiet,
            })
        } else {
            Action::ReadFiles(file::Config {
                paths: self.read,
                thread_count,
                output,
                stream,
                filter,
                sandbox,
                is_quiet: self.quiet,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn invalid_args_are_rejected() {
        for args in [
            &["-i", ""][..],
            &["-s", "0"],
            &["-s", "262145"],
            &["-c", "0"],
            &["--duration", "0"],
            &["--duration", "-1"],
            &["--stats", "soon"],
            &["--stats", "1e19"],
            &["-r", "a", "-i", "b"],
            &["-r", "a", "-Q", "in"],
            &["-Q", "sideways"],
            &["-B", "1"],
            &["--block-size", "0"],
            &["-w", ""],
            &["--force"],
            &["-C", "0", "-w", "a"],
            &["-C", "1x", "-w", "a"],
            &["-C", "99999999999999999999g", "-w", "a"],
            &["-C", "1"],
            &["-G", "0", "-w", "a"],
            &["--threads", "0"],
            &["--compress", "rar"],
            &["-i", "a-name-that-is-too-long"],
        ] {
            assert!(Args::try_parse_from(["sniffer"].iter().chain(args)).is_err(), "{args:?}");
        }
    }

    #[test]
    fn conflicting_args_are_rejected() {
        for (args, part) in [
            (&["-i", "a", "-i", "a"][..], "more than once"),
            (&["-i", "a", "-i", "any"], "all other interfaces"),
            (&["-r", "-", "-r", "a", "-r", "-"], "only once"),
            (&["-W", "3", "-w", "a"], "-C or -G"),
            (&["-C", "1", "-w", "-"], "require an output file"),
            (&["-G", "1", "-w", "a-%!"], "invalid time format"),
            (&["-Z", "nobody", "--sandbox=off"], "keeps all privileges"),
        ] {
            let parsed = Args::try_parse_from(["sniffer"].iter().chain(args)).unwrap();
            let reason = parsed.check().unwrap_err();
            assert!(reason.contains(part), "{args:?}: {reason}");
        }
    }

    #[test]
    fn accepts_tcpdump_letters() {
        let args = ["sniffer", "-i", "lo", "-c", "5", "-s", "96", "-w", "-", "-p", "-e", "-q"];
        let parsed = Args::try_parse_from(args).unwrap();
        let Action::Capture(config) = parsed.into_action().unwrap() else { panic!("not live") };
        assert_eq!((config.interfaces, config.capture.is_promiscuous), (vec!["lo".into()], false));
        assert_eq!((config.stream.count, config.stream.snaplen), (Some(5), 96));
        assert_eq!(config.output.path, None);
    }
}
