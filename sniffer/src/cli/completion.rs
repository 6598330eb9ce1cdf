//! Shell completions. The script that a shell loads calls sniffer back, with the command line in its
//! arguments and [`VARIABLE`] in its environment, so that it can offer what exists on the machine:
//! interfaces, network namespaces, files.

use clap::Command;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{CompleteEnv, EnvCompleter};
use std::io;

use crate::interfaces::{self, ANY};

/// The environment variable that a completion script sets. It contains the name of the shell.
const VARIABLE: &str = "SNIFFER_COMPLETE";

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

/// The values of `-i`.
pub(super) fn interface_names() -> Vec<CompletionCandidate> {
    let interfaces = interfaces::all().unwrap_or_default();
    let names = interfaces.into_iter().flat_map(|interface| {
        let state = if interface.is_up { "up" } else { "down" };
        let names = std::iter::once(interface.name).chain(interface.alternative_names);
        names.map(move |name| CompletionCandidate::new(name).help(Some(state.into())))
    });
    names.chain([CompletionCandidate::new(ANY).help(Some("all interfaces".into()))]).collect()
}

/// The values of `--netns`.
pub(super) fn namespace_names() -> Vec<CompletionCandidate> {
    interfaces::namespace_names().into_iter().map(CompletionCandidate::new).collect()
}

/// The values of `-y`.
pub(super) fn link_type_names() -> Vec<CompletionCandidate> {
    filter::LinkType::names().map(|(name, _)| CompletionCandidate::new(name)).collect()
}
