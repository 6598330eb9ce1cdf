//! Splits an expression into tokens, as libpcap's scanner does: the longest match wins; of matches of
//! equal length, keywords go before numbers and addresses, and those before names.

mod keywords;

pub(crate) use keywords::Keyword;

use crate::error::Diagnostic;
use crate::protocol::Protocol;
use keywords::{constant, keyword};
use std::net::Ipv6Addr;
use std::ops::Range;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Protocol(Protocol),
    Keyword(Keyword),
    Number(u32),
    /// Two to four decimal numbers with dots in between.
    Ipv4(String),
    Ipv6(Ipv6Addr, String),
    Ethernet([u8; 6]),
    /// `$` and one hexadecimal byte.
    Arcnet(u8),
    Name(String),
    /// An operator or a bracket. `and`, `or`, `not` and `==` are normalized to `&&`, `||`, `!` and `=`.
    Symbol(&'static str),
    End,
}

/// Operators and brackets. Longer ones come first, for the longest match.
const SYMBOLS: [&str; 25] = [
    "&&", "||", ">=", "<=", "!=", "==", "<<", ">>", "+", "-", "*", "/", "%", ":", "[", "]", "!",
    "<", ">", "(", ")", "&", "|", "^", "=",
];

/// The tokens of an expression with their spans; the last is [`Token::End`].
pub(crate) fn tokenize(expression: &str) -> Result<Vec<(Token, Range<usize>)>, Diagnostic> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    loop {
        let rest = &expression[offset..];
        let spaces = rest.len() - rest.trim_start_matches([' ', '\r', '\n', '\t']).len();
        if spaces == rest.len() {
            tokens.push((Token::End, expression.len()..expression.len()));
            return Ok(tokens);
        }
        offset += spaces;
        let (token, len) = token(&expression[offset..]).map_err(|error| Diagnostic {
            span: offset + error.span.start..offset + error.span.end,
            ..error
        })?;
        tokens.push((token, offset..offset + len));
        offset += len;
    }
}

/// The first token of a text, and its length. The text must not start with whitespace.
fn token(text: &str) -> Result<(Token, usize), Diagnostic> {
    let name = name_len(text);
    let (mac, number, ipv4, ipv6) =
        (mac_len(text), number_len(text), ipv4_len(text), ipv6_len(text));
    let longest = name.max(mac).max(number).max(ipv4).max(ipv6);
    let lexeme = &text[..longest];
    let malformed = malformed_mac_len(text);
    if longest < malformed {
        return Err(Diagnostic::new(
            format!("invalid Ethernet address {}", &text[..malformed]),
            0..malformed,
        ));
    }
    if longest == 0 {
        return symbol(text);
    }
    let token = if let Some(protocol) = Protocol::from_keyword(lexeme) {
        Token::Protocol(protocol)
    } else if let Some(keyword) = keyword(lexeme) {
        Token::Keyword(keyword)
    } else if matches!(lexeme, "and" | "or" | "not") {
        Token::Symbol(match lexeme {
            "and" => "&&",
            "or" => "||",
            _ => "!",
        })
    } else if longest == mac {
        Token::Ethernet(parse_mac(lexeme).expect("the pattern has six bytes"))
    } else if longest == number {
        Token::Number(parse_number(lexeme)?)
    } else if longest == ipv4 {
        Token::Ipv4(lexeme.to_owned())
    } else if longest == ipv6 {
        let address = lexeme.parse();
        Token::Ipv6(
            address.map_err(|_| {
                Diagnostic::new(format!("invalid IPv6 address {lexeme}"), 0..longest)
            })?,
            lexeme.to_owned(),
        )
    } else if let Some(value) = constant(lexeme) {
        Token::Number(value)
    } else {
        Token::Name(lexeme.to_owned())
    };
    Ok((token, longest))
}

/// A token that starts with an operator, a bracket, `$` or `\`.
fn symbol(text: &str) -> Result<(Token, usize), Diagnostic> {
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| text.starts_with(**symbol)) {
        return Ok((Token::Symbol(if *symbol == "==" { "=" } else { symbol }), symbol.len()));
    }
    if let Some(digits) = text.strip_prefix('$') {
        let len = digits.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        if let Ok(byte) = u8::from_str_radix(&digits[..len], 16) {
            return Ok((Token::Arcnet(byte), 1 + len));
        }
    }
    if let Some(name) = text.strip_prefix('\\') {
        let len = name.find([' ', '!', '(', ')', '\n', '\t']).unwrap_or(name.len());
        if 0 < len {
            return Ok((Token::Name(name[..len].to_owned()), 1 + len));
        }
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    Err(Diagnostic::new(
        format!(
            "can't parse filter expression: syntax error: unexpected character \"{}\"",
            &text[..first]
        ),
        0..first,
    ))
}

/// Length of a name: letters, digits and dots, with `-` and `_` inside.
fn name_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphanumeric) {
        return 0;
    }
    let run = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        .count();
    let ends = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
    bytes[..run].iter().rposition(ends).map_or(0, |last| last + 1)
}

/// Length of a number: decimal, or hexadecimal with `0x`.
fn number_len(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if let Some(rest) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let len = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if 0 < len {
            return 2 + len;
        }
    }
    digits(text)
}

/// Length of an IPv4 address or prefix: two to four numbers with dots in between.
fn ipv4_len(text: &str) -> usize {
    let (mut len, mut longest) = (0, 0);
    for part in 0..4 {
        let digits = number_len(&text[len..]);
        if digits == 0 {
            break;
        }
        len += digits;
        if 0 < part {
            longest = len;
        }
        if !text[len..].starts_with('.') {
            break;
        }
        len += 1;
    }
    longest
}

/// Length of an IPv6 address (RFC 4291, section 2.2). Numbers in a dotted part may be out of range.
fn ipv6_len(text: &str) -> usize {
    let run = text
        .bytes()
        .take(64)
        .take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
        .count();
    (2..=run).rev().find(|len| is_ipv6(&text[..*len])).unwrap_or(0)
}

fn is_ipv6(text: &str) -> bool {
    let (head, tail) = match text.split_once("::") {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    };
    // Number of 16-bit groups; a dotted part at the end counts as two.
    let groups = |text: &str, last: bool| -> Option<usize> {
        if text.is_empty() {
            return Some(0);
        }
        let parts: Vec<_> = text.split(':').collect();
        let mut count = 0;
        for (n, part) in parts.iter().enumerate() {
            let is_group =
                (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
            let is_dotted = last
                && n + 1 == parts.len()
                && part.matches('.').count() == 3
                && part
                    .split('.')
                    .all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
            count += match (is_group, is_dotted) {
                (true, _) => 1,
                (_, true) => 2,
                _ => return None,
            };
        }
        Some(count)
    };
    match tail {
        None => groups(head, true) == Some(8),
        Some(tail) => match (groups(head, false), groups(tail, true)) {
            (Some(head), Some(tail)) => head + tail <= 7,
            _ => false,
        },
    }
}

/// Length of a MAC address: six bytes separated by `:`, `-` or `.`, three groups of four digits
/// separated by dots, or twelve digits.
fn mac_len(text: &str) -> usize {
    let hex = |text: &str| text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let separated = |separator: char| {
        let mut len = 0;
        for n in 0..6 {
            if 0 < n {
                if !text[len..].starts_with(separator) {
                    return 0;
                }
                len += 1;
            }
            match hex(&text[len..]) {
                0 => return 0,
                digits if n < 5 && 2 < digits => return 0,
                digits => len += digits.min(2),
            }
        }
        len
    };
    let groups = || {
        let group = |at: usize| text.len() >= at + 4 && 4 <= hex(&text[at..]);
        let dot = |at: usize| text[at..].starts_with('.');
        if group(0) && dot(4) && group(5) && dot(9) && group(10) { 14 } else { 0 }
    };
    let digits = if 12 <= hex(text) { 12 } else { 0 };
    [separated(':'), separated('-'), separated('.'), groups(), digits]
        .into_iter()
        .max()
        .unwrap_or(0)
}

/// Length of text that resembles a MAC address: two or more bytes, each followed by colons.
fn malformed_mac_len(text: &str) -> usize {
    let (mut len, mut parts, mut longest) = (0, 0, 0);
    loop {
        let digits = text[len..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        let colons = text[len + digits..].bytes().take_while(|byte| *byte == b':').count();
        if digits == 0 || colons == 0 {
            return longest;
        }
        len += digits + colons;
        parts += 1;
        if 2 <= parts {
            longest = len;
        }
    }
}

/// The bytes of a MAC address in any of its notations.
pub(crate) fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let byte = |digits: &str| u8::from_str_radix(digits, 16).ok();
    let parts: Vec<_> = text.split([':', '-', '.']).collect();
    if parts.len() == 6 {
        for (byte_of, part) in bytes.iter_mut().zip(parts) {
            *byte_of = byte(part)?;
        }
    } else {
        let digits = text.replace('.', "");
        if digits.len() != 12 || !digits.is_ascii() {
            return None;
        }
        for (n, byte_of) in bytes.iter_mut().enumerate() {
            *byte_of = byte(&digits[2 * n..2 * n + 2])?;
        }
    }
    Some(bytes)
}

/// The value of a number: hexadecimal with `0x`, octal with a leading `0`, otherwise decimal.
fn parse_number(lexeme: &str) -> Result<u32, Diagnostic> {
    let all = 0..lexeme.len();
    let (kind, digits, radix) = match lexeme.as_bytes() {
        [b'0', b'x' | b'X', ..] => ("hexadecimal number", &lexeme[2..], 16),
        [b'0', _, ..] => ("octal number", &lexeme[1..], 8),
        _ => ("number", lexeme, 10),
    };
    // Like libpcap, report an overflow before a wrong digit that follows it.
    let mut number = 0u32;
    for digit in digits.chars() {
        let Some(digit) = digit.to_digit(radix) else {
            return Err(Diagnostic::new(format!("number {lexeme} contains non-octal digit"), all));
        };
        number = (number.checked_mul(radix).and_then(|number| number.checked_add(digit)))
            .ok_or_else(|| {
                Diagnostic::new(format!("{kind} {lexeme} overflows 32 bits"), all.clone())
            })?;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(text: &str) -> Token {
        let mut tokens = tokenize(text).unwrap();
        assert_eq!(tokens.len(), 2, "{tokens:?}");
        tokens.swap_remove(0).0
    }

    #[test]
    fn longest_match_wins() {
        assert_eq!(single("tcp-syn"), Token::Number(2));
        assert_eq!(single("tcpdump"), Token::Name("tcpdump".into()));
        assert_eq!(single("10.0.0.1"), Token::Ipv4("10.0.0.1".into()));
        assert_eq!(single("10.0.0.1.example"), Token::Name("10.0.0.1.example".into()));
        assert_eq!(single("abcdef000003"), Token::Ethernet([0xab, 0xcd, 0xef, 0, 0, 3]));
        assert_eq!(single("abcd.ef00.0003"), Token::Ethernet([0xab, 0xcd, 0xef, 0, 0, 3]));
        assert_eq!(single("1:2:3:4:5:6"), Token::Ethernet([1, 2, 3, 4, 5, 6]));
        assert_eq!(single("::1"), Token::Ipv6(Ipv6Addr::LOCALHOST, "::1".into()));
        assert_eq!(single("0x1F"), Token::Number(31));
        assert_eq!(single("010"), Token::Number(8));
        assert_eq!(single("\\tcp"), Token::Name("tcp".into()));
        let symbols: Vec<_> =
            tokenize("a&&!b").unwrap().into_iter().map(|(token, _)| token).collect();
        assert_eq!(symbols[1..3], [Token::Symbol("&&"), Token::Symbol("!")]);
    }

    #[test]
    fn invalid_tokens_are_reported() {
        for (text, message) in [
            ("08", "number 08 contains non-octal digit"),
            ("4294967296", "number 4294967296 overflows 32 bits"),
            ("0040000000000", "octal number 0040000000000 overflows 32 bits"),
            ("ab:cd:ef:0g", "invalid Ethernet address ab:cd:ef:"),
            ("é", "can't parse filter expression: syntax error: unexpected character \"é\""),
        ] {
            assert_eq!(tokenize(text).unwrap_err().message, message);
        }
    }
}
