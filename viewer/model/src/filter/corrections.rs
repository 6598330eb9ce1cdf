//! Errors for likely mistakes, with their corrections.

use super::lexer::TokenKind;
use super::literals::{flag, network};
use super::names;
use super::parse::{Parser, parse_all};
use super::{Context, Error, Field};
use std::ops::Range;

/// Whether a corrected text is a filter, the start of one, or can be corrected further.
pub(super) fn is_progress(fixed: &str, context: &Context) -> bool {
    parse_all(fixed, context)
        .err()
        .is_none_or(|error| error.fix.is_some() || fixed.trim_end().len() <= error.range.start)
}

impl Parser<'_, '_> {
    /// The error in what follows the name of a protocol, if it has a likely correction: a value or a
    /// comparison instead of `and`.
    pub(super) fn after_protocol(&self, protocol: Range<usize>, name: &str) -> Option<Box<Error>> {
        let range = self.range();
        let (replaced, text) = match self.peek() {
            TokenKind::Symbol("==" | "!=" | "=") => (protocol, names::compared(name)?.to_owned()),
            // tcpdump's `ip proto 17`.
            TokenKind::Word("proto") if name.starts_with("ip") => {
                let proto = names::ip_proto(self.value_word(1)?)?;
                (range.start..self.tokens[1].range.end, format!("and proto == {proto}"))
            }
            TokenKind::Word("dport") => (range.clone(), "dst port".to_owned()),
            TokenKind::Word("sport") => (range.clone(), "src port".to_owned()),
            TokenKind::Word(word) => {
                let text = match (network(word), word.parse::<u16>(), flag(word)) {
                    (Some(_), ..) => "host ",
                    (_, Ok(_), _) => "port ",
                    (.., Some(_)) => "and flags has ",
                    _ => return None,
                };
                (range.start..range.start, text.to_owned())
            }
            _ => return None,
        };
        Some(Error::new(range, "Expected `and` or `or`").with_fix(replaced, &text))
    }

    /// The error for a word that is not a field, protocol or value. `name` is the word in lower case.
    pub(super) fn unknown(&self, word: &str, name: &str) -> Box<Error> {
        let range = self.range();
        // As in Kibana: `proto:tcp`.
        if let Some((field, value)) = word.split_once(':')
            && Field::parse(field).is_some()
        {
            let message = format!("Expected an operator between `{field}` and its value");
            let text = format!("{field} == {value}");
            return Error::new(range.clone(), &message).with_fix(range, &text);
        }
        if word.contains([':', '-'])
            && self.context.zone.parse(word, self.context.first_ns).is_some()
        {
            let message = format!("Expected a field before the time `{word}`");
            return Error::new(range.clone(), &message).with_fix(range, &format!("ts >= {word}"));
        }
        if name == "frame" {
            return Error::new(range, "The bytes of packets cannot be searched");
        }
        if name == "ether" && self.value_word(1) == Some("broadcast") {
            let whole = range.start..self.tokens[1].range.end;
            let error = Error::new(range, "Expected `ether src`, `ether dst` or `ether host`");
            return error.with_fix(whole, &names::correction("broadcast").unwrap_or_default());
        }
        let message =
            format!("Unknown field `{word}`. Fields are proto, host, port, len, ts and others");
        let error = Error::new(range.clone(), &message);
        // A flag that is compared, as in `rst == 1`.
        let is_compared = self.tokens.get(1).is_some_and(|next| {
            matches!(next.kind, TokenKind::Symbol("==" | "!=" | "=") | TokenKind::Word("eq" | "ne"))
        });
        let fix = match flag(name).filter(|_| is_compared) {
            Some(_) => Some(format!("tcp.flags.{name}")),
            None => names::correction(name),
        };
        match fix {
            Some(text) => error.with_fix(range, &text),
            None => error,
        }
    }
}
