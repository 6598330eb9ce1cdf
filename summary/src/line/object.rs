//! One object of JSON (RFC 8259) taken apart: names, and values as they are written. For lines of
//! other programs, of which a few fields are wanted. serde_json would do it in ten times the code,
//! and the page has to send that.

use super::ParseError;
use std::borrow::Cow;

/// The fields of an object in their order: names without escapes, values as they are written.
///
/// ```
/// let fields = summary::line::fields(r#"{"len": 60, "a\tb": [1, {}]}"#).unwrap();
/// assert_eq!(fields, [("len".into(), "60"), ("a\tb".into(), "[1, {}]")]);
/// ```
///
/// # Errors
///
/// Where the text is anything but one object, with what is wrong first.
pub fn fields(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, ParseError> {
    let mut reader = Reader { text, at: 0 };
    let mut fields = Vec::new();
    reader.space();
    reader.expect(b'{', "an object was expected")?;
    reader.space();
    if !reader.take(b'}') {
        loop {
            let name = reader.name()?;
            fields.push((name, reader.value()?));
            reader.space();
            if !reader.take(b',') {
                break;
            }
            reader.space();
        }
        reader.expect(b'}', "`,` or `}` was expected")?;
    }
    reader.space();
    match reader.next() {
        None => Ok(fields),
        Some(_) => Err(reader.wrong("the end of the line was expected")),
    }
}

/// The text that is written so, quotation marks and escapes included.
///
/// # Errors
///
/// Where the value is no string, or has half a character (RFC 8259, 8.2).
pub fn text(value: &str) -> Result<Cow<'_, str>, ParseError> {
    let mut reader = Reader { text: value, at: 0 };
    let inside = reader.string()?;
    if reader.at < value.len() {
        return Err(reader.wrong("the end of the text was expected"));
    }
    unescaped(inside).ok_or_else(|| reader.wrong(HALF))
}

const HALF: &str = "half a character";

/// A place in a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.next() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8, wanted: &'static str) -> Result<(), ParseError> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong(wanted)) }
    }

    #[cold]
    fn wrong(&self, reason: &'static str) -> ParseError {
        ParseError::Json { reason: reason.into(), column: self.at + 1 }
    }

    /// The text from a place up to this one.
    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn skip(&mut self, is_meant: impl Fn(u8) -> bool) -> usize {
        let from = self.at;
        while self.next().is_some_and(&is_meant) {
            self.at += 1;
        }
        self.at - from
    }

    fn space(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// A name and its colon.
    fn name(&mut self) -> Result<Cow<'a, str>, ParseError> {
        let name = self.string()?;
        let name = unescaped(name).ok_or_else(|| self.wrong(HALF))?;
        self.space();
        self.expect(b':', "`:` was expected")?;
        self.space();
        Ok(name)
    }

    /// What is between quotation marks, as it is written.
    fn string(&mut self) -> Result<&'a str, ParseError> {
        self.expect(b'"', "a text was expected")?;
        let from = self.at;
        loop {
            self.skip(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\'));
            match self.next() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.wrong("a control character in a text")),
                None => return Err(self.wrong("the line ends within a text")),
            }
        }
        let inside = self.since(from);
        self.at += 1;
        Ok(inside)
    }

    fn escape(&mut self) -> Result<(), ParseError> {
        self.at += 1;
        let digits = match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
            Some(b'u') => 4,
            _ => return Err(self.wrong("no such escape")),
        };
        self.at += 1;
        for _ in 0..digits {
            if !self.next().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                return Err(self.wrong("four hexadecimal digits were expected"));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Any value, however deep.
    fn value(&mut self) -> Result<&'a str, ParseError> {
        let from = self.at;
        // The brackets that close what is open.
        let mut open = Vec::new();
        loop {
            match self.next() {
                Some(b'"') => drop(self.string()?),
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    self.space();
                    // Both close two characters after they open.
                    let close = bracket + 2;
                    if !self.take(close) {
                        open.push(close);
                        self.name_within(close)?;
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => self.word()?,
            }
            loop {
                let Some(&close) = open.last() else { return Ok(self.since(from)) };
                self.space();
                if self.take(b',') {
                    self.space();
                    self.name_within(close)?;
                    break;
                }
                self.expect(close, "`,` or a closing bracket was expected")?;
                open.pop();
            }
        }
    }

    fn name_within(&mut self, close: u8) -> Result<(), ParseError> {
        if close == b'}' { self.name().map(drop) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), ParseError> {
        const DIGIT: &str = "a digit was expected";
        self.take(b'-');
        let is_digit = |byte: u8| byte.is_ascii_digit();
        if !self.take(b'0') && self.skip(is_digit) == 0 {
            return Err(self.wrong(DIGIT));
        }
        if self.take(b'.') && self.skip(is_digit) == 0 {
            return Err(self.wrong(DIGIT));
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            if self.skip(is_digit) == 0 {
                return Err(self.wrong(DIGIT));
            }
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), ParseError> {
        let rest = &self.text.as_bytes()[self.at..];
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.into_iter().find(|word| rest.starts_with(word));
        self.at += word.ok_or_else(|| self.wrong("a value was expected"))?.len();
        Ok(())
    }
}

/// The characters that a text with valid escapes means; `None` where one is half a surrogate pair.
fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    let Some((mut plain, mut rest)) = text.split_once('\\') else { return Some(text.into()) };
    let mut whole = String::new();
    loop {
        whole.push_str(plain);
        let mut chars = rest.chars();
        let kind = chars.next()?;
        rest = chars.as_str();
        whole.push(match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let has_second = rest.as_bytes()[4..].starts_with(b"\\u");
                let second = if has_second { unit(rest, 6) } else { None };
                let (c, len) = pair(unit(rest, 0)?, second)?;
                rest = rest.get(len..)?;
                c
            }
            same => same,
        });
        match rest.split_once('\\') {
            Some(parts) => (plain, rest) = parts,
            None => return Some((whole + rest).into()),
        }
    }
}

/// A UTF-16 unit in four hexadecimal digits.
fn unit(text: &str, at: usize) -> Option<u16> {
    u16::from_str_radix(text.get(at..at + 4)?, 16).ok()
}

/// The character of one unit or two, and the digits and signs that they took.
fn pair(first: u16, second: Option<u16>) -> Option<(char, usize)> {
    if let Some(c) = char::from_u32(first.into()) {
        return Some((c, 4));
    }
    let c = char::decode_utf16([first, second?]).next()?.ok()?;
    Some((c, 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    /// What serde_json says of the same text.
    fn theirs(line: &str) -> Option<BTreeMap<String, String>> {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).ok()?;
        Some(fields.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect())
    }

    fn ours(line: &str) -> Option<BTreeMap<String, String>> {
        let fields = fields(line).ok()?.into_iter();
        Some(fields.map(|(name, value)| (name.into_owned(), value.to_owned())).collect())
    }

    fn agree(line: &str) {
        assert_eq!(ours(line), theirs(line), "{line}");
        let value = line.trim_matches([' ', '\t', '\n', '\r']);
        let theirs = serde_json::from_str::<String>(value).ok();
        assert_eq!(text(value).ok().map(Cow::into_owned), theirs, "{line}");
    }

    /// Pieces that make an object more often than not.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{"),
            Just("}"),
            Just("["),
            Just("]"),
            Just(","),
            Just(":"),
            Just(" "),
            Just("\"a\""),
            Just("\"\\u00e9\\ud83d\\ude00\""),
            Just("\"\\ud83d\""),
            Just("\"\\n\\/\""),
            Just("\"é"),
            Just("\\"),
            Just("\""),
            Just("\t"),
            Just("true"),
            Just("null"),
            Just("0"),
            Just("-1.5e+9"),
            Just("01"),
            Just("1."),
            Just("\"b\":1"),
            Just("{\"c\":[]}"),
        ];
        let inside = prop::collection::vec(piece, 0..9);
        (inside, any::<bool>()).prop_map(|(pieces, is_object)| {
            let inside = pieces.concat();
            if is_object { format!("{{\"x\":{inside}}}") } else { inside }
        })
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn fields_are_those_of_serde_json(value in json(), is_pretty in any::<bool>()) {
            let text = if is_pretty {
                serde_json::to_string_pretty(&value)
            } else {
                serde_json::to_string(&value)
            };
            agree(&text.unwrap());
        }

        #[test]
        fn what_is_no_json_for_serde_json_is_none(line in pieces()) {
            agree(&line);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("", "an object was expected at column 1"),
            ("[1]", "an object was expected at column 1"),
            ("{\"a\":", "a value was expected at column 6"),
            ("{\"a\":nul}", "a value was expected at column 6"),
            ("{\"a\":1,}", "a text was expected at column 8"),
            ("{\"a\" 1}", "`:` was expected at column 6"),
            ("{\"a\":1", "`,` or `}` was expected at column 7"),
            ("{\"a\":[1}", "`,` or a closing bracket was expected at column 8"),
            ("{\"a\":\"b", "the line ends within a text at column 8"),
            ("{\"a\":\"\\x\"}", "no such escape at column 8"),
            ("{\"a\":\"\\u12g4\"}", "four hexadecimal digits were expected at column 11"),
            ("{\"\\udead\":1}", "half a character at column 10"),
            ("{\"a\":-}", "a digit was expected at column 7"),
            ("{} x", "the end of the line was expected at column 4"),
        ];
        for (line, words) in cases {
            assert_eq!(fields(line).unwrap_err().to_string(), words, "{line}");
        }
    }

    #[test]
    fn depth_has_no_limit() {
        let deep = 100_000;
        let line = format!("{{\"a\":{}{}}}", "[".repeat(deep), "]".repeat(deep));
        assert_eq!(fields(&line).unwrap()[0].1.len(), 2 * deep);
    }
}
