//! `--top`: the busiest flows, and those with problems, on the terminal.
//!
//! ```text
//! Flows, Ranking -> FlowRow -> Shared -> thread of the screen -> Terminal
//! ```
//!
//! The main thread makes a list of flows every second. The thread of the screen draws it, sorts it and
//! reads the keyboard, so that neither a slow terminal nor a slow input of packets delays the other.

mod ranking;
mod row;
mod screen;
mod terminal;

pub(crate) use ranking::{Ranking, RateKind};
pub(crate) use screen::Status;
pub(crate) use terminal::Terminal;

use flow::FlowTable;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::eventfd::EventFd;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::Error;
use crate::progress::{self, Progress};
use crate::signals::event_fd;
use row::{FlowRow, SortKey};
use screen::{HEADER_LINES, View, render};
use terminal::Key;

/// Time between two lists of flows.
const INTERVAL: Duration = Duration::from_secs(1);

/// The longest time between two redraws in milliseconds: the size of the terminal may have changed.
const REDRAW_MS: u16 = 1_000;

/// The screen of a run. Dropping it restores the terminal and prints the messages that were held back.
#[derive(Debug)]
pub(crate) struct Top {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// When the next list is due.
    due: Instant,
}

/// Opens the terminal before the sandbox forbids it. Nothing else may write to it.
///
/// # Errors
///
/// If the process has no terminal.
pub(crate) fn open_terminal(progress: &mut Progress) -> Result<Terminal, Error> {
    progress.hide();
    Terminal::open().map_err(|source| Error::Terminal { source })
}

/// The state that both threads share.
#[derive(Debug)]
struct Shared {
    list: Mutex<List>,
    /// Wakes the thread of the screen.
    wakeup: EventFd,
    /// Ends the run.
    quit: Arc<EventFd>,
}

/// The content of the screen.
#[derive(Debug, Default)]
struct List {
    status: Status,
    rows: Arc<[FlowRow]>,
    is_closed: bool,
}

impl Top {
    /// Takes over the terminal. The key `q` makes `quit` readable. `status` is shown until there are flows.
    pub(crate) fn start(
        mut terminal: Terminal,
        quit: Arc<EventFd>,
        status: Status,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Terminal { source };
        let wakeup = event_fd().map_err(|errno| failed(errno.into()))?;
        let list = Mutex::new(List { status, ..List::default() });
        let shared = Arc::new(Shared { list, wakeup, quit });
        terminal.enter().map_err(failed)?;
        progress::hold_messages();
        let screen = Screen { terminal, shared: shared.clone(), view: View::default() };
        let thread = Builder::new().name("screen".to_owned()).spawn(move || screen.run());
        let thread = Some(thread.map_err(failed)?);
        Ok(Self { shared, thread, due: Instant::now() })
    }

    /// When the next list is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Shows a new list.
    pub(crate) fn show(&mut self, status: Status, table: &FlowTable, ranking: &mut Ranking) {
        let now = Instant::now();
        self.due = now + INTERVAL;
        let rows = ranking.snapshot(table, now).into();
        let mut list = self.shared.list.lock().unwrap_or_else(PoisonError::into_inner);
        (list.status, list.rows) = (status, rows);
        drop(list);
        self.shared.wake();
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        self.shared.list.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.shared.wake();
        if let Some(thread) = self.thread.take() {
            // A panic was reported by the thread itself.
            let _ = thread.join();
        }
        progress::release_messages();
    }
}

impl Shared {
    fn wake(&self) {
        // The counter cannot overflow: the thread reads it.
        let _ = self.wakeup.write(1);
    }
}

/// The thread of the screen.
struct Screen {
    terminal: Terminal,
    shared: Arc<Shared>,
    view: View,
}

impl Screen {
    fn run(mut self) {
        loop {
            let list = self.shared.list.lock().unwrap_or_else(PoisonError::into_inner);
            if list.is_closed {
                return;
            }
            let (status, rows) = (list.status.clone(), list.rows.clone());
            drop(list);
            let lines = render(&status, &rows, &mut self.view, self.terminal.size());
            self.terminal.draw(&lines, HEADER_LINES - 1);
            let fds = [self.terminal.as_fd(), self.shared.wakeup.as_fd()];
            let mut fds = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            // An interrupted wait only draws the screen once more.
            let _ = poll(&mut fds, REDRAW_MS);
            if fds[1].any() == Some(true) {
                let _ = self.shared.wakeup.read();
            }
            match self.terminal.keys() {
                Ok(keys) => keys.into_iter().for_each(|key| self.on_key(key)),
                Err(_) => {
                    // The terminal is gone, and its signal ends the run.
                    self.quit();
                    return;
                }
            }
        }
    }

    fn on_key(&mut self, key: Key) {
        let page = self.terminal.size().1.saturating_sub(HEADER_LINES).max(1);
        let offset = &mut self.view.offset;
        match key {
            Key::Letter('q' | 'Q') => self.quit(),
            Key::Letter(letter) => {
                if let Some(key) = SortKey::ALL.into_iter().find(|key| key.letter() == letter) {
                    self.view = View { key, offset: 0 };
                }
            }
            Key::Up => *offset = offset.saturating_sub(1),
            Key::Down => *offset = offset.saturating_add(1),
            Key::PageUp => *offset = offset.saturating_sub(page),
            Key::PageDown => *offset = offset.saturating_add(page),
        }
    }

    fn quit(&self) {
        let _ = self.shared.quit.write(1);
    }
}
