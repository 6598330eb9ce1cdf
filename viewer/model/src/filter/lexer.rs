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
    /// The same between quotes, without those around it: one in it is still written twice.
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
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let (kind, len) = if first.is_whitespace() {
            rest = rest.trim_start();
            continue;
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Kind::Symbol(symbol), symbol.len())
        } else if first == '"' {
            let Some(inside) = rest.strip_prefix('"').and_then(inside) else {
                let reason = "the quotation mark that closes is missing".to_owned();
                return Err(Error { at: at..text.len(), reason });
            };
            (Kind::Quoted(inside), inside.len() + 2)
        } else {
            let len = word_len(rest);
            if len == 0 {
                let reason = format!("`{first}` means nothing here");
                return Err(Error { at: at..at + first.len_utf8(), reason });
            }
            (Kind::Word(rest.get(..len).unwrap_or_default()), len)
        };
        tokens.push(Token { kind, at: at..at + len });
        rest = rest.get(len..).unwrap_or_default();
    }
    tokens.push(Token { kind: Kind::End, at: text.len()..text.len() });
    Ok(tokens)
}

impl Kind<'_> {
    /// The word, if it is one.
    pub(super) fn word(self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.to_owned()),
            Self::Quoted(word) => {
                let (mut text, mut letters) = (String::new(), word.chars());
                while let Some(letter) = letters.next() {
                    text.push(letter);
                    if letter == '"' {
                        letters.next(); // written twice
                    }
                }
                Some(text)
            }
            _ => None,
        }
    }
}

/// A word as it is written: between quotes where it would not be read as one without.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word_len(word) == word.len();
    if is_plain { word.to_owned() } else { format!("\"{}\"", word.replace('"', "\"\"")) }
}

/// What stands before the quotation mark that closes: the first one without another behind it.
fn inside(text: &str) -> Option<&str> {
    let mut marks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'"').map(|(at, _)| at);
    loop {
        let at = marks.next()?;
        if text.as_bytes().get(at + 1) != Some(&b'"') {
            return text.get(..at);
        }
        marks.next();
    }
}

/// How long the word is that the text begins with: up to two dots, a space or a symbol.
pub(super) fn word_len(text: &str) -> usize {
    let is_in = |c: char| match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "_.:/+-%*".contains(c),
        // Names of files may have any other characters.
        false => !c.is_whitespace(),
    };
    let len = text.find(|c| !is_in(c)).unwrap_or(text.len());
    dots_at(text).unwrap_or(len).min(len)
}

/// Where the two dots are that tell a range.
pub(super) fn dots_at(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|two| two == b"..")
}
