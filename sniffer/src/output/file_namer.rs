//! Names of output files: those of `tcpdump -w` with `-C`, `-G` and `-W`, except that files of
//! other runs are not overwritten without `--force`. Files of an interrupted run are left to
//! `recovery`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::compression::Compression;
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
    /// Whether to overwrite an existing file.
    pub(super) overwrite: bool,
}

/// The suffix of a file that is not complete.
const PART_SUFFIX: &str = ".part";

/// Generates the paths of successive files.
#[derive(Debug)]
pub(super) struct FileNamer {
    /// The argument of `-w`; with an interval, a strftime(3) template.
    template: PathBuf,
    rotation: Rotation,
    overwrite: bool,
    /// The time zone of the template, read once: a sandbox may hide it later.
    time_zone: jiff::tz::TimeZone,
    /// The path without number, and the number, of the last file.
    last: Option<(PathBuf, u32)>,
}

impl FileNamer {
    pub(super) fn new(template: &Path, rotation: Rotation, overwrite: bool) -> Self {
        let time_zone = match rotation.interval {
            Some(_) => jiff::tz::TimeZone::system(),
            None => jiff::tz::TimeZone::UTC, // the template is a plain name
        };
        Self { template: template.to_owned(), rotation, overwrite, time_zone, last: None }
    }

    /// Whether names contain the time.
    pub(super) fn is_timed(&self) -> bool {
        self.rotation.interval.is_some()
    }

    /// Whether new files overwrite the oldest.
    pub(super) fn is_ring(&self) -> bool {
        self.rotation.ring_count().is_some()
    }

    /// The directory of the files.
    pub(super) fn directory(&self) -> Result<PathBuf, Error> {
        let base = self.base()?;
        let parent = base.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(parent.unwrap_or(Path::new(".")).to_owned())
    }

    /// Whether `name` may be the name of a file of an earlier run with the same options.
    pub(super) fn may_generate(&self, name: &OsStr) -> bool {
        let template = self.template.file_name().unwrap_or_default().as_bytes();
        match self.rotation.interval {
            Some(_) => {
                let prefix = template.split(|&byte| byte == b'%').next().unwrap_or_default();
                name.as_bytes().starts_with(prefix)
            }
            None => self.number_of(name).is_some(),
        }
    }

    /// The number in a file name. Only without an interval.
    fn number_of(&self, name: &OsStr) -> Option<u32> {
        let template = self.template.file_name()?;
        let (stem, extension) = split_compression(Path::new(template));
        let digits = name.as_bytes().strip_prefix(stem.as_bytes())?;
        let digits = digits.strip_suffix(extension.as_bytes())?;
        let number = match std::str::from_utf8(digits).ok()? {
            "" => 0,
            digits => digits.parse().ok()?,
        };
        let is_exact = self.numbered(Path::new(template), number).as_os_str() == name;
        is_exact.then_some(number)
    }

    /// Decides where a run starts. `interrupted` are the files that an interrupted run left and that
    /// are complete now; `None` if no run was interrupted. Without an interval, the run continues after
    /// the newest of them, or after the newest file that it left before.
    ///
    /// With `--force`, a ring continues after its newest file, so that the oldest is overwritten
    /// first.
    ///
    /// # Errors
    ///
    /// If other files exist that may not be overwritten.
    pub(super) fn start(&mut self, interrupted: Option<&[PathBuf]>) -> Result<(), Error> {
        if self.is_timed() {
            return Ok(());
        }
        let mut last = interrupted.and_then(|paths| newest(paths.iter().cloned()));
        if last.is_none() && (self.is_ring() || interrupted.is_some()) {
            last = self.newest_existing()?;
        }
        let may_continue = self.overwrite || interrupted.is_some();
        match last {
            Some(path) if !may_continue => return Err(Error::OutputExists { path }),
            Some(path) => {
                let number = path.file_name().and_then(|name| self.number_of(name));
                self.last = number.map(|number| (self.template.clone(), number));
            }
            None if !may_continue && !self.is_ring() => ensure_absent(&self.template)?,
            None => {}
        }
        Ok(())
    }

    /// The newest file of an earlier run with the same options.
    fn newest_existing(&self) -> Result<Option<PathBuf>, Error> {
        // If there is no such directory, creating the first file reports that.
        let Ok(entries) = fs::read_dir(self.directory()?) else { return Ok(None) };
        let entries = entries.flatten().filter(|entry| self.may_generate(&entry.file_name()));
        Ok(newest(entries.map(|entry| entry.path())))
    }

    /// The paths of the next file.
    pub(super) fn next(&mut self) -> Result<OutputPath, Error> {
        let base = self.base()?;
        Ok(match self.rotation.ring_count() {
            Some(count) => self.next_in_ring(base, count),
            None => self.next_free(base),
        })
    }

    /// The path of `-w`, with the current time in place of its directives.
    fn base(&self) -> Result<PathBuf, Error> {
        match self.rotation.interval {
            Some(_) => self.template_now(),
            None => Ok(self.template.clone()),
        }
    }

    fn template_now(&self) -> Result<PathBuf, Error> {
        let now = jiff::Timestamp::now().to_zoned(self.time_zone.clone());
        strftime(&self.template, &now)
    }

    fn next_in_ring(&mut self, base: PathBuf, count: u32) -> OutputPath {
        let number = self.last.as_ref().map_or(0, |(_, last)| (last + 1) % count);
        let final_path = self.numbered(&base, number);
        self.last = Some((base, number));
        self.output_path(final_path, true)
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
        let output_path = self.output_path(final_path, self.overwrite);
        self.last = Some((base, number));
        output_path
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

    fn output_path(&self, final_path: PathBuf, overwrite: bool) -> OutputPath {
        let path = if self.rotation.uses_part_files() {
            part_path(&final_path)
        } else {
            final_path.clone()
        };
        OutputPath { path, final_path, overwrite }
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

/// Appends a number to a path, but before an extension of a compression format.
fn numbered(base: &Path, number: &str) -> PathBuf {
    let (mut name, extension) = split_compression(base);
    name.push(number);
    name.push(extension);
    name.into()
}

/// Splits a path before an extension of a compression format.
fn split_compression(path: &Path) -> (OsString, OsString) {
    let extension =
        path.extension().filter(|extension| Compression::from_extension(extension).is_some());
    match extension {
        Some(extension) => {
            let mut suffix = OsString::from(".");
            suffix.push(extension);
            (path.with_extension("").into_os_string(), suffix)
        }
        None => (path.as_os_str().to_owned(), OsString::new()),
    }
}

/// The path with the latest time of modification.
fn newest(paths: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let modified =
        |path: &PathBuf| fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    paths.max_by_key(|path| (modified(path).unwrap_or(SystemTime::UNIX_EPOCH), path.clone()))
}

/// Whether a directory has an entry of this name, also a symbolic link that leads nowhere.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn ensure_absent(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        let source = std::io::ErrorKind::IsADirectory.into();
        return Err(Error::Output { name: path.display().to_string(), source });
    }
    if exists(path) { Err(Error::OutputExists { path: path.to_owned() }) } else { Ok(()) }
}

/// Formats a strftime(3) template; like tcpdump, in the time zone of `time`.
///
/// # Errors
///
/// If the template has an unknown directive or is not UTF-8.
pub(crate) fn strftime(template: &Path, time: &jiff::Zoned) -> Result<PathBuf, Error> {
    let failed = |reason| Error::TimeFormat { template: template.to_owned(), reason };
    let format = template.to_str().ok_or_else(|| failed("not UTF-8"))?;
    let name = jiff::fmt::strtime::format(format, time)
        .map_err(|_| failed("unknown or incomplete directive; write %% for a percent sign"))?;
    Ok(OsString::from(name).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The names of the first four files; `existing` files are created before.
    fn names(
        template: &str,
        rotation: Rotation,
        overwrite: bool,
        existing: &[&str],
    ) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        for name in existing {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let mut names = FileNamer::new(&directory.path().join(template), rotation, overwrite);
        let mut next = || {
            let output_path = names.next().unwrap();
            fs::write(&output_path.final_path, "").unwrap();
            output_path.final_path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        (0..4).map(|_| next()).collect()
    }

    const BY_SIZE: Rotation = Rotation { size: Some(1), interval: None, count: None };

    #[test]
    fn files_by_size_are_numbered_from_the_second() {
        assert_eq!(names("a", BY_SIZE, false, &[]), ["a", "a1", "a2", "a3"]);
        assert_eq!(names("a", BY_SIZE, false, &["a2"]), ["a", "a1", "a3", "a4"]);
        assert_eq!(names("a", BY_SIZE, true, &["a", "a2"]), ["a", "a1", "a2", "a3"]);
    }

    #[test]
    fn compression_extension_stays_last() {
        assert_eq!(names("a.x.gz", BY_SIZE, false, &[])[..2], ["a.x.gz", "a.x1.gz"]);
    }

    #[test]
    fn ring_numbers_have_equal_digits_and_wrap() {
        let ring = |count| Rotation { count: Some(count), ..BY_SIZE };
        assert_eq!(names("a", ring(3), false, &[]), ["a0", "a1", "a2", "a0"]);
        assert_eq!(names("a", ring(11), false, &[])[..2], ["a00", "a01"]);
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["a2", "a0"] {
            fs::write(path(name), "").unwrap();
        }
        let newest = SystemTime::now() + Duration::from_secs(1);
        fs::File::options().write(true).open(path("a0")).unwrap().set_modified(newest).unwrap();
        let start = |overwrite, interrupted: Option<&[PathBuf]>| {
            let mut names = FileNamer::new(&path("a"), ring(3), overwrite);
            names.start(interrupted)?;
            names.next().map(|next| next.final_path)
        };
        assert!(matches!(start(false, None), Err(Error::OutputExists { .. })));
        assert_eq!(start(true, None).unwrap(), path("a1"));
        // A run that was interrupted continues without --force.
        assert_eq!(start(false, Some(&[path("a2")])).unwrap(), path("a0"));
        assert_eq!(start(false, Some(&[])).unwrap(), path("a1"));
    }

    #[test]
    fn names_of_earlier_runs_are_recognized() {
        let ring = Rotation { count: Some(20), ..BY_SIZE };
        let by_time = Rotation { size: None, interval: Some(Duration::from_secs(1)), count: None };
        for (template, rotation, names, others) in [
            ("a", BY_SIZE, &["a", "a1", "a10"][..], &["a01", "b", "a+1", "a1.gz", "aa"][..]),
            ("a.gz", BY_SIZE, &["a.gz", "a7.gz"], &["a", "a7", "a.gz7"]),
            ("a", ring, &["a00", "a19"], &["a", "a0", "a1", "a001"]),
            ("a-%H", by_time, &["a-07", "a-1"], &["b-07", "a"]),
        ] {
            let namer = FileNamer::new(&Path::new("/nowhere").join(template), rotation, false);
            for name in names {
                assert!(namer.may_generate(OsStr::new(name)), "{template}: {name}");
            }
            for name in others {
                assert!(!namer.may_generate(OsStr::new(name)), "{template}: {name}");
            }
        }
    }

    #[test]
    fn files_by_time_are_named_after_the_time_or_numbered() {
        let by_time = Rotation { size: None, interval: Some(Duration::from_secs(1)), count: None };
        let seen = names("a-%Y", by_time, false, &[]);
        let year = jiff::Zoned::now().year().to_string();
        assert_eq!(seen[..2], [format!("a-{year}"), format!("a-{year}1")]);
        let time = jiff::Zoned::now();
        assert!(strftime(Path::new("a-%Q%%"), &time).is_ok());
        assert!(strftime(Path::new("a-%!"), &time).is_err());
    }

    #[test]
    fn without_rotation_options_a_moved_file_frees_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let mut names = FileNamer::new(&path, Rotation::default(), false);
        assert_eq!(names.next().unwrap().path, path);
        fs::write(&path, "").unwrap();
        fs::rename(&path, directory.path().join("b")).unwrap();
        assert_eq!(names.next().unwrap().path, path);
        fs::write(&path, "").unwrap();
        assert_eq!(names.next().unwrap().path, directory.path().join("a1"));
    }

    #[test]
    fn incomplete_files_have_the_part_suffix() {
        let output_path = FileNamer::new(Path::new("/nowhere/a"), BY_SIZE, false).next().unwrap();
        assert_eq!(output_path.path, Path::new("/nowhere/a.part"));
        assert_eq!(output_path.final_path, Path::new("/nowhere/a"));
    }
}
