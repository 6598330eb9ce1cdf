//! Completes the files that an interrupted run left: with `-C` or `-G`, files with the suffix
//! `.part` that no process is writing.
//!
//! Their whole lines are kept, and the file gets its final name; it has no `end` record. Only
//! regular files of this user that start like the sniffer's files are touched.

use flate2::read::MultiGzDecoder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::compression::{Compression, Encoder};
use super::create::{create, ensure_not_input, lock, rename};
use super::file_id::FileId;
use super::file_namer::{FileNamer, OutputPath, final_path, part_path};
use super::whole_lines_len;
use crate::Error;

/// How a file can start: with `meta`, unless `--only` leaves it out.
const STARTS: [&[u8]; 5] = [
    b"{\"type\":\"meta\",",
    b"{\"type\":\"pkt\",",
    b"{\"type\":\"stats\",",
    b"{\"type\":\"event\",",
    b"{\"type\":\"end\",",
];

/// No line is longer: `meta` repeats the filter and the names of all input files.
const MAX_LINE_LEN: usize = 64 << 20;

/// The bit of a directory's mode that lets everyone create files there.
const WORLD_WRITABLE: u32 = 0o002;

/// Bytes read at once.
const CHUNK_LEN: usize = 128 << 10;

/// Completes the unfinished files of earlier runs with the same options. Returns their final paths,
/// or `None` if no run was interrupted.
///
/// # Errors
///
/// If another process is writing such a file, except with `-G`: there, several captures may share a
/// directory. If a file cannot be completed.
pub(super) fn recover(namer: &FileNamer, inputs: &[FileId]) -> Result<Option<Vec<PathBuf>>, Error> {
    // If there is no such directory, creating the first file reports that.
    let Ok(entries) = fs::read_dir(namer.directory()?) else { return Ok(None) };
    let mut parts: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    parts.sort();
    let (mut recovered, mut was_interrupted) = (Vec::new(), false);
    for part in parts {
        let Some(final_path) = final_path(&part) else { continue };
        let name = final_path.file_name().unwrap_or_default();
        // `a.part.part` is what remains if `complete` was interrupted; it replaces that file.
        if !namer.may_generate(name) || self::final_path(&final_path).is_some() {
            continue;
        }
        let Some(file) = open_own(&part) else { continue };
        let file = match lock(file, &part) {
            Err(_) if namer.is_timed() => continue,
            result => result?,
        };
        ensure_not_input(&final_path, inputs)?;
        let failed = |source| Error::Recovery { path: part.clone(), source };
        match complete(file, &part, &final_path, namer.is_ring()).map_err(failed)? {
            Outcome::Ignored => continue,
            Outcome::Removed => {}
            Outcome::Kept => recovered.push(final_path),
        }
        was_interrupted = true;
    }
    Ok(was_interrupted.then_some(recovered))
}

/// Opens a regular file of this user that has no other name. Root also takes files of others, which
/// its captures create after changing to another user, unless everyone can create them.
fn open_own(path: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let user = nix::unistd::geteuid();
    let is_trusted = || {
        let directory = path.parent().and_then(|parent| fs::metadata(parent).ok());
        directory.is_some_and(|directory| directory.mode() & WORLD_WRITABLE == 0)
    };
    let is_own = metadata.uid() == user.as_raw() || user.is_root() && is_trusted();
    (metadata.is_file() && is_own && metadata.nlink() == 1).then_some(file)
}

/// The outcome of completing an unfinished file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It has its final name.
    Kept,
    /// It had no whole line.
    Removed,
    /// It is not the sniffer's, or its final name is taken.
    Ignored,
}

/// Removes an incomplete last line, and renames the file; a file without a whole line is removed.
fn complete(
    mut file: File,
    part: &Path,
    final_path: &Path,
    overwrite: bool,
) -> io::Result<Outcome> {
    let mut magic = Vec::new();
    (&file).take(4).read_to_end(&mut magic)?;
    file.rewind()?;
    let compression = Compression::from_magic(&magic);
    let mut from = part.to_owned();
    let mut repaired = None;
    let whole_len = match compression {
        Compression::None => copy_whole_lines(&file, io::sink())?,
        Compression::Gzip | Compression::Zstd => {
            from = part_path(part);
            let path = OutputPath { path: from.clone(), final_path: from.clone(), overwrite: true };
            let new = create(&path, &[]).map_err(io::Error::other)?;
            let mut encoder = Encoder::new(new, compression)?;
            let whole_len = if compression == Compression::Gzip {
                copy_whole_lines(UntilDamage(MultiGzDecoder::new(&file)), &mut encoder)?
            } else {
                copy_whole_lines(UntilDamage(zstd::Decoder::new(&file)?), &mut encoder)?
            };
            repaired = Some(encoder.finish()?);
            whole_len
        }
    };
    let renamed = match whole_len {
        // Not a file of the sniffer.
        None => Ok(Outcome::Ignored),
        Some(0) => fs::remove_file(part).map(|()| Outcome::Removed),
        Some(whole_len) => {
            if compression == Compression::None {
                file.set_len(whole_len)?;
            }
            match rename(&from, final_path, overwrite) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Outcome::Ignored),
                result => result.map(|()| Outcome::Kept),
            }
        }
    };
    if repaired.is_some() {
        // One of the two is left: the new file after a failure, the old one after success.
        let is_kept = matches!(renamed, Ok(Outcome::Kept));
        fs::remove_file(if is_kept { part } else { &from })?;
    }
    renamed
}

/// Copies the whole lines. Returns their length in bytes; `None` if the input is not a file of the
/// sniffer.
fn copy_whole_lines(mut input: impl Read, mut output: impl Write) -> io::Result<Option<u64>> {
    let (mut lines, mut whole_len) = (Vec::new(), 0);
    let mut chunk = vec![0; CHUNK_LEN];
    loop {
        let len = match input.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        };
        lines.extend_from_slice(&chunk[..len]);
        let is_start = whole_len == 0;
        let has_start = |start: &[u8]| {
            let len = start.len().min(lines.len());
            lines[..len] == start[..len]
        };
        if is_start && !STARTS.iter().any(|start| has_start(start)) || MAX_LINE_LEN < lines.len() {
            return Ok(None);
        }
        if len == 0 {
            return Ok(Some(whole_len));
        }
        let whole = whole_lines_len(&lines);
        output.write_all(&lines[..whole])?;
        whole_len += whole as u64;
        lines.drain(..whole);
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
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    use super::super::file_namer::Rotation;

    const BY_SIZE: Rotation = Rotation { size: Some(1), interval: None, count: None };
    const META: &str = "{\"type\":\"meta\",\"v\":1}\n";

    /// Recovers the files in `directory` of a run with `-w a`.
    fn recover_in(directory: &Path, rotation: Rotation) -> Result<Option<Vec<PathBuf>>, Error> {
        recover(&FileNamer::new(&directory.join("a"), rotation, false), &[])
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn whole_lines_are_kept_under_the_final_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("a3.part"), format!("{META}{{\"type\":\"pkt\"}}\n{{\"ty")).unwrap();
        fs::write(path("a4.part"), "{\"type\":\"me").unwrap();
        fs::write(path("a5.part"), "").unwrap();
        assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), Some(vec![path("a3")]));
        assert_eq!(names(directory.path()), ["a3"]);
        let expected = format!("{META}{{\"type\":\"pkt\"}}\n");
        assert_eq!(fs::read_to_string(path("a3")).unwrap(), expected);
        // A run was interrupted even if it left no line.
        fs::write(path("a4.part"), "").unwrap();
        assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn compressed_files_end_properly() {
        let line = "{\"type\":\"pkt\",\"n\":1}\n";
        let text = format!("{META}{}", line.repeat(50_000));
        for compression in [Compression::Gzip, Compression::Zstd] {
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            let mut encoder = Encoder::new(Vec::new(), compression).unwrap();
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.flush().unwrap();
            encoder.write_all(&line.as_bytes()[..5]).unwrap();
            encoder.flush().unwrap();
            // The end is missing, and the rest of an interrupted recovery is in the way.
            fs::write(path("a.part"), encoder.inner()).unwrap();
            fs::write(path("a.part.part"), "rest").unwrap();
            assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), Some(vec![path("a")]));
            assert_eq!(names(directory.path()), ["a"]);
            let bytes = fs::read(path("a")).unwrap();
            let mut plain = Vec::new();
            match compression {
                Compression::Zstd => plain = zstd::decode_all(&bytes[..]).unwrap(),
                _ => drop(MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap()),
            }
            assert!(plain == text.as_bytes(), "{compression:?}: {} bytes", plain.len());
        }
    }

    #[test]
    fn a_ring_replaces_its_oldest_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let ring = Rotation { count: Some(2), ..BY_SIZE };
        fs::write(path("a1"), "old").unwrap();
        fs::write(path("a1.part"), META).unwrap();
        assert_eq!(recover_in(directory.path(), ring).unwrap(), Some(vec![path("a1")]));
        assert_eq!(fs::read_to_string(path("a1")).unwrap(), META);
        // Elsewhere no file is replaced.
        fs::write(path("a"), "old").unwrap();
        fs::write(path("a.part"), META).unwrap();
        assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), None);
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "old");
        assert_eq!(fs::read_to_string(path("a.part")).unwrap(), META);
    }

    #[test]
    fn files_of_others_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("victim"), META).unwrap();
        symlink(path("victim"), path("a.part")).unwrap();
        fs::write(path("a1.part"), "notes\n").unwrap();
        fs::write(path("a2.part"), META).unwrap();
        fs::hard_link(path("a2.part"), path("other")).unwrap();
        fs::write(path("b.part"), META).unwrap();
        let before = names(directory.path());
        assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), None);
        assert_eq!(names(directory.path()), before);
    }

    #[test]
    fn a_file_being_written_is_an_error_unless_names_contain_the_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.part");
        fs::write(&path, META).unwrap();
        let file = File::open(&path).unwrap();
        file.try_lock().unwrap();
        let refused = recover_in(directory.path(), BY_SIZE).unwrap_err();
        assert!(matches!(refused, Error::OutputInUse { .. }), "{refused}");
        let by_time =
            Rotation { interval: Some(std::time::Duration::from_secs(1)), ..Rotation::default() };
        assert_eq!(recover_in(directory.path(), by_time).unwrap(), None);
        assert!(path.exists());
    }
}
