//! The manual page, in the man macros of roff (groff_man(7)).

use clap::{Arg, ArgAction, CommandFactory};
use roff::{Inline, Roff, bold, italic, roman};

use super::args::Args;
use super::sections::{ABOUT, DESCRIPTION, EXAMPLES, SECTIONS, SEE_ALSO, SYNOPSIS, Section};
use super::tcpdump;
use super::version::DATE;

/// Longest line in bytes.
const LINE_LEN: usize = 80;

/// The manual page.
pub(super) fn manual() -> String {
    let mut page = Roff::new();
    page.control("SH", ["NAME"]);
    page.text([roman(format!("sniffer - {}", lowercase_first(ABOUT)))]);
    page.control("SH", ["SYNOPSIS"]);
    for (index, form) in SYNOPSIS.iter().enumerate() {
        if 0 < index {
            page.control("br", []);
        }
        page.text(synopsis(form));
    }
    page.control("SH", ["DESCRIPTION"]);
    for (index, paragraph) in DESCRIPTION.iter().enumerate() {
        if 0 < index {
            page.control("PP", []);
        }
        page.text(inlines(paragraph));
    }
    options(&mut page);
    compatibility(&mut page);
    SECTIONS.iter().for_each(|section| terms(&mut page, section));
    page.control("SH", ["EXAMPLES"]);
    for (index, (explanation, command)) in EXAMPLES.iter().enumerate() {
        if 0 < index {
            page.control("PP", []);
        }
        page.text([roman(format!("{explanation}:"))]);
        page.control("PP", []);
        page.control("RS", ["4"]);
        page.control("nf", []);
        page.text([bold(*command)]);
        page.control("fi", []);
        page.control("RE", []);
    }
    page.control("SH", ["SEE ALSO"]);
    page.text(inlines(SEE_ALSO));
    // The library omits empty arguments, and the date may be empty.
    let version = env!("CARGO_PKG_VERSION");
    format!(
        ".TH SNIFFER 1 \"{DATE}\" \"sniffer {version}\" \"User Commands\"\n{}",
        fill(&page.render())
    )
}

/// Breaks long lines between words, as the conventions for manual pages ask (man-pages(7)).
fn fill(page: &str) -> String {
    let mut filled = String::new();
    let mut is_filled = true;
    for line in page.lines() {
        match line {
            ".nf" => is_filled = false,
            ".fi" => is_filled = true,
            _ => {}
        }
        let mut rest = line;
        while is_filled && LINE_LEN < rest.len() && !line.starts_with('.') {
            // A line must not begin like a macro.
            let breaks = rest.match_indices(' ').map(|(index, _)| index);
            let mut breaks = breaks.filter(|index| !rest[index + 1..].starts_with(['.', '\'']));
            let Some(end) =
                breaks.clone().take_while(|index| *index <= LINE_LEN).last().or(breaks.next())
            else {
                break;
            };
            filled.extend([&rest[..end], "\n"]);
            rest = &rest[end + 1..];
        }
        filled.extend([rest, "\n"]);
    }
    filled
}

/// The options in their groups.
fn options(page: &mut Roff) {
    let command = Args::command();
    page.control("SH", ["OPTIONS"]);
    let shown = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    let mut headings: Vec<&str> = Vec::new();
    for heading in shown().filter_map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        page.control("SS", [heading]);
        for arg in shown().filter(|arg| arg.get_help_heading() == Some(heading)) {
            option(page, arg);
        }
    }
}

fn option(page: &mut Roff, arg: &Arg) {
    page.control("TP", []);
    page.text(usage(arg));
    let text = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    for (index, paragraph) in text.split("\n\n").enumerate() {
        if 0 < index {
            page.control("IP", []);
        }
        page.text(inlines(&sentence(paragraph)));
    }
    // Flags have a default, which nobody sets.
    let default = arg.get_default_values().first().filter(|_| takes_value(arg));
    if let Some(default) = default {
        page.text([roman("The default is "), bold(default.to_string_lossy()), roman(".")]);
    }
    for value in arg.get_possible_values().iter().filter(|_| takes_value(arg)) {
        page.control("RS", []);
        page.control("TP", []);
        page.text([bold(value.get_name())]);
        page.text([roman(sentence(
            &value.get_help().map(ToString::to_string).unwrap_or_default(),
        ))]);
        page.control("RE", []);
    }
}

/// `-i, --interface INTERFACE`.
fn usage(arg: &Arg) -> Vec<Inline> {
    let mut parts = Vec::new();
    if let Some(short) = arg.get_short() {
        parts.push(bold(format!("-{short}")));
    }
    if let Some(long) = arg.get_long() {
        if !parts.is_empty() {
            parts.push(roman(", "));
        }
        parts.push(bold(format!("--{long}")));
    }
    if takes_value(arg) {
        if !parts.is_empty() {
            parts.push(roman(" "));
        }
        let names = arg.get_value_names().unwrap_or_default();
        parts.extend(names.iter().map(|name| italic(name.as_str())));
    }
    parts
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// tcpdump's options that sniffer lacks.
fn compatibility(page: &mut Roff) {
    page.control("SH", ["COMPATIBILITY WITH TCPDUMP"]);
    page.text([roman("Options of tcpdump for default behaviour of sniffer have no effect:")]);
    for is_accepted in [true, false] {
        if !is_accepted {
            page.control("PP", []);
            page.text([roman("Other options of tcpdump are usage errors:")]);
        }
        for option in tcpdump::OPTIONS {
            let (accepted, explanation) = option.explanation();
            if accepted == is_accepted {
                page.control("TP", []);
                page.text([bold(option.usage())]);
                page.text([roman(sentence(&explanation))]);
            }
        }
    }
}

fn terms(page: &mut Roff, section: &Section) {
    page.control("SH", [section.title.to_uppercase().as_str()]);
    if !section.introduction.is_empty() {
        page.text(inlines(section.introduction));
    }
    for (term, explanation) in section.entries {
        page.control("TP", []);
        page.text([bold(*term)]);
        page.text(inlines(&sentence(explanation)));
    }
}

/// A line of the synopsis: the names of values are in italics, the program and the options in bold.
fn synopsis(form: &str) -> Vec<Inline> {
    let is_part = |c: char| c.is_alphanumeric() || c == '-';
    let mut parts = Vec::new();
    let mut rest = form;
    while !rest.is_empty() {
        let is_word = rest.starts_with(is_part);
        let len = rest.find(|c| is_part(c) != is_word).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(len);
        parts.push(match is_word {
            false => roman(part),
            true if part.chars().all(|c| c.is_ascii_uppercase()) => italic(part),
            true => bold(part),
        });
        rest = tail;
    }
    parts
}

/// Sets text between backticks in bold.
fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(index, part)| if index % 2 == 1 { bold(part) } else { roman(part) }).collect()
}

/// A sentence with capital letter and full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    // Names of programs keep their first letter.
    let text = if text.starts_with("gzip") { text.to_owned() } else { first + chars.as_str() };
    if text.is_empty() || text.ends_with('.') { text } else { text + "." }
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(inlines: Vec<Inline>) -> String {
        Roff::new().text(inlines).to_roff()
    }

    #[test]
    fn synopsis_distinguishes_options_from_values() {
        let form = render(synopsis("sniffer [-i INTERFACE]... | --check"));
        assert_eq!(
            form,
            "\\fBsniffer\\fR [\\fB\\-i\\fR \\fIINTERFACE\\fR]... | \\fB\\-\\-check\\fR\n"
        );
    }

    #[test]
    fn text_between_backticks_is_bold() {
        assert_eq!(render(inlines("see `-w` and `%H`.")), "see \\fB\\-w\\fR and \\fB%H\\fR.\n");
    }

    #[test]
    fn every_option_has_an_explanation() {
        let page = manual();
        // A term follows `.TP`, and its explanation, of one or more lines, the term.
        for entry in page.split("\n.TP\n").skip(1) {
            let lines = entry.lines().skip(1).take_while(|line| !line.starts_with('.'));
            let explanation = lines.collect::<Vec<_>>().join(" ");
            assert!(explanation.ends_with('.'), "{entry}");
        }
    }
}
