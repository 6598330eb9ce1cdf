//! What is wrong with an expression, and where.

use std::fmt;
use std::ops::Range;

/// An expression that does not compile. Shown, it is the message, the expression and a caret under the
/// place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    message: String,
    expression: String,
    span: Range<usize>,
}

/// What goes wrong inside, before the expression is put beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
}

impl Diagnostic {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span }
    }

    pub(crate) fn with_expression(self, expression: &str) -> Error {
        Error { message: self.message, expression: expression.to_owned(), span: self.span }
    }
}

impl Error {
    /// Columns of the expression that are shown at most: long ones are cut around the place.
    const COLUMNS: usize = 72;

    /// The message, without the expression.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The bytes of the expression that the message is about. Empty at its end where something is
    /// missing there.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.expression.is_empty() {
            return Ok(());
        }
        // Control characters would move the caret.
        let shown = |text: &str| text.replace(char::is_control, " ");
        let before = shown(self.expression.get(..self.span.start).unwrap_or_default());
        let at = shown(self.expression.get(self.span.clone()).unwrap_or_default());
        let after = shown(self.expression.get(self.span.end..).unwrap_or_default());
        let at: String = at.chars().take(Self::COLUMNS).collect();
        let (mut head, length) = ("", before.chars().count());
        let mut tail = before.as_str();
        if Self::COLUMNS / 2 < length {
            head = "…";
            let skipped = length - Self::COLUMNS / 2;
            tail = before.char_indices().nth(skipped).map_or("", |(offset, _)| &before[offset..]);
        }
        let room = Self::COLUMNS.saturating_sub(at.chars().count());
        let rest: String = after.chars().take(room).collect();
        let more = if rest.len() < after.len() { "…" } else { "" };
        writeln!(f, "\n  {head}{tail}{at}{rest}{more}")?;
        let indent = head.chars().count() + tail.chars().count();
        write!(f, "  {:indent$}{}", "", "^".repeat(at.chars().count().max(1)))
    }
}
