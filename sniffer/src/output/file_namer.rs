//! Names of output files: those of `tcpdump -w` with `-C`, `-G` and `-W`, except that files of
//! other runs are not overwritten without `--force`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

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
    fn uses_part_files(self) -> bool {
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

    /// The paths of the next file.
    pub(super) fn next(&mut self) -> Result<OutputPath, Error> {
        let base = match self.rotation.interval {
            Some(_) => self.template_now()?,
            None => self.template.clone(),
        };
        let output_path = match self.rotation.ring_count() {
            Some(count) => self.next_in_ring(base, count)?,
            None => self.next_free(base)?,
        };
        Ok(output_path)
    }

    fn template_now(&self) -> Result<PathBuf, Error> {
        let now = jiff::Timestamp::now().to_zoned(self.time_zone.clone());
        strftime(&self.template, &now)
    }

    /// The next file of a ring. All numbers have the same number of digits, so that names sort.
    fn next_in_ring(&mut self, base: PathBuf, count: u32) -> Result<OutputPath, Error> {
        let digits = (count - 1).to_string().len();
        let name = |number: u32| numbered(&base, &format!("{number:0digits$}"));
        if self.last.is_none() && !self.overwrite {
            // The run will overwrite all of these.
            for path in (0..count).map(name) {
                ensure_absent(&path)?;
            }
        }
        let number = self.last.as_ref().map_or(0, |(_, last)| (last + 1) % count);
        let final_path = name(number);
        self.last = Some((base, number));
        Ok(self.output_path(final_path, true))
    }

    /// The first free name: without a number, then with 1, 2, …
    fn next_free(&mut self, base: PathBuf) -> Result<OutputPath, Error> {
        let last = self.last.as_ref().filter(|(last_base, _)| *last_base == base);
        let last = last.map(|&(_, number)| number);
        if self.last.is_none() && !self.overwrite {
            ensure_absent(&base)?;
        }
        // Without -C or -G, SIGHUP requested the next file: if the last one was moved away, its name
        // is free.
        let first =
            if self.rotation.uses_part_files() { last.map_or(0, |last| last + 1) } else { 0 };
        let name = |number| match number {
            0 => base.clone(),
            number => numbered(&base, &number.to_string()),
        };
        let is_ours = |number| last.is_some_and(|last| number <= last);
        let is_taken = |number: u32| {
            let exists = name(number).exists() || part_path(&name(number)).exists();
            exists && (is_ours(number) || !self.overwrite)
        };
        let number = (first..u32::MAX).find(|&number| !is_taken(number)).unwrap_or(u32::MAX);
        let final_path = name(number);
        let output_path = self.output_path(final_path, self.overwrite);
        self.last = Some((base, number));
        Ok(output_path)
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
fn part_path(final_path: &Path) -> PathBuf {
    let mut name = final_path.as_os_str().to_owned();
    name.push(PART_SUFFIX);
    name.into()
}

/// Appends a number to a path, but before an extension of a compression format.
fn numbered(base: &Path, number: &str) -> PathBuf {
    let extension =
        base.extension().filter(|extension| Compression::from_extension(extension).is_some());
    let mut name = match extension {
        Some(_) => base.with_extension("").into_os_string(),
        None => base.as_os_str().to_owned(),
    };
    name.push(number);
    if let Some(extension) = extension {
        name.push(".");
        name.push(extension);
    }
    name.into()
}

fn ensure_absent(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        let source = std::io::ErrorKind::IsADirectory.into();
        return Err(Error::Output { name: path.display().to_string(), source });
    }
    if path.exists() { Err(Error::OutputExists { path: path.to_owned() }) } else { Ok(()) }
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
    use std::fs;
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
        fs::write(directory.path().join("a2"), "").unwrap();
        let mut names = FileNamer::new(&directory.path().join("a"), ring(3), false);
        assert!(matches!(names.next(), Err(Error::OutputExists { .. })));
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
