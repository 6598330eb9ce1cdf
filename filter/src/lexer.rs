//! Words of an expression. As pcap-filter(7) has it: the longest match counts, and of equally long ones
//! a keyword comes before numbers and addresses, and those before names.

mod keywords;

pub(crate) use keywords::Keyword;

use crate::error::Diagnostic;
use crate::protocol::Protocol;
use keywords::{constant, keyword};
use std::net::Ipv6Addr;
use std::ops::Range;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Protocol(Protocol),
    Keyword(Keyword),
    Number(u32),
    /// Two to four decimal numbers with dots between.
    Ipv4(String),
    Ipv6(Ipv6Addr, String),
    Ethernet([u8; 6]),
    /// `$` and one byte in hexadecimal.
    Arcnet(u8),
    Name(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

/// Operators and brackets, longer ones first.
const SYMBOLS: [&str; 25] = [
    "&&", "||", ">=", "<=", "!=", "==", "<<", ">>", "+", "-", "*", "/", "%", ":", "[", "]", "!",
    "<", ">", "(", ")", "&", "|", "^", "=",
];

/// The words of an expression with their places; the last is [`Token::End`].
pub(crate) fn tokens(expression: &str) -> Result<Vec<(Token, Range<usize>)>, Diagnostic> {
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

/// The first word of a text that begins with one, and its length.
fn token(text: &str) -> Result<(Token, usize), Diagnostic> {
    let name = name_len(text);
    let (ethernet_len, number, dotted, six) =
        (ethernet_len(text), number_len(text), ipv4_len(text), ipv6_len(text));
    let longest = name.max(ethernet_len).max(number).max(dotted).max(six);
    let word = &text[..longest];
    let malformed = malformed_mac_len(text);
    if longest < malformed {
        return Err(Diagnostic::new(
            format!("invalid Ethernet address {}", &text[..malformed]),
            0..malformed,
        ));
    }
    if longest == 0 {
        return sign(text);
    }
    let token = if let Some(protocol) = Protocol::from_keyword(word) {
        Token::Protocol(protocol)
    } else if let Some(keyword) = keyword(word) {
        Token::Keyword(keyword)
    } else if matches!(word, "and" | "or" | "not") {
        Token::Symbol(match word {
            "and" => "&&",
            "or" => "||",
            _ => "!",
        })
    } else if longest == ethernet_len {
        Token::Ethernet(ethernet(word).expect("the pattern has six bytes"))
    } else if longest == number {
        Token::Number(value(word)?)
    } else if longest == dotted {
        Token::Ipv4(word.to_owned())
    } else if longest == six {
        let address = word.parse();
        Token::Ipv6(
            address
                .map_err(|_| Diagnostic::new(format!("invalid IPv6 address {word}"), 0..longest))?,
            word.to_owned(),
        )
    } else if let Some(value) = constant(word) {
        Token::Number(value)
    } else {
        Token::Name(word.to_owned())
    };
    Ok((token, longest))
}

/// What begins with a sign.
fn sign(text: &str) -> Result<(Token, usize), Diagnostic> {
    if let Some(sign) = SYMBOLS.iter().find(|sign| text.starts_with(**sign)) {
        return Ok((Token::Symbol(if *sign == "==" { "=" } else { sign }), sign.len()));
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
            "can't parse filter expression: syntax error: no word begins with \"{}\"",
            &text[..first]
        ),
        0..first,
    ))
}

/// A name: letters, digits, dots, and within it also `-` and `_`.
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

/// A number: decimal, or hexadecimal after `0x`.
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

/// Two to four numbers with dots between.
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

/// An address in the forms of RFC 4291, section 2.2; a number in its dotted part may be too large.
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
    // Groups of 16 bits, of which a dotted part at the end is two.
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

/// A MAC address: six bytes with `:`, `-` or `.` between, three words of four digits with dots, or
/// twelve digits.
fn ethernet_len(text: &str) -> usize {
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
    let words = || {
        let word = |at: usize| text.len() >= at + 4 && 4 <= hex(&text[at..]);
        let dot = |at: usize| text[at..].starts_with('.');
        if word(0) && dot(4) && word(5) && dot(9) && word(10) { 14 } else { 0 }
    };
    let digits = if 12 <= hex(text) { 12 } else { 0 };
    [separated(':'), separated('-'), separated('.'), words(), digits].into_iter().max().unwrap_or(0)
}

/// What looks like a MAC address and is none: two bytes and more with a colon after each.
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

/// The bytes of a MAC address in any of its spellings.
pub(crate) fn ethernet(text: &str) -> Option<[u8; 6]> {
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

/// A number: hexadecimal after `0x`, octal after `0`, decimal otherwise.
pub(crate) fn value(word: &str) -> Result<u32, Diagnostic> {
    let all = 0..word.len();
    let (kind, digits, radix) = match word.as_bytes() {
        [b'0', b'x' | b'X', ..] => ("hexadecimal number", &word[2..], 16),
        [b'0', _, ..] => ("octal number", &word[1..], 8),
        _ => ("number", word, 10),
    };
    // A number that is too long is said to be so even where a digit is wrong after that.
    let mut number = 0u32;
    for digit in digits.chars() {
        let Some(digit) = digit.to_digit(radix) else {
            return Err(Diagnostic::new(format!("number {word} contains non-octal digit"), all));
        };
        number = (number.checked_mul(radix).and_then(|number| number.checked_add(digit)))
            .ok_or_else(|| {
                Diagnostic::new(format!("{kind} {word} overflows 32 bits"), all.clone())
            })?;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Token {
        let mut tokens = tokens(text).unwrap();
        assert_eq!(tokens.len(), 2, "{tokens:?}");
        tokens.swap_remove(0).0
    }

    #[test]
    fn the_longest_match_counts() {
        assert_eq!(only("tcp-syn"), Token::Number(2));
        assert_eq!(only("tcpdump"), Token::Name("tcpdump".into()));
        assert_eq!(only("10.0.0.1"), Token::Ipv4("10.0.0.1".into()));
        assert_eq!(only("10.0.0.1.example"), Token::Name("10.0.0.1.example".into()));
        assert_eq!(only("abcdef000003"), Token::Ethernet([0xab, 0xcd, 0xef, 0, 0, 3]));
        assert_eq!(only("abcd.ef00.0003"), Token::Ethernet([0xab, 0xcd, 0xef, 0, 0, 3]));
        assert_eq!(only("1:2:3:4:5:6"), Token::Ethernet([1, 2, 3, 4, 5, 6]));
        assert_eq!(only("::1"), Token::Ipv6(Ipv6Addr::LOCALHOST, "::1".into()));
        assert_eq!(only("0x1F"), Token::Number(31));
        assert_eq!(only("010"), Token::Number(8));
        assert_eq!(only("\\tcp"), Token::Name("tcp".into()));
        let signs: Vec<_> = tokens("a&&!b").unwrap().into_iter().map(|(token, _)| token).collect();
        assert_eq!(signs[1..3], [Token::Symbol("&&"), Token::Symbol("!")]);
    }

    #[test]
    fn numbers_that_are_wrong_are_told() {
        for (text, message) in [
            ("08", "number 08 contains non-octal digit"),
            ("4294967296", "number 4294967296 overflows 32 bits"),
            ("0040000000000", "octal number 0040000000000 overflows 32 bits"),
            ("ab:cd:ef:0g", "invalid Ethernet address ab:cd:ef:"),
            ("é", "can't parse filter expression: syntax error: no word begins with \"é\""),
        ] {
            assert_eq!(tokens(text).unwrap_err().message, message);
        }
    }
}
