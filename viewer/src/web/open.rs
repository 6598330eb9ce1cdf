//! Files on their way to the workers: their first bytes are looked at here, and what they are and
//! who reads them the app says.

use js_sys::{Array, Date, Uint8Array};
use std::collections::VecDeque;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal, Blob, File, RequestInit, Response, Url};

use super::page::{Page, State, post};
use super::worker::words;
use crate::app::{Event, FileInfo, PartAssignment, Phase};
use crate::message::ToWorker;

/// First bytes of a file that tell what it is and how many packets it may have.
const START_LEN: f64 = 65_536.0;

/// Files that are being opened.
#[derive(Default)]
pub(super) struct Opening {
    /// Those that nobody has looked at yet, with their names.
    unseen: VecDeque<(String, Blob)>,
    is_looking: bool,
    /// Those that were looked at: offered, until they are read.
    offered: Vec<(FileInfo, Blob)>,
    /// What cannot be opened, in words.
    refused: Vec<String>,
    /// Files of this opening are being read, or were.
    is_begun: bool,
    /// The person wants none of what is not being read yet.
    is_cancelled: bool,
    /// Stops what is being fetched, also when this is dropped.
    fetching: Option<Fetching>,
}

struct Fetching(AbortController);

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Page {
    /// Opens a file or a list of them, in place of what is open or beside it.
    pub(super) fn open(&self, files: &JsValue, is_added: bool) {
        let files: Vec<File> = match files.dyn_ref::<File>() {
            Some(file) => vec![file.clone()],
            None if files.is_object() => {
                Array::from(files).iter().filter_map(|file| file.dyn_into().ok()).collect()
            }
            None => Vec::new(),
        };
        if files.is_empty() {
            return self.send(Event::ShowError("That is no file.".into()));
        }
        let files: Vec<(String, Blob)> =
            files.into_iter().map(|file| (file.name(), file.into())).collect();
        self.start_failed();
        // What is being fetched gives way to what somebody has at hand.
        let is_fetching = self.state.borrow().opening.fetching.is_some();
        let has_any = self.with_app(|app| matches!(app.phase(), Phase::Loading | Phase::Ready));
        if !(is_added && has_any && !is_fetching) {
            self.begin_epoch();
            let unseen =
                |(name, file): &(String, Blob)| FileInfo::unprobed(name.clone(), size(file));
            self.send(Event::Open(files.iter().map(unseen).collect()));
        }
        self.look_at(files);
    }

    /// Opens a capture that the same server has.
    pub(super) fn open_url(&self, url: &str) {
        let epoch = self.begin_epoch();
        let (page, url) = (self.clone(), url.to_owned());
        let Ok(abort) = AbortController::new() else { return };
        let signal = abort.signal();
        self.state.borrow_mut().opening.fetching = Some(Fetching(abort));
        self.send(Event::Open(vec![FileInfo::unprobed(url.clone(), 0)]));
        spawn_local(async move {
            let fetched = fetch(&url, &signal).await;
            if page.state.borrow().epoch != epoch {
                return;
            }
            page.state.borrow_mut().opening.fetching = None;
            match fetched {
                _ if page.state.borrow().opening.is_cancelled => {
                    page.send(Event::OpenFailed(format!("“{url}” was cancelled.")));
                }
                Ok(blob) => page.look_at(vec![(url, blob)]),
                Err(error) => {
                    page.send(Event::OpenFailed(format!(
                        "“{url}” cannot be opened: {}",
                        words(&error)
                    )));
                }
            }
        });
    }

    /// Reads no more; what was read stays.
    pub(super) fn cancel(&self) {
        let mut state = self.state.borrow_mut();
        let opening = &mut state.opening;
        opening.is_cancelled = opening.is_looking || opening.fetching.is_some();
        if let Some(Fetching(abort)) = &opening.fetching {
            abort.abort();
        }
        drop(state);
        self.send(Event::Cancel);
    }

    /// Looks at the first bytes of files, one file after the other.
    fn look_at(&self, files: Vec<(String, Blob)>) {
        let mut state = self.state.borrow_mut();
        state.opening.unseen.extend(files);
        if std::mem::replace(&mut state.opening.is_looking, true) {
            return;
        }
        let (page, epoch, workers) = (self.clone(), state.epoch, state.workers.len());
        drop(state);
        spawn_local(async move {
            loop {
                let next = page.state.borrow_mut().opening.unseen.pop_front();
                let Some((name, file)) = next else { break };
                let start = first_bytes(&file).await;
                let state = &mut *page.state.borrow_mut();
                if state.epoch != epoch {
                    return;
                }
                match start {
                    Ok(start) if start.is_empty() => {
                        state.opening.refused.push(format!("“{name}” is empty."));
                    }
                    Ok(start) => {
                        let info = FileInfo::probed(name, size(&file), &start, workers);
                        state.opening.offered.push((info, file));
                    }
                    Err(error) => {
                        let refused = format!("“{name}” cannot be read: {}", words(&error));
                        state.opening.refused.push(refused);
                    }
                }
            }
            page.state.borrow_mut().opening.is_looking = false;
            page.offer();
        });
    }

    /// Offers what was looked at, and tells what cannot be opened.
    fn offer(&self) {
        let mut state = self.state.borrow_mut();
        if std::mem::take(&mut state.opening.is_cancelled) {
            let cancelled = std::mem::take(&mut state.opening.offered).into_iter();
            let cancelled = cancelled.map(|(info, _)| format!("“{}” was cancelled.", info.name));
            state.opening.refused.extend(cancelled);
        }
        let refused = std::mem::take(&mut state.opening.refused).join(" ");
        let files: Vec<_> = state.opening.offered.iter().map(|(info, _)| info.clone()).collect();
        let (memory, is_begun) = (state.memory, state.opening.is_begun);
        drop(state);
        if files.is_empty() && !is_begun {
            return self.send(Event::OpenFailed(refused));
        }
        if !files.is_empty() {
            self.send(Event::Load(files, memory));
        }
        if !refused.is_empty() {
            self.send(Event::ShowError(refused));
        }
    }
}

impl State {
    /// Has the workers read parts of the files that were offered.
    pub(super) fn load(&mut self, pieces: Vec<PartAssignment>) {
        let offered = std::mem::take(&mut self.opening.offered);
        self.opening.is_begun = true;
        if self.began_ms == 0.0 {
            self.began_ms = Date::now();
        }
        for PartAssignment { file, name, part, worker, range, is_whole, sampling } in pieces {
            let (Some((_, blob)), Some(worker)) = (offered.get(file), self.workers.get(worker))
            else {
                continue;
            };
            let message = ToWorker::Load {
                epoch: self.epoch,
                part,
                file: name,
                start: range.start,
                end: range.end,
                is_whole,
                sampling,
            };
            post(worker, &message, Some(blob));
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a file's size")]
fn size(file: &Blob) -> u64 {
    file.size() as u64
}

async fn first_bytes(file: &Blob) -> Result<Vec<u8>, JsValue> {
    let start = file.slice_with_f64_and_f64(0.0, START_LEN)?;
    let bytes = JsFuture::from(start.array_buffer()).await?;
    Ok(Uint8Array::new(&bytes).to_vec())
}

async fn fetch(url: &str, signal: &AbortSignal) -> Result<Blob, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let page = Url::new(&window.location().href()?)?;
    let target = Url::new_with_base(url, &page.href())?;
    if target.origin() != page.origin() {
        return Err("it is of another origin".into());
    }
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    let response = window.fetch_with_str_and_init(&target.href(), &init);
    let response: Response = JsFuture::from(response).await?.dyn_into()?;
    if !response.ok() {
        return Err(format!("the server says {}", response.status()).into());
    }
    JsFuture::from(response.blob()?).await?.dyn_into()
}
