//! Decompression of gzip (RFC 1952) and Zstandard (RFC 8878) as bytes arrive.

mod gzip;
mod zstd;

use gzip::Gzip;
use zstd::Zstd;

/// A compression format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// The compression format of a file that begins with these bytes; `None` if it is not compressed.
    pub fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(gzip::MAGIC) {
            return Some(Self::Gzip);
        }
        (start.starts_with(zstd::MAGIC) || zstd::is_skippable(start)).then_some(Self::Zstd)
    }

    /// A decompressor of a file of any number of members or frames.
    pub(crate) fn decompressor(self) -> Box<dyn Decompress> {
        match self {
            Self::Gzip => Box::<Gzip>::default(),
            Self::Zstd => Box::<Zstd>::default(),
        }
    }
}

/// Decompresses a file as its bytes arrive.
pub(crate) trait Decompress: std::fmt::Debug {
    /// Takes the next bytes of the file and passes on the decompressed bytes in pieces. An empty chunk is
    /// the end of the file.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged or truncated. With Zstandard, bytes in the decoder's window are
    /// lost then.
    fn feed(&mut self, chunk: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<(), String>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decompress(compressed: &[u8], chunk_len: usize) -> (Vec<u8>, Result<(), String>) {
        let mut decompressor = Compression::of(compressed).unwrap().decompressor();
        let mut decompressed = Vec::new();
        for chunk in compressed.chunks(chunk_len).chain([&[][..]]) {
            let fed = decompressor.feed(chunk, &mut |piece| decompressed.extend_from_slice(piece));
            if fed.is_err() {
                return (decompressed, fed);
            }
        }
        (decompressed, Ok(()))
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).flat_map(|number| format!("{} ", number * 7919 % 1_000_003).into_bytes()).collect()
    }

    #[test]
    fn truncated_file_gives_its_content_and_an_error() {
        let plain = text(500_000);
        for compressed in [gzip(&plain), zstd(&plain)] {
            let (decompressed, result) = decompress(&compressed[..compressed.len() / 2], 10_000);
            assert!(result.is_err() && plain.starts_with(&decompressed), "{result:?}");
            assert!(100_000 < decompressed.len(), "{}", decompressed.len());
            let end = compressed.len() - 4;
            let (decompressed, result) = decompress(&compressed[..end], 10_000);
            assert!(result.is_err() && decompressed == plain, "{result:?}, {}", decompressed.len());
        }
        let mut damaged = zstd(&plain);
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(decompress(&damaged, 10_000).1, Err("checksum mismatch".to_owned()));
    }

    #[test]
    fn skippable_frames_are_skipped() {
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let compressed =
            [&skippable[..], &zstd(b"one"), &skippable, &zstd(b""), &zstd(b"two")].concat();
        for chunk_len in 1..40 {
            assert_eq!(
                decompress(&compressed, chunk_len),
                (b"onetwo".to_vec(), Ok(())),
                "{chunk_len}"
            );
        }
    }

    proptest! {
        #[test]
        fn chunks_and_frames_do_not_change_the_content(
            parts in proptest::collection::vec(0usize..3_000, 1..4),
            chunk_len in 1usize..5_000,
            is_zstd: bool,
        ) {
            let compress = if is_zstd { zstd } else { gzip };
            let parts: Vec<_> = parts.into_iter().map(text).collect();
            let compressed: Vec<u8> = parts.iter().flat_map(|part| compress(part)).collect();
            prop_assert_eq!(decompress(&compressed, chunk_len), (parts.concat(), Ok(())));
        }

        #[test]
        fn arbitrary_bytes_terminate(bytes: Vec<u8>, is_zstd: bool) {
            let magic = if is_zstd { zstd::MAGIC } else { gzip::MAGIC };
            let (decompressed, result) = decompress(&[magic, &bytes].concat(), 7);
            prop_assert!(result.is_err() || !decompressed.is_empty() || is_zstd);
        }
    }
}
