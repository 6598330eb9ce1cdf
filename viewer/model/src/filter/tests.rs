use super::strategies::exprs;
use super::*;
use proptest::prelude::*;

fn context() -> Context {
    Context { first_ns: 1_795_521_601_000_000_000, ..Context::default() }
}

/// Numbers of the packets that a filter means.
#[test]
fn errors_point_at_the_place() {
    for (text, at, words) in [
        ("proto = = tcp", "=", "a word for `proto` was expected"),
        ("prot == tcp", "prot", "there is no field `prot`; there are proto, src,"),
        ("len > big", "big", "a number was expected"),
        ("dport == 70000", "70000", "a number from 0 to 65535 was expected"),
        ("proto > tcp", ">", "`proto` has no order"),
        ("src == 10.0.0.300", "10.0.0.300", "an address such as"),
        ("src in 10.0.0.0/33", "10.0.0.0/33", "an address such as"),
        ("ts > noon", "noon", "a time such as"),
        ("gap > 1.0000000001s", "1.0000000001s", "a length of time"),
        ("len in 9..1", "1", "ends before it begins"),
        ("len == 1..9", "..", "a range wants `in`"),
        ("len in {1, 2", "", "the } that closes is missing"),
        ("(len == 1", "", "`and`, `or` or `)` was expected"),
        ("len == 1)", ")", "there is no ( to this )"),
        ("len == 1 len == 2", "len", "`and` or `or` was expected"),
        ("len 5", "5", "`in` was expected"),
        ("file == \"a", "\"a", "the quotation mark that closes is missing"),
        ("flags == X", "X", "letters of TCP flags"),
        ("len == 1 and", "", "a field was expected"),
        ("len == 1 ; n", ";", "means nothing here"),
        ("lasso(n, len, 1 2)", "n", "a lasso is"),
    ] {
        let error = parse(text, &context()).expect_err(text);
        assert_eq!(&text[error.at.clone()], at, "{text}: {error:?}");
        assert!(error.reason.contains(words), "{text}: {error:?}");
    }
    let midnight = parse("ts in 23:50:00..00:10:00", &context()).unwrap();
    let dated = "ts in 2026-11-24T23:50:00Z..2026-11-25T00:10:00Z";
    assert_eq!(midnight, parse(dated, &context()).unwrap());
    let deep = "(".repeat(100_000) + "n" + &")".repeat(100_000);
    assert!(parse(&deep, &context()).unwrap_err().reason.contains("deep"));
}

#[test]
fn what_could_stand_next_is_offered() {
    let words_of = |field| match field {
        Field::Proto => vec!["tcp".to_owned(), "udp".to_owned()],
        Field::File => vec!["a b".to_owned()],
        _ => Vec::new(),
    };
    let offered = |text: &str| complete(text, text.len(), words_of);
    assert_eq!(offered("").words[0], "proto");
    assert_eq!(offered("sp").words, ["sport"]);
    assert_eq!(offered("n == 1 and le"), Completion { at: 11..13, words: vec!["len".to_owned()] });
    assert_eq!(offered("proto ").words, ["==", "in", "!=", "and", "or"]);
    assert_eq!(offered("proto == ").words, ["tcp", "udp"]);
    assert_eq!(offered("proto in {tcp, u").words, ["udp"]);
    assert_eq!(offered("proto == tcp ").words, ["and", "or"]);
    assert_eq!(offered("file == ").words, ["\"a b\""]);
    assert_eq!(offered("not (").words[0], "proto");
    assert_eq!(complete("len and proto", 1, words_of).at, 0..3);
    assert_eq!(offered("\"").words, Vec::<String>::new());
}

proptest! {
    /// The text of an expression means the expression, in every zone.
    #[test]
    fn texts_read_back(expr in exprs(), start in 0i64..1 << 60) {
        for zone in [Zone::Utc, Zone::Start(start)] {
            let text = expr.show(&zone);
            let read = parse(&text, &Context { zone, ..Context::canonical() });
            prop_assert_eq!(read, Ok(Some(expr.clone())), "{}", text);
        }
    }

    /// Whatever is typed is read or refused at a place inside of it.
    #[test]
    fn any_text_is_read_or_refused(text in "(proto|len|ts|src| |==|in|\\{|\\}|\\(|\\)|not|and|[0-9./:]{1,4}|\"|.){0,12}") {
        if let Err(error) = parse(&text, &context()) {
            prop_assert!(text.get(error.at).is_some());
        }
        for cursor in 0..=text.len() {
            let completion = complete(&text, cursor, |_| vec!["a".to_owned()]);
            prop_assert!(text.get(completion.at).is_some());
        }
    }
}
