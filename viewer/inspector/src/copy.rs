//! Bytes as text for the clipboard.

use std::fmt::Write;

/// Bytes per line.
const HEX_LINE_LEN: usize = 16;
const C_LINE_LEN: usize = 12;

/// A form of bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFormat {
    /// Hexadecimal digits, separated by spaces, 16 bytes a line.
    Hex,
    /// An array in C.
    C,
    /// A string with escapes, as in C, Python and Rust: `"GET / HTTP/1.1\r\n"`.
    Text,
}

impl CopyFormat {
    /// The format with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "hex" => Self::Hex,
            "c" => Self::C,
            "text" => Self::Text,
            _ => return None,
        })
    }

    /// The bytes in this format.
    pub fn format(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => {
                let lines = bytes.chunks(HEX_LINE_LEN);
                lines
                    .map(|line| join(line, " ", |byte| format!("{byte:02x}")))
                    .collect::<Vec<_>>()
                    .join("\n")
            }
            Self::C => {
                let lines = bytes.chunks(C_LINE_LEN);
                let lines: String = lines
                    .map(|line| {
                        format!("    {},\n", join(line, ", ", |byte| format!("{byte:#04x}")))
                    })
                    .collect();
                format!("const unsigned char packet[{}] = {{\n{lines}}};\n", bytes.len())
            }
            Self::Text => {
                let mut text = String::from("\"");
                for byte in bytes {
                    match byte {
                        b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
                        b'\n' => text.push_str("\\n"),
                        b'\r' => text.push_str("\\r"),
                        b'\t' => text.push_str("\\t"),
                        b' '..=b'~' => text.push(char::from(*byte)),
                        // Writing to a string cannot fail.
                        _ => _ = write!(text, "\\x{byte:02x}"),
                    }
                }
                text + "\""
            }
        }
    }
}

fn join(bytes: &[u8], separator: &str, text: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(text).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::CopyFormat;

    #[test]
    fn bytes_are_copied_in_each_format() {
        let bytes: Vec<_> = (0x08..0x19).collect();
        assert_eq!(
            CopyFormat::Hex.format(&bytes),
            "08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17\n18"
        );
        assert_eq!(
            CopyFormat::C.format(&bytes[..13]),
            "const unsigned char packet[13] = {\n    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, \
             0x10, 0x11, 0x12, 0x13,\n    0x14,\n};\n"
        );
        assert_eq!(CopyFormat::Text.format(b"a\"\\\r\n\t\0\xff~"), r#""a\"\\\r\n\t\x00\xff~""#);
        assert_eq!(CopyFormat::parse("hex"), Some(CopyFormat::Hex));
        assert_eq!(CopyFormat::parse("other"), None);
    }
}
