//! Text that reaches the page: links, and filters of its own language.

use viewer::link::{fragment as to_fragment, link_text, pairs, selected};
use viewer::settings::Settings;
use viewer_model::filter::{Context, complete, parse};
use viewer_model::time::Zone;

/// Texts up to this length are completed at each of their characters.
const MAX_COMPLETED_LEN: usize = 64;

/// Any text is a filter or has an error inside the text. A filter is written as text that parses as
/// the same filter, in each time zone.
pub(crate) fn filter(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let first_ns = 1_795_521_601_000_000_000;
    let typed = Context { first_ns, ..Context::default() };
    for context in [typed, Context::canonical()] {
        match parse(text, &context) {
            Ok(None) => {}
            Ok(Some(expr)) => {
                for zone in [Zone::Utc, Zone::Relative(first_ns)] {
                    let written = expr.to_text(&zone);
                    let context = Context { zone, ..Context::canonical() };
                    assert_eq!(parse(&written, &context), Ok(Some(expr.clone())), "{written}");
                }
            }
            Err(error) => {
                assert!(text.get(error.range).is_some() && !error.message.is_empty());
                assert!(error.fix.is_none_or(|fix| text.get(fix.range).is_some()));
            }
        }
    }
    let cursors = (0..=text.len()).take_while(|cursor| *cursor <= MAX_COMPLETED_LEN);
    for cursor in cursors {
        let completion = complete(text, cursor, |_| vec!["a b".to_owned()]);
        assert!(text.get(completion.range).is_some(), "{cursor}");
    }
}

/// Any text is the fragment of a link. Its settings and selections are written as a fragment with the
/// same meaning.
pub(crate) fn fragment(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let read = pairs(text);
    assert_eq!(pairs(&to_fragment(&read)), read);
    let mut settings = Settings::default();
    for (key, value) in &read {
        settings.set(key, value);
        if let Some(expr) = selected(value) {
            assert_eq!(selected(&link_text(&expr)), Some(expr.clone()));
        }
    }
    let mut reread = Settings::default();
    for (key, value) in pairs(&to_fragment(&settings.changed())) {
        assert!(reread.set(&key, &value), "{key}={value}");
    }
    assert_eq!(reread, settings);
}
