//! A connection: reads requests, and writes the responses of a service.

use nix::poll::PollFlags;
use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use super::request::Request;
use super::response::{Outgoing, Response};
use super::server::Service;

/// What a connection does next.
enum State {
    /// Reads a request.
    Reading,
    /// Waits until the service has something for the request.
    Waiting,
    /// Writes a response.
    Writing(Outgoing),
    /// Waits until the client has closed the connection after the last response: closing it while there are
    /// bytes to read would discard the response (RFC 9112, section 9.6).
    Closing,
}

/// A connection with a client.
pub(super) struct Connection {
    stream: TcpStream,
    state: State,
    /// When the state began.
    since: Instant,
    /// The request, as far as it has arrived.
    input: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // The end of a response must not wait until the client has acknowledged its start.
        stream.set_nodelay(true)?;
        Ok(Self { stream, state: State::Reading, since: now, input: Vec::new() })
    }

    /// The events of the socket that [`Self::advance`] needs.
    pub(super) fn events(&self) -> PollFlags {
        match self.state {
            State::Reading | State::Closing => PollFlags::POLLIN,
            State::Waiting => PollFlags::empty(),
            State::Writing(_) => PollFlags::POLLOUT,
        }
    }

    /// When [`Self::advance`] is due even if nothing happens.
    pub(super) fn due<S: Service>(&self) -> Instant {
        self.since
            + match self.state {
                State::Reading | State::Closing => S::LIMITS.request,
                State::Waiting => S::LIMITS.wait,
                State::Writing(_) => S::LIMITS.response,
            }
    }

    /// Since when the connection has no request that is to be answered; `None` if it has one.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        matches!(self.state, State::Reading | State::Closing).then_some(self.since)
    }

    /// Reads and writes what is possible now. False if the connection is over.
    pub(super) fn advance<S: Service>(&mut self, service: &S, now: Instant) -> io::Result<bool> {
        let is_late = self.due::<S>() <= now;
        if let State::Closing = self.state {
            self.input.clear();
            // More bytes wake the server again.
            return Ok(!is_late && self.read().is_ok());
        }
        while let State::Reading = self.state {
            if is_late || !self.read()? {
                return Ok(!is_late);
            }
            self.respond(service, false, now);
        }
        if let State::Waiting = self.state {
            self.respond(service, is_late, now);
        }
        let State::Writing(outgoing) = &mut self.state else { return Ok(true) };
        if !outgoing.write_to(&self.stream)? {
            return Ok(now < self.due::<S>());
        }
        if outgoing.closes() {
            self.stream.shutdown(Shutdown::Write)?;
            self.enter(State::Closing, now);
        } else {
            self.input.clear();
            self.enter(State::Reading, now);
        }
        Ok(true)
    }

    /// Reads more of the request. False if there is nothing to read now.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(len) => {
                self.input.extend_from_slice(&buffer[..len]);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Responds to the request if it is complete. The service may let it wait unless `is_final`.
    fn respond<S: Service>(&mut self, service: &S, is_final: bool, now: Instant) {
        let state = match Request::parse(&self.input) {
            Ok(None) => return,
            Err(response) => State::Writing(response.into_bytes(false, true)),
            Ok(Some(request)) => {
                // A client that sends the next request already has to send it again.
                let closes =
                    !S::KEEPS_ALIVE || request.is_last() || request.len() < self.input.len();
                match service.respond(&request, is_final) {
                    Some(response) => {
                        State::Writing(response.into_bytes(request.is_head(), closes))
                    }
                    None if is_final => {
                        let response = Response::text("503 Service Unavailable", "");
                        State::Writing(response.into_bytes(request.is_head(), true))
                    }
                    None if matches!(self.state, State::Waiting) => return,
                    None => State::Waiting,
                }
            }
        };
        self.enter(state, now);
    }

    fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.since = now;
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
