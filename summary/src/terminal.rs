//! Characters from outside that a terminal would interpret instead of showing. They are escaped in the
//! output (JSON) and in messages (text for people), so that a name from the network, a file or the
//! command line cannot move the cursor, forge a line or reverse the order of the text around it.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

/// Whether a character controls the display of text: C0 and C1 controls and DEL, line and paragraph
/// separators, and the characters that embed, override or isolate a text direction (Unicode Standard
/// Annex #9).
pub const fn is_display_control(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Text for a terminal: characters that control the display appear as `\u{1b}`.
///
/// ```
/// assert_eq!(summary::Printable("a\u{1b}[31m").to_string(), "a\\u{1b}[31m");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Printable<T>(pub T);

impl<T: Display> Display for Printable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(formatter), "{}", self.0)
    }
}

/// A writer that escapes control characters.
struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(is_display_control) {
            let control = part.chars().next_back().filter(|last| is_display_control(*last));
            self.0.write_str(&part[..part.len() - control.map_or(0, char::len_utf8)])?;
            if let Some(control) = control {
                write!(self.0, "{}", control.escape_unicode())?;
            }
        }
        Ok(())
    }
}

/// Writes a value as JSON on one line, with characters that control the display as `\u001b`.
///
/// # Errors
///
/// If writing fails, or the value has no JSON form.
pub fn write_json(out: impl Write, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, JsonFormatter))
}

/// Compact JSON. serde_json escapes C0 controls; this escapes the others.
struct JsonFormatter;

impl Formatter for JsonFormatter {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for part in fragment.split_inclusive(is_display_control) {
            let control = part.chars().next_back().filter(|last| is_display_control(*last));
            let text = &part[..part.len() - control.map_or(0, char::len_utf8)];
            out.write_all(text.as_bytes())?;
            if let Some(control) = control {
                write!(out, "\\u{:04x}", u32::from(control))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_are_escaped() {
        let escaped = |text: &str| {
            let mut json = Vec::new();
            write_json(&mut json, text).unwrap();
            (Printable(text).to_string(), String::from_utf8(json).unwrap())
        };
        for (text, printed, json) in [
            ("é ∑ \u{200d}", "é ∑ \u{200d}", "\"é ∑ \u{200d}\""),
            ("\u{1b}[2J\n", "\\u{1b}[2J\\u{a}", r#""\u001b[2J\n""#),
            (
                "a\u{7f}\u{80}\u{9b}\u{9f}\u{a0}",
                "a\\u{7f}\\u{80}\\u{9b}\\u{9f}\u{a0}",
                "\"a\\u007f\\u0080\\u009b\\u009f\u{a0}\"",
            ),
            ("\u{2028}\u{2029}x", "\\u{2028}\\u{2029}x", r#""\u2028\u2029x""#),
            (
                "\u{202a}\u{202e}\u{202f}",
                "\\u{202a}\\u{202e}\u{202f}",
                "\"\\u202a\\u202e\u{202f}\"",
            ),
            (
                "\u{2065}\u{2066}\u{2069}",
                "\u{2065}\\u{2066}\\u{2069}",
                "\"\u{2065}\\u2066\\u2069\"",
            ),
        ] {
            assert_eq!(escaped(text), (printed.to_owned(), json.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn json_parses_back_and_has_no_controls(text: String) {
            let mut json = Vec::new();
            write_json(&mut json, &text).unwrap();
            let json = String::from_utf8(json).unwrap();
            prop_assert!(!json.contains(is_display_control));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
