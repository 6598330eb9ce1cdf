//! The fields of any JSON, compared with those that serde_json finds.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// All values of a line as serde_json finds them; of equal names it keeps the last.
fn reference(line: &str) -> Option<BTreeMap<String, String>> {
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).ok()?;
    Some(fields.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect())
}

fn by_name<'a>(fields: &PacketFields<'a>) -> [(&'static str, FieldValue<'a>); 22] {
    [
        ("type", fields.record_type),
        ("n", fields.n),
        ("ts", fields.ts),
        ("ts_ns", fields.ts_ns),
        ("ts_us", fields.ts_us),
        ("ts_ms", fields.ts_ms),
        ("if", fields.interface),
        ("dir", fields.direction),
        ("len", fields.len),
        ("eth_src", fields.eth_src),
        ("eth_dst", fields.eth_dst),
        ("vlan", fields.vlan),
        ("src", fields.src),
        ("dst", fields.dst),
        ("sport", fields.sport),
        ("dport", fields.dport),
        ("proto", fields.proto),
        ("ethertype", fields.ethertype),
        ("ip_proto", fields.ip_proto),
        ("linktype", fields.linktype),
        ("ttl", fields.ttl),
        ("flags", fields.flags),
    ]
}

fn check(line: &str) {
    let reference = reference(line);
    let all = fields(line).ok().map(|fields| {
        let owned = |(name, value): (Cow<'_, str>, &str)| (name.into_owned(), value.to_owned());
        fields.into_iter().map(owned).collect::<BTreeMap<_, _>>()
    });
    assert_eq!(all, reference, "{line}");
    match (PacketFields::parse(line), reference) {
        (Ok(fields), Some(reference)) => {
            for (name, value) in by_name(&fields) {
                let expected = reference.get(name).filter(|value| *value != "null");
                assert_eq!(
                    value.json().as_deref(),
                    expected.map(String::as_str),
                    "{name} in {line}"
                );
                let expected =
                    expected.and_then(|value| serde_json::from_str::<String>(value).ok());
                assert_eq!(value.text().as_deref(), expected.as_deref(), "{name} in {line}");
            }
        }
        (parsed, reference) => assert_eq!(parsed.is_ok(), reference.is_some(), "{line}"),
    }
    let value = line.trim_matches([' ', '\t', '\n', '\r']);
    let expected = serde_json::from_str::<String>(value).ok();
    assert_eq!(string(value).map(Cow::into_owned), expected, "{line}");
}

/// Tokens in random order: about half of the results are JSON objects.
fn tokens() -> impl Strategy<Value = String> {
    let token = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\"a\"",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\n\\/\"",
        "\"é",
        "\\",
        "\"",
        "\t",
        "true",
        "null",
        "0",
        "-1.5e+9",
        "01",
        "1.",
        "\"b\":1",
        "{\"c\":[]}",
        ",\"len\":60",
        ",\"len\":null",
        ",\"\\u006cen\":61",
        ",\"ttl\":18446744073709551615",
        ",\"ttl\":18446744073709551616",
        ",\"ttl\":-1",
        ",\"ttl\":-0",
        ",\"src\":\"10.0.0.1\"",
        ",\"src\":\"\\n\"",
    ]);
    (prop::collection::vec(token, 0..9), any::<bool>()).prop_map(|(tokens, is_object)| {
        let text = tokens.concat();
        if is_object { format!("{{\"x\":{text}}}") } else { text }
    })
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let name = prop_oneof![
        any::<String>(),
        proptest::sample::select(by_name(&PacketFields::default()).map(|(name, _)| name).to_vec())
            .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn fields_match_serde_json_maps(value in json(), is_pretty: bool) {
        let text = if is_pretty {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        };
        check(&text.unwrap());
    }

    #[test]
    fn invalid_json_is_rejected(line in tokens()) {
        check(&line);
    }
}

#[test]
fn last_of_equal_keys_counts() {
    let fields = PacketFields::parse(r#"{"len":1,"ttl":2,"len":[3],"ttl":null}"#).unwrap();
    assert_eq!((fields.len, fields.ttl), (FieldValue::Json("[3]"), FieldValue::Absent));
    let fields = PacketFields::parse(r#"{"len":1,"ttl":2,"len":3,"ttl":null}"#).unwrap();
    assert_eq!((fields.len, fields.ttl), (FieldValue::Integer(3), FieldValue::Absent));
}

#[test]
fn fields_keep_their_order() {
    let fields = fields(r#"{"b":1,"a":2,"b":3}"#).unwrap();
    assert_eq!(fields, [("b".into(), "1"), ("a".into(), "2"), ("b".into(), "3")]);
}

#[test]
fn similar_names_are_ignored() {
    let line = r#"{"\u0000n":1,"N":2,"lens":3,"a longer name":4,"":5,"srcsrcsrcsrcsrcsrcsrc":6}"#;
    assert_eq!(PacketFields::parse(line).unwrap(), PacketFields::default());
}

#[test]
fn errors_give_the_column() {
    for (line, message) in [
        ("", "expected a JSON object at column 1"),
        (" [1]", "expected a JSON object at column 2"),
        ("{\"a\":nul}", "expected ident at column 9"),
        ("{\"a\":1,}", "trailing comma at column 8"),
        ("{\"a\" 1}", "expected `:` at column 6"),
        ("{\"a\":\"b", "EOF while parsing a string at column 7"),
        ("{\"a\":\"\\x\"}", "invalid escape at column 8"),
        ("{} x", "trailing characters at column 4"),
    ] {
        assert_eq!(fields(line).unwrap_err().to_string(), message, "{line}");
        assert_eq!(PacketFields::parse(line).unwrap_err().to_string(), message, "{line}");
    }
}

#[test]
fn nesting_depth_is_not_limited() {
    let depth = 100_000;
    for name in ["a", "len"] {
        let line = format!("{{\"{name}\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(fields(&line).unwrap()[0].1.len(), 2 * depth);
        assert!(PacketFields::parse(&line).is_ok());
    }
}
