//! Decompresses gzip (RFC 1952) as bytes arrive. flate2 inflates the content; this module reads headers
//! and trailers. flate2's own gzip decoders report zeros after the last member as damage, and their
//! checksum tables add 16 kB to the compressed module. The tables used here are computed at run time.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use flate2::{Decompress, FlushDecompress, Status};

pub(crate) const MAGIC: &[u8] = &[0x1f, 0x8b];

/// Compression method "deflate" (RFC 1952, 2.3.1).
const DEFLATE: u8 = 8;
/// Flags of a member's header (RFC 1952, 2.3.1).
const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Length of a header without optional fields, in bytes.
const FIXED_HEADER_LEN: usize = 10;
/// A header may contain texts of any length; longer ones are damage.
const MAX_HEADER_LEN: usize = 1 << 20;
/// CRC-32 and length of the content.
const TRAILER_LEN: usize = 8;
/// Length of the output buffer, in bytes.
const PIECE_LEN: usize = 64 << 10;

const TRUNCATED: &str = "unexpected end of file";
const CORRUPT: &str = "corrupt deflate stream";
const BAD_HEADER: &str = "invalid gzip header";

/// Decompresses a sequence of members.
pub(crate) struct Gzip {
    state: State,
    /// A member has been completed: zeros may follow.
    has_member: bool,
    crc: Crc<u32, Table<16>>,
    output: Vec<u8>,
}

/// What comes next in the file.
enum State {
    /// The first byte of a member, or the end.
    Start,
    /// The rest of a header; its bytes so far.
    Header(Vec<u8>),
    /// Compressed content.
    Content(Content),
    /// The rest of a trailer; its bytes so far.
    Trailer(Content, Vec<u8>),
}

/// The content of a member up to now.
struct Content {
    inflate: Decompress,
    crc: u32,
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            state: State::Start,
            has_member: false,
            crc: Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC),
            output: vec![0; PIECE_LEN],
        }
    }
}

impl super::Decompress for Gzip {
    fn feed(&mut self, chunk: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let mut rest = chunk;
        while !rest.is_empty() {
            // An error ends the file: the state stays at the start of a member.
            let state = std::mem::replace(&mut self.state, State::Start);
            self.state = match state {
                State::Start => {
                    rest = self.skip_padding(rest);
                    if rest.is_empty() { State::Start } else { State::Header(Vec::new()) }
                }
                State::Header(bytes) => self.header(bytes, &mut rest)?,
                State::Content(content) => self.content(content, &mut rest, visit)?,
                State::Trailer(content, bytes) => self.trailer(content, bytes, &mut rest)?,
            };
        }
        match self.state {
            State::Start => Ok(()),
            _ if chunk.is_empty() => Err(TRUNCATED.to_owned()),
            _ => Ok(()),
        }
    }
}

impl Gzip {
    /// Skips zeros after a member: tapes and some programs pad files with them.
    fn skip_padding<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let len = match self.has_member {
            true => bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len()),
            false => 0,
        };
        &bytes[len..]
    }

    fn header(&self, mut bytes: Vec<u8>, rest: &mut &[u8]) -> Result<State, String> {
        let before = bytes.len();
        bytes.extend_from_slice(&rest[..rest.len().min(MAX_HEADER_LEN - before)]);
        let Some(len) = header_len(&bytes)? else {
            *rest = &rest[bytes.len() - before..];
            return if bytes.len() < MAX_HEADER_LEN {
                Ok(State::Header(bytes))
            } else {
                Err(BAD_HEADER.to_owned())
            };
        };
        if bytes[3] & FHCRC != 0 {
            let (checked, sum) = bytes[..len].split_at(len - 2);
            let [low, high, ..] = self.update(0, checked).to_le_bytes();
            if *sum != [low, high] {
                return Err(BAD_HEADER.to_owned());
            }
        }
        *rest = &rest[len - before..];
        Ok(State::Content(Content { inflate: Decompress::new(false), crc: 0 }))
    }

    /// Inflates one piece.
    fn content(
        &mut self,
        mut content: Content,
        rest: &mut &[u8],
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<State, String> {
        loop {
            let before = (content.inflate.total_in(), content.inflate.total_out());
            let status = content
                .inflate
                .decompress(rest, &mut self.output, FlushDecompress::None)
                .map_err(|_| CORRUPT.to_owned())?;
            let len = |after: u64, before: u64| usize::try_from(after - before).unwrap_or(0);
            let read = len(content.inflate.total_in(), before.0);
            let written = len(content.inflate.total_out(), before.1);
            *rest = &rest[read..];
            let output = &self.output[..written];
            content.crc = self.update(content.crc, output);
            visit(output);
            match status {
                Status::StreamEnd => return Ok(State::Trailer(content, Vec::new())),
                // The decoder needs more input.
                _ if rest.is_empty() && written < self.output.len() => break,
                _ if read == 0 && written == 0 => return Err(CORRUPT.to_owned()),
                _ => {}
            }
        }
        Ok(State::Content(content))
    }

    fn trailer(
        &mut self,
        content: Content,
        mut bytes: Vec<u8>,
        rest: &mut &[u8],
    ) -> Result<State, String> {
        let (taken, after) = rest.split_at(rest.len().min(TRAILER_LEN - bytes.len()));
        bytes.extend_from_slice(taken);
        *rest = after;
        let Some((crc, len)) = bytes.split_first_chunk::<4>() else {
            return Ok(State::Trailer(content, bytes));
        };
        let Some(len) = len.first_chunk::<4>() else {
            return Ok(State::Trailer(content, bytes));
        };
        // The length is modulo 2^32 (RFC 1952, 2.3.1).
        let expected = content.inflate.total_out() & u64::from(u32::MAX);
        if u32::from_le_bytes(*crc) != content.crc
            || u64::from(u32::from_le_bytes(*len)) != expected
        {
            return Err("the checksum or the length of the content does not match".to_owned());
        }
        self.has_member = true;
        Ok(State::Start)
    }

    /// Continues a CRC-32; that of no bytes is 0.
    fn update(&self, crc: u32, bytes: &[u8]) -> u32 {
        // The inverse of what `finalize` does to the register.
        let mut digest = self.crc.digest_with_initial((!crc).reverse_bits());
        digest.update(bytes);
        digest.finalize()
    }
}

/// Length of a member's header; `None` if more bytes are needed.
fn header_len(bytes: &[u8]) -> Result<Option<usize>, String> {
    let start = &bytes[..bytes.len().min(MAGIC.len())];
    let method = bytes.get(2).is_none_or(|method| *method == DEFLATE);
    let flags = bytes.get(3).copied().unwrap_or(0);
    if !MAGIC.starts_with(start) || !method || flags & RESERVED != 0 {
        return Err(BAD_HEADER.to_owned());
    }
    Ok(optional_fields_end(bytes, flags))
}

fn optional_fields_end(bytes: &[u8], flags: u8) -> Option<usize> {
    let mut end = FIXED_HEADER_LEN;
    if flags & FEXTRA != 0 {
        let len = bytes.get(end..)?.first_chunk::<2>()?;
        end += 2 + usize::from(u16::from_le_bytes(*len));
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            end += bytes.get(end..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & FHCRC != 0 {
        end += 2;
    }
    (end <= bytes.len()).then_some(end)
}

impl std::fmt::Debug for Gzip {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gzip").field("has_member", &self.has_member).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Decompress as _;
    use super::*;
    use flate2::{Compression, GzBuilder};
    use std::io::Write;

    fn member(builder: GzBuilder, text: &[u8]) -> Vec<u8> {
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decompressed(file: &[u8], chunk_len: usize) -> Result<Vec<u8>, String> {
        let (mut gzip, mut output) = (Gzip::default(), Vec::new());
        for chunk in file.chunks(chunk_len).chain([&[][..]]) {
            gzip.feed(chunk, &mut |piece| output.extend_from_slice(piece))?;
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
        gzip.feed(&file[..file.len() - 4], &mut |piece| output.extend_from_slice(piece)).unwrap();
        let finished = gzip.feed(&[], &mut |piece| output.extend_from_slice(piece));
        assert!(finished.is_err() && output == text, "{finished:?}, {} bytes", output.len());
    }

    #[test]
    fn output_is_passed_on_in_bounded_pieces() {
        let file = member(GzBuilder::new(), &vec![0; 10 << 20]);
        let (mut gzip, mut len, mut max) = (Gzip::default(), 0, 0);
        gzip.feed(&file, &mut |piece| (len, max) = (len + piece.len(), piece.len().max(max)))
            .unwrap();
        gzip.feed(&[], &mut |piece| len += piece.len()).unwrap();
        assert_eq!(len, 10 << 20);
        assert!(max <= 1 << 20, "{max}");
    }
}
