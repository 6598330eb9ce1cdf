//! The files being opened, from the file picker until the workers read them: first they are queued,
//! then probed (their first bytes are inspected), then offered to the app, which assigns their parts.

use std::collections::VecDeque;
use web_sys::{AbortController, Blob};

use crate::app::FileInfo;

/// The files being opened. A new load replaces it, which also aborts the download.
#[derive(Default)]
pub(super) struct ProbeQueue {
    /// Files to probe, with their names.
    unprobed: VecDeque<(String, Blob)>,
    is_probing: bool,
    /// Files that were probed and are not being read yet.
    probed: Vec<(FileInfo, Blob)>,
    /// Messages about files that cannot be opened.
    errors: Vec<String>,
    /// Files of this load are being read, or have been.
    has_started: bool,
    /// Files that are not being read yet are no longer wanted.
    is_cancelled: bool,
    download: Option<Download>,
}

/// A download in progress, aborted on drop.
struct Download(AbortController);

impl Drop for Download {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The result of probing all queued files.
pub(super) struct Probed {
    /// The files that can be opened.
    pub(super) files: Vec<FileInfo>,
    /// Errors of the other files; empty if there are none.
    pub(super) errors: String,
    /// Files of this load are being read, or have been.
    pub(super) has_started: bool,
}

impl ProbeQueue {
    /// Adds files to probe. Returns true if the caller has to start probing them.
    pub(super) fn push(&mut self, files: Vec<(String, Blob)>) -> bool {
        self.unprobed.extend(files);
        !std::mem::replace(&mut self.is_probing, true)
    }

    /// Takes the next file to probe.
    pub(super) fn pop(&mut self) -> Option<(String, Blob)> {
        self.unprobed.pop_front()
    }

    /// The name of a probed file with the same content.
    pub(super) fn same_file(&self, file: &FileInfo) -> Option<String> {
        let mut probed = self.probed.iter();
        probed.find(|(other, _)| file.has_same_content(other)).map(|(other, _)| other.name.clone())
    }

    /// Records a file that can be opened.
    pub(super) fn accept(&mut self, info: FileInfo, file: Blob) {
        self.probed.push((info, file));
    }

    /// Records why a file cannot be opened.
    pub(super) fn reject(&mut self, error: String) {
        self.errors.push(error);
    }

    /// Ends probing and returns the files to offer to the app; none if they were cancelled.
    pub(super) fn finish(&mut self) -> Probed {
        self.is_probing = false;
        if std::mem::take(&mut self.is_cancelled) {
            for (info, _) in std::mem::take(&mut self.probed) {
                self.errors.push(format!("Loading of “{}” was cancelled.", info.name));
            }
        }
        Probed {
            files: self.probed.iter().map(|(info, _)| info.clone()).collect(),
            errors: std::mem::take(&mut self.errors).join(" "),
            has_started: self.has_started,
        }
    }

    /// Takes the probed files, in the order in which they were offered: they are read from now on.
    pub(super) fn take_probed(&mut self) -> Vec<Blob> {
        self.has_started = true;
        std::mem::take(&mut self.probed).into_iter().map(|(_, file)| file).collect()
    }

    /// Records a download, which [`Self::cancel`] aborts.
    pub(super) fn start_download(&mut self, controller: AbortController) {
        self.download = Some(Download(controller));
    }

    /// Removes the download, which has ended. Returns true if it was cancelled.
    pub(super) fn finish_download(&mut self) -> bool {
        self.download = None;
        self.is_cancelled
    }

    /// True during a download.
    pub(super) fn is_downloading(&self) -> bool {
        self.download.is_some()
    }

    /// True while files are being probed or downloaded.
    pub(super) fn is_opening(&self) -> bool {
        self.is_probing || self.is_downloading()
    }

    /// Cancels the files that are not being read yet.
    pub(super) fn cancel(&mut self) {
        self.is_cancelled = self.is_probing || self.download.is_some();
        if let Some(Download(controller)) = &self.download {
            controller.abort();
        }
    }
}
