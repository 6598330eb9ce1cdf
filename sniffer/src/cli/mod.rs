//! The command line: parses the arguments into an [`Invocation`], which holds plain configuration
//! values of the layers that carry it out. Only `lib.rs` uses this module.
//!
//! ```text
//! arguments -> tcpdump, Args -> check -> Invocation
//! ```

mod args;
mod choices;
mod completion;
mod config;
mod display_filter;
mod error;
mod generate;
mod help;
mod manual;
mod near_miss;
mod output_names;
mod records;
mod sections;
mod serve_address;
mod suggestion;
mod tcpdump;
mod validation;
mod values;
mod version;

pub(crate) use choices::Generate;
pub(crate) use config::{Action, Invocation};
pub(crate) use generate::generate;

use clap::FromArgMatches;

use crate::Error;
use crate::progress::print_message;
use args::{Args, command};

/// Parses the arguments of the process. A usage error exits with status 2, the help with 0.
///
/// # Errors
///
/// If a file that contains arguments cannot be read: that of `-F` or of `-V`.
pub(crate) fn parse() -> Result<Invocation, Error> {
    completion::answer(command);
    let args = serve_address::join(std::env::args_os());
    let parsed = command().try_get_matches_from(args).and_then(|matches| {
        if let Some(refusal) = tcpdump::refusal(&matches) {
            error::exit_with(&refusal);
        }
        let args = Args::from_arg_matches(&matches)?;
        Ok((args.notices(&matches), args))
    });
    let (notices, args) = parsed.unwrap_or_else(|error| error::exit(error));
    if let Err(reason) = args.check() {
        error::exit_with(&reason);
    }
    let is_quiet = args.quiet;
    let words = args.expression.clone();
    let invocation = args.into_invocation()?;
    if let Some(suggestion) = suggestion::find(&words, invocation.filter()) {
        error::exit_with(&suggestion);
    }
    if !is_quiet {
        notices.into_iter().for_each(print_message);
    }
    Ok(invocation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of parsing and checking these arguments, separated by spaces.
    fn parse(args: &str) -> Result<(Args, Vec<String>), String> {
        let args = args.split(' ').filter(|arg| !arg.is_empty());
        let matches = command().try_get_matches_from(["sniffer"].into_iter().chain(args));
        let matches = matches.map_err(|error| error.to_string())?;
        let args = Args::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        args.check()?;
        let notices = args.notices(&matches);
        Ok((args, notices))
    }

    fn action(args: &str) -> Action {
        parse(args).unwrap().0.into_invocation().unwrap().action
    }

    #[test]
    fn options_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn invalid_args_are_rejected() {
        for args in [
            "-i= -D",
            "-s 262145",
            "-c 0",
            "--duration 0",
            "--duration -1",
            "--stats soon",
            "--stats 1e19",
            "-Q sideways",
            "-B 0",
            "--block-size 0",
            "-w=",
            "--force",
            "-C 0 -w a",
            "-C 1x -w a",
            "-C 99999999999999999999g -w a",
            "-C 1",
            "-G 0 -w a",
            "--threads 0",
            "--compress rar",
            "--netns=",
            "-V",
        ] {
            assert!(parse(args).is_err(), "{args:?}");
        }
        assert!(parse(&format!("-i {}", "a".repeat(128))).is_err());
    }

    #[test]
    fn conflicting_args_are_rejected() {
        for (args, part) in [
            ("-i a -i a", "more than once"),
            ("-i a,any", "all other interfaces"),
            ("-r - -r a -r -", "only once"),
            ("-r - -F -", "only once"),
            ("-r a -i b", "choose one of them"),
            ("-V a --duration 1", "limits live captures"),
            ("--count", "-c COUNT"),
            ("-i a -y EN10MB", "-y is for -d"),
            ("-W 3 -w a", "-C or -G"),
            ("-C 1 -w -", "require an output file"),
            ("-G 1 -w a-%!", "invalid time format"),
            ("-Z nobody --sandbox=off", "keeps all privileges"),
            ("-w a.pcap", "e.g. to a.ndjson; to write packets: --pcapng"),
            ("-w a/b.pcapng.gz", "e.g. to a/b.ndjson;"),
            ("-w a.ndjson.lz4", "use .gz or .zst"),
            ("--pcapng a.ndjson.gz", "e.g. to a.pcapng; to write lines: -w"),
            ("--pcapng a.pcapng.xz", "use .gz or .zst"),
            ("--pcapng a -w a", "different outputs"),
            ("--pcapng - -w -", "different outputs"),
            ("--pcapng - -C 1", "require an output file"),
            ("--pcapng a-%! -G 1", "invalid time format"),
            ("--pcapng %D -G 1", "--pcapng %D: a directive"),
        ] {
            let reason = parse(args).unwrap_err();
            assert!(reason.contains(part), "{args:?}: {reason}");
        }
    }

    #[test]
    fn accepts_options_of_tcpdump() {
        let Action::Capture(config) = action("-nnvvSs0 -i lo -c 5 -w - -p -e -q -tttt --nano")
        else {
            panic!("not live")
        };
        assert_eq!((config.interfaces, config.capture.is_promiscuous), (vec!["lo".into()], false));
        assert_eq!((config.stream.count, config.stream.snaplen), (Some(5), 262_144));
        assert_eq!(config.outputs.lines.unwrap().path, None);
    }

    #[test]
    fn pcapng_replaces_lines_unless_they_have_an_output() {
        for (args, lines, packets) in [
            ("-i a", Some(None), None),
            ("-i a --pcapng b", None, Some(Some("b"))),
            ("-i a --pcapng -", None, Some(None)),
            ("-i a --pcapng b -w -", Some(None), Some(Some("b"))),
            ("-i a --pcapng - -w b", Some(Some("b")), Some(None)),
            ("-i a --pcapng b -w - -C 1", Some(None), Some(Some("b"))),
        ] {
            let Action::Capture(config) = action(args) else { panic!("not live") };
            let path = |options: Option<crate::output::Options>| {
                options.map(|options| options.path.map(|path| path.display().to_string()))
            };
            let text = |path: Option<Option<&str>>| path.map(|path| path.map(str::to_owned));
            assert_eq!(path(config.outputs.lines), text(lines), "{args}");
            assert_eq!(path(config.outputs.packets), text(packets), "{args}");
            assert_eq!(config.stream.keeps_bytes, packets.is_some());
        }
    }

    #[test]
    fn interfaces_are_separated_by_commas_or_repeated() {
        for args in ["-i a,b,c", "-i a -i b,c", "-ia -ib -ic"] {
            let Action::Capture(config) = action(args) else { panic!("not live") };
            assert_eq!(config.interfaces, ["a", "b", "c"], "{args}");
        }
    }

    #[test]
    fn the_last_of_repeated_options_counts() {
        let Action::Capture(config) = action("-s 64 -s 96 -ee -pp") else { panic!("not live") };
        assert_eq!((config.stream.snaplen, config.stream.fields.has_ethernet), (96, true));
    }

    #[test]
    fn options_without_effect_are_named() {
        for (args, notice) in [
            ("-r a", ""),
            ("-r a -p -Q in -G 1h -w b", "no effect on files: -p, -Q"),
            ("-r a -y EN10MB", "no effect on files: -y"),
            ("-d -y EN10MB -r a", ""),
            ("-B 100", "-B 100: the smallest buffer is 256 KiB"),
            ("-B 100 -r a", "no effect on files: -B"),
            ("--pcapng a --names -e", "no effect without lines (add -w FILE): -e, --names"),
            ("--pcapng a --names -w -", ""),
        ] {
            assert_eq!(parse(args).unwrap().1.join("; "), notice, "{args}");
        }
    }
}
