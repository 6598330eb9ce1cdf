//! Compile errors, with the part of the expression that they are about.

use std::fmt;
use std::ops::Range;

/// Why an expression does not compile. `Display` prints the message, then the expression with
/// carets under the offending part. Control characters are replaced by spaces; see
/// [`Error::display`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    message: String,
    expression: String,
    span: Range<usize>,
}

/// An error inside the compiler, which does not hold the expression yet.
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
    /// Maximum number of columns of the expression in the output. Longer expressions are truncated
    /// on both sides of the span.
    const COLUMNS: usize = 72;

    /// The message without the expression. Where libpcap reports the same error, it is libpcap's.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The offending bytes of the expression. The range is empty, at the end of the expression, if
    /// something is missing there.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The error as `Display` prints it, with all characters that `is_hidden` selects replaced by
    /// spaces. Characters that control a terminal would misplace the carets, or worse.
    pub fn display(&self, is_hidden: fn(char) -> bool) -> impl fmt::Display {
        Display { error: self, is_hidden }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, is_hidden: fn(char) -> bool) -> fmt::Result {
        let shown = |text: &str| text.replace(is_hidden, " ");
        f.write_str(&shown(&self.message))?;
        if self.expression.is_empty() {
            return Ok(());
        }
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
        let max_count = Self::COLUMNS.saturating_sub(at.chars().count());
        let rest: String = after.chars().take(max_count).collect();
        let more = if rest.len() < after.len() { "…" } else { "" };
        writeln!(f, "\n  {head}{tail}{at}{rest}{more}")?;
        let indent = head.chars().count() + tail.chars().count();
        write!(f, "  {:indent$}{}", "", "^".repeat(at.chars().count().max(1)))
    }
}

/// An error and the characters that it must not print.
struct Display<'a> {
    error: &'a Error,
    is_hidden: fn(char) -> bool,
}

impl fmt::Display for Display<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.write(f, self.is_hidden)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, char::is_control)
    }
}
