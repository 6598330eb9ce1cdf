//! Display filters of Wireshark (wireshark-filter(4)): recognizes them, and translates simple ones to
//! pcap-filter(7).

/// Fields, and the capture filters for `FIELD == VALUE`.
const FIELDS: [(&str, &str); 24] = [
    ("ip.addr", "host"),
    ("ip.src", "src host"),
    ("ip.dst", "dst host"),
    ("ip.host", "host"),
    ("ipv6.addr", "host"),
    ("ipv6.src", "src host"),
    ("ipv6.dst", "dst host"),
    ("ip.proto", "ip proto"),
    ("ipv6.nxt", "ip6 proto"),
    ("tcp.port", "tcp port"),
    ("tcp.srcport", "tcp src port"),
    ("tcp.dstport", "tcp dst port"),
    ("udp.port", "udp port"),
    ("udp.srcport", "udp src port"),
    ("udp.dstport", "udp dst port"),
    ("sctp.port", "sctp port"),
    ("eth.addr", "ether host"),
    ("eth.src", "ether src"),
    ("eth.dst", "ether dst"),
    ("eth.type", "ether proto"),
    ("vlan.id", "vlan"),
    ("tcp.flags.syn", "tcp[tcpflags] & tcp-syn =="),
    ("tcp.flags.reset", "tcp[tcpflags] & tcp-rst =="),
    ("tcp.flags.fin", "tcp[tcpflags] & tcp-fin =="),
];

/// Protocols as display filters, and the capture filters for them.
const PROTOCOLS: [(&str, &str); 16] = [
    ("ip", "ip"),
    ("ipv6", "ip6"),
    ("tcp", "tcp"),
    ("udp", "udp"),
    ("arp", "arp"),
    ("icmp", "icmp"),
    ("icmpv6", "icmp6"),
    ("vlan", "vlan"),
    ("dns", "port 53"),
    ("mdns", "udp port 5353"),
    ("http", "tcp port 80"),
    ("tls", "tcp port 443"),
    ("ssl", "tcp port 443"),
    ("quic", "udp port 443"),
    ("ssh", "tcp port 22"),
    ("dhcp", "udp port 67 or udp port 68"),
];

/// Operators of display filters that compare, and those of pcap-filter(7) for them.
const COMPARISONS: [(&str, &str); 12] = [
    ("==", "=="),
    ("eq", "=="),
    ("!=", "!="),
    ("ne", "!="),
    (">", ">"),
    ("gt", ">"),
    ("<", "<"),
    ("lt", "<"),
    (">=", ">="),
    ("ge", ">="),
    ("<=", "<="),
    ("le", "<="),
];

/// Operators of display filters that have no counterpart.
const OTHER_OPERATORS: [&str; 4] = ["contains", "matches", "in", "~"];

/// Returns true if an expression that is not a capture filter is a display filter: it compares a field with
/// dots, or is the name of a protocol that only display filters have.
pub(super) fn is_display_filter(expression: &str) -> bool {
    let tokens = tokens(expression);
    let is_operator = |token: Option<&&str>| {
        token.is_some_and(|token| comparison(token).is_some() || OTHER_OPERATORS.contains(token))
    };
    tokens.iter().enumerate().any(|(index, token)| {
        let is_field = token.contains('.') && token.starts_with(|c: char| c.is_ascii_lowercase());
        let is_known = FIELDS.iter().any(|(field, _)| field == token) || *token == "frame.len";
        let is_protocol = PROTOCOLS.iter().any(|(name, filter)| name == token && name != filter);
        let has_operand = index.checked_sub(1).is_some_and(|before| {
            ["host", "net", "port", "proto", "src", "dst"].contains(&tokens[before])
        });
        let protocol = token.split('.').next().unwrap_or_default();
        let has_protocol = PROTOCOLS.iter().any(|(name, _)| *name == protocol);
        is_known
            || (is_field && (is_operator(tokens.get(index + 1)) || has_protocol && !has_operand))
            || (is_protocol && !has_operand)
    })
}

/// The capture filter for a display filter; `None` if it is not simple.
pub(super) fn translate(expression: &str) -> Option<String> {
    let tokens = tokens(expression);
    let mut text: Vec<String> = Vec::new();
    let mut rest = &tokens[..];
    while let [token, tail @ ..] = rest {
        rest = tail;
        text.push(match *token {
            "&&" | "and" => "and".into(),
            "||" | "or" => "or".into(),
            "!" | "not" => "not".into(),
            "(" | ")" => (*token).into(),
            field if !field.contains('.') => {
                let (_, filter) = PROTOCOLS.iter().find(|(name, _)| *name == field)?;
                if filter.contains(" or ") { format!("({filter})") } else { (*filter).into() }
            }
            field => {
                let [operator, value, tail @ ..] = rest else { return None };
                rest = tail;
                compare(field, comparison(operator)?, value)?
            }
        });
    }
    Some(text.join(" ").replace("( ", "(").replace(" )", ")"))
}

/// The capture filter for a comparison.
fn compare(field: &str, operator: &str, value: &str) -> Option<String> {
    if field == "frame.len" {
        return Some(format!("len {operator} {value}"));
    }
    let (_, filter) = FIELDS.iter().find(|(name, _)| *name == field)?;
    let host = if value.contains('/') { filter.replace("host", "net") } else { (*filter).into() };
    if let Some(flag) = filter.strip_suffix(" ==") {
        let is_set = matches!((operator, value), ("==", "1" | "True" | "true") | ("!=", "0"));
        return Some(format!("{flag} {} 0", if is_set { "!=" } else { "==" }));
    }
    match operator {
        "==" => Some(format!("{host} {value}")),
        "!=" => Some(format!("not {host} {value}")),
        _ => None,
    }
}

fn comparison(token: &str) -> Option<&'static str> {
    COMPARISONS.iter().find(|(name, _)| *name == token).map(|(_, operator)| *operator)
}

/// Splits an expression into names, values, operators and parentheses.
fn tokens(expression: &str) -> Vec<&str> {
    let is_operator = |c: char| "=!<>&|~".contains(c);
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '(' | ')' => 1,
            // `!` begins an operator only before `=`.
            '!' if !rest.starts_with("!=") => 1,
            c if is_operator(c) => rest.find(|c| !is_operator(c)).unwrap_or(rest.len()),
            _ => rest
                .find(|c: char| c.is_whitespace() || is_operator(c) || c == '(' || c == ')')
                .unwrap_or(rest.len()),
        };
        let (token, tail) = rest.split_at(len);
        tokens.push(token);
        rest = tail.trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_display_filters_are_translated() {
        for (display, capture) in [
            ("ip.addr == 10.0.0.5", "host 10.0.0.5"),
            ("ip.addr==10.0.0.0/8", "net 10.0.0.0/8"),
            ("ip.src eq 10.0.0.5 && tcp.port == 443", "src host 10.0.0.5 and tcp port 443"),
            ("!(tcp.dstport==80) || udp", "not (tcp dst port 80) or udp"),
            ("ip.dst != 10.0.0.5", "not dst host 10.0.0.5"),
            ("frame.len > 1000", "len > 1000"),
            ("eth.addr == 00:11:22:33:44:55", "ether host 00:11:22:33:44:55"),
            ("tcp.flags.syn == 1", "tcp[tcpflags] & tcp-syn != 0"),
            ("tcp.flags.reset==0", "tcp[tcpflags] & tcp-rst == 0"),
            ("dns and not ipv6", "port 53 and not ip6"),
            ("dhcp and ip", "(udp port 67 or udp port 68) and ip"),
            ("vlan.id == 5", "vlan 5"),
        ] {
            assert!(is_display_filter(display), "{display}");
            assert_eq!(translate(display).as_deref(), Some(capture), "{display}");
            assert!(crate::filter::is_valid(capture), "{capture}");
        }
    }

    #[test]
    fn other_display_filters_are_recognized() {
        for display in [
            "http.request.method == \"GET\"",
            "dns.qry.name contains example",
            "tcp.port in {80, 443}",
            "ip.ttl < 5",
            "tcp.analysis.retransmission && ip.addr == 10.0.0.5",
        ] {
            assert!(is_display_filter(display), "{display}");
            assert_eq!(translate(display), None, "{display}");
        }
    }

    #[test]
    fn capture_filters_with_errors_are_not_recognized() {
        for filter in [
            "host www.example.com and port 99999",
            "port http and",
            "tcp prot 80",
            "10.0.0.5 ==",
            "",
        ] {
            assert!(!is_display_filter(filter), "{filter}");
        }
    }
}
