//! Payload as text: characters, or hexadecimal digits.

use summary::{grouped, is_display_control};

/// Bytes of a row of hexadecimal digits.
pub(crate) const ROW_LEN: usize = 16;

/// Decodes bytes as UTF-8. Dots replace invalid bytes, invisible characters and those that control the display.
/// CR LF becomes LF.
///
/// ```
/// assert_eq!(viewer_connection::printable(b"GET /\r\n\x1b[1m\xff\t\xc3\xa9"), "GET /\n.[1m.\té");
/// ```
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\n' | '\t' => text.push(character),
                _ if is_display_control(character) || is_invisible(character) => text.push('.'),
                _ => text.push(character),
            }
        }
        text.extend(chunk.invalid().iter().map(|_| '.'));
    }
    text
}

/// Characters without a shape that [`is_display_control`] does not contain: marks of direction, joiners,
/// fillers, and tags.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Bytes as rows of hexadecimal digits and ASCII characters. `offset` is that of the first byte.
///
/// ```
/// assert_eq!(
///     viewer_connection::hex(b"Hello, world!\r\n", 0),
///     "00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 21 0d 0a     Hello, world!..\n"
/// );
/// ```
pub fn hex(bytes: &[u8], offset: usize) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 5 + 80);
    let push_byte = |text: &mut String, byte: u8| {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    };
    for (row, bytes) in bytes.chunks(ROW_LEN).enumerate() {
        let offset = u32::try_from(offset + row * ROW_LEN).unwrap_or(u32::MAX);
        offset.to_be_bytes().into_iter().for_each(|byte| push_byte(&mut text, byte));
        text.push(' ');
        for column in 0..ROW_LEN {
            text.push_str(if column == ROW_LEN / 2 { "  " } else { " " });
            match bytes.get(column) {
                Some(byte) => push_byte(&mut text, *byte),
                None => text.push_str("  "),
            }
        }
        text.push_str("  ");
        let is_shown = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        text.extend(bytes.iter().map(|byte| if is_shown(byte) { char::from(*byte) } else { '.' }));
        text.push('\n');
    }
    text
}

/// A number with its unit: `1 byte`, `1,460 bytes`.
pub(crate) fn count_text(count: u64, unit: &str) -> String {
    format!("{} {unit}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_cannot_control_the_display() {
        for hostile in ["\u{202e}", "\u{2066}", "\u{200f}", "\u{7f}", "\u{feff}", "\u{e0041}", "\r"]
        {
            assert_eq!(printable(hostile.as_bytes()), ".", "{hostile:?}");
        }
        assert_eq!(printable("Grüße, 世界 🦀".as_bytes()), "Grüße, 世界 🦀");
        assert_eq!(printable(&[0xe2, 0x82]), "..");
    }

    #[test]
    fn rows_of_hexadecimal_digits_are_aligned() {
        let text = hex(&(0..20).collect::<Vec<_>>(), 0x10);
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(
            rows,
            [
                "00000010  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................",
                "00000020  10 11 12 13                                       ....",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_become_harmless_text(bytes: Vec<u8>) {
            let is_harmless = |c: char| matches!(c, '\n' | '\t') || !is_display_control(c);
            prop_assert!(printable(&bytes).chars().all(is_harmless));
            let digits: Vec<u8> = hex(&bytes, 0)
                .lines()
                .flat_map(|row| row[10..58].split_ascii_whitespace().map(|digits| {
                    u8::from_str_radix(digits, 16).unwrap()
                }).collect::<Vec<_>>())
                .collect();
            prop_assert_eq!(digits, bytes);
        }
    }
}
