//! The directory of output files, which a sandbox must leave writable.

use std::path::{Component, Path, PathBuf};

use super::Options;

impl Options {
    /// The directory that contains all output files, also in subdirectories if the template of `-G`
    /// names some. `None` for standard output.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        let parent = self.path.as_ref()?.parent().unwrap_or(Path::new("/"));
        let is_fixed = |component: &Component<'_>| {
            let has_directive = component.as_os_str().as_encoded_bytes().contains(&b'%');
            self.rotation.interval.is_none() || !has_directive
        };
        let fixed: PathBuf = parent.components().take_while(is_fixed).collect();
        Some(if fixed.as_os_str().is_empty() { ".".into() } else { fixed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Rotation;
    use std::time::Duration;

    #[test]
    fn directory_ends_before_the_first_directive() {
        for (path, interval, directory) in [
            ("a", false, "."),
            ("a/b", false, "a"),
            ("/a", false, "/"),
            ("/a/%Y/b", false, "/a/%Y"),
            ("/a/%Y/b", true, "/a"),
            ("/a/b-%H", true, "/a"),
            ("%Y/b", true, "."),
        ] {
            let interval = interval.then_some(Duration::from_secs(1));
            let rotation = Rotation { interval, ..Rotation::default() };
            let options = Options { path: Some(path.into()), rotation, ..Options::default() };
            assert_eq!(options.directory(), Some(directory.into()), "{path}");
        }
        assert_eq!(Options::default().directory(), None);
    }
}
