//! A run over a capture file: the same lines as a live run writes.

use flate2::bufread::MultiGzDecoder;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::os::fd::AsFd;
use std::path::Path;
use summary::capture_file::{FileError, Reader, Step};
use summary::record::{Interface, Reason, Source};
use summary::{Packet, decode};

use crate::Error;
use crate::cli::{Common, ReadJob};
use crate::output::Output;
use crate::progress::{self, Progress, packets};
use crate::signals::{Request, Signals};
use crate::stream::{Losses, Stream};

/// Bytes read at once, and room for records of usual size.
const CHUNK_LEN: usize = 1 << 20;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the file to its end, or to where something else ends it.
pub(crate) fn run(job: &ReadJob<'_>) -> Result<(), Error> {
    let (file, name) = open(job.path)?;
    // Not before: opening a pipe waits for its writer, and a signal may end that.
    let signals = Signals::catch(false)?;
    let heard = Heard::default();
    let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    let input = unpacked(Stoppable { file, signals: &signals, heard: &heard })
        .map_err(|source| Error::Input { name: name.clone(), source })?;
    let mut run = Run {
        window: Window::new(input, name.clone()),
        is_regular,
        reader: Reader::new(),
        stream: None,
        common: &job.common,
        signals: &signals,
        heard: &heard,
        progress: Progress::start(job.common.is_quiet, job.common.output.is_none()),
    };
    let ended = run.until_ended();
    run.progress.clear();
    let ended = if heard.is_stopped.get() { Ok(Reason::Signal) } else { ended };
    let reason = match &ended {
        Ok(reason) => *reason,
        Err(Error::Output { .. }) => return ended.map(drop),
        Err(_) => Reason::Error,
    };
    // A file that was no capture from the start leaves no stream behind.
    let stream = match (run.stream.take(), &ended) {
        (Some(stream), _) => stream,
        (None, Ok(_)) => run.open_stream()?,
        (None, Err(_)) => return ended.map(drop),
    };
    let out = finish(stream, reason)?;
    ended?;
    run.progress.say(format_args!(
        "{} read from {name} in {}",
        packets(out),
        run.progress.elapsed()
    ));
    Ok(())
}

struct Run<'a> {
    window: Window<'a>,
    /// Whether the input is all there: then nobody waits for the lines of a part of it.
    is_regular: bool,
    reader: Reader,
    stream: Option<Stream>,
    common: &'a Common<'a>,
    signals: &'a Signals,
    heard: &'a Heard,
    progress: Progress,
}

impl Run<'_> {
    fn until_ended(&mut self) -> Result<Reason, Error> {
        self.window.fill(1)?;
        if self.window.bytes().is_empty() {
            return Err(Error::EmptyInput { name: self.window.name.clone() });
        }
        loop {
            match self.reader.step(self.window.bytes()) {
                Ok(Step::Passed { consumed }) => self.window.consume(consumed),
                Ok(Step::More { needed }) => {
                    if let Some(stream) = self.stream.as_mut().filter(|_| !self.is_regular) {
                        stream.flush()?;
                    }
                    self.heard.out.set(self.stream.as_ref().map_or(0, Stream::out));
                    if !self.window.fill(needed)? {
                        let left = self.window.bytes().len();
                        return match left {
                            0 => Ok(Reason::Eof),
                            _ => Err(self.window.damaged(self.reader.cut(left))),
                        };
                    }
                    if let Some(stream) = &self.stream {
                        self.progress.draw(stream.out(), None);
                    }
                }
                Ok(Step::Frame { consumed, frame }) => {
                    if self.stream.is_none() {
                        self.stream = Some(self.open_stream()?);
                    }
                    let Some(stream) = &mut self.stream else { continue };
                    let cap = frame.bytes.len().min(self.common.snaplen as usize);
                    let summary = decode(frame.link, &frame.bytes[..cap], frame.wire_len);
                    let interface = self.reader.interfaces()[frame.interface].name.as_deref();
                    let packet = Packet {
                        n: 0,
                        ts: frame.ts,
                        interface: interface.map(Into::into),
                        direction: None,
                        gso: None,
                        summary,
                    };
                    if stream.is_file_full() {
                        stream.stats(0, None, Losses::default(), None)?;
                        stream.rotate(Reason::Size, None)?;
                    }
                    stream.packet(0, packet)?;
                    if stream.is_full() {
                        return Ok(Reason::Count);
                    }
                    self.window.consume(consumed);
                }
                Err(error) => return Err(self.window.damaged(error)),
            }
        }
    }

    fn open_stream(&self) -> Result<Stream, Error> {
        open_stream(&self.reader, self.common, &self.window.name, self.signals)
    }
}

fn open_stream(
    reader: &Reader,
    common: &Common<'_>,
    name: &str,
    signals: &Signals,
) -> Result<Stream, Error> {
    let interfaces = reader.interfaces().iter().enumerate().map(|(index, interface)| Interface {
        name: interface.name.clone(),
        index: u32::try_from(index).unwrap_or(u32::MAX),
        linktype: interface.link.0,
        mac: None,
        mtu: None,
        promisc: None,
    });
    let file = if name == STANDARD_INPUT { "-" } else { name };
    let mut output = Output::open(common)?;
    output.heed(signals.clone());
    Stream::open(output, common, Source::File, Some(file.to_owned()), interfaces.collect())
}

/// Writes the last `stats` and `end`; returns the packets written.
fn finish(mut stream: Stream, reason: Reason) -> Result<u64, Error> {
    stream.stats(0, None, Losses::default(), None)?;
    let out = stream.out();
    stream.end(reason)?;
    Ok(out)
}

const STANDARD_INPUT: &str = "standard input";

/// Opens the file, and names it for messages.
fn open(path: &Path) -> Result<(File, String), Error> {
    let (file, name) = if path.as_os_str() == "-" {
        let file = io::stdin().as_fd().try_clone_to_owned().map(File::from);
        (file, STANDARD_INPUT.to_owned())
    } else {
        (File::open(path), path.display().to_string())
    };
    match file {
        Ok(file) => Ok((file, name)),
        Err(source) => Err(Error::Input { name, source }),
    }
}

/// The bytes of the file, unpacked where it is gzipped.
fn unpacked<'a>(mut file: Stoppable<'a>) -> io::Result<Box<dyn Read + 'a>> {
    // A pipe may give its first bytes one by one.
    let mut start = Vec::new();
    file.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut start)?;
    let is_gzipped = start == GZIP_MAGIC;
    let input = BufReader::with_capacity(CHUNK_LEN, Cursor::new(start).chain(file));
    Ok(if is_gzipped { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) })
}

/// A file that ends when a signal asks for it, even where it is a pipe that says nothing.
struct Stoppable<'a> {
    file: File,
    signals: &'a Signals,
    heard: &'a Heard,
}

/// What signals did while there was nothing to read, and what they are told.
#[derive(Default)]
struct Heard {
    is_stopped: Cell<bool>,
    /// Packets written so far.
    out: Cell<u64>,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let ready = self.signals.wait(&[self.file.as_fd()], None).map_err(io::Error::other)?;
            let requests = self.signals.requests().map_err(io::Error::other)?;
            if ready.is_stopped || requests.contains(&Request::End) {
                self.heard.is_stopped.set(true);
                return Ok(0);
            }
            if requests.is_empty() {
                return self.file.read(buffer);
            }
            progress::report(format_args!("{} read so far", packets(self.heard.out.get())));
        }
    }
}

/// The part of the input that is in memory.
struct Window<'a> {
    input: Box<dyn Read + 'a>,
    name: String,
    buffer: Vec<u8>,
    /// `start <= end <= buffer.len()`: what was read and not consumed.
    start: usize,
    end: usize,
}

impl<'a> Window<'a> {
    fn new(input: Box<dyn Read + 'a>, name: String) -> Self {
        Self { input, name, buffer: vec![0; CHUNK_LEN], start: 0, end: 0 }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn consume(&mut self, len: usize) {
        self.start += len;
    }

    /// Reads until there are `needed` bytes; false where the input ends before.
    fn fill(&mut self, needed: usize) -> Result<bool, Error> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        while self.end < needed {
            if self.end == self.buffer.len() {
                // Doubled as bytes come, so that a damaged length alone takes no memory.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(len) => self.end += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Input { name: self.name.clone(), source }),
            }
        }
        Ok(true)
    }

    fn damaged(&self, source: FileError) -> Error {
        Error::File { name: self.name.clone(), source }
    }
}
