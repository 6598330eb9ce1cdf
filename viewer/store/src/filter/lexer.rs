//! A filter's text as tokens.

use super::Error;
use std::ops::Range;

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Its bytes in the text.
    pub(super) at: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A name, a number, an address, a time.
    Word(&'a str),
    /// The same between quotes, without them.
    Quoted(&'a str),
    Symbol(&'static str),
    End,
}

/// Longer ones first: the first that fits is meant.
const SYMBOLS: [&str; 16] =
    ["..", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "=", "!", "(", ")", "{", "}", ","];

/// The tokens of a text; the last one is its end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Error> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, len) = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Kind::Symbol(symbol), symbol.len())
        } else if first == '"' {
            let Some(len) = rest[1..].find('"') else {
                let reason = "the quotation mark that closes is missing".to_owned();
                return Err(Error { at: at..text.len(), reason });
            };
            (Kind::Quoted(&rest[1..=len]), len + 2)
        } else {
            let len = word_len(rest);
            if len == 0 {
                let reason = format!("`{first}` means nothing here");
                return Err(Error { at: at..at + first.len_utf8(), reason });
            }
            (Kind::Word(&rest[..len]), len)
        };
        tokens.push(Token { kind, at: at..at + len });
        at += len;
    }
    tokens.push(Token { kind: Kind::End, at: text.len()..text.len() });
    Ok(tokens)
}

/// How long the word is that the text begins with: up to two dots, a space or a symbol.
pub(super) fn word_len(text: &str) -> usize {
    let is_in = |c: char| c.is_alphanumeric() || "_.:/+-%*".contains(c);
    let len = text.find(|c| !is_in(c)).unwrap_or(text.len());
    text[..len].find("..").unwrap_or(len)
}
