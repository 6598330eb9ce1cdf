use super::strategies::exprs;
use super::*;
use proptest::prelude::*;

mod other_programs;

fn context() -> Context {
    Context { first_ns: 1_795_521_601_000_000_000, ..Context::default() }
}

#[test]
fn errors_point_at_the_offending_text() {
    for (text, offending, message) in [
        ("proto = = tcp", "=", "Expected a value for `proto`"),
        ("prot == tcp", "prot", "Unknown field `prot`. Fields are proto,"),
        ("len > big", "big", "Expected a number"),
        ("dport == 70000", "70000", "Expected a port from 0 to 65535"),
        ("proto > tcp", ">", "`proto` has no order; use ==, != or in"),
        ("src == 10.0.0.300", "10.0.0.300", "Expected an address or network, e.g. 10.0.0.1"),
        ("src in 10.0.0.0/33", "10.0.0.0/33", "Expected an address or network, e.g. 10.0.0.1"),
        ("ts > noon", "noon", "Expected a time, e.g. 10:15:00"),
        ("gap > 1.0000000001s", "1.0000000001s", "Expected a duration, e.g. 10ms"),
        ("len in 9..1", "1", "End of range is before its start"),
        ("len == 1..9", "..", "Ranges need `in`"),
        ("len in {1, 2", "", "Missing closing `}`"),
        ("(len == 1", "", "Expected `and`, `or` or `)`"),
        ("len == 1)", ")", "Unmatched `)`"),
        ("len == 1 len == 2", "len", "Expected `and` or `or`"),
        ("len () 5", "(", "Expected ==, !=, <, <=, >, >= or in"),
        ("file == \"a", "\"a", "Missing closing quotation mark"),
        ("flags == X", "X", "Expected TCP flag letters, e.g. S, SA, R"),
        ("flags has 0", "0", "Expected TCP flag letters, e.g. S, SA, R"),
        ("tcp.flags & 0", "0", "Expected TCP flag letters, e.g. S, SA, R"),
        ("len == 1 and", "", "Expected a field"),
        ("len == 1 ; n", ";", "Unexpected `;`"),
        ("lasso(n, len, 1 2)", "n", "Expected lasso(x, y"),
    ] {
        let error = parse(text, &context()).expect_err(text);
        assert_eq!(&text[error.range.clone()], offending, "{text}: {error:?}");
        assert!(error.message.contains(message), "{text}: {error:?}");
    }
    let midnight = parse("ts in 23:50:00..00:10:00", &context()).unwrap();
    let dated = "ts in 2026-11-24T23:50:00Z..2026-11-25T00:10:00Z";
    assert_eq!(midnight, parse(dated, &context()).unwrap());
    let deep = "(".repeat(100_000) + "n" + &")".repeat(100_000);
    assert!(parse(&deep, &context()).unwrap_err().message.contains("deep"));
}

#[test]
fn constants_are_fields_of_the_output() {
    for (field, name) in [
        (ExtraField::ETH_SRC, "eth_src"),
        (ExtraField::ETH_DST, "eth_dst"),
        (ExtraField::DNS, "dns"),
        (ExtraField::DNS_TYPE, "dns_type"),
        (ExtraField::DNS_ANSWERS, "dns_answers"),
    ] {
        assert_eq!(Field::parse(name), Some(Field::Extra(field)));
    }
}

#[test]
fn completion_suggests_fields_operators_and_values() {
    let values_of = |field| match field {
        Field::Proto => vec!["tcp".to_owned(), "udp".to_owned()],
        Field::File => vec!["a b".to_owned()],
        _ => Vec::new(),
    };
    let completed = |text: &str| complete(text, text.len(), values_of);
    assert_eq!(completed("").suggestions[0], "proto");
    assert_eq!(completed("sp").suggestions, ["sport"]);
    assert_eq!(
        completed("n == 1 and le"),
        Completion { range: 11..13, suggestions: vec!["len".to_owned()] }
    );
    assert_eq!(completed("proto ").suggestions, ["==", "in", "contains", "!=", "and", "or"]);
    assert_eq!(completed("tcp and ip.s").suggestions, ["ip.src"]);
    assert_eq!(completed("tcp.flags.r").suggestions, ["tcp.flags.reset"]);
    assert_eq!(completed("ip.src ").suggestions, ["==", "in", "!=", "and", "or"]);
    assert_eq!(completed("proto == ").suggestions, ["tcp", "udp"]);
    assert_eq!(completed("proto in {tcp, u").suggestions, ["udp"]);
    assert_eq!(completed("proto == tcp ").suggestions, ["and", "or"]);
    assert_eq!(completed("file == ").suggestions, ["\"a b\""]);
    assert_eq!(completed("not (").suggestions[0], "proto");
    assert_eq!(complete("len and proto", 1, values_of).range, 0..3);
    assert_eq!(completed("\"").suggestions, Vec::<String>::new());
}

proptest! {
    /// In every zone.
    #[test]
    fn written_expressions_parse_back(expr in exprs(), start in 0i64..1 << 60) {
        for zone in [Zone::Utc, Zone::Relative(start)] {
            let text = expr.to_text(&zone);
            let read = parse(&text, &Context { zone, ..Context::canonical() });
            prop_assert_eq!(read, Ok(Some(expr.clone())), "{}", text);
        }
    }

    #[test]
    fn any_text_parses_or_fails_inside_the_text(text in "(proto|len|ts|src |host |tcp|port |ip\\.addr|vlan|less|tag_a|&| |==|in|contains|\\{|\\}|\\(|\\)|not|and|or|[0-9./:]{1,4}|\"|.){0,12}") {
        if let Err(error) = parse(&text, &context()) {
            prop_assert!(text.get(error.range).is_some());
            if let Some(fix) = error.fix {
                prop_assert!(text.get(fix.range).is_some());
            }
        }
        for cursor in 0..=text.len() {
            let completion = complete(&text, cursor, |_| vec!["a".to_owned()]);
            prop_assert!(text.get(completion.range).is_some());
        }
    }
}
