//! Registries of numbers with mnemonics.

use std::fmt;

/// The mnemonics of a registry. A number without one is written after a prefix.
pub(super) struct Registry {
    pub(super) names: &'static [(u16, &'static str)],
    pub(super) prefix: &'static str,
}

impl Registry {
    /// Parses the text that [`Registry::write`] writes.
    pub(super) fn parse(&self, text: &str) -> Option<u16> {
        if let Some((number, _)) = self.names.iter().find(|(_, name)| *name == text) {
            return Some(*number);
        }
        let digits = text.strip_prefix(self.prefix)?;
        let number: u16 = digits.parse().ok()?;
        (self.name(number).is_none() && number.to_string() == digits).then_some(number)
    }

    /// Writes the mnemonic of a number, or the number after the prefix.
    pub(super) fn write(&self, number: u16, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name(number) {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "{}{number}", self.prefix),
        }
    }

    fn name(&self, number: u16) -> Option<&'static str> {
        self.names.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
    }
}
