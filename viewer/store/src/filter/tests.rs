use super::*;
use crate::columns::{BLOCK_LEN, Columns, Rows};
use proptest::prelude::*;
use summary::{Direction, LinkType, Packet, Proto, Summary, Timestamp};

/// Five packets that differ in everything.
fn columns() -> Columns {
    columns_behind(0)
}

/// The same behind others of the time 0.
fn columns_behind(count: usize) -> Columns {
    let mut columns = Columns::default();
    for _ in 0..count {
        let summary = Summary::new(LinkType::ETHERNET, 1, 1);
        columns.push(&Packet::new(0, Timestamp::from_ns(0), summary), 0).unwrap();
    }
    let mut add =
        |n: u64, len, proto: &'static str, src: &str, dst: &str, ports: Option<(u16, u16)>| {
            let mut summary = Summary::new(LinkType::ETHERNET, len, len);
            summary.proto = Proto::parse(proto);
            summary.src = Address::parse(src.as_bytes());
            summary.dst = Address::parse(dst.as_bytes());
            (summary.sport, summary.dport) = (ports.map(|p| p.0), ports.map(|p| p.1));
            summary.ttl = ports.map(|_| 64);
            summary.tcp.flags = (proto == "tcp").then_some(0x12);
            if n == 4 {
                assert!(summary.vlan.push(7) && summary.vlan.push(9));
            }
            let ts = Timestamp::from_ns(
                1_795_521_600_000_000_000 + i64::try_from(n * n).unwrap() * 1_000_000_000,
            );
            let mut packet = Packet::new(n, ts, summary);
            packet.interface = Some(if n < 3 { "eth0" } else { "lo" }.into());
            packet.direction = (n != 5).then_some(Direction::In);
            columns.push(&packet, n * 100).unwrap();
        };
    add(1, 60, "tcp", "10.0.0.1", "10.1.0.1", Some((40_000, 80)));
    add(2, 1514, "tcp", "10.1.0.1", "10.0.0.1", Some((80, 40_000)));
    add(3, 90, "udp", "fe80::1", "ff02::fb", Some((5353, 5353)));
    add(4, 42, "arp", "10.0.0.9", "10.0.0.1", None);
    add(5, 64, "lldp", "02:00:00:00:00:01", "01:80:c2:00:00:0e", None);
    columns
}

fn context() -> Context {
    Context { zone: Zone::Utc, first_ns: 1_795_521_601_000_000_000 }
}

/// Numbers of the packets that a filter means.
fn meant(text: &str) -> Vec<usize> {
    let columns = columns();
    let expr = parse(text, &context()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let mut rows = Rows::new(&columns, None);
    rows.turn(0);
    let meant = match expr {
        Some(expr) => Matcher::new(&expr, &columns, "a.ndjson").find(&mut rows),
        None => rows.all(),
    };
    (1..=5).filter(|n| meant.has(n - 1)).collect()
}

#[test]
fn filters_mean_what_they_say() {
    for (text, expected) in [
        ("", &[1, 2, 3, 4, 5][..]),
        ("proto == tcp", &[1, 2]),
        ("proto = tcp and dport in {80, 443}", &[1]),
        ("proto in {tcp udp}", &[1, 2, 3]),
        ("proto != tcp", &[3, 4, 5]),
        ("len > 60", &[2, 3, 5]),
        ("len >= 60 && len < 90", &[1, 5]),
        ("len in 42..64", &[1, 4, 5]),
        ("len in {42..60, 1514}", &[1, 2, 4]),
        ("src == 10.0.0.1", &[1]),
        ("src in 10.0.0.0/24", &[1, 4]),
        ("host in 10.0.0.0/24", &[1, 2, 4]),
        ("host == 10.1.0.1", &[1, 2]),
        ("host != 10.1.0.1", &[3, 4, 5]),
        ("src in 0.0.0.0/0", &[1, 2, 4]),
        ("src in ::/0", &[3]),
        ("src in 10.0.0.1..10.0.0.8", &[1]),
        ("dst == FF02::FB", &[3]),
        ("src == 02:00:00:00:00:01", &[5]),
        ("dport", &[1, 2, 3]),
        ("not dport", &[4, 5]),
        ("dport != 80", &[2, 3]),
        ("not dport == 80", &[2, 3, 4, 5]),
        ("port == 80", &[1, 2]),
        ("port != 80", &[3]),
        ("ttl == 64", &[1, 2, 3]),
        ("flags == SA", &[1, 2]),
        ("flags has A", &[1, 2]),
        ("flags has F", &[]),
        ("flags", &[1, 2]),
        ("vlan", &[4]),
        ("vlan == 9", &[4]),
        ("vlan != 9", &[]),
        ("vlan != 8", &[4]),
        ("if == eth0", &[1, 2]),
        ("if != \"eth0\"", &[3, 4, 5]),
        ("dir == in", &[1, 2, 3, 4]),
        ("dir", &[1, 2, 3, 4]),
        ("file == a.ndjson and n <= 2", &[1, 2]),
        ("file != a.ndjson", &[]),
        ("gap > 3s", &[3, 4, 5]),
        ("gap == 3s or gap == 5000ms", &[2, 3]),
        ("gap in 2.5s..5s", &[2, 3]),
        ("gap", &[2, 3, 4, 5]),
        ("ts < 12:00:04", &[1]),
        ("ts in 12:00:04..12:00:09", &[2, 3]),
        ("ts >= 2026-11-24T12:00:16Z", &[4, 5]),
        ("proto == tcp or proto == arp and len == 60", &[1, 2]),
        ("(proto == tcp or proto == arp) and len != 60", &[2, 4]),
        ("not (n == 1 or n == 2)", &[3, 4, 5]),
        ("!n==1", &[2, 3, 4, 5]),
        ("lasso(n, len, 1 0, 5 0, 5 100, 1 100)", &[1, 3, 4]),
        ("lasso(n, log len, 2 1000, 3 10000, 1 10000)", &[2]),
    ] {
        assert_eq!(meant(text), expected, "{text}");
    }
}

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
    assert_eq!(complete("len and proto", 1, words_of).at, 0..1);
    assert_eq!(offered("\"").words, Vec::<String>::new());
}

fn sets(field: Field) -> BoxedStrategy<Set> {
    let some = 1..4usize;
    match field.kind() {
        Type::Flags => prop_oneof![
            proptest::collection::vec(any::<u8>(), some).prop_map(Set::Flags),
            (1u8..).prop_map(Set::AllFlags),
        ]
        .boxed(),
        Type::Word => {
            let word = "[a-zA-Z0-9_. <>é]{0,6}";
            proptest::collection::vec(word, some).prop_map(Set::Words).boxed()
        }
        Type::Address => {
            let v4 = (any::<u32>(), 0u32..=32).prop_map(|(number, len)| {
                let rest = u32::MAX.checked_shr(len).unwrap_or(0);
                (Place::V4(number & !rest), Place::V4(number | rest))
            });
            let range = (any::<u128>(), any::<u128>())
                .prop_map(|(a, b)| (Place::V6(a.min(b)), Place::V6(a.max(b))));
            let mac = (0u64..1 << 48).prop_map(|mac| (Place::Mac(mac), Place::Mac(mac)));
            proptest::collection::vec(prop_oneof![v4, range, mac], some)
                .prop_map(Set::Addresses)
                .boxed()
        }
        kind => {
            let max = if let Type::Number { max } = kind { max } else { 1 << 60 };
            let range = (0..=max, 0..=max).prop_map(|(a, b)| (a.min(b), a.max(b)));
            proptest::collection::vec(range, some).prop_map(Set::Numbers).boxed()
        }
    }
}

fn fields() -> impl Strategy<Value = Field> {
    proptest::sample::select(Field::ALL.to_vec())
}

fn exprs() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        fields().prop_map(Expr::Has),
        fields().prop_flat_map(|field| sets(field).prop_map(move |set| Expr::In(field, set))),
        fields().prop_flat_map(|field| sets(field).prop_map(move |set| match set {
            Set::AllFlags(mask) => Expr::NotIn(field, Set::Flags(vec![mask])),
            set => Expr::NotIn(field, set),
        })),
        (proptest::collection::vec((0i64..99, 0i64..99), 3..6), any::<bool>()).prop_map(
            |(points, is_log)| Expr::Lasso(Lasso {
                x: (Value::Time, false),
                y: (Value::Gap, is_log),
                points
            })
        ),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|expr| Expr::Not(Box::new(expr))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(inner, 2..4).prop_map(Expr::Or),
        ]
    })
}

proptest! {
    /// The text of an expression means the expression, in every zone.
    #[test]
    fn texts_read_back(expr in exprs(), start in 0i64..1 << 60) {
        for zone in [Zone::Utc, Zone::Start(start)] {
            let text = expr.show(&zone);
            let read = parse(&text, &Context { zone, first_ns: 0 });
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

    /// Blocks are only a way to go through the rows.
    #[test]
    fn blocks_do_not_matter(expr in exprs()) {
        let meant = |columns: &Columns, block, before_ns| {
            let mut rows = Rows::new(columns, before_ns);
            rows.turn(block);
            Matcher::new(&expr, columns, "a").find(&mut rows)
        };
        let later = columns_behind(BLOCK_LEN);
        prop_assert_eq!(meant(&columns(), 0, Some(0)), meant(&later, 1, None));
    }
}
