//! The state of the page as the fragment of a link, and back.

use crate::filter::{Context, Expr, parse};
use crate::time::Zone;

/// Pairs as the fragment of a URL: `x=time&filter=len+%3e+100`.
pub fn fragment(pairs: &[(String, String)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        text.push_str(if text.is_empty() { "" } else { "&" });
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b' ' => text.push('+'),
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
                b'-' | b'_' | b'.' | b'~' | b':' | b',' | b'/' | b'(' | b')' | b'=' | b'!' => {
                    text.push(char::from(byte));
                }
                _ => text += &format!("%{byte:02x}"),
            }
        }
    }
    text
}

/// The pairs of a fragment; what is damaged in them reads as something else, and is passed over by
/// who takes it.
pub fn pairs(fragment: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap_or(0), rest.next().unwrap_or(0)];
                    let digits = std::str::from_utf8(&digits).unwrap_or("");
                    u8::from_str_radix(digits, 16).unwrap_or(b'?')
                }
                byte => byte,
            });
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = fragment.trim_start_matches('#').split('&');
    pairs.filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decoded(k), decoded(v))).collect()
}

/// What a text of a link selects: in UTC, whoever opens it.
pub fn selected(text: &str) -> Option<Expr> {
    parse(text, &Context::canonical()).ok().flatten()
}

/// The text of what is selected, for a link.
pub fn link_text(expr: &Expr) -> String {
    expr.to_text(&Zone::Utc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fragments_read_back(pairs in proptest::collection::vec(("[a-z-]{1,5}", any::<String>()), 0..4)) {
            prop_assert_eq!(super::pairs(&fragment(&pairs)), pairs);
        }

        #[test]
        fn any_fragment_is_taken(text: String) {
            let mut settings = Settings::default();
            for (key, value) in pairs(&text) {
                settings.set(&key, &value);
                let _ = selected(&value);
            }
        }
    }
}
