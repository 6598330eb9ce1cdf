//! The directories of output files: one that a sandbox must leave writable, and those in it that the
//! template of `-G` names.

use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use super::file_namer::Rotation;
use super::template;
use crate::Error;

/// Directories of earlier runs that are searched for unfinished files, on each level of a template;
/// those with the last names. A year has 8,760 hours.
const MAX_DIRECTORIES: usize = 10_000;

/// The directory that contains all output files, also in directories that the template names.
pub(super) fn fixed(path: &Path, rotation: Rotation) -> PathBuf {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let fixed: PathBuf =
        parent.components().take_while(|component| is_fixed(*component, rotation)).collect();
    if fixed.as_os_str().is_empty() { ".".into() } else { fixed }
}

/// The components of the directory that follow [`fixed`].
fn variable(path: &Path, rotation: Rotation) -> impl Iterator<Item = Component<'_>> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    parent.components().skip_while(move |component| is_fixed(*component, rotation))
}

fn is_fixed(component: Component<'_>, rotation: Rotation) -> bool {
    rotation.interval.is_none() || !component.as_os_str().as_bytes().contains(&b'%')
}

/// Whether the template names directories.
pub(super) fn has_variable(path: &Path, rotation: Rotation) -> bool {
    variable(path, rotation).next().is_some()
}

/// The directories to which runs with the same template may have written.
pub(super) fn existing(path: &Path, rotation: Rotation) -> Vec<PathBuf> {
    let mut directories = vec![fixed(path, rotation)];
    for component in variable(path, rotation) {
        let name = component.as_os_str();
        directories = if name.as_bytes().contains(&b'%') {
            let prefix = template::prefix(name);
            directories.iter().flat_map(|parent| children(parent, prefix.as_bytes())).collect()
        } else {
            directories.into_iter().map(|parent| parent.join(name)).collect()
        };
        directories.sort();
        directories.drain(..directories.len().saturating_sub(MAX_DIRECTORIES));
    }
    directories
}

/// The directories in `parent` whose name starts with `prefix`. Links are not followed.
fn children(parent: &Path, prefix: &[u8]) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_bytes().starts_with(prefix))
        .filter(|entry| entry.file_type().is_ok_and(|file_type| file_type.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Creates the directories of a file that the template names, for the owner only. [`fixed`] is not
/// created: a typing error would go unnoticed.
///
/// # Errors
///
/// If a directory cannot be created.
pub(super) fn create_parents(
    template: &Path,
    rotation: Rotation,
    file: &Path,
) -> Result<(), Error> {
    let Some(parent) = file.parent() else { return Ok(()) };
    let is_needed = has_variable(template, rotation) && !parent.is_dir();
    if !is_needed || !fixed(template, rotation).is_dir() {
        return Ok(());
    }
    let created = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    created.map_err(|source| Error::Output { name: parent.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::Duration;

    const BY_TIME: Rotation =
        Rotation { size: None, interval: Some(Duration::from_secs(1)), count: None };

    #[test]
    fn fixed_directory_ends_before_the_first_directive() {
        for (path, rotation, directory, is_variable) in [
            ("a", Rotation::default(), ".", false),
            ("a/b", Rotation::default(), "a", false),
            ("/a", Rotation::default(), "/", false),
            ("/a/%Y/b", Rotation::default(), "/a/%Y", false),
            ("/a/%Y/b", BY_TIME, "/a", true),
            ("/a/b-%H", BY_TIME, "/a", false),
            ("%Y/b", BY_TIME, ".", true),
            ("a/host=%{host}/b/c", BY_TIME, "a", true),
        ] {
            assert_eq!(fixed(Path::new(path), rotation), Path::new(directory), "{path}");
            assert_eq!(has_variable(Path::new(path), rotation), is_variable, "{path}");
        }
    }

    #[test]
    fn directories_are_created_below_the_fixed_one() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let template = root.join("day=%d/hour=%H/a");
        create_parents(&template, BY_TIME, &root.join("day=01/hour=02/a")).unwrap();
        let mode = root.join("day=01/hour=02").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        create_parents(&root.join("x/%H/a"), BY_TIME, &root.join("x/02/a")).unwrap();
        assert!(!root.join("x").exists());
        fs::write(root.join("day=03"), "").unwrap();
        create_parents(&template, BY_TIME, &root.join("day=03/hour=02/a")).unwrap_err();
    }

    #[test]
    fn directories_of_earlier_runs_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["day=01/hour=02/x", "day=01/minute=02/x", "day=02/hour=03/x", "01/hour=02/x"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        symlink(root.join("day=01"), root.join("day=03")).unwrap();
        let found = |template| existing(&root.join(template), BY_TIME);
        assert_eq!(
            found("day=%d/hour=%H/a"),
            ["day=01/hour=02", "day=02/hour=03"].map(|name| root.join(name))
        );
        assert_eq!(found("day=%d/minute=02/a")[0], root.join("day=01/minute=02"));
        assert_eq!(found("a-%H"), [root.to_owned()]);
    }
}
