//! What could stand next in a filter.

use super::lexer::{Kind, quoted, tokens, word_len};
use super::{Field, Type};
use std::ops::Range;

/// Words that could stand at a place of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Bytes of the text that they replace.
    pub at: Range<usize>,
    /// The words, best first.
    pub words: Vec<String>,
}

/// Most words that are offered.
const MAX_WORDS: usize = 12;

/// What could stand in place of the word at `cursor`, a byte of the text, as it is before that;
/// `words_of` knows the words of fields in the
/// capture.
pub fn complete(text: &str, cursor: usize, words_of: impl Fn(Field) -> Vec<String>) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    // The word that the cursor stands in or behind.
    let ends = before.char_indices().rev().filter_map(|(at, _)| before.get(at..));
    let typed = ends.take_while(|end| word_len(end) == end.len()).last().unwrap_or_default();
    let others = before.strip_suffix(typed).unwrap_or_default();
    let Ok(mut tokens) = tokens(others) else { return Completion::default() };
    tokens.pop();
    let name = |kind: Kind<'_>| match kind {
        Kind::Word(word) => Field::parse(word),
        _ => None,
    };
    let words: Vec<String> = match tokens.last().map(|token| token.kind) {
        None | Some(Kind::Word("and" | "or" | "not") | Kind::Symbol("&&" | "||" | "!" | "(")) => {
            let fields = Field::ALL.iter().map(|field| field.name().to_owned());
            fields.chain(["not".to_owned()]).collect()
        }
        Some(
            Kind::Word("in" | "has")
            | Kind::Symbol("==" | "!=" | "=" | "{" | "," | "<" | "<=" | ">" | ">=" | ".."),
        ) => {
            let field = tokens.iter().rev().find_map(|token| name(token.kind));
            field.map(words_of).unwrap_or_default().iter().map(|word| quoted(word)).collect()
        }
        Some(kind) => match name(kind) {
            Some(field) => operators(field).iter().map(|word| (*word).to_owned()).collect(),
            None => ["and", "or"].map(str::to_owned).to_vec(),
        },
    };
    let fits = |word: &String| word.starts_with(typed) && word != typed;
    let words = words.into_iter().filter(fits).take(MAX_WORDS).collect();
    let behind = text.get(before.len()..).map_or(0, word_len);
    Completion { at: others.len()..before.len() + behind, words }
}

fn operators(field: Field) -> &'static [&'static str] {
    match field.kind() {
        Type::Flags => &["==", "has", "in", "!=", "and", "or"],
        Type::Address | Type::Word => &["==", "in", "!=", "and", "or"],
        Type::Number { .. } | Type::Time | Type::Duration => {
            &["==", "in", "<", "<=", ">", ">=", "!=", "and", "or"]
        }
    }
}
