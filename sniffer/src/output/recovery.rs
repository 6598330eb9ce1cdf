//! Completes the files that an interrupted run left: with `-C` or `-G`, files with the suffix
//! `.part` that no process is writing.
//!
//! Their whole lines or blocks are kept, and the file gets its final name; it has no `end` record. Only
//! regular files of this user that start like the sniffer's files are touched.
//!
//! ```text
//! find (opens, locks, compares the first bytes) -> sandbox -> complete (parses)
//! ```

use flate2::read::MultiGzDecoder;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::compression::{Compression, Encoder};
use super::create::{create, ensure_not_input, lock, rename};
use super::file_id::FileId;
use super::file_namer::{FileNamer, OutputPath, exists, final_path, modified, part_path};
use super::framing::Framing;
use super::signature;
use super::whole_units::{self, WholeUnits};
use crate::Error;
use crate::signals::Signals;

/// The bit of a directory's mode that lets everyone create files there.
const WORLD_WRITABLE: u32 = 0o002;

/// Unfinished files that one run completes; the newest. Each of them is an open descriptor.
const MAX_PARTS: usize = 128;

/// An unfinished file of an interrupted run.
#[derive(Debug)]
pub(super) struct Part {
    /// Open for reading and writing, and locked.
    file: File,
    path: PathBuf,
    final_path: PathBuf,
}

/// The unfinished files of earlier runs with the same options.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// Those that this run completes, the newest last.
    pub(super) parts: Vec<Part>,
    /// Those that anyone may have created. They are not completed.
    pub(super) untrusted: Vec<PathBuf>,
}

/// Finds the unfinished files of earlier runs with the same options.
///
/// # Errors
///
/// If another process is writing such a file, except with `-G`: there, several captures may share a
/// directory. If the final name of a file is that of an input.
pub(super) fn find(namer: &FileNamer, inputs: &[FileId]) -> Result<Unfinished, Error> {
    let mut paths: Vec<_> = namer
        .entries()
        .map(|entry| entry.path())
        .filter_map(|path| Some((modified(&path), final_path(&path)?, path)))
        .filter(|(_, final_path, _)| {
            let name = final_path.file_name().unwrap_or_default();
            // `a.part.part` is what remains if `complete` was interrupted; it replaces that file.
            namer.may_generate(name) && self::final_path(final_path).is_none()
        })
        .collect();
    paths.sort();
    let newest = paths.split_off(paths.len().saturating_sub(MAX_PARTS));
    let mut unfinished = Unfinished::default();
    for (_, final_path, path) in newest {
        let Some((file, is_trusted)) = open(&path) else { continue };
        let file = match lock(file, &path) {
            Err(_) if namer.is_timed() => continue,
            result => result?,
        };
        ensure_not_input(&final_path, inputs)?;
        if !signature::matches(&file, namer.framing()).unwrap_or(false)
            || !is_available(&final_path, namer)
        {
            continue;
        }
        if is_trusted {
            unfinished.parts.push(Part { file, path, final_path });
        } else {
            unfinished.untrusted.push(path);
        }
    }
    Ok(unfinished)
}

/// Whether a complete file may get this name. A file of `-C` without `-W` is never replaced: it may be
/// a copy that somebody finished by hand.
fn is_available(final_path: &Path, namer: &FileNamer) -> bool {
    !exists(final_path) || namer.ring_count().is_some() && namer.may_replace(final_path)
}

/// Opens a regular file of this user that has no other name. Root also opens files of others, which its
/// captures create after changing to another user; they are not trusted where everyone can create them.
fn open(path: &Path) -> Option<(File, bool)> {
    let file = signature::open(path, true).ok()?;
    let metadata = file.metadata().ok()?;
    let user = nix::unistd::geteuid();
    let is_trusted = || {
        let directory = path.parent().and_then(|parent| fs::metadata(parent).ok());
        directory.is_some_and(|directory| directory.mode() & WORLD_WRITABLE == 0)
    };
    let is_own = metadata.uid() == user.as_raw();
    let is_regular = metadata.is_file() && metadata.nlink() == 1;
    (is_regular && (is_own || user.is_root())).then(|| (file, is_own || is_trusted()))
}

/// The outcome of completing an unfinished file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It has its final name.
    Kept,
    /// It contained no packet.
    Removed,
    /// It is not the sniffer's, its final name is taken, or a signal stopped the run.
    Ignored,
}

impl Part {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes an incomplete last line or block, and renames the file; a file without packets is removed.
    /// Returns the final path if the file has it now. A termination signal ends this early; the next
    /// run then completes the file.
    ///
    /// # Errors
    ///
    /// If reading, writing or renaming fails.
    pub(super) fn complete(
        self,
        namer: &mut FileNamer,
        signals: Option<&Signals>,
    ) -> Result<Option<PathBuf>, Error> {
        let overwrite = namer.ring_count().is_some() && namer.may_replace(&self.final_path);
        match self.try_complete(namer.framing(), overwrite, signals) {
            Ok(Outcome::Kept) => {
                namer.add_ring_file(&self.final_path);
                Ok(Some(self.final_path))
            }
            Ok(Outcome::Removed | Outcome::Ignored) => Ok(None),
            Err(source) => Err(Error::Recovery { path: self.path, source }),
        }
    }

    fn try_complete(
        &self,
        framing: Framing,
        overwrite: bool,
        signals: Option<&Signals>,
    ) -> io::Result<Outcome> {
        let mut magic = [0; 4];
        let len = self.file.read_at(&mut magic, 0)?;
        let compression = Compression::from_magic(&magic[..len]);
        if compression == Compression::None {
            let units = whole_units::copy(framing, &self.file, io::sink(), signals)?;
            if let Some(units) = units.filter(|units| units.have_packets) {
                self.file.set_len(units.len)?;
            }
            return self.rename_or_remove(&self.path, units, overwrite);
        }
        let repaired = part_path(&self.path);
        let outcome = self
            .rewrite(framing, &repaired, compression, signals)
            .and_then(|units| self.rename_or_remove(&repaired, units, overwrite));
        if matches!(outcome, Ok(Outcome::Kept)) {
            fs::remove_file(&self.path)?;
        } else {
            // The old file remains. A rest of the new one would be replaced at the next start.
            let _ = fs::remove_file(&repaired);
        }
        outcome
    }

    /// Writes the whole units of a compressed file to a new one.
    fn rewrite(
        &self,
        framing: Framing,
        repaired: &Path,
        compression: Compression,
        signals: Option<&Signals>,
    ) -> io::Result<Option<WholeUnits>> {
        let path = repaired.to_owned();
        let output =
            OutputPath { final_path: path.clone(), path, overwrite: true, removes_oldest: false };
        let mut encoder =
            Encoder::new(create(&output, &[]).map_err(io::Error::other)?, compression)?;
        let units = if compression == Compression::Gzip {
            let input = UntilDamage(MultiGzDecoder::new(&self.file));
            whole_units::copy(framing, input, &mut encoder, signals)?
        } else {
            let input = UntilDamage(zstd::Decoder::new(&self.file)?);
            whole_units::copy(framing, input, &mut encoder, signals)?
        };
        encoder.finish()?;
        Ok(units)
    }

    /// Gives the file `from`, which has these units, the final name.
    fn rename_or_remove(
        &self,
        from: &Path,
        units: Option<WholeUnits>,
        overwrite: bool,
    ) -> io::Result<Outcome> {
        match units {
            None => Ok(Outcome::Ignored),
            Some(units) if !units.have_packets => {
                fs::remove_file(&self.path).map(|()| Outcome::Removed)
            }
            Some(_) => match rename(from, &self.final_path, overwrite) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Outcome::Ignored),
                result => result.map(|()| Outcome::Kept),
            },
        }
    }
}

/// A reader that ends where the inner one fails: compressed data of an interrupted run have no end.
struct UntilDamage<R>(R);

impl<R: Read> Read for UntilDamage<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.kind() != ErrorKind::Interrupted => Ok(0),
            result => result,
        }
    }
}

#[cfg(test)]
mod tests;
