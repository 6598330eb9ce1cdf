//! Opens files and URLs: probes them and offers them to the app, which assigns them to workers.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal, Blob, File, RequestInit, Response, Url};

use super::dom::{error_message, whole};
use super::page::Page;
use super::probe_queue::ProbeQueue;
use crate::app::{Event, FileInfo, Phase};

/// Effect of opening files on the open capture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenMode {
    /// It is closed.
    Replace,
    /// The files are merged into it.
    Add,
}

impl OpenMode {
    /// The mode of a button, by its name.
    pub(super) fn of(name: &str) -> Self {
        if name == "replace" { Self::Replace } else { Self::Add }
    }
}

/// Opens a `File`, or an array or list of them.
pub(super) fn open_files(page: &Page, files: &JsValue, mode: OpenMode) {
    let files: Vec<File> = match files.dyn_ref::<File>() {
        Some(file) => vec![file.clone()],
        None if files.is_object() => {
            Array::from(files).iter().filter_map(|file| file.dyn_into().ok()).collect()
        }
        None => Vec::new(),
    };
    if files.is_empty() {
        return page.send(Event::ShowError("No file to open.".into()));
    }
    let files: Vec<(String, Blob)> =
        files.into_iter().map(|file| (file.name(), file.into())).collect();
    page.start_workers();
    // Files that are added during a download replace it.
    let is_downloading = page.with_queue(|queue| queue.is_downloading());
    let has_capture = page.with_app(|app| matches!(app.phase(), Phase::Loading | Phase::Ready));
    if mode == OpenMode::Replace || !has_capture || is_downloading {
        page.begin_epoch();
        let unprobed =
            |(name, file): &(String, Blob)| FileInfo::unprobed(name.clone(), whole(file.size()));
        page.send(Event::Open(files.iter().map(unprobed).collect()));
    }
    probe(page, files);
}

/// Downloads a capture of the same origin and opens it, replacing the open capture.
pub(super) fn open_url(page: &Page, url: &str) {
    page.start_workers();
    let epoch = page.begin_epoch();
    let (page, url) = (page.clone(), url.to_owned());
    let Ok(controller) = AbortController::new() else { return };
    let signal = controller.signal();
    page.with_queue(|queue| queue.start_download(controller));
    page.send(Event::Open(vec![FileInfo::unprobed(url.clone(), 0)]));
    spawn_local(async move {
        let downloaded = download(&url, &signal).await;
        if page.epoch() != epoch {
            return;
        }
        let is_cancelled = page.with_queue(ProbeQueue::finish_download);
        match downloaded {
            _ if is_cancelled => {
                page.send(Event::OpenFailed(format!("Loading of “{url}” was cancelled.")));
            }
            Ok(blob) => probe(&page, vec![(url, blob)]),
            Err(error) => {
                let reason = error_message(&error);
                page.send(Event::OpenFailed(format!("“{url}” could not be loaded ({reason}).")));
            }
        }
    });
}

/// Stops opening and reading files. Packets that have been read are kept.
pub(super) fn cancel(page: &Page) {
    page.with_queue(ProbeQueue::cancel);
    page.send(Event::Cancel);
}

/// Probes files one by one, then offers those that can be opened to the app.
fn probe(page: &Page, files: Vec<(String, Blob)>) {
    if !page.with_queue(|queue| queue.push(files)) {
        return;
    }
    let (page, epoch) = (page.clone(), page.epoch());
    spawn_local(async move {
        while let Some((name, file)) = page.with_queue(ProbeQueue::pop) {
            let len = whole(file.size());
            let probe = match len {
                0 => Err(format!("“{name}” is empty.")),
                _ => (page.probe(&file).await)
                    .map_err(|error| format!("“{name}” could not be read ({error}).")),
            };
            if page.epoch() != epoch {
                return;
            }
            let workers = page.worker_count();
            let probed = probe.map(|probe| FileInfo::probed(name, len, probe, workers));
            let probed = probed.and_then(|info| match same_file(&page, &info) {
                Some(message) => Err(message),
                None => Ok(info),
            });
            page.with_queue(|queue| match probed {
                Ok(info) => queue.accept(info, file),
                Err(error) => queue.reject(error),
            });
        }
        offer(&page);
    });
}

/// Why a file is not opened, if another one has the same content: each packet would count twice.
fn same_file(page: &Page, info: &FileInfo) -> Option<String> {
    let open = page.with_app(|app| app.same_file(info).map(str::to_owned));
    let other = open.or_else(|| page.with_queue(|queue| queue.same_file(info)))?;
    Some(match other == info.name {
        true => format!("“{other}” is already open."),
        false => format!("“{}” was not added: “{other}” has the same content.", info.name),
    })
}

/// Offers the probed files to the app, and reports those that cannot be opened.
fn offer(page: &Page) {
    let probed = page.with_queue(ProbeQueue::finish);
    if probed.files.is_empty() && !probed.has_started {
        return page.send(Event::OpenFailed(probed.errors));
    }
    if !probed.files.is_empty() {
        page.send(Event::Load(probed.files, page.memory()));
    }
    if !probed.errors.is_empty() {
        page.send(Event::ShowError(probed.errors));
    }
    // Promises wait for the end of probing, also if nothing else has changed.
    page.schedule_frame();
}

/// A URL as absolute URL.
///
/// # Errors
///
/// If it is invalid, or of another origin than the page.
pub(super) fn same_origin(url: &str) -> Result<String, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let page = Url::new(&window.location().href()?)?;
    let target = Url::new_with_base(url, &page.href())?;
    if target.origin() != page.origin() {
        return Err("it is on another site".into());
    }
    Ok(target.href())
}

async fn download(url: &str, signal: &AbortSignal) -> Result<Blob, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    let response = window.fetch_with_str_and_init(&same_origin(url)?, &init);
    let response: Response = JsFuture::from(response).await?.dyn_into()?;
    if !response.ok() {
        let status =
            format!("{} {}", response.status(), response.status_text().to_ascii_lowercase());
        return Err(status.trim_end().into());
    }
    JsFuture::from(response.blob()?).await?.dyn_into()
}
