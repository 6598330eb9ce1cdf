//! One TCP connection, as the mirror port sees it: handshake, data, and the ways it ends.
//!
//! `transfer` carries the data.

use etherparse::TcpHeader;
use etherparse::TcpOptionElement::{
    MaximumSegmentSize, Noop, SelectiveAcknowledgementPermitted, Timestamp, WindowScale,
};

use super::network::Endpoint;
use super::recording::{Micros, Recording};

/// Payload of a full segment over IPv4, with the timestamp option: 1,514 bytes a frame.
const MSS_V4: usize = 1_448;
/// The same over IPv6.
const MSS_V6: usize = 1_428;

/// Receive window of an idle connection, scaled.
const IDLE_WINDOW: u16 = 502;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// State of one side.
#[derive(Clone, Copy, Debug)]
struct Peer {
    endpoint: Endpoint,
    next_seq: u32,
    /// Offset of the clock of its timestamps, in milliseconds.
    clock_ms: u32,
}

/// Control bits of a segment besides ACK, and its variable fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment<'a> {
    /// Bytes after the sender's next sequence number.
    pub(super) offset: u32,
    /// Bytes after the receiver's next sequence number.
    pub(super) ack_offset: u32,
    pub(super) is_push: bool,
    pub(super) is_fin: bool,
    pub(super) is_reset: bool,
    /// Added to the idle window.
    pub(super) window_growth: u16,
    /// A block received out of order, as offsets like `ack_offset`.
    pub(super) sack: Option<(u32, u32)>,
    pub(super) payload: &'a [u8],
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    pub(super) recording: &'a mut Recording,
    client: Peer,
    server: Peer,
    /// Time of the next segment.
    pub(super) now: Micros,
}

impl<'a> Connection<'a> {
    /// Opens a connection with a three-way handshake.
    pub(super) fn open(
        recording: &'a mut Recording,
        now: Micros,
        client: Endpoint,
        server: Endpoint,
    ) -> Self {
        let mut peer = |endpoint| Peer {
            endpoint,
            next_seq: recording.random.next_u32(),
            clock_ms: recording.random.next_u32() >> 8,
        };
        let (client, server) = (peer(client), peer(server));
        let mut connection = Self { recording, client, server, now };
        connection.syn(Side::Client);
        connection.client.next_seq = connection.client.next_seq.wrapping_add(1);
        connection.now += connection.round_trip(Side::Server);
        connection.syn(Side::Server);
        connection.server.next_seq = connection.server.next_seq.wrapping_add(1);
        connection.now += connection.round_trip(Side::Client);
        connection.emit(Side::Client, connection.now, Segment::default());
        connection
    }

    pub(super) fn mss(&self) -> usize {
        if self.client.endpoint.address.is_ipv4() { MSS_V4 } else { MSS_V6 }
    }

    /// One-way delay between a side and the mirror port.
    pub(super) fn delay(&self, side: Side) -> Micros {
        self.peer(side).endpoint.host.delay_us
    }

    /// Advances the time.
    pub(super) fn wait(&mut self, micros: Micros) {
        self.now += micros;
    }

    /// Counts bytes as sent and acknowledged.
    pub(super) fn advance(&mut self, side: Side, len: u32) {
        let next_seq = &mut self.peer_mut(side).next_seq;
        *next_seq = next_seq.wrapping_add(len);
    }

    /// Closes the connection, with a FIN from each side.
    pub(super) fn close(mut self, first: Side) {
        let fin = Segment { is_fin: true, ..Segment::default() };
        self.emit(first, self.now, fin);
        self.advance(first, 1);
        self.now += self.round_trip(first.other());
        self.emit(first.other(), self.now, fin);
        self.advance(first.other(), 1);
        self.now += self.round_trip(first);
        self.emit(first, self.now, Segment::default());
    }

    /// Aborts the connection.
    pub(super) fn reset(mut self, side: Side) {
        let reset = Segment { is_reset: true, ..Segment::default() };
        self.emit(side, self.now, reset);
    }

    /// Records a segment that passes the mirror port at `time`.
    pub(super) fn emit(&mut self, side: Side, time: Micros, segment: Segment<'_>) {
        let (from, to) = (*self.peer(side), *self.peer(side.other()));
        let mut header = TcpHeader::new(
            from.endpoint.address.port(),
            to.endpoint.address.port(),
            from.next_seq.wrapping_add(segment.offset),
            if segment.is_reset { 0 } else { IDLE_WINDOW + segment.window_growth },
        );
        let ack = |offset: u32| to.next_seq.wrapping_add(offset);
        header.ack = true;
        header.acknowledgment_number = ack(segment.ack_offset);
        header.psh = segment.is_push;
        header.fin = segment.is_fin;
        header.rst = segment.is_reset;
        let clocks = Timestamp(from.clock(time), to.clock(time));
        let set = match segment.sack.map(|(start, end)| (ack(start), ack(end))) {
            _ if segment.is_reset => Ok(()),
            None => header.set_options(&[Noop, Noop, clocks]),
            Some(block) => {
                let sack = etherparse::TcpOptionElement::SelectiveAcknowledgement(block, [None; 3]);
                header.set_options(&[Noop, Noop, clocks, Noop, Noop, sack])
            }
        };
        set.expect("the options fit");
        self.recording.tcp(time, (from.endpoint, to.endpoint), header, segment.payload);
    }

    fn syn(&mut self, side: Side) {
        let (from, to) = (*self.peer(side), *self.peer(side.other()));
        let mut header = syn_header(from.endpoint, to.endpoint, from.next_seq);
        let mut echo = 0;
        if side == Side::Server {
            header.ack = true;
            header.acknowledgment_number = to.next_seq;
            echo = to.clock(self.now);
        }
        let mss = u16::try_from(self.mss() + 12).expect("far below 64 KiB");
        let options = [
            MaximumSegmentSize(mss),
            SelectiveAcknowledgementPermitted,
            Timestamp(from.clock(self.now), echo),
            Noop,
            WindowScale(7),
        ];
        header.set_options(&options).expect("the options fit");
        self.recording.tcp(self.now, (from.endpoint, to.endpoint), header, &[]);
    }

    /// From the mirror port to a side and back, with the time the side takes to answer.
    fn round_trip(&mut self, side: Side) -> Micros {
        2 * self.delay(side) + self.recording.random.between(20, 200)
    }

    fn peer(&self, side: Side) -> &Peer {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    fn peer_mut(&mut self, side: Side) -> &mut Peer {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl Peer {
    fn clock(&self, time: Micros) -> u32 {
        let elapsed_ms = u32::try_from(time / 1_000).expect("the scenario takes minutes");
        self.clock_ms.wrapping_add(elapsed_ms)
    }
}

/// A connection attempt that is refused with a reset.
pub(super) fn refused(recording: &mut Recording, now: Micros, client: Endpoint, server: Endpoint) {
    let seq = recording.random.next_u32();
    recording.tcp(now, (client, server), syn_header(client, server, seq), &[]);
    let mut reset = TcpHeader::new(server.address.port(), client.address.port(), 0, 0);
    reset.rst = true;
    reset.ack = true;
    reset.acknowledgment_number = seq.wrapping_add(1);
    let answer_time = now + 2 * server.host.delay_us + recording.random.between(20, 90);
    recording.tcp(answer_time, (server, client), reset, &[]);
}

/// A connection attempt without an answer: the SYN is repeated after 1, 2 and 4 seconds.
pub(super) fn unanswered(
    recording: &mut Recording,
    now: Micros,
    client: Endpoint,
    server: Endpoint,
) {
    let seq = recording.random.next_u32();
    for seconds in [0, 1, 3, 7] {
        let time = now + seconds * 1_000_000 + recording.random.between(0, 9_000);
        recording.tcp(time, (client, server), syn_header(client, server, seq), &[]);
    }
}

fn syn_header(from: Endpoint, to: Endpoint, seq: u32) -> TcpHeader {
    let mut header = TcpHeader::new(from.address.port(), to.address.port(), seq, 64_240);
    header.syn = true;
    header.set_options(&[MaximumSegmentSize(1_460)]).expect("the option fits");
    header
}
