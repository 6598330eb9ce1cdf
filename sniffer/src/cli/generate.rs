//! `--generate`: the manual page and shell completions.

use clap::CommandFactory;
use std::io::Write;

use super::args::{Args, Generate};
use crate::Error;

/// Prints the manual page or completions to standard output.
pub(crate) fn generate(what: Generate) -> Result<(), Error> {
    let mut command = Args::command();
    let mut text = Vec::new();
    let written = match what {
        Generate::Man => clap_mangen::Man::new(command).render(&mut text),
        Generate::Bash | Generate::Fish | Generate::Zsh => {
            let shell = match what {
                Generate::Fish => clap_complete::Shell::Fish,
                Generate::Zsh => clap_complete::Shell::Zsh,
                Generate::Bash | Generate::Man => clap_complete::Shell::Bash,
            };
            clap_complete::generate(shell, &mut command, "sniffer", &mut text);
            Ok(())
        }
    };
    written
        .and_then(|()| std::io::stdout().write_all(&text))
        .map_err(|source| Error::Output { name: "standard output".into(), source })
}
