//! Splits filter text into tokens.

use super::Error;
use super::flag_tests::bracket;
use super::parse::Result;
use std::ops::Range;

/// A token and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    /// Bytes of the text.
    pub(super) range: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'a> {
    /// A keyword, field name, number, address or time.
    Word(&'a str),
    /// Quoted text without the enclosing quotes; quotes inside are still doubled.
    Quoted(&'a str),
    Symbol(&'static str),
    End,
}

/// Longer symbols first, because the first match wins.
const SYMBOLS: [&str; 17] =
    ["..", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "=", "!", "(", ")", "{", "}", ",", "&"];

/// The tokens of a text, terminated by [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (kind, len) = if first.is_whitespace() {
            rest = rest.trim_start();
            continue;
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (TokenKind::Symbol(symbol), symbol.len())
        } else if first == '"' {
            let Some(quoted) = quoted_content(&rest[1..]) else {
                return Err(Error::new(start..text.len(), "Missing closing quotation mark"));
            };
            (TokenKind::Quoted(quoted), quoted.len() + 2)
        } else {
            let len = word_len(rest);
            if len == 0 {
                let range = start..start + first.len_utf8();
                return Err(match first {
                    '[' => bracket(text, start),
                    _ => Error::new(range, &format!("Unexpected `{first}`")),
                });
            }
            (TokenKind::Word(&rest[..len]), len)
        };
        tokens.push(Token { kind, range: start..start + len });
        rest = &rest[len..];
    }
    tokens.push(Token { kind: TokenKind::End, range: text.len()..text.len() });
    Ok(tokens)
}

impl TokenKind<'_> {
    /// The text of a word or quoted token.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.to_owned()),
            Self::Quoted(text) => Some(text.replace("\"\"", "\"")),
            _ => None,
        }
    }
}

/// Text as a filter operand, quoted only if it would not be read as one word.
pub(super) fn quote(text: &str) -> String {
    let is_word = !text.is_empty() && word_len(text) == text.len();
    if is_word { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// The text before the closing quote, the first one that is not doubled.
fn quoted_content(text: &str) -> Option<&str> {
    let mut quotes = text.match_indices('"').map(|(index, _)| index);
    loop {
        let index = quotes.next()?;
        if !text[index + 1..].starts_with('"') {
            return Some(&text[..index]);
        }
        quotes.next();
    }
}

/// Length in bytes of the word at the start of the text. A word ends at white space, a symbol or two
/// dots.
pub(super) fn word_len(text: &str) -> usize {
    let is_in_word = |c: char| match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "_.:/+-%*".contains(c),
        // File names may contain any other character.
        false => !c.is_whitespace(),
    };
    let len = text.find(|c| !is_in_word(c)).unwrap_or(text.len());
    text.find("..").unwrap_or(len).min(len)
}
