//! Autocompletion of filter text.

use super::lexer::{TokenKind, quote, tokens, word_len};
use super::{Field, FieldType, names};
use std::ops::Range;

/// Suggestions for the text at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Bytes of the text that a suggestion replaces.
    pub range: Range<usize>,
    /// Suggestions, best first.
    pub suggestions: Vec<String>,
}

/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 12;

/// Completes the word at `cursor`, a byte offset into the text. Only the text before the cursor
/// determines the suggestions. `values_of` returns the values of a field in the open captures, most
/// frequent first.
pub fn complete(text: &str, cursor: usize, values_of: impl Fn(Field) -> Vec<String>) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let typed = last_word(before);
    let context = &before[..before.len() - typed.len()];
    let Ok(mut tokens) = tokens(context) else { return Completion::default() };
    tokens.pop(); // the end of the text
    let field_of = |kind: TokenKind<'_>| match kind {
        TokenKind::Word(word) => Field::parse(word)
            .or_else(|| Some(names::wireshark_field(&word.to_ascii_lowercase())?.field)),
        _ => None,
    };
    let candidates: Vec<String> = match tokens.last().map(|token| token.kind) {
        None
        | Some(
            TokenKind::Word("and" | "or" | "not") | TokenKind::Symbol("&&" | "||" | "!" | "("),
        ) => {
            let fields = Field::all().map(Field::name).chain(["not".to_owned()]);
            // Only Wireshark's names contain a dot.
            let names = names::wireshark_names().filter(|_| typed.contains('.'));
            fields.chain(names).collect()
        }
        Some(
            TokenKind::Word("in" | "has" | "contains")
            | TokenKind::Symbol("==" | "!=" | "=" | "{" | "," | "<" | "<=" | ">" | ">=" | ".."),
        ) => {
            let field = tokens.iter().rev().find_map(|token| field_of(token.kind));
            field.map(values_of).unwrap_or_default().iter().map(|value| quote(value)).collect()
        }
        Some(kind) => match field_of(kind) {
            Some(field) => operators(field).iter().map(|op| (*op).to_owned()).collect(),
            None => ["and", "or"].map(str::to_owned).to_vec(),
        },
    };
    let fits = |candidate: &String| candidate.starts_with(typed) && candidate != typed;
    let suggestions = candidates.into_iter().filter(fits).take(MAX_SUGGESTIONS).collect();
    let end = before.len() + word_len(&text[before.len()..]);
    Completion { range: context.len()..end, suggestions }
}

/// The longest word that ends at the end of the text; may be empty.
fn last_word(text: &str) -> &str {
    let suffixes = text.char_indices().rev().map(|(start, _)| &text[start..]);
    suffixes.take_while(|suffix| word_len(suffix) == suffix.len()).last().unwrap_or_default()
}

fn operators(field: Field) -> &'static [&'static str] {
    match field.field_type() {
        FieldType::Flags => &["==", "has", "in", "!=", "and", "or"],
        FieldType::Address => &["==", "in", "!=", "and", "or"],
        FieldType::Text => &["==", "in", "contains", "!=", "and", "or"],
        FieldType::Number { .. } | FieldType::Time | FieldType::Duration => {
            &["==", "in", "<", "<=", ">", ">=", "!=", "and", "or"]
        }
    }
}
