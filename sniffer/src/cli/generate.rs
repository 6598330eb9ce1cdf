//! `--generate`: the manual page and shell completions.

use clap::CommandFactory;
use clap_complete::Shell;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::args::{Args, Generate};
use super::help::SECTIONS;
use super::tcpdump;
use crate::Error;

/// Prints the manual page or completions to standard output.
pub(crate) fn generate(what: Generate) -> Result<(), Error> {
    let text = match what {
        Generate::Man => manual(),
        Generate::Bash => Ok(completions(Shell::Bash)),
        Generate::Fish => Ok(completions(Shell::Fish)),
        Generate::Zsh => Ok(completions(Shell::Zsh)),
    };
    text.and_then(|text| io::stdout().write_all(&text))
        .map_err(|source| Error::Output { name: "standard output".into(), source })
}

fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "sniffer", &mut text);
    text
}

fn manual() -> io::Result<Vec<u8>> {
    let manual = clap_mangen::Man::new(Args::command());
    let mut text = Vec::new();
    manual.render_title(&mut text)?;
    manual.render_name_section(&mut text)?;
    manual.render_synopsis_section(&mut text)?;
    manual.render_description_section(&mut text)?;
    manual.render_options_section(&mut text)?;
    let mut rest = String::new();
    for section in SECTIONS {
        // Writing to a String cannot fail.
        let _ = writeln!(rest, ".SH \"{}\"", section.title.to_uppercase());
        for (term, explanation) in section.entries {
            let _ = writeln!(rest, ".TP\n\\fB{}\\fR\n{}.", escaped(term), escaped(explanation));
        }
    }
    for (title, accepted) in
        [("TCPDUMP OPTIONS WITHOUT EFFECT", true), ("TCPDUMP OPTIONS THAT ARE REFUSED", false)]
    {
        let _ = writeln!(rest, ".SH \"{title}\"");
        for option in tcpdump::OPTIONS {
            let (is_accepted, explanation) = option.explanation();
            if is_accepted == accepted {
                let usage = escaped(&option.usage());
                let _ = writeln!(rest, ".TP\n\\fB{usage}\\fR\n{}.", escaped(&explanation));
            }
        }
    }
    rest += ".SH \"SEE ALSO\"\n\\fBtcpdump\\fR(8), \\fBpcap-filter\\fR(7), \\fBpacket\\fR(7)\n";
    text.extend_from_slice(rest.as_bytes());
    Ok(text)
}

/// Escapes what roff would interpret or typeset otherwise; no text starts with a full stop.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}
