//! What the files of a capture are called: as `tcpdump -w` with `-C`, `-G` and `-W` calls them,
//! except that a file which this run did not write is not overwritten unless that is forced.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::compression::Compression;
use crate::Error;

/// When to go on in another file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// Bytes after which a file is full.
    pub(crate) size: Option<u64>,
    /// Time after which the next file begins.
    pub(crate) interval: Option<std::time::Duration>,
    /// Most files: with an interval the run ends after them, otherwise the oldest is overwritten.
    pub(crate) count: Option<u32>,
}

impl Rotation {
    /// Whether files are filled under another name, and get their own when they are complete.
    fn uses_part_files(self) -> bool {
        self.size.is_some() || self.interval.is_some()
    }

    /// How many files there are where each new one overwrites the oldest.
    fn ring_count(self) -> Option<u32> {
        self.count.filter(|_| self.interval.is_none())
    }
}

/// Where the bytes of a file go, and what it is called when it is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputPath {
    /// The file to be written: `complete` itself, or with [`PART`] behind it.
    pub(super) path: PathBuf,
    /// The name of the complete file.
    pub(super) final_path: PathBuf,
    /// Whether a file of that name is overwritten.
    pub(super) overwrite: bool,
}

/// What the name of a file ends in while it is not complete.
const PART: &str = ".part";

/// Makes names.
#[derive(Debug)]
pub(super) struct FileNamer {
    /// What `-w` says; with an interval a format of strftime(3).
    template: PathBuf,
    rotation: Rotation,
    overwrite: bool,
    /// The name without number, and the number, that were given out last.
    last: Option<(PathBuf, u32)>,
}

impl FileNamer {
    pub(super) fn new(template: &Path, rotation: Rotation, overwrite: bool) -> Self {
        Self { template: template.to_owned(), rotation, overwrite, last: None }
    }

    /// The place of the next file.
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
        strftime(&self.template, &jiff::Zoned::now())
    }

    /// File `number` of a ring: numbers have equally many digits, so that names sort.
    fn next_in_ring(&mut self, base: PathBuf, count: u32) -> Result<OutputPath, Error> {
        let digits = (count - 1).to_string().len();
        let name = |number: u32| numbered(&base, &format!("{number:0digits$}"));
        if self.last.is_none() && !self.overwrite {
            // Those that this run will overwrite later must not be another's.
            for path in (0..count).map(name) {
                ensure_absent(&path)?;
            }
        }
        let number = self.last.as_ref().map_or(0, |(_, last)| (last + 1) % count);
        let final_path = name(number);
        self.last = Some((base, number));
        Ok(self.output_path(final_path, true))
    }

    /// The first name that is free: without a number, then with 1, 2 …
    fn next_free(&mut self, base: PathBuf) -> Result<OutputPath, Error> {
        let last = self.last.as_ref().filter(|(last_base, _)| *last_base == base);
        let last = last.map(|&(_, number)| number);
        if self.last.is_none() && !self.overwrite {
            ensure_absent(&base)?;
        }
        // Without a plan it is a signal that asks for the next file: after the last one was moved
        // away, that gets its name.
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

/// The name while the file is not complete.
fn part_path(final_path: &Path) -> PathBuf {
    let mut name = final_path.as_os_str().to_owned();
    name.push(PART);
    name.into()
}

/// Puts a number behind a name, but before the ending that tells compression.
fn numbered(base: &Path, number: &str) -> PathBuf {
    let ending = base.extension().filter(|ending| Compression::from_extension(ending).is_some());
    let mut name = match ending {
        Some(_) => base.with_extension("").into_os_string(),
        None => base.as_os_str().to_owned(),
    };
    name.push(number);
    if let Some(ending) = ending {
        name.push(".");
        name.push(ending);
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

/// The name that a format makes of a time (strftime(3)), in local time as tcpdump has it.
pub(crate) fn strftime(template: &Path, time: &jiff::Zoned) -> Result<PathBuf, Error> {
    let failed = |reason: String| Error::TimeFormat { template: template.to_owned(), reason };
    let format = template.to_str().ok_or_else(|| failed("not UTF-8".to_owned()))?;
    let name =
        jiff::fmt::strtime::format(format, time).map_err(|error| failed(error.to_string()))?;
    Ok(OsString::from(name).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    /// The names of files that are made one after the other, `existing` being there before.
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
    fn files_by_size_are_numbered_from_the_second_on() {
        assert_eq!(names("a", BY_SIZE, false, &[]), ["a", "a1", "a2", "a3"]);
        assert_eq!(names("a", BY_SIZE, false, &["a2"]), ["a", "a1", "a3", "a4"]);
        assert_eq!(names("a", BY_SIZE, true, &["a", "a2"]), ["a", "a1", "a2", "a3"]);
    }

    #[test]
    fn the_ending_that_tells_compression_stays_last() {
        assert_eq!(names("a.x.gz", BY_SIZE, false, &[])[..2], ["a.x.gz", "a.x1.gz"]);
    }

    #[test]
    fn a_ring_has_numbers_of_equally_many_digits_and_begins_again() {
        let ring = |count| Rotation { count: Some(count), ..BY_SIZE };
        assert_eq!(names("a", ring(3), false, &[]), ["a0", "a1", "a2", "a0"]);
        assert_eq!(names("a", ring(11), false, &[])[..2], ["a00", "a01"]);
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a2"), "").unwrap();
        let mut names = FileNamer::new(&directory.path().join("a"), ring(3), false);
        assert!(matches!(names.next(), Err(Error::OutputExists { .. })));
    }

    #[test]
    fn files_by_time_have_the_time_in_their_names_and_else_a_number() {
        let by_time = Rotation { size: None, interval: Some(Duration::from_secs(1)), count: None };
        let seen = names("a-%Y", by_time, false, &[]);
        let year = jiff::Zoned::now().year().to_string();
        assert_eq!(seen[..2], [format!("a-{year}"), format!("a-{year}1")]);
        let time = jiff::Zoned::now();
        assert!(strftime(Path::new("a-%Q%%"), &time).is_ok());
        assert!(strftime(Path::new("a-%!"), &time).is_err());
    }

    #[test]
    fn without_a_plan_a_moved_file_gets_its_name_again() {
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
    fn a_file_gets_its_name_when_it_is_complete() {
        let output_path = FileNamer::new(Path::new("/nowhere/a"), BY_SIZE, false).next().unwrap();
        assert_eq!(output_path.path, Path::new("/nowhere/a.part"));
        assert_eq!(output_path.final_path, Path::new("/nowhere/a"));
    }
}
