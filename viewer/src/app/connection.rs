//! The connection that is shown: its packets are reread, part by part, in the order of the files.

use super::accessors::RUN_OVER;
use super::{App, Effect, Panel};
use crate::axis::Quantity;
use crate::columns::PacketRow;
use crate::conversations::EndpointPair;
use crate::filter::{Expr, Field, Set};
use crate::link::{link_text, selected};
use crate::load::ConnectionRead;
use crate::selection::{Dimension, Selection};
use crate::text::{bytes, percent};
use summary::grouped;
use viewer_connection::Limits;

/// The connection that is shown.
#[derive(Debug)]
pub(super) struct OpenConnection {
    /// Number of the request.
    id: u32,
    /// Its packets.
    selection: Selection,
    /// The part that is being read; `None` at the end.
    part: Option<usize>,
    /// The progress in this part.
    read: ConnectionRead,
    /// What may still be read from this part on.
    limits: Limits,
    is_limited: bool,
    /// The packets in the parts that are read, and those of which only the lines are known.
    packets: u64,
    without_bytes: u64,
    /// The sniffer that had the bytes of the packets is gone.
    is_source_over: bool,
    error: Option<String>,
}

impl OpenConnection {
    fn request(&self) -> Effect {
        let Self { id, selection, limits, .. } = self;
        let (id, limits) = (*id, *limits);
        match self.part {
            Some(part) => {
                let selection = Box::new(selection.clone());
                Effect::ReadConnection { id, part, selection, limits }
            }
            None => Effect::ShowConnection,
        }
    }
}

impl App {
    /// Opens the connection whose packets an expression matches. Its packets are requested.
    pub(super) fn open_connection(&mut self, text: &str, effects: &mut Vec<Effect>) {
        let Some(expr) = selected(text) else { return };
        let mut selection = Selection::default();
        selection.set(Dimension::Conversation, Some(expr));
        self.connection_id = self.connection_id.wrapping_add(1);
        let connection = OpenConnection {
            id: self.connection_id,
            selection,
            part: Some(self.files.first_part),
            read: ConnectionRead::default(),
            limits: Limits::MAX,
            is_limited: false,
            packets: 0,
            without_bytes: 0,
            is_source_over: self.is_packet_source() && !self.is_following(),
            error: None,
        };
        effects.extend([Effect::BeginConnection, connection.request()]);
        self.connection = Some(connection);
    }

    /// Whether the packets of a request are still wanted.
    pub fn is_reading_connection(&self, id: u32) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.id == id && connection.part.is_some())
    }

    /// Stores how much of a part was read, and requests the next part.
    pub(super) fn on_connection_read(
        &mut self,
        id: u32,
        part: usize,
        read: ConnectionRead,
        effects: &mut Vec<Effect>,
    ) {
        let next_part = self.files.next_part();
        let Some(connection) = &mut self.connection else { return };
        if (connection.id, connection.part) != (id, Some(part)) {
            return;
        }
        if read.is_done {
            connection.limits = connection.limits.without(read.packets, read.bytes);
            connection.is_limited = read.is_limited;
            connection.packets += read.packets;
            connection.without_bytes += read.without_bytes;
            connection.error.clone_from(&read.error);
            let is_last = read.is_limited || read.error.is_some() || next_part <= part + 1;
            connection.part = Some(part + 1).filter(|_| !is_last);
            effects.push(connection.request());
        }
        connection.read = read;
    }

    /// Tells the view of connections that another time range is selected.
    pub(super) fn connection_time_effect(&mut self) -> Option<Effect> {
        let time = match self.history.now().get(Dimension::Time) {
            Some(Expr::In(Field::Quantity(Quantity::Time), Set::Numbers(ranges))) => {
                ranges.first().zip(ranges.last()).map(|(first, last)| (first.0, last.1))
            }
            _ => None,
        };
        let is_other = self.connection.is_some() && self.connection_time != time;
        is_other.then(|| {
            self.connection_time = time;
            Effect::MarkConnectionTime(time)
        })
    }

    /// Continues with the first part if the part that is being read was dropped: its worker does not answer.
    pub(super) fn skip_dropped_connection(&mut self, effects: &mut Vec<Effect>) {
        let first = self.files.first_part;
        if let Some(connection) = &mut self.connection
            && connection.part.is_some_and(|part| part < first)
        {
            connection.part = Some(first);
            effects.push(connection.request());
        }
    }

    /// The progress of reading, or why the connection is incomplete; empty if it is complete.
    pub(super) fn connection_text(&self) -> String {
        let Some(connection) = &self.connection else { return String::new() };
        if let Some(part) = connection.part {
            let first = self.files.first_part;
            let parts = (self.files.next_part() - first).max(1) as u64;
            let (read, len) = connection.read.progress;
            let done = (part - first.min(part)) as u64 * len.max(1) + read;
            return format!("Reading… {}", percent(done, parts * len.max(1)));
        }
        if let Some(error) = &connection.error {
            return format!("Incomplete: the file could not be read ({error}).");
        }
        if connection.is_limited {
            let Limits { packets, bytes: len } = Limits::MAX;
            return format!(
                "Incomplete: only the first packets are shown, at most {} with {}.",
                grouped(packets),
                bytes(len)
            );
        }
        match connection.without_bytes {
            _ if connection.is_source_over => RUN_OVER.to_owned(),
            0 => String::new(),
            without_bytes => format!(
                "The sniffer does not have the bytes of {} of {} packets. It keeps those of the latest packets that \
                 --pcapng writes.",
                grouped(without_bytes),
                grouped(connection.packets)
            ),
        }
    }

    /// The expression of the connection of a visible row of a table: of a 5-tuple, or of a packet.
    pub(super) fn connection_of(&self, panel: Panel, row: usize) -> Option<String> {
        match panel {
            Panel::Conversations => {
                self.connection_of_pair(self.conversations.visible().get(row)?.pair)
            }
            Panel::Packets => connection_of_packet(&self.packet_rows().get(row)?.row),
            _ => None,
        }
    }

    fn connection_of_pair(&self, pair: EndpointPair) -> Option<String> {
        let proto = &self.flows.protos()[pair.proto as usize];
        let has_all = is_followed(proto) && pair.ports.0.is_some() && pair.ports.1.is_some();
        (has_all && pair.a.is_some() && pair.b.is_some()).then(|| link_text(&self.flows.expr(pair)))
    }

    /// The expression of the connection of the packet whose details are shown.
    pub fn connection_of_detail(&self) -> Option<String> {
        connection_of_packet(&self.detail.as_ref()?.row)
    }
}

/// Whether the payload of a protocol can be shown.
fn is_followed(proto: &str) -> bool {
    matches!(proto, "tcp" | "udp")
}

fn connection_of_packet(packet: &PacketRow) -> Option<String> {
    let PacketRow { src, dst, proto, .. } = packet;
    let (sport, dport) = (packet.sport?, packet.dport?);
    let one_way = |(src, sport), (dst, dport)| {
        format!("src == {src} and dst == {dst} and sport == {sport} and dport == {dport}")
    };
    let ways = [((src, sport), (dst, dport)), ((dst, dport), (src, sport))];
    let [there, back] = ways.map(|(src, dst)| one_way(src, dst));
    is_followed(proto).then(|| format!("({there} or {back}) and proto == {proto}"))
}
