//! The bytes of a capture file, decompressed if necessary. A signal ends them early.

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::Error;
use crate::error::STANDARD_INPUT_NAME;
use crate::progress::{self, packets};
use crate::signals::{Request, Signals};

/// Read size for compressed files, in bytes.
const COMPRESSED_CHUNK_LEN: usize = 128 << 10;

/// Longest output of a decompressor between two checks for signals, in bytes.
const DECOMPRESSED_CHUNK_LEN: usize = 256 << 10;

/// Magic numbers of compressed files: RFC 1952, RFC 8878, and the .xz file format, 2.1.1.1.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const XZ_MAGIC: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];

/// An open file and its name for messages.
pub(super) struct OpenFile {
    file: File,
    pub(super) name: String,
}

impl OpenFile {
    /// Opens the file; `-` is standard input.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let (file, name) = if path.as_os_str() == "-" {
            let file = io::stdin().as_fd().try_clone_to_owned().map(File::from);
            (file, STANDARD_INPUT_NAME.to_owned())
        } else {
            (File::open(path), path.display().to_string())
        };
        match file {
            Ok(file) => Ok(Self { file, name }),
            Err(source) => Err(Error::Input { name, source }),
        }
    }
}

/// The decompressed bytes of a file.
pub(super) struct Input<'a> {
    pub(super) name: String,
    bytes: Box<dyn Read + 'a>,
    is_compressed: bool,
    signal_handler: &'a SignalHandler,
    /// Bytes of the file read so far, before decompression.
    read_len: Rc<Cell<u64>>,
    /// Size of the file in bytes; `None` unless it is a regular file.
    pub(super) total_len: Option<u64>,
    /// The file if it is not a regular one.
    pipe: Option<File>,
}

impl<'a> Input<'a> {
    pub(super) fn new(file: OpenFile, signal_handler: &'a SignalHandler) -> Result<Self, Error> {
        let OpenFile { file, name } = file;
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file);
        let pipe = match metadata {
            Some(_) => Ok(None),
            None => file.try_clone().map(Some),
        };
        let pipe = pipe.map_err(|source| Error::Input { name: name.clone(), source })?;
        let read_len = Rc::new(Cell::new(0));
        let file = InterruptibleReader { file, signal_handler, read_len: read_len.clone() };
        let (bytes, is_compressed) =
            decompress(file).map_err(|source| Error::Input { name: name.clone(), source })?;
        let total_len = metadata.map(|metadata| metadata.len());
        Ok(Self { name, bytes, is_compressed, signal_handler, read_len, total_len, pipe })
    }

    /// Whether the file is a regular one, whose reads do not block.
    pub(super) fn is_regular(&self) -> bool {
        self.total_len.is_some()
    }

    /// Whether reading a pipe would block now.
    pub(super) fn would_block(&self) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO) == Ok(0)
    }

    /// Waits until a pipe can be read, or a signal arrives. False if `timeout` has passed first.
    pub(super) fn wait(&self, timeout: Duration) -> Result<bool, Error> {
        let Some(pipe) = &self.pipe else { return Ok(true) };
        let ready = self.signal_handler.signals.wait(&[pipe.as_fd()], Some(timeout))?;
        Ok(ready.is_stopped || ready.has_requests || !self.would_block())
    }

    /// Bytes of the file read so far, before decompression.
    pub(super) fn read_len(&self) -> u64 {
        self.read_len.get()
    }

    /// Reads some bytes; 0 means the end of the file, or a signal.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut buffer = buffer;
        if self.is_compressed {
            // A few compressed bytes can become gigabytes, which are read without reading the file.
            if !self.signal_handler.wait(None)? {
                return Ok(0);
            }
            let len = buffer.len().min(DECOMPRESSED_CHUNK_LEN);
            buffer = &mut buffer[..len];
        }
        loop {
            match self.bytes.read(buffer) {
                Ok(len) => return Ok(len),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) if self.is_compressed => {
                    let (name, offset) = (self.name.clone(), self.read_len.get());
                    return Err(Error::Decompression { name, offset, source });
                }
                Err(source) => return Err(Error::Input { name: self.name.clone(), source }),
            }
        }
    }
}

/// A reader of the decompressed bytes, and whether the file is compressed.
fn decompress<'a>(mut file: InterruptibleReader<'a>) -> io::Result<(Box<dyn Read + 'a>, bool)> {
    // A pipe may deliver its first bytes one by one.
    let mut start = Vec::new();
    file.by_ref().take(XZ_MAGIC.len() as u64).read_to_end(&mut start)?;
    let is = |magic: &[u8]| start.starts_with(magic);
    let (is_gzip, is_zstd, is_xz) = (is(GZIP_MAGIC), is(ZSTD_MAGIC), is(XZ_MAGIC));
    let bytes = Cursor::new(start).chain(file);
    if !is_gzip && !is_zstd && !is_xz {
        return Ok((Box::new(bytes), false));
    }
    let compressed = BufReader::with_capacity(COMPRESSED_CHUNK_LEN, bytes);
    // All three decoders read concatenated members, frames or streams.
    let decompressed: Box<dyn Read + 'a> = if is_gzip {
        Box::new(MultiGzDecoder::new(compressed))
    } else if is_zstd {
        Box::new(zstd::Decoder::with_buffer(compressed)?)
    } else {
        Box::new(XzDecoder::new_stream(compressed, xz_stream()?))
    };
    Ok((decompressed, true))
}

/// Memory that an .xz file may demand for its dictionary, in bytes: enough for `xz -9`, which needs
/// 65 MiB. The decoder of Zstandard has a limit of 128 MiB itself.
const MAX_XZ_MEMORY: u64 = 192 << 20;

fn xz_stream() -> io::Result<Stream> {
    Stream::new_stream_decoder(MAX_XZ_MEMORY, CONCATENATED).map_err(io::Error::other)
}

/// Handles the signals of a run. The readers call it before each piece of input.
pub(super) struct SignalHandler {
    signals: Signals,
    /// Whether a signal has ended the input.
    is_stopped: Cell<bool>,
    /// Whether SIGUSR2 has arrived since the last call of `take_flush_request`.
    is_flush_requested: Cell<bool>,
    /// Packets written so far, for SIGUSR1.
    pub(super) out: Cell<u64>,
}

impl SignalHandler {
    pub(super) fn new(signals: Signals) -> Self {
        Self {
            signals,
            is_stopped: Cell::new(false),
            is_flush_requested: Cell::new(false),
            out: Cell::new(0),
        }
    }

    pub(super) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Whether a signal has ended the input.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.get()
    }

    /// Whether all lines are to be written now.
    pub(super) fn take_flush_request(&self) -> bool {
        self.is_flush_requested.take()
    }

    /// Waits until a signal ends the run.
    pub(super) fn wait_for_stop(&self) -> Result<(), Error> {
        while !self.is_stopped() {
            self.signals.wait(&[], None)?;
            self.wait(None)?;
        }
        Ok(())
    }

    /// Waits until `file` is readable; without `file`, handles the signals that have arrived.
    /// Returns false if one of them ends the input.
    fn wait(&self, file: Option<&File>) -> Result<bool, Error> {
        let (fds, timeout) = match file {
            Some(file) => (vec![file.as_fd()], None),
            None => (Vec::new(), Some(Duration::ZERO)),
        };
        while !self.is_stopped() {
            let ready = self.signals.wait(&fds, timeout)?;
            let requests = self.signals.requests()?;
            if ready.is_stopped || requests.contains(&Request::End) {
                self.is_stopped.set(true);
                self.signals.settle()?;
                break;
            }
            if requests.contains(&Request::Report) {
                let read = packets(self.out.get());
                progress::print_message(format_args!("{read} read so far"));
            }
            if requests.contains(&Request::Flush) {
                self.is_flush_requested.set(true);
            }
            if requests.is_empty() || fds.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A reader that waits for data and signals, and reports the end of the file after a termination
/// signal.
struct InterruptibleReader<'a> {
    file: File,
    signal_handler: &'a SignalHandler,
    read_len: Rc<Cell<u64>>,
}

impl Read for InterruptibleReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.signal_handler.wait(Some(&self.file)).map_err(io::Error::other)? {
            return Ok(0);
        }
        let len = self.file.read(buffer)?;
        self.read_len.set(self.read_len.get() + len as u64);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of an .xz file may demand a dictionary of up to 4 GiB.
    #[test]
    fn memory_of_xz_files_is_limited() {
        let mut file = Vec::new();
        liblzma::read::XzEncoder::new(&b"text"[..], 0).read_to_end(&mut file).unwrap();
        let decode = |file: &[u8]| {
            let mut text = String::new();
            let read = XzDecoder::new_stream(file, xz_stream().unwrap()).read_to_string(&mut text);
            read.map(|_| text).map_err(|error| error.to_string())
        };
        assert_eq!(decode(&file), Ok("text".to_owned()));
        // The block header after the stream header of 12 bytes (.xz file format, 3.1): length, flags,
        // filter, length of its properties, size of the dictionary (5.3.1), padding, CRC-32.
        let header = 12..12 + 4 * usize::from(file[12]);
        file[16] = 40;
        let mut crc = flate2::Crc::new();
        crc.update(&file[header.clone()]);
        file[header.end..header.end + 4].copy_from_slice(&crc.sum().to_le_bytes());
        assert!(decode(&file).unwrap_err().contains("memory"));
    }
}
