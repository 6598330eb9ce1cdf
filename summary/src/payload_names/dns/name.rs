//! Domain names in a message (RFC 1035, section 4.1.4), and their text.

use std::fmt::Write;

/// Length of the header of a message. No name starts in it.
pub(super) const HEADER_LEN: usize = 12;
/// Maximum length of a name on the wire (RFC 1035, section 2.3.4).
const MAX_NAME_LEN: usize = 255;
/// Maximum length of a label. The two highest bits of a length distinguish labels from pointers.
const MAX_LABEL_LEN: usize = 63;

/// Reads the name at `start` in a message and passes its labels to `visit`. Returns the offset after it.
/// `None` if the name is invalid or incomplete.
///
/// A pointer must lead to the front, before all parts of the name that were read. So no name is read
/// twice, and none is endless.
pub(super) fn read(message: &[u8], start: usize, mut visit: impl FnMut(&[u8])) -> Option<usize> {
    let (mut at, mut part_start) = (start, start);
    let mut end = None;
    let mut left = MAX_NAME_LEN;
    loop {
        let len = usize::from(*message.get(at)?);
        if MAX_LABEL_LEN < len {
            let pointer = usize::from(u16::from_be_bytes(*message.get(at..)?.first_chunk()?));
            let target = pointer.checked_sub(0xc000)?;
            if target < HEADER_LEN || part_start <= target {
                return None;
            }
            end = end.or(Some(at + 2));
            (at, part_start) = (target, target);
            continue;
        }
        left = left.checked_sub(1 + len)?;
        let label = message.get(at + 1..at + 1 + len)?;
        at += 1 + len;
        if len == 0 {
            return end.or(Some(at));
        }
        visit(label);
    }
}

/// Appends the name at `start` as text: labels joined by dots, `.` for the root. See [`push_label`].
pub(super) fn push(message: &[u8], start: usize, out: &mut String) -> Option<usize> {
    let old_len = out.len();
    let end = read(message, start, |label| {
        if old_len < out.len() {
            out.push('.');
        }
        push_label(label, out);
    })?;
    if out.len() == old_len {
        out.push('.');
    }
    Some(end)
}

/// Appends a label. Dots and backslashes are escaped by a backslash, bytes that are not UTF-8 as a
/// backslash and three decimal digits (RFC 1035, section 5.1), so that different names have different
/// texts.
fn push_label(label: &[u8], out: &mut String) {
    for chunk in label.utf8_chunks() {
        for char in chunk.valid().chars() {
            if matches!(char, '.' | '\\') {
                out.push('\\');
            }
            out.push(char);
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\{byte:03}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(message: &[u8], start: usize) -> Option<(String, usize)> {
        let mut text = String::new();
        let end = push(message, start, &mut text)?;
        Some((text, end))
    }

    /// The labels in a text.
    fn parse_labels(text: &str) -> Vec<Vec<u8>> {
        if text == "." {
            return Vec::new();
        }
        let mut labels = vec![Vec::new()];
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            let label = labels.last_mut().unwrap();
            match byte {
                b'.' => labels.push(Vec::new()),
                b'\\' => match rest.next().unwrap() {
                    digit @ b'0'..=b'9' => {
                        let digits = [digit, rest.next().unwrap(), rest.next().unwrap()];
                        label.push(str::from_utf8(&digits).unwrap().parse().unwrap());
                    }
                    byte => label.push(byte),
                },
                byte => label.push(byte),
            }
        }
        labels
    }

    #[test]
    fn names_have_limits() {
        let label = [&[63][..], &[b'a'; 63]].concat();
        let long = |last: u8| {
            let last = [&[last][..], &vec![b'a'; usize::from(last)], &[0]].concat();
            [&[0; HEADER_LEN][..], &label.repeat(3), &last].concat()
        };
        assert_eq!(text(&long(61), 12).unwrap().0.len(), 253);
        assert_eq!(text(&long(62), 12), None);
        assert_eq!(text(&[0; 13], 12), Some((".".to_owned(), 13)));
        assert_eq!(text(&[&[0; 12][..], &[64], &[b'a'; 64], &[0]].concat(), 12), None);
        assert_eq!(text(&[&[0; 12][..], &[3, b'a', b'b']].concat(), 12), None);
    }

    #[test]
    fn pointers_lead_to_the_front() {
        let message = [&[0; 12][..], b"\x01a\0\x01b\xc0\x0c\xc0\x0f\xc0\x13\x01c\xc0\x15"].concat();
        assert_eq!(text(&message, 15), Some(("b.a".to_owned(), 19)));
        assert_eq!(text(&message, 19), Some(("b.a".to_owned(), 21)));
        assert_eq!(text(&message, 21), Some(("b.a".to_owned(), 23)));
        assert_eq!(text(&message, 23), Some(("c.b.a".to_owned(), 27)));
        for target in [0, 11, 12, 13, 14] {
            let message = [&[0; 12][..], &[0xc0, target, 0]].concat();
            assert_eq!(text(&message, 12), None, "{target}");
        }
    }

    proptest! {
        #[test]
        fn text_contains_every_byte(
            labels in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 1..20),
                    "[.\\\\0-9é]{1,9}".prop_map(String::into_bytes),
                ],
                0..6,
            )
        ) {
            let mut message = vec![0; HEADER_LEN];
            for label in &labels {
                message.push(u8::try_from(label.len()).unwrap());
                message.extend(label);
            }
            message.push(0);
            let (text, end) = text(&message, HEADER_LEN).unwrap();
            prop_assert_eq!(end, message.len());
            prop_assert_eq!(parse_labels(&text), labels);
        }
    }
}
