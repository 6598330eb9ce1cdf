//! Workers of the page, and their messages.

use js_sys::{Array, ArrayBuffer, Date, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, MessageEvent};

use super::super::dom::log_error;
use super::super::served_connection::{self, Batch, ServedConnection};
use super::super::worker_pool::{SERVER_GONE, Status, failure_text};
use super::super::{environment, served_packets};
use super::Page;
use crate::app::{App, Event, Phase};
use crate::load::{ConnectionRead, FileProbe, RawFrame};
use crate::message::{FromWorker, ToWorker};
use crate::wire::decode;

impl Page {
    pub(in crate::web) fn worker_count(&self) -> usize {
        self.state.borrow().worker_count
    }

    fn start_worker(&self, index: usize) -> Result<(), JsValue> {
        let (on_message, on_error) = (self.clone(), self.clone());
        self.state.borrow_mut().workers.start(
            index,
            move |event| on_message.receive(index, &event),
            move |event| on_error.lose_worker(index, &event),
        )
    }

    /// Starts the workers that do not run: before the first file, all of them, and later those whose script
    /// could not be loaded.
    pub(in crate::web) fn start_workers(&self) {
        let stopped = {
            let state = self.state.borrow();
            let unused = state.workers.len()..state.worker_count;
            state.workers.failed().into_iter().chain(unused)
        };
        for index in stopped {
            log_error(self.start_worker(index));
        }
    }

    /// Lets a worker probe a file.
    ///
    /// # Errors
    ///
    /// Why the file cannot be read.
    pub(in crate::web) async fn probe(&self, file: &Blob) -> Result<FileProbe, String> {
        let pending = {
            let state = &mut *self.state.borrow_mut();
            let (id, pending) = state.probes.begin();
            state.workers.post(0, &ToWorker::Probe { id }, Some(file));
            pending
        };
        pending.result().await
    }

    fn on_probe(&self, id: u32, result: Result<FileProbe, String>) {
        self.state.borrow_mut().probes.complete(id, result);
    }

    /// Makes a worker panic, for tests.
    pub(in crate::web) fn fail_worker(&self) {
        self.state.borrow().workers.post(0, &ToWorker::SimulateFailure, None);
    }

    /// Reports that a worker failed, and with it the packets that it held.
    fn lose_worker(&self, index: usize, event: &web_sys::Event) {
        let previous = self.state.borrow_mut().workers.set_status(index, Status::Failed);
        if previous == Status::Starting && self.with_app(App::phase) == Phase::Error {
            // The scripts of all workers fail to load. The first error has the reason.
            return;
        }
        let is_incomplete = previous == Status::Starting && self.with_app(App::is_following);
        self.begin_epoch();
        let text = if is_incomplete { SERVER_GONE.to_owned() } else { failure_text(event) };
        self.send(Event::OpenFailed(text));
        // Restarting a worker whose script could not be loaded waits until the next file is opened.
        if previous == Status::Ready {
            log_error(self.start_worker(index));
        }
    }

    fn receive(&self, index: usize, event: &MessageEvent) {
        let message: Array = event.data().unchecked_into();
        let bytes: Uint8Array = message.get(0).unchecked_into();
        let current = self.epoch();
        match decode(&bytes.to_vec()) {
            Some(FromWorker::Ready) => {
                self.state.borrow_mut().workers.set_status(index, Status::Ready);
            }
            Some(FromWorker::Report { epoch, part, report }) if epoch == current => {
                let started_ms = self.state.borrow().load_started_ms;
                let elapsed_ms = started_ms.map_or(0.0, |started_ms| Date::now() - started_ms);
                self.apply(Event::Report { part, report, elapsed_ms });
                if let Ok(buffer) = message.get(1).dyn_into::<ArrayBuffer>() {
                    self.with_following(|following| following.recycle(&buffer));
                }
                let is_following = self.with_app(App::is_following);
                if is_following {
                    self.on_growth();
                } else {
                    self.update_utc_offsets();
                }
                if self.with_app(|app| app.phase() == Phase::Loading) {
                    self.schedule_update();
                } else {
                    self.state.borrow_mut().load_started_ms = None;
                    if !is_following {
                        self.schedule_frame();
                    }
                }
            }
            Some(FromWorker::RunRecords { epoch, lines }) if epoch == current => {
                self.with_following(|following| following.add_records(lines));
            }
            Some(FromWorker::FlowDelta { epoch, part, delta }) if epoch == current => {
                self.send_answer(Event::FlowDelta { part, delta });
            }
            Some(FromWorker::Answers { epoch, answers }) if epoch == current => {
                self.send_answer(Event::Answers(answers));
                if self.with_app(App::is_idle) {
                    self.state.borrow_mut().refresh.finish();
                }
            }
            Some(FromWorker::Record { epoch, part, index, line, frame }) if epoch == current => {
                self.show_record((part, index), line, frame);
            }
            Some(FromWorker::OtherFields { epoch, texts }) if epoch == current => {
                self.send(Event::OtherFields(texts));
            }
            Some(FromWorker::Probed { id, probe }) => self.on_probe(id, Ok(probe)),
            Some(FromWorker::ProbeFailed { id, error }) => self.on_probe(id, Err(error)),
            Some(FromWorker::Names { epoch, names }) if epoch == current => {
                self.send(Event::Names(names));
            }
            Some(FromWorker::AppendedNames { epoch, names }) if epoch == current => {
                self.send(Event::AppendedNames(names));
            }
            Some(FromWorker::ExtraRead { epoch, part, progress }) if epoch == current => {
                self.send(Event::ExtraRead(part, progress));
            }
            Some(FromWorker::ExtraFailed { epoch, error }) if epoch == current => {
                self.send(Event::ExtraFailed(error));
            }
            Some(FromWorker::AnalysisRead { epoch, part, progress }) if epoch == current => {
                self.send(Event::AnalysisRead(part, progress));
            }
            Some(FromWorker::ReadKept { epoch, part, first }) if epoch == current => {
                let worker = self.with_app(|app| app.worker_of(part));
                let message = ToWorker::ReadKept { part, first };
                self.state.borrow().workers.post(worker, &message, None);
            }
            Some(FromWorker::KeptLines { epoch, first }) if epoch == current => {
                let worker = self.with_app(|app| app.worker_of(first));
                let workers = &self.state.borrow().workers;
                match message.get(1).dyn_into::<ArrayBuffer>() {
                    Ok(lines) => {
                        workers.post_bytes(worker, &ToWorker::KeptLines, &Uint8Array::new(&lines));
                    }
                    Err(_) => workers.post(worker, &ToWorker::KeptLines, None),
                }
            }
            Some(FromWorker::Findings { epoch, part }) if epoch == current => {
                let worker = self.with_app(|app| app.worker_of(part));
                let findings: JsValue = message.get(1);
                let message = ToWorker::SetFindings { epoch, part };
                self.state.borrow().workers.post(worker, &message, Some(&findings));
            }
            Some(FromWorker::Analyzed { epoch, part, error }) if epoch == current => {
                self.send(Event::Analyzed(part, error));
            }
            Some(FromWorker::Connection { epoch, id, part, read }) if epoch == current => {
                let records = message.get(1).unchecked_into::<Uint8Array>();
                self.on_connection((epoch, id, part), read, &records);
            }
            Some(FromWorker::Exported { id, parts }) => {
                self.collect_export(id, &parts, &message.get(1).unchecked_into());
            }
            _ => {}
        }
    }

    /// Updates the app with something that charts need. They are redrawn together once they are complete, or after
    /// a short time. Those of a followed source are redrawn once they are complete.
    fn send_answer(&self, event: Event) {
        self.apply(event);
        let (is_current, is_following) =
            self.with_app(|app| (app.is_current(), app.is_following()));
        if is_current {
            self.schedule_frame();
        } else if !is_following {
            self.schedule_update();
        }
    }

    /// Passes on packets of a connection that a worker has read, with their bytes if the sniffer that serves the
    /// page has them.
    fn on_connection(
        &self,
        (epoch, id, part): (u32, u32, usize),
        read: ConnectionRead,
        records: &Uint8Array,
    ) {
        let records = records.to_vec();
        if self.with_app(App::has_served_packets) {
            let batch = Batch { epoch, id, part, read, records };
            return served_connection::add(self, batch);
        }
        if self.with_app(|app| app.is_reading_connection(id)) {
            self.show_connection_records(part, &records);
        }
        self.send(Event::ConnectionRead { id, part, read });
    }

    /// Passes packets of a part to the view of connections.
    pub(in crate::web) fn show_connection_records(&self, part: usize, records: &[u8]) {
        let (file, name) = self.with_app(|app| app.file_of(part));
        self.state.borrow().connection.add(file, &name, &Uint8Array::from(records));
    }

    /// Uses the packets of a connection whose bytes are requested. `use_connection` must not call the page.
    pub(in crate::web) fn with_served_connection<T>(
        &self,
        use_connection: impl FnOnce(&mut ServedConnection) -> T,
    ) -> T {
        use_connection(&mut self.state.borrow_mut().served_connection)
    }

    /// Shows a packet whose line was read, with its bytes if the sniffer that serves the page has them.
    fn show_record(&self, (part, index): (usize, usize), line: String, frame: Option<RawFrame>) {
        let number = self.with_app(|app| app.detail_number((part, index)));
        let Some(n) = number.filter(|_| frame.is_none() && self.with_app(App::has_served_packets))
        else {
            return self.send(Event::Record { part, index, line, frame });
        };
        let (page, epoch) = (self.clone(), self.epoch());
        spawn_local(async move {
            let frame = served_packets::read(n).await;
            if page.epoch() == epoch {
                page.send(Event::Record { part, index, line, frame });
            }
        });
    }

    /// Once the capture is loaded, looks up the UTC offsets for its time range.
    pub(super) fn update_utc_offsets(&self) {
        if self.apply_utc_offsets() {
            self.schedule_frame();
        }
    }

    /// Like [`Self::update_utc_offsets`], without a frame. Returns true if they may have changed.
    pub(super) fn apply_utc_offsets(&self) -> bool {
        let extent = self
            .with_app(|app| (app.phase() == Phase::Ready).then(|| app.totals().extent).flatten());
        let Some(extent) = extent else { return false };
        self.apply(Event::SetOffsets(environment::utc_offsets(extent.ts_ns)));
        true
    }
}
