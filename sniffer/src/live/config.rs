//! Configuration of a live run.

use std::net::SocketAddr;
use std::time::Duration;

use crate::filter::FilterOptions;
use crate::{capture, outputs, sandbox, stream};

/// Configuration of a live run.
#[derive(Debug)]
pub(crate) struct Config {
    /// Names or numbers of the interfaces; if empty, the interface of the default route.
    pub(crate) interfaces: Vec<String>,
    /// How the sockets are opened.
    pub(crate) capture: capture::Options,
    /// Reader threads per interface; `None` reads everything on the main thread.
    pub(crate) thread_count: Option<usize>,
    /// Whether the run ends with an error when an interface goes down or disappears.
    pub(crate) exits_on_down: bool,
    /// Length of the run; `None` is unlimited.
    pub(crate) duration: Option<Duration>,
    /// Time between `stats` records; zero writes them only at the end.
    pub(crate) stats_interval: Duration,
    pub(crate) outputs: outputs::Options,
    pub(crate) stream: stream::Options,
    pub(crate) filter: FilterOptions,
    pub(crate) sandbox: sandbox::Options,
    /// Print only errors.
    pub(crate) is_quiet: bool,
    /// Where counters are served.
    pub(crate) metrics: Option<SocketAddr>,
    /// Where the page and the capture are served.
    pub(crate) serve: Option<SocketAddr>,
    /// Show flows on the terminal.
    pub(crate) has_top: bool,
}
