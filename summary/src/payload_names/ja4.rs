//! The text of a JA4 fingerprint.

use std::fmt;

/// A [JA4](https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md) fingerprint of a TLS
/// client, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`. Clients of the same program have the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ja4([u8; Self::LEN]);

impl Ja4 {
    /// Length of the text in bytes.
    const LEN: usize = 36;
    /// Where the parts are separated by `_`.
    const SEPARATORS: [usize; 2] = [10, 23];

    /// Parses the text. It must have the form of a fingerprint: ASCII letters and digits in three parts.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().ok()?;
        let is_valid = |(index, byte): (usize, &u8)| match Self::SEPARATORS.contains(&index) {
            true => *byte == b'_',
            false => byte.is_ascii_alphanumeric(),
        };
        bytes.iter().enumerate().all(is_valid).then_some(Self(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default() // ASCII
    }
}

impl fmt::Debug for Ja4 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Ja4").field(&self.as_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_the_form_are_fingerprints() {
        let text = "t13d1516h2_8daaf6152771_e5627efa2ab1";
        assert_eq!(Ja4::parse(text).map(|ja4| ja4.as_str().to_owned()).as_deref(), Some(text));
        for at in [0, 10, 23, 35] {
            let mut wrong = text.to_owned();
            wrong.replace_range(at..=at, "-");
            assert_eq!(Ja4::parse(&wrong), None);
        }
        assert_eq!(Ja4::parse(&text[1..]), None);
    }
}
