//! Decompresses gzip (RFC 1952) as bytes arrive. flate2 decodes each member; the sequence of members
//! is ours, because its decoder for several members takes trailing zeros for damage.

use flate2::write::GzDecoder;
use std::io::{ErrorKind, Write};

pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b];

/// Decompresses a sequence of members.
#[derive(Default)]
pub(super) struct Gzip {
    /// The current member, which decodes into its buffer.
    member: Option<GzDecoder<Vec<u8>>>,
    /// A member has been completed: zeros may follow.
    has_member: bool,
}

impl Gzip {
    /// Takes the next bytes of the file and passes on the decompressed bytes in pieces. An empty
    /// chunk is the end of the file.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut visit: impl FnMut(&[u8]),
    ) -> Result<(), String> {
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.member.is_none() {
                rest = self.skip_padding(rest);
                if rest.is_empty() {
                    break;
                }
            }
            let member = self.member.get_or_insert_with(|| GzDecoder::new(Vec::new()));
            // A single write decodes at most one piece, which bounds the buffer.
            let written = member.write(rest);
            let output = member.get_mut();
            visit(output);
            output.clear();
            match written.map_err(|error| error_text(&error))? {
                0 => self.finish_member(&mut visit)?,
                len => rest = &rest[len..],
            }
        }
        if chunk.is_empty() { self.finish_member(&mut visit) } else { Ok(()) }
    }

    /// Skips zeros after a member: tapes and some programs pad files with them.
    fn skip_padding<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let len = match self.has_member {
            true => bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len()),
            false => 0,
        };
        &bytes[len..]
    }

    /// Completes the current member, if any, and verifies its checksum and length.
    fn finish_member(&mut self, visit: &mut impl FnMut(&[u8])) -> Result<(), String> {
        let Some(mut member) = self.member.take() else { return Ok(()) };
        self.has_member = true;
        let finished = member.try_finish();
        // The content of a truncated member is passed on before its error.
        visit(member.get_mut());
        finished.map_err(|error| error_text(&error))
    }
}

fn error_text(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "unexpected end of file".to_owned(),
        _ => error.to_string(),
    }
}

impl std::fmt::Debug for Gzip {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gzip").field("has_member", &self.has_member).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};

    fn member(builder: GzBuilder, text: &[u8]) -> Vec<u8> {
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decompressed(file: &[u8], chunk_len: usize) -> Result<Vec<u8>, String> {
        let (mut gzip, mut output) = (Gzip::default(), Vec::new());
        for chunk in file.chunks(chunk_len).chain([&[][..]]) {
            gzip.feed(chunk, |piece| output.extend_from_slice(piece))?;
        }
        Ok(output)
    }

    #[test]
    fn zeros_after_a_member_are_ignored() {
        let plain = |text: &[u8]| member(GzBuilder::new(), text);
        let file = [&plain(b"one")[..], &[0; 20], &plain(b"two"), &[0; 5]].concat();
        for chunk_len in 1..=file.len() {
            assert_eq!(
                decompressed(&file, chunk_len).as_deref(),
                Ok(&b"onetwo"[..]),
                "{chunk_len}"
            );
        }
        let other = [&plain(b"one")[..], b"\0x"].concat();
        assert!(decompressed(&other, 100).is_err_and(|error| !error.is_empty()));
    }

    #[test]
    fn headers_may_have_all_fields() {
        let builder = GzBuilder::new().filename("a").comment("b").extra([1, 2, 3]);
        let file = member(builder, b"text");
        for chunk_len in 1..=file.len() {
            assert_eq!(decompressed(&file, chunk_len).as_deref(), Ok(&b"text"[..]), "{chunk_len}");
        }
        for (index, _) in file.iter().enumerate().skip(1) {
            assert!(decompressed(&file[..index], 100).is_err(), "{index}");
        }
        let mut damaged = file;
        let at = damaged.len() - 5;
        damaged[at] ^= 1;
        let error = decompressed(&damaged, 100).unwrap_err();
        assert!(error.contains("checksum"), "{error}");
    }

    #[test]
    fn truncated_member_gives_all_that_can_be_decompressed() {
        let text = b"lorem ipsum\n".repeat(2_000);
        let file = member(GzBuilder::new(), &text);
        let (mut gzip, mut output) = (Gzip::default(), Vec::new());
        gzip.feed(&file[..file.len() - 4], |piece| output.extend_from_slice(piece)).unwrap();
        let finished = gzip.feed(&[], |piece| output.extend_from_slice(piece));
        assert!(finished.is_err() && output == text, "{finished:?}, {} bytes", output.len());
    }

    #[test]
    fn output_is_passed_on_in_bounded_pieces() {
        let file = member(GzBuilder::new(), &vec![0; 10 << 20]);
        let (mut gzip, mut len, mut max) = (Gzip::default(), 0, 0);
        gzip.feed(&file, |piece| (len, max) = (len + piece.len(), piece.len().max(max))).unwrap();
        gzip.feed(&[], |piece| len += piece.len()).unwrap();
        assert_eq!(len, 10 << 20);
        assert!(max <= 1 << 20, "{max}");
    }
}
