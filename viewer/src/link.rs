//! The state of the page as the fragment of a link (`x=time&filter=len+%3E+100`), and back.

use crate::filter::{Context, Expr, parse};
use crate::time::Zone;
use form_urlencoded::Serializer;

/// Encodes key-value pairs as a URL fragment, without the leading `#`.
pub fn fragment(pairs: &[(String, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Decodes a URL fragment, with or without the leading `#`. Invalid escapes are kept as text.
pub fn pairs(fragment: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(fragment.trim_start_matches('#').as_bytes()).into_owned().collect()
}

/// Parses a selection from a link. Its times are in UTC, independent of the reader's settings.
pub fn selected(text: &str) -> Option<Expr> {
    parse(text, &Context::canonical()).ok().flatten()
}

/// Formats a selection for a link, the inverse of [`selected`].
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
        fn fragments_round_trip(pairs in proptest::collection::vec(("[a-z-]{1,5}", any::<String>()), 0..4)) {
            prop_assert_eq!(super::pairs(&fragment(&pairs)), pairs);
        }

        #[test]
        fn arbitrary_fragments_do_not_panic(text: String) {
            let mut settings = Settings::default();
            for (key, value) in pairs(&text) {
                settings.set(&key, &value);
                let _ = selected(&value);
            }
        }
    }

    #[test]
    fn links_of_earlier_versions_are_read() {
        // They escaped fewer characters, and in lower case.
        let link = "#zone=utc&filter=dport+in+%7b80,+443%7d&size=len+==+1";
        let expected = [("zone", "utc"), ("filter", "dport in {80, 443}"), ("size", "len == 1")];
        assert_eq!(pairs(link), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
