//! Names of output files. The next file of a name gets a number before the extensions, so that
//! patterns such as `*.ndjson.zst` match all files of a run. Files of other runs are not overwritten
//! without `--force`. A `.part` file counts as a file with its final name. Completing the files of
//! an interrupted run is left to `recovery`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::extensions;
use super::file_id::FileVersion;
use super::framing::Framing;
use super::{directory, signature, template};
use crate::Error;

/// When to start a new file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// Size in bytes from which on a file is full.
    pub(crate) size: Option<u64>,
    /// Time between the starts of two files.
    pub(crate) interval: Option<std::time::Duration>,
    /// Maximum number of files. With an interval, the run ends after them; without, the oldest is
    /// overwritten.
    pub(crate) count: Option<u32>,
}

impl Rotation {
    /// Whether a file has the suffix [`PART_SUFFIX`] until it is complete.
    pub(super) fn uses_part_files(self) -> bool {
        self.size.is_some() || self.interval.is_some()
    }

    /// The number of files in the ring, if new files overwrite the oldest.
    fn ring_count(self) -> Option<u32> {
        self.count.filter(|_| self.interval.is_none())
    }
}

/// The paths of one output file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputPath {
    /// The path to write to: `final_path`, or with [`PART_SUFFIX`] appended.
    pub(super) path: PathBuf,
    /// The path of the complete file.
    pub(super) final_path: PathBuf,
    /// Whether to overwrite any existing file: `--force`.
    pub(super) overwrite: bool,
    /// Whether to remove the complete file first: a ring never holds more files than its number, so that
    /// they fit on a disk of that size.
    pub(super) removes_oldest: bool,
}

/// The suffix of a file that is not complete.
const PART_SUFFIX: &str = ".part";

/// Between the name of a file and its number.
const NUMBER_SEPARATOR: char = '-';

/// Generates the paths of successive files.
#[derive(Debug)]
pub(super) struct FileNamer {
    /// The argument of `-w` or `--pcapng`; with an interval, a strftime(3) template.
    template: PathBuf,
    rotation: Rotation,
    overwrite: bool,
    framing: Framing,
    /// The time zone of the template, read once: a sandbox may hide it later.
    time_zone: jiff::tz::TimeZone,
    /// The path without number, and the number, of the last file.
    last: Option<(PathBuf, u32)>,
    /// The complete files of a ring. Without `--force`, it replaces no other file.
    ring_files: HashSet<FileVersion>,
}

impl FileNamer {
    pub(super) fn new(template: &Path, rotation: Rotation, overwrite: bool) -> Self {
        let time_zone = match rotation.interval {
            Some(_) => jiff::tz::TimeZone::system(),
            None => jiff::tz::TimeZone::UTC, // the template is a plain name
        };
        Self {
            template: template.to_owned(),
            rotation,
            overwrite,
            framing: Framing::default(),
            time_zone,
            last: None,
            ring_files: HashSet::new(),
        }
    }

    /// Names files that consist of these units.
    pub(super) fn with_framing(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// The units that the files consist of.
    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether names contain the time.
    pub(super) fn is_timed(&self) -> bool {
        self.rotation.interval.is_some()
    }

    /// The number of files in the ring, if new files overwrite the oldest.
    pub(super) fn ring_count(&self) -> Option<u32> {
        self.rotation.ring_count()
    }

    /// Whether `name` may be the name of a file of an earlier run with the same options.
    pub(super) fn may_generate(&self, name: &OsStr) -> bool {
        match self.rotation.interval {
            Some(_) => {
                let template = self.template.file_name().unwrap_or_default();
                let prefix = template::prefix(template);
                // Another output may have a template with the same prefix in the same directory.
                let extensions = extensions::split(template).1.as_bytes();
                let is_fixed = !extensions.contains(&b'%');
                name.as_bytes().starts_with(prefix.as_bytes())
                    && (!is_fixed || name.as_bytes().ends_with(extensions))
            }
            None => self.number_of(name).is_some(),
        }
    }

    /// The number in a file name. Only without an interval.
    fn number_of(&self, name: &OsStr) -> Option<u32> {
        let template = self.template.file_name()?;
        let (stem, extensions) = extensions::split(template);
        let number = name.as_bytes().strip_prefix(stem.as_bytes())?;
        let number = number.strip_suffix(extensions.as_bytes())?;
        let number = match std::str::from_utf8(number).ok()? {
            "" => 0,
            number => number.strip_prefix(NUMBER_SEPARATOR)?.parse().ok()?,
        };
        let is_exact = self.numbered(Path::new(template), number).as_os_str() == name;
        is_exact.then_some(number)
    }

    /// Finds the complete files of a ring that an earlier run with the same options left.
    pub(super) fn find_ring_files(&mut self) -> Result<(), Error> {
        if self.ring_count().is_none() || self.overwrite {
            return Ok(());
        }
        let ring_files = self.entries().filter_map(|entry| {
            let file = signature::open(&entry.path(), false).ok()?;
            let version = FileVersion::of(&file.metadata().ok()?)?;
            let is_own = self.may_generate(&entry.file_name())
                && signature::matches(&file, self.framing).ok()?;
            is_own.then_some(version)
        });
        self.ring_files = ring_files.collect();
        Ok(())
    }

    /// Adds a complete file to those that the ring may replace.
    pub(super) fn add_ring_file(&mut self, path: &Path) {
        if self.ring_count().is_some()
            && !self.overwrite
            && let Some(version) = version(path)
        {
            self.ring_files.insert(version);
        }
    }

    /// Whether a new file may replace an existing one of this name.
    pub(super) fn may_replace(&self, path: &Path) -> bool {
        self.overwrite || version(path).is_some_and(|version| self.ring_files.contains(&version))
    }

    /// Decides where a run starts. `parts` are the unfinished files of an interrupted run. Without an
    /// interval, a run that continues an interrupted one does so after the newest file.
    ///
    /// With `--force`, a ring continues after its newest file, so that the oldest is overwritten
    /// first.
    ///
    /// # Errors
    ///
    /// If other files exist that may not be overwritten.
    pub(super) fn start(&mut self, parts: &[&Path]) -> Result<(), Error> {
        if self.is_timed() {
            return Ok(());
        }
        let was_interrupted = !parts.is_empty();
        let is_ring = self.ring_count().is_some();
        let newest = if is_ring || was_interrupted { self.newest_existing(parts)? } else { None };
        let may_continue = self.overwrite || was_interrupted;
        match newest {
            Some(path) if !may_continue => return Err(exists_error(path)),
            Some(path) => {
                let path = final_path(&path).unwrap_or(path);
                let number = path.file_name().and_then(|name| self.number_of(name));
                self.last = number.map(|number| (self.template.clone(), number));
            }
            None if !may_continue && !is_ring => {
                ensure_absent(&self.template)?;
                if self.rotation.uses_part_files() {
                    ensure_absent(&part_path(&self.template))?;
                }
            }
            None => {}
        }
        Ok(())
    }

    /// The newest file of an earlier run with the same options. If it was interrupted, only `parts`
    /// and files that the run may replace count.
    fn newest_existing(&self, parts: &[&Path]) -> Result<Option<PathBuf>, Error> {
        let paths = self.entries().map(|entry| entry.path()).filter(|path| {
            let final_path = final_path(path);
            let is_own = match &final_path {
                Some(_) => parts.contains(&path.as_path()),
                None => self.ring_count().is_none() || self.may_replace(path),
            };
            let name = final_path.as_deref().unwrap_or(path).file_name();
            name.is_some_and(|name| self.may_generate(name)) && (parts.is_empty() || is_own)
        });
        Ok(paths.max_by_key(|path| (modified(path), path.clone())))
    }

    /// The entries of all directories that a run with the same options may have written to; none if
    /// there are no such directories, which creating the first file reports.
    pub(super) fn entries(&self) -> impl Iterator<Item = fs::DirEntry> + use<> {
        let directories = directory::existing(&self.template, self.rotation);
        directories.into_iter().flat_map(fs::read_dir).flatten().flatten()
    }

    /// The paths of the next file.
    pub(super) fn next(&mut self) -> Result<OutputPath, Error> {
        let base = self.base()?;
        if self.is_timed() {
            directory::create_parents(&self.template, self.rotation, &base)?;
        }
        Ok(match self.rotation.ring_count() {
            Some(count) => self.next_in_ring(base, count)?,
            None => self.next_free(base),
        })
    }

    /// The path of the option, with the current time in place of its directives.
    fn base(&self) -> Result<PathBuf, Error> {
        match self.rotation.interval {
            Some(_) => self.template_now(),
            None => Ok(self.template.clone()),
        }
    }

    fn template_now(&self) -> Result<PathBuf, Error> {
        let now = jiff::Timestamp::now().to_zoned(self.time_zone.clone());
        template::expand(&self.template, &now)
    }

    /// The next name of the ring. Skips files that are not the ring's.
    ///
    /// # Errors
    ///
    /// If none of the names is free.
    fn next_in_ring(&mut self, base: PathBuf, count: u32) -> Result<OutputPath, Error> {
        let last = self.last.as_ref().map(|&(_, number)| number);
        let first = last.map_or(0, |last| (last + 1) % count);
        let is_available = |number: u32| {
            let path = self.numbered(&base, number);
            // The last part file is complete before the next one gets its name.
            let is_part_free = last == Some(number) || !exists(&part_path(&path));
            self.overwrite || is_part_free && (!exists(&path) || self.may_replace(&path))
        };
        let Some(number) = (first..count).chain(0..first).find(|&number| is_available(number))
        else {
            return Err(Error::OutputExists { path: self.numbered(&base, first) });
        };
        let final_path = self.numbered(&base, number);
        self.last = Some((base, number));
        Ok(self.output_path(final_path))
    }

    /// The first free name: without a number, then with 1, 2, …
    fn next_free(&mut self, base: PathBuf) -> OutputPath {
        let last = self.last.as_ref().filter(|(last_base, _)| *last_base == base);
        let last = last.map(|&(_, number)| number);
        // Without -C or -G, SIGHUP requested the next file: if the last one was moved away, its name
        // is free.
        let uses_part_files = self.rotation.uses_part_files();
        let first = if uses_part_files { last.map_or(0, |last| last + 1) } else { 0 };
        let is_ours = |number| last.is_some_and(|last| number <= last);
        let is_taken = |number: u32| {
            let path = self.numbered(&base, number);
            let exists = exists(&path) || uses_part_files && exists(&part_path(&path));
            exists && (is_ours(number) || !self.overwrite)
        };
        let number = (first..u32::MAX).find(|&number| !is_taken(number)).unwrap_or(u32::MAX);
        let final_path = self.numbered(&base, number);
        self.last = Some((base, number));
        self.output_path(final_path)
    }

    /// The path of the file with this number. In a ring all numbers have the same number of digits,
    /// so that names sort; elsewhere the first file has no number.
    fn numbered(&self, base: &Path, number: u32) -> PathBuf {
        match (self.rotation.ring_count(), number) {
            (Some(count), _) => {
                let digits = (count - 1).to_string().len();
                numbered(base, &format!("{number:0digits$}"))
            }
            (None, 0) => base.to_owned(),
            (None, number) => numbered(base, &number.to_string()),
        }
    }

    fn output_path(&self, final_path: PathBuf) -> OutputPath {
        let path = if self.rotation.uses_part_files() {
            part_path(&final_path)
        } else {
            final_path.clone()
        };
        let removes_oldest = self.ring_count().is_some() && self.may_replace(&final_path);
        OutputPath { path, final_path, overwrite: self.overwrite, removes_oldest }
    }
}

/// The path of a file that is not complete.
pub(super) fn part_path(final_path: &Path) -> PathBuf {
    let mut name = final_path.as_os_str().to_owned();
    name.push(PART_SUFFIX);
    name.into()
}

/// The final path of a file that is not complete.
pub(super) fn final_path(part: &Path) -> Option<PathBuf> {
    let name = part.as_os_str().as_bytes().strip_suffix(PART_SUFFIX.as_bytes())?;
    Some(OsStr::from_bytes(name).into())
}

/// Inserts a number before the extensions of a path.
fn numbered(base: &Path, number: &str) -> PathBuf {
    let Some(name) = base.file_name() else { return base.to_owned() };
    let (stem, extensions) = extensions::split(name);
    let mut name = stem.to_owned();
    name.push(format!("{NUMBER_SEPARATOR}{number}"));
    name.push(extensions);
    base.with_file_name(name)
}

/// When a file was last modified.
pub(super) fn modified(path: &Path) -> SystemTime {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The version of a regular file.
fn version(path: &Path) -> Option<FileVersion> {
    FileVersion::of(&fs::symlink_metadata(path).ok()?)
}

/// Whether a directory has an entry of this name, also a symbolic link that leads nowhere.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn ensure_absent(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        let source = std::io::ErrorKind::IsADirectory.into();
        return Err(Error::Output { name: path.display().to_string(), source });
    }
    if exists(path) { Err(exists_error(path.to_owned())) } else { Ok(()) }
}

/// Why an existing file, which may be unfinished, ends a run.
fn exists_error(path: PathBuf) -> Error {
    match final_path(&path) {
        Some(_) => Error::UnfinishedOutput { path },
        None => Error::OutputExists { path },
    }
}

#[cfg(test)]
mod tests;
