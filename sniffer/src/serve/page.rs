//! The files of the page, which the build script embeds.

use flate2::read::GzDecoder;
use std::io::{self, Read};

/// Names of files, and their content compressed with gzip; none if the page was not built before the program.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The file that the path of a directory means.
const INDEX: &str = "index.html";

/// A set of files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page(&'static [(&'static str, &'static [u8])]);

/// A file of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct File {
    name: &'static str,
    /// The content, compressed with gzip.
    pub(super) compressed: &'static [u8],
}

impl Page {
    /// The page that this program contains; `None` if it contains none.
    pub(super) fn embedded() -> Option<Self> {
        let is_complete = FILES.iter().any(|(name, _)| *name == INDEX);
        is_complete.then_some(Self(FILES))
    }

    #[cfg(test)]
    pub(super) const fn new(files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self(files)
    }

    /// The file with a name; without one, the page itself.
    pub(super) fn file(self, name: &str) -> Option<File> {
        let name = if name.is_empty() { INDEX } else { name };
        let file = self.0.iter().find(|(other, _)| *other == name);
        file.map(|&(name, compressed)| File { name, compressed })
    }
}

/// Whether this program contains the page.
pub(crate) fn is_embedded() -> bool {
    Page::embedded().is_some()
}

impl File {
    /// Whether this is the page, which names the versions of all other files.
    pub(super) fn is_index(self) -> bool {
        self.name == INDEX
    }

    pub(super) fn media_type(self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("wasm") => "application/wasm",
            _ => "application/octet-stream",
        }
    }

    /// The content.
    pub(super) fn decompress(self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        GzDecoder::new(self.compressed).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_files_are_complete() {
        for (name, _) in FILES {
            let file = Page(FILES).file(name).unwrap();
            assert!(!file.decompress().unwrap().is_empty(), "{name}");
            assert_ne!(file.media_type(), "application/octet-stream", "{name}");
        }
        assert!(Page(FILES).file("service-worker.js").is_none());
        if let Some(page) = Page::embedded() {
            assert_eq!(page.file(""), page.file(INDEX));
            let text = String::from_utf8(page.file("").unwrap().decompress().unwrap()).unwrap();
            assert!(text.starts_with("<!doctype html>"));
        }
    }
}
