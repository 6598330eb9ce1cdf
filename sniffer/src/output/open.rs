//! Opens an output inside the sandbox.

use nix::sys::signal::{SigSet, Signal};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use super::file_namer::OutputPath;
use super::recovery::{Part, Unfinished};
use super::{BUFFER_LEN, Compression, Framing, Lost, Options, Output, PreparedOutput};
use crate::Error;
use crate::line_buffer::LineBuffer;
use crate::signals::Signals;

impl Output {
    /// Opens standard output or a special file, or creates a file that only its owner can read. Then
    /// completes the files of an interrupted run.
    ///
    /// # Errors
    ///
    /// If the file cannot be created, or another one cannot be completed.
    pub(crate) fn open(
        options: &Options,
        prepared: PreparedOutput,
        signals: Option<&Signals>,
    ) -> Result<Self, Error> {
        // Beyond the size limit (RLIMIT_FSIZE) writes then fail instead of killing the process.
        SigSet::from(Signal::SIGXFSZ)
            .thread_block()
            .map_err(|errno| Error::System { call: "sigprocmask", source: errno.into() })?;
        let path = options.path.as_deref();
        let extension = path.and_then(|path| Compression::from_extension(path.extension()?));
        let compression = options.compression.or(extension).unwrap_or(Compression::None);
        let PreparedOutput { namer, special, hangup, unfinished, .. } = prepared;
        let Unfinished { parts, untrusted } = unfinished;
        let mut output = Self {
            compression,
            framing: options.framing,
            name: options.name(),
            namer,
            inputs: options.inputs.clone(),
            max_file_len: options.rotation.size,
            untrusted,
            signals: signals.cloned(),
            ..Self::closed()
        };
        if output.namer.is_some() {
            if let Err(error) = output.open_first(parts) {
                output.discard();
                return Err(error);
            }
            return Ok(output);
        }
        let file =
            special.map_or_else(|| io::stdout().as_fd().try_clone_to_owned().map(File::from), Ok);
        output.start_file(file.map_err(|source| output.error(source))?, hangup)?;
        Ok(output)
    }

    /// Keeps lines in memory only.
    pub(crate) fn in_memory(lines: LineBuffer) -> Self {
        Self { copy: Some(lines), ..Self::closed() }
    }

    /// Also keeps all lines in memory.
    pub(crate) fn with_copy(self, lines: LineBuffer) -> Self {
        Self { copy: Some(lines), ..self }
    }

    /// An output without a file.
    fn closed() -> Self {
        let now = Instant::now();
        Self {
            encoder: None,
            copy: None,
            compression: Compression::None,
            framing: Framing::Lines,
            name: String::new(),
            namer: None,
            current: None,
            inputs: Vec::new(),
            max_file_len: None,
            buffer: Vec::with_capacity(BUFFER_LEN + (4 << 10)),
            written_at: now,
            flushed_at: now,
            unflushed: 0,
            lost: Lost::default(),
            has_failed: false,
            recovered: Vec::new(),
            untrusted: Vec::new(),
            signals: None,
        }
    }

    /// Creates the first file, and completes the unfinished ones of an interrupted run.
    fn open_first(&mut self, parts: Vec<Part>) -> Result<(), Error> {
        let mut parts = VecDeque::from(parts);
        let Some(namer) = &mut self.namer else { return Ok(()) };
        // If each name of a ring has an unfinished file, the oldest must make way.
        while namer.ring_count().is_some_and(|count| count as usize <= parts.len())
            && let Some(part) = parts.pop_front()
        {
            self.recovered.extend(part.complete(namer, self.signals.as_ref())?);
        }
        let first = namer.next()?;
        if let Some(index) = parts.iter().position(|part| part.path() == first.path)
            && let Some(part) = parts.remove(index)
        {
            self.recovered.extend(part.complete(namer, self.signals.as_ref())?);
        }
        // The first file exists before the others are complete: at any moment, one unfinished file
        // shows that a run has not ended properly.
        self.open_file(first)?;
        let Some(namer) = &mut self.namer else { return Ok(()) };
        for part in parts {
            self.recovered.extend(part.complete(namer, self.signals.as_ref())?);
        }
        Ok(())
    }

    /// Removes the current file, for a run that cannot start.
    pub(crate) fn discard(self) {
        if let Some(OutputPath { path, .. }) = &self.current {
            // The caller reports why the run cannot start.
            let _ = std::fs::remove_file(path);
        }
    }
}
