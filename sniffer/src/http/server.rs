//! Accepts connections, and waits for what happens on any.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::request::Request;
use super::response::Response;
use super::wakeup::Wakeup;

/// Time to wait before the next attempt after the system could not accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// If there are too many connections, a new one replaces the one that has been idle for the longest time, if
/// that is at least this time.
const MIN_IDLE: Duration = Duration::from_millis(100);

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at a time; others wait in the kernel.
    pub(crate) connections: usize,
    /// Longest time until a request is complete.
    pub(crate) request: Duration,
    /// Longest time that a service lets a request wait.
    pub(crate) wait: Duration,
    /// Longest time until the client has taken the response.
    pub(crate) response: Duration,
}

/// Responds to requests.
pub(crate) trait Service: Send + 'static {
    const LIMITS: Limits;

    /// Whether connections serve several requests.
    const KEEPS_ALIVE: bool;

    /// Responds to a request. `None` repeats the call after [`Self::wakeup`]; the last time with
    /// `is_final`, when it has to respond.
    fn respond(&self, request: &Request<'_>, is_final: bool) -> Option<Response>;

    /// Repeats requests that wait.
    fn wakeup(&self) -> Option<&Wakeup> {
        None
    }
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens on an address.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// The address with its port.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves from a thread with this name until the process ends.
    pub(crate) fn start<S: Service>(self, name: &str, service: S) -> io::Result<()> {
        Builder::new().name(name.to_owned()).spawn(move || self.run(&service)).map(drop)
    }

    fn run<S: Service>(self, service: &S) {
        let mut connections: Vec<Connection> = Vec::new();
        loop {
            self.wait(service, &connections);
            if let Some(wakeup) = service.wakeup() {
                wakeup.clear();
            }
            let now = Instant::now();
            connections.retain_mut(|connection| {
                connection.advance(service, now).is_ok_and(|is_open| is_open)
            });
            self.accept::<S>(&mut connections, now);
        }
    }

    /// Waits until something can be done for a connection, or accepted.
    fn wait<S: Service>(&self, service: &S, connections: &[Connection]) {
        let replaceable = replaceable::<S>(connections, Instant::now());
        let accepting = match replaceable {
            Ok(_) => Some(PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)),
            Err(_) => None,
        };
        let wakeup = service.wakeup().map(|wakeup| PollFd::new(wakeup.as_fd(), PollFlags::POLLIN));
        let polled = connections
            .iter()
            .map(|connection| PollFd::new(connection.as_fd(), connection.events()));
        let mut fds: Vec<_> = accepting.into_iter().chain(wakeup).chain(polled).collect();
        let dues = connections.iter().map(Connection::due::<S>).chain(replaceable.err().flatten());
        let timeout = dues.min().map_or(PollTimeout::NONE, |due| {
            let ms = due.saturating_duration_since(Instant::now()).as_nanos().div_ceil(1_000_000);
            PollTimeout::try_from(ms).unwrap_or(PollTimeout::MAX)
        });
        // An interrupted wait does no harm.
        let _ = poll(&mut fds, timeout);
    }

    fn accept<S: Service>(&self, connections: &mut Vec<Connection>, now: Instant) {
        while let Ok(replaced) = replaceable::<S>(connections, now) {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if let Some(index) = replaced {
                        connections.swap_remove(index);
                    }
                    connections.extend(Connection::new(stream, now).ok());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    thread::sleep(ACCEPT_PAUSE);
                    break;
                }
            }
        }
    }
}

/// The index of the connection that a new one replaces; `None` if there is room for one more.
///
/// # Errors
///
/// If no connection can be replaced: when one can, unless it sends a request before; `None` if all have one.
fn replaceable<S: Service>(
    connections: &[Connection],
    now: Instant,
) -> Result<Option<usize>, Option<Instant>> {
    if connections.len() < S::LIMITS.connections {
        return Ok(None);
    }
    let idle = connections.iter().enumerate();
    let idle = idle.filter_map(|(index, c)| Some((c.idle_since()?, index)));
    match idle.min() {
        Some((since, index)) if since + MIN_IDLE <= now => Ok(Some(index)),
        longest => Err(longest.map(|(since, _)| since + MIN_IDLE)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Piece;
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// `/large` has a large body; `/later` waits until `is_ready`.
    #[derive(Clone)]
    struct Test {
        wakeup: Wakeup,
        is_ready: Arc<AtomicBool>,
    }

    impl Service for Test {
        const LIMITS: Limits = Limits {
            connections: 16,
            request: Duration::from_secs(60),
            wait: Duration::from_secs(60),
            response: Duration::from_secs(60),
        };
        const KEEPS_ALIVE: bool = true;

        fn respond(&self, request: &Request<'_>, _: bool) -> Option<Response> {
            match request.path() {
                "/large" => Some(Response::new("200 OK").body([Piece::Owned(vec![b'x'; 8 << 20])])),
                "/later" if !self.is_ready.load(Ordering::Acquire) => None,
                _ => Some(Response::text("200 OK", "yes")),
            }
        }

        fn wakeup(&self) -> Option<&Wakeup> {
            Some(&self.wakeup)
        }
    }

    fn start() -> (SocketAddr, Test) {
        let service = Test { wakeup: Wakeup::new().unwrap(), is_ready: Arc::default() };
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = server.address().unwrap();
        server.start("test", service.clone()).unwrap();
        (address, service)
    }

    fn send(address: SocketAddr, request: &str) -> TcpStream {
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client
    }

    /// Reads a response that ends with these bytes.
    fn read_until(client: &mut TcpStream, end: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end) {
            let mut buffer = [0; 4096];
            let len = client.read(&mut buffer).unwrap();
            assert_ne!(len, 0, "{}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&buffer[..len]);
        }
        bytes
    }

    /// Clients that send nothing, or read nothing, do not keep others from the page.
    #[test]
    fn idle_clients_delay_no_other() {
        let (address, _) = start();
        let unread: Vec<_> =
            (0..15).map(|_| send(address, "GET /large HTTP/1.1\r\n\r\n")).collect();
        let idle: Vec<_> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut client = send(address, "GET /large HTTP/1.1\r\nConnection: close\r\n\r\n");
        let mut text = Vec::new();
        client.read_to_end(&mut text).unwrap();
        assert!((8 << 20) < text.len() && text.starts_with(b"HTTP/1.1 200"));
        drop((idle, unread));
    }

    #[test]
    fn connections_serve_several_requests() {
        let (address, _) = start();
        let mut client = TcpStream::connect(address).unwrap();
        for _ in 0..3 {
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            let answer = read_until(&mut client, b"\r\n\r\nyes");
            assert!(!String::from_utf8(answer).unwrap().contains("Connection: close"));
        }
        // The second request is not answered.
        client.write_all(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n").unwrap();
        let answer = read_until(&mut client, b"\r\n\r\nyes");
        assert!(String::from_utf8(answer).unwrap().contains("Connection: close"));
    }

    #[test]
    fn waiting_requests_are_answered_after_the_wakeup() {
        let (address, service) = start();
        let mut waiting = [(); 3].map(|()| send(address, "GET /later HTTP/1.1\r\n\r\n"));
        let mut other = send(address, "GET / HTTP/1.1\r\n\r\n");
        read_until(&mut other, b"yes");
        service.is_ready.store(true, Ordering::Release);
        service.wakeup.wake();
        for client in &mut waiting {
            read_until(client, b"yes");
        }
    }
}
