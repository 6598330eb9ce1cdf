//! Any text compiles or fails with a valid span, for each link type, and its program runs.
#![no_main]

use filter::{LinkType, Metadata, Options, Source, compile, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [kind, text @ ..] = bytes else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let names: Vec<_> = LinkType::names().collect();
    let (name, _) = names[usize::from(*kind) % names.len()];
    let sources = [Source::Live, Source::Anywhere, Source::File { big_endian: false }];
    let source = sources[usize::from(*kind >> 6) % sources.len()];
    let link = LinkType::from_name(name).expect("a name of the list");
    let options = Options { source, ..Options::default() };
    match compile(text, link, &options) {
        Ok(program) => {
            run(&program, bytes, 1_500, &Metadata::default());
        }
        Err(error) => assert!(!error.to_string().is_empty() && text.get(error.span()).is_some()),
    }
});
