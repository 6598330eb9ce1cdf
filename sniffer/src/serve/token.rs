//! The secret part of the URL.

use rustix::rand::{GetRandomFlags, getrandom};
use std::fmt::Write as _;
use std::io;
use subtle::ConstantTimeEq;

/// Random bytes of a token.
const LEN: usize = 16;

/// The secret part of the URL: who knows it can read the capture.
#[derive(Clone, Debug)]
pub(super) struct Token(String);

impl Token {
    /// A random token.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; LEN];
        // Requests of at most 256 bytes are never filled in part (getrandom(2)).
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        let mut text = String::new();
        for byte in bytes {
            // Writing to memory cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether a text is the token. The time that this takes tells nothing about the token.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_accept_only_themselves() {
        let [one, other] = [(); 2].map(|()| Token::random().unwrap());
        assert_eq!(one.text().len(), 2 * LEN);
        assert!(one.is(one.text()) && !one.is(other.text()));
        for text in ["", &one.text()[1..], &format!("{}0", one.text()), &one.text().to_uppercase()]
        {
            assert!(!one.is(text) || text == one.text(), "{text}");
        }
    }
}
