//! A capture that grows, and answers requests as `sniffer --serve` or a static server does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use xtask::server::{Answer, Request};

/// The path of the capture ends with this name.
pub const NAME: &str = "capture.ndjson";
/// An answer has whole lines, and at most this many bytes unless its first line is longer.
const MAX_ANSWER_LEN: usize = 16 << 20;
/// How long a request for bytes that do not exist yet is held.
const HOLD_TIME: Duration = Duration::from_secs(1);

/// The capture. Clones share it.
#[derive(Clone, Default)]
pub struct Growing {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    /// Bytes before this offset are no longer available.
    first: usize,
    has_ended: bool,
    is_unreachable: bool,
    /// The status of all answers, if the server refuses.
    refusal: Option<&'static str>,
    /// It is a file on a static server.
    is_file: bool,
    /// The offsets of all requests.
    requests: Vec<u64>,
}

impl Growing {
    /// A file on a static server, which does not know where lines and the capture end.
    pub fn file() -> Self {
        let file = Self::default();
        file.change(|state| state.is_file = true);
        file
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.shared.1.notify_all();
    }

    /// Appends lines, or any bytes of a file.
    pub fn push(&self, lines: &str) {
        self.change(|state| state.lines.extend_from_slice(lines.as_bytes()));
    }

    /// Ends the capture. No line follows.
    pub fn end(&self) {
        self.change(|state| state.has_ended = true);
    }

    /// Drops all bytes so far.
    pub fn drop_lines(&self) {
        self.change(|state| state.first = state.lines.len());
    }

    /// Closes connections without an answer from now on, or answers again.
    pub fn set_reachable(&self, is_reachable: bool) {
        self.change(|state| state.is_unreachable = !is_reachable);
    }

    /// Answers with this status from now on, or as usual.
    pub fn refuse(&self, status: Option<&'static str>) {
        self.change(|state| state.refusal = status);
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.state().lines.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The offsets of all requests so far.
    pub fn requests(&self) -> Vec<u64> {
        self.state().requests.clone()
    }

    /// Answers requests for the capture, and serves files otherwise.
    pub fn handler(&self) -> impl Fn(&Request) -> Answer + Send + Sync + 'static {
        let source = self.clone();
        move |request| match request.url.ends_with(NAME) {
            true => source.answer(request.range_start.unwrap_or(0)),
            false => Answer::File,
        }
    }

    fn answer(&self, start: u64) -> Answer {
        let has_nothing = |state: &mut State| {
            let is_refused = state.is_unreachable || state.refusal.is_some();
            let is_held = !(state.has_ended || is_refused || state.is_file);
            state.lines.len() as u64 <= start && is_held
        };
        let mut state = self.state();
        state.requests.push(start);
        let waited = self.shared.1.wait_timeout_while(state, HOLD_TIME, has_nothing);
        let (state, _) = waited.unwrap();
        if state.is_unreachable {
            return Answer::Disconnect;
        }
        if let Some(status) = state.refusal {
            return Answer::Content(status, String::new(), Vec::new());
        }
        let len = state.lines.len();
        let first = usize::try_from(start).unwrap().max(state.first);
        if len <= first {
            let range = format!("bytes */{len}");
            return match state.has_ended || state.is_file {
                true => Answer::Content("416 Range Not Satisfiable", range, Vec::new()),
                false => Answer::Content("204 No Content", String::new(), Vec::new()),
            };
        }
        let mut content = &state.lines[first..];
        if !state.is_file {
            content = &content[..content.len().min(MAX_ANSWER_LEN)];
            let end = content.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
            content = &content[..end];
        }
        let is_final = state.has_ended || state.is_file;
        let total = if is_final { len.to_string() } else { "*".to_owned() };
        let range = format!("bytes {first}-{}/{total}", first + content.len() - 1);
        Answer::Content("206 Partial Content", range, content.to_vec())
    }
}
