//! Listens, and starts to serve.

use nix::sys::epoll::Epoll;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::live_view::LiveView;
use super::page::Page;
use super::reachable;
use super::service::{CAPTURE, CaptureService};
use super::token::Token;
use crate::Error;
use crate::http::{Server, Wakeup};
use crate::line_buffer::LineBuffer;
use crate::output::watch_reader;
use crate::outputs::Copies;
use crate::packet_buffer::PacketBuffer;

/// Most bytes of lines in memory.
const MAX_LINES_LEN: usize = 256 << 20;

/// Most bytes of packets in memory.
const MAX_PACKETS_LEN: usize = 256 << 20;

/// Attempts to find a port that is not in use.
const MAX_PORTS: u16 = 20;

/// A socket that listens, the page, and its secret address.
#[derive(Debug)]
pub(crate) struct Listener {
    server: Server,
    requested: SocketAddr,
    address: SocketAddr,
    token: Token,
    page: Page,
    lines: LineBuffer,
    packets: PacketBuffer,
    stdout: Option<Epoll>,
}

impl Listener {
    /// Listens on an address. If its port is in use, tries the next ones.
    ///
    /// # Errors
    ///
    /// If this program contains no page, or cannot listen on the address.
    pub(crate) fn bind(requested: SocketAddr) -> Result<Self, Error> {
        let page = Page::embedded().ok_or(Error::NoPage)?;
        let failed = |source| Error::Serve { address: requested, source };
        let server = bind_next(requested).map_err(failed)?;
        let address = server.address().map_err(failed)?;
        let token = Token::random().map_err(failed)?;
        let lines = LineBuffer::new(MAX_LINES_LEN, Wakeup::new().map_err(failed)?);
        let packets = PacketBuffer::new(MAX_PACKETS_LEN);
        Ok(Self { server, requested, address, token, page, lines, packets, stdout: None })
    }

    /// The lines and the packets that are served.
    pub(crate) fn copies(&self) -> Copies {
        Copies { lines: self.lines.clone(), packets: self.packets.clone() }
    }

    /// Makes the run end when the reader of standard output goes away, to which nothing is written.
    pub(crate) fn watch_stdout(&mut self) -> Result<(), Error> {
        let stdout = watch_reader(io::stdout());
        self.stdout = stdout.map_err(|source| Error::System { call: "epoll", source })?;
        Ok(())
    }

    /// The URLs of the page, first the one for this machine.
    pub(crate) fn urls(&self) -> Vec<String> {
        let (token, port) = (self.token.text(), self.address.port());
        let addresses = reachable::addresses(self.address.ip()).into_iter();
        let addresses = addresses.map(|ip| SocketAddr::new(ip, port));
        addresses.map(|address| format!("http://{address}/{token}/?src={CAPTURE}&follow")).collect()
    }

    /// Messages about the address.
    pub(crate) fn notices(&self) -> Vec<String> {
        let (requested, actual) = (self.requested.port(), self.address.port());
        let mut notices = Vec::new();
        if requested != 0 && requested != actual {
            notices.push(format!("port {requested} is in use; using port {actual}"));
        }
        if !self.address.ip().is_loopback() {
            notices.push(
                "warning: the connection is not encrypted; everyone who learns the URL can read the \
                 capture"
                    .to_owned(),
            );
        }
        notices
    }

    /// Serves from a thread.
    pub(crate) fn start(self) -> Result<LiveView, Error> {
        let Self { server, address, token, page, lines, packets, stdout, .. } = self;
        let view = LiveView::new(lines.clone(), stdout);
        let service = CaptureService { token, address: address.ip(), page, lines, packets };
        let started = server.start("serve", service);
        started.map_err(|source| Error::Serve { address, source })?;
        Ok(view)
    }
}

/// Listens on the port of an address, or on the next one that is not in use.
fn bind_next(address: SocketAddr) -> io::Result<Server> {
    let mut next = address;
    loop {
        match Server::bind(next) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let port = next.port().checked_add(1);
                let Some(port) = port.filter(|port| port - address.port() < MAX_PORTS) else {
                    return Err(error);
                };
                next.set_port(port);
            }
            result => return result,
        }
    }
}
