//! `--generate`: prints the manual page or a script for shell completions.

use clap_complete::env::{Bash, Fish, Zsh};
use std::io::{self, Write};

use super::choices::Generate;
use super::{completion, manual};
use crate::Error;
use crate::error::STANDARD_OUTPUT_NAME;

/// Prints to standard output.
pub(crate) fn generate(what: Generate) -> Result<(), Error> {
    let text = match what {
        Generate::Man => Ok(manual::manual().into_bytes()),
        Generate::Bash => completion::script(&Bash),
        Generate::Fish => completion::script(&Fish),
        Generate::Zsh => completion::script(&Zsh),
    };
    text.and_then(|text| io::stdout().write_all(&text))
        .map_err(|source| Error::Output { name: STANDARD_OUTPUT_NAME.into(), source })
}
