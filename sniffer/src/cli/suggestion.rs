//! Answers to arguments that are not a filter but look like something else: the name of an interface or
//! of a capture file, or a display filter of Wireshark.

use std::path::Path;
use summary::Printable;

use super::{display_filter, near_miss};
use crate::{filter, interfaces};

/// The answer to a filter that does not compile; `None` if it compiles, or looks like a filter with
/// an error. `words` are the arguments that it was made of, if any.
pub(super) fn find(words: &[String], expression: Option<&str>) -> Option<String> {
    let expression = expression?;
    let is_valid = filter::is_valid(expression);
    let near_miss = || for_near_miss(expression, is_valid);
    if is_valid {
        return near_miss();
    }
    let of_words = || words.iter().find_map(|word| option_for(word));
    of_words()
        .or_else(near_miss)
        .or_else(|| for_display_filter(expression))
        .or_else(|| for_viewer_filter(expression))
}

/// The answer to a filter with a known mistake.
fn for_near_miss(expression: &str, is_valid: bool) -> Option<String> {
    let corrected =
        near_miss::correct(expression, is_valid).filter(|text| filter::is_valid(text))?;
    Some(format!("invalid filter; did you mean {}?", quoted(&corrected)))
}

/// The answer to a filter in the language of the viewer.
fn for_viewer_filter(expression: &str) -> Option<String> {
    let mut words = expression.split_whitespace();
    let is_field =
        ["proto", "port", "sport", "dport", "host", "src", "dst", "len", "flags", "ttl", "ts", "n"]
            .contains(&words.next()?);
    let is_operator = ["==", "!=", "in", "has", "contains", "not"].contains(&words.next()?);
    (is_field && is_operator).then(|| {
        format!(
            "this is a filter of the viewer; write a filter of pcap-filter(7), such as: {EXAMPLE}"
        )
    })
}

/// A filter in the manner of pcap-filter(7).
const EXAMPLE: &str = "host 10.0.0.5 and tcp port 443";

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .,:/_-".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{text}'") }
}

/// The option that an argument lacks.
fn option_for(word: &str) -> Option<String> {
    let name = Printable(word);
    if ["help", "version"].contains(&word) {
        return Some(format!("did you mean --{name}?"));
    }
    let names_interface = |interface: &interfaces::Interface| interface.is_named(word);
    let is_interface =
        word == interfaces::ANY || interfaces::all().ok()?.iter().any(names_interface);
    if is_interface {
        return Some(format!("`{name}` is an interface; did you mean -i {name}?"));
    }
    let path = Path::new(word);
    let kind = if path.is_file() {
        "is a file"
    } else if names_capture_file(path) {
        "is the name of a capture file"
    } else {
        return None;
    };
    Some(format!("`{name}` {kind}; did you mean -r {name}?"))
}

/// Whether a path ends like that of a capture file, which may be compressed.
fn names_capture_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let name = name.unwrap_or_default();
    let stem = [".gz", ".zst", ".xz"].iter().find_map(|suffix| name.strip_suffix(suffix));
    let stem = stem.unwrap_or(&name);
    [".pcap", ".pcapng", ".cap"].iter().any(|suffix| stem.ends_with(suffix))
}

fn for_display_filter(expression: &str) -> Option<String> {
    if !display_filter::is_display_filter(expression) {
        return None;
    }
    let translated = display_filter::translate(expression).filter(|text| filter::is_valid(text));
    Some(match translated {
        Some(text) => {
            format!(
                "this is a display filter of Wireshark; the capture filter is: {}",
                quoted(&text)
            )
        }
        None => format!(
            "this is a display filter of Wireshark; write a filter of pcap-filter(7), such as: {EXAMPLE}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, answer: Option<&str>) {
        let words: Vec<_> = expression.split(' ').map(str::to_owned).collect();
        assert_eq!(find(&words, Some(expression)).as_deref(), answer, "{expression}");
    }

    #[test]
    fn interfaces_and_files_get_their_option() {
        check("lo", Some("`lo` is an interface; did you mean -i lo?"));
        check("any", Some("`any` is an interface; did you mean -i any?"));
        check("lo port 80", Some("`lo` is an interface; did you mean -i lo?"));
        check(
            "no/such.pcapng.zst",
            Some(
                "`no/such.pcapng.zst` is the name of a capture file; did you mean -r no/such.pcapng.zst?",
            ),
        );
        check("Cargo.toml", Some("`Cargo.toml` is a file; did you mean -r Cargo.toml?"));
    }

    #[test]
    fn filters_get_no_suggestion() {
        for filter in
            ["tcp", "host lo", "port 80 or no-such-name", "tcp port 70000", "wlan type mgt"]
        {
            check(filter, None);
        }
    }

    #[test]
    fn display_filters_are_translated() {
        check(
            "ip.addr == 10.0.0.5",
            Some("this is a display filter of Wireshark; the capture filter is: host 10.0.0.5"),
        );
        check(
            "http.request.method == \"GET\"",
            Some(
                "this is a display filter of Wireshark; write a filter of pcap-filter(7), such as: \
                 host 10.0.0.5 and tcp port 443",
            ),
        );
    }
}
