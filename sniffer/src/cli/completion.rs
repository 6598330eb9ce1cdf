//! Shell completions. The script that a shell loads calls sniffer back, with the command line in its
//! arguments and [`VARIABLE`] in its environment, so that it can offer what exists on the machine:
//! interfaces, network namespaces, files.

use clap::Command;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{CompleteEnv, EnvCompleter};
use std::io;

use crate::interfaces::{self, ANY, NamespaceName};

/// The environment variable that a completion script sets. It contains the name of the shell.
const VARIABLE: &str = "SNIFFER_COMPLETE";

/// The option of the namespace, and the length of its shortest abbreviation.
const NETNS: &str = "--netns";
const MIN_NETNS_LEN: usize = "--ne".len();

/// zsh loads the script from `fpath` when it completes the first command line. The script of the
/// library then only registers the function for the next ones.
const FIRST_COMPLETION: &str =
    "[[ $funcstack[1] == _sniffer ]] && _clap_dynamic_completer_sniffer\n";

/// Prints the candidates and exits if a completion script started this process.
pub(super) fn answer(command: impl Fn() -> Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The script for a shell; it calls the sniffer that is found in `PATH`.
pub(super) fn script(shell: &dyn EnvCompleter) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "sniffer", "sniffer", "sniffer", &mut script)?;
    if shell.is("zsh") {
        script.extend_from_slice(FIRST_COMPLETION.as_bytes());
    }
    Ok(script)
}

/// The values of `-i`, in the namespace of `--netns` if the command line has it. If this user may not
/// enter that, only `any` is known.
pub(super) fn interface_names() -> Vec<CompletionCandidate> {
    let args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    // This process ends once it has printed the candidates.
    let entered = namespace(args).map_or(Ok(None), |namespace| namespace.enter().map(Some));
    let interfaces = entered.and_then(|_| interfaces::all()).unwrap_or_default();
    let names = interfaces.into_iter().flat_map(|interface| {
        let state = if interface.is_up { "up" } else { "down" };
        let names = std::iter::once(interface.name).chain(interface.alternative_names);
        names.map(move |name| CompletionCandidate::new(name).help(Some(state.into())))
    });
    names.chain([CompletionCandidate::new(ANY).help(Some("all interfaces".into()))]).collect()
}

/// The namespace in a command line that may be incomplete.
fn namespace(args: impl Iterator<Item = String>) -> Option<NamespaceName> {
    let mut args = args.peekable();
    let mut last = None;
    while let Some(arg) = args.next() {
        let (option, value) = arg.split_once('=').unzip();
        let option = option.unwrap_or(&arg);
        // Long options may be abbreviated.
        if NETNS.starts_with(option) && MIN_NETNS_LEN <= option.len() {
            // bash separates words at `=`.
            args.next_if(|arg| value.is_none() && arg == "=");
            last = value.map(str::to_owned).or_else(|| args.next());
        }
    }
    last.filter(|name| !name.is_empty()).map(NamespaceName)
}

/// The values of `--netns`.
pub(super) fn namespace_names() -> Vec<CompletionCandidate> {
    interfaces::namespace_names().into_iter().map(CompletionCandidate::new).collect()
}

/// The values of `-y`.
pub(super) fn link_type_names() -> Vec<CompletionCandidate> {
    filter::LinkType::names().map(|(name, _)| CompletionCandidate::new(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_is_found_in_incomplete_command_lines() {
        for (args, expected) in [
            ("sniffer -- sniffer --netns blue -i", Some("blue")),
            ("sniffer -- sniffer --netns=blue -i", Some("blue")),
            ("sniffer -- sniffer --netns = blue -i", Some("blue")),
            ("sniffer -- sniffer --net 1 --netns 2 -i", Some("2")),
            ("sniffer -- sniffer --n blue -i", None),
            ("sniffer -- sniffer -i eth0 --netns", None),
            ("sniffer -- sniffer -i", None),
        ] {
            let found = namespace(args.split(' ').map(str::to_owned));
            assert_eq!(found, expected.map(|name| NamespaceName(name.into())), "{args}");
        }
    }
}
