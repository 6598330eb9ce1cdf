//! Configuration of the output, and what must precede a sandbox.

use nix::sys::epoll::Epoll;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use super::compression::Compression;
use super::file_id::FileId;
use super::file_namer::{FileNamer, Rotation};
use super::framing::Framing;
use super::recovery::{self, Part, Unfinished};
use super::{directory, special, target};
use crate::Error;
use crate::error::STANDARD_OUTPUT_NAME;
use crate::sandbox::{DirectoryAccess, FileAccess};
use crate::signals::Signals;

/// Configuration of the output.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The output file; `None` is standard output.
    pub(crate) path: Option<PathBuf>,
    /// The units that are written.
    pub(crate) framing: Framing,
    /// Overwrite existing files.
    pub(crate) overwrite: bool,
    /// `None` derives the compression from the extension of `path`.
    pub(crate) compression: Option<Compression>,
    /// When to start a new file.
    pub(crate) rotation: Rotation,
    /// Files that must not be overwritten, because they are read.
    pub(crate) inputs: Vec<FileId>,
}

impl Options {
    /// Does what must precede a sandbox: opens a special file and the files that an interrupted run
    /// left, and decides on names.
    ///
    /// Opening a named pipe waits for its reader; a termination signal ends that if `signals` are
    /// given, or has its default effect.
    ///
    /// # Errors
    ///
    /// If a file exists that may not be overwritten, or a special file cannot be opened.
    pub(crate) fn prepare(&self, signals: Option<&Signals>) -> Result<PreparedOutput, Error> {
        let Some(path) = &self.path else { return Ok(PreparedOutput::default()) };
        if self.rotation.uses_part_files() && special::is_special(path) {
            let source = io::Error::other("-C and -G require a regular file");
            return Err(Error::Output { name: self.name(), source });
        }
        if let Some(file) = special::open(path, self.overwrite, signals)? {
            return Ok(PreparedOutput { special: Some(file), ..PreparedOutput::default() });
        }
        let namer = FileNamer::new(path, self.rotation, self.overwrite);
        let mut namer = namer.with_framing(self.framing);
        let mut unfinished = Unfinished::default();
        if self.rotation.uses_part_files() {
            namer.find_ring_files()?;
            unfinished = recovery::find(&namer, &self.inputs)?;
        }
        namer.start(&unfinished.parts.iter().map(Part::path).collect::<Vec<_>>())?;
        let directory = directory::fixed(path, self.rotation);
        // Before the sandbox, which would report it as incomplete.
        if let Err(source) = std::fs::metadata(&directory) {
            return Err(Error::Output { name: self.name(), source });
        }
        let files = FileAccess {
            directories: vec![DirectoryAccess {
                path: directory,
                creates_directories: directory::has_variable(path, self.rotation),
            }],
        };
        Ok(PreparedOutput { namer: Some(namer), files, unfinished, ..PreparedOutput::default() })
    }

    /// The name of the output, for messages.
    pub(super) fn name(&self) -> String {
        let name = self.path.as_ref().map(|path| path.display().to_string());
        name.unwrap_or_else(|| STANDARD_OUTPUT_NAME.to_owned())
    }
}

/// An output whose names are decided and that can be opened inside the sandbox; by default standard
/// output.
#[derive(Debug, Default)]
pub(crate) struct PreparedOutput {
    /// Names the files of the output, if it consists of regular files.
    pub(super) namer: Option<FileNamer>,
    /// Access that creating these files needs.
    files: FileAccess,
    /// A pipe, a device or another descriptor.
    pub(super) special: Option<File>,
    /// Becomes readable when the reader of a pipe or socket goes away.
    pub(super) hangup: Option<Epoll>,
    pub(super) unfinished: Unfinished,
}

impl PreparedOutput {
    /// Whether the output creates files.
    pub(crate) fn creates_files(&self) -> bool {
        self.namer.is_some()
    }

    /// The access to files that the output needs inside a sandbox.
    pub(crate) fn file_access(&self) -> &FileAccess {
        &self.files
    }

    /// Makes the output notice that the reader of its pipe or socket went away.
    pub(crate) fn watch_reader(&mut self) -> Result<(), Error> {
        let hangup = match (&self.special, &self.namer) {
            (Some(file), _) => target::watch_reader(file),
            (None, None) => target::watch_reader(io::stdout()),
            (None, Some(_)) => Ok(None),
        };
        self.hangup = hangup.map_err(|source| Error::System { call: "epoll", source })?;
        Ok(())
    }
}
