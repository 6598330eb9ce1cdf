//! DNS messages, and the time from a question to its response.

use crate::flow::{ConnectionKey, FlowKey};
use crate::table::{MAX_AGE_NS, Table};
use crate::tcp::{Readable, TcpStreams};
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use summary::{DnsCode, DnsMessage, DnsType, PayloadNames, Summary, Timestamp};

/// Maximum number of questions whose response is expected.
const MAX_QUESTIONS: usize = 1 << 16;

/// Finds DNS messages in packets, in the order in which they were captured: the same ones as
/// [`NameTracker`](crate::NameTracker), without reading other names.
#[derive(Debug, Default)]
pub struct DnsTracker {
    tcp: TcpStreams,
    questions: Questions,
    /// Buffer for names.
    buf: String,
}

/// What a packet tells about a DNS message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoundDns {
    /// The code of a response.
    pub code: Option<DnsCode>,
    /// The time from the question to this response, in microseconds.
    pub time_us: Option<u64>,
}

impl DnsTracker {
    /// The message in a packet, or the first one that it completes. `interface` is where it was captured.
    pub fn find(
        &mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> FoundDns {
        let Self { tcp, questions, buf } = self;
        let Some(key) = FlowKey::new(interface, summary).filter(|_| summary.frag.is_none()) else {
            return FoundDns::default();
        };
        let assembled;
        let message = match summary.proto.name() {
            "tcp" => match tcp.add_readable(key, ts, summary, payload) {
                None => None,
                Some(Readable::Assembled(bytes)) => {
                    assembled = bytes;
                    DnsMessage::in_assembled(summary, &assembled)
                }
                Some(Readable::Own { .. }) => DnsMessage::in_packet(summary, payload),
            },
            _ => DnsMessage::in_packet(summary, payload),
        };
        let Some(message) = message else { return FoundDns::default() };
        let question = message.question(buf);
        let question = question.map(|(name, kind)| Question::new(&message, &name, kind));
        let time_us = question.and_then(|question| questions.add(key, ts, question));
        FoundDns { code: message.code(), time_us }
    }
}

/// Identifies the question of a DNS message. A response repeats the question that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Question {
    /// ID of the message.
    id: u16,
    /// A hash of name and type.
    hash: u64,
    /// Whether the message is the response.
    is_response: bool,
}

impl Question {
    fn new(message: &DnsMessage<'_>, name: &str, kind: DnsType) -> Self {
        let mut hasher = FxHasher::default();
        (name, kind).hash(&mut hasher);
        Self { id: message.id(), hash: hasher.finish(), is_response: message.is_response() }
    }
}

/// The questions whose response is expected.
#[derive(Debug)]
pub(crate) struct Questions(Table<Key, Timestamp>);

/// Flow and ID of a query, and a hash of name and type.
type Key = (ConnectionKey, u16, u64);

impl Default for Questions {
    fn default() -> Self {
        Self(Table::new(MAX_QUESTIONS))
    }
}

impl Questions {
    /// Sets the time of a response in these names. `message` parses the DNS message again; it is called only if the
    /// names have a question.
    pub(crate) fn add_names<'m>(
        &mut self,
        flow: FlowKey,
        now: Timestamp,
        message: impl FnOnce() -> Option<DnsMessage<'m>>,
        names: &mut PayloadNames<'_>,
    ) {
        if let Some((name, kind)) = &names.dns
            && let Some(message) = message()
        {
            names.dns_time_us = self.add(flow, now, Question::new(&message, name, *kind));
        }
    }

    /// Adds the question of a message: it is remembered, or, in a response, removed. Returns the time of a
    /// response. A question that is repeated counts from the first time.
    fn add(&mut self, flow: FlowKey, now: Timestamp, question: Question) -> Option<u64> {
        let Question { id, hash, is_response } = question;
        let since = |time: Timestamp| now.ns().saturating_sub(time.ns());
        if is_response {
            let question = self.0.remove(&(flow.connection.reversed(), id, hash));
            let elapsed = question.map(since).filter(|elapsed| *elapsed <= MAX_AGE_NS);
            return elapsed.and_then(|ns| u64::try_from(ns / 1_000).ok());
        }
        let key = (flow.connection, id, hash);
        let is_repeated = self.0.get_mut(&key).is_some_and(|first| since(*first) <= MAX_AGE_NS);
        if !is_repeated {
            self.0.insert(key, now, now, |_, _| ());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use summary::LinkType;

    fn flow(number: u32) -> FlowKey {
        let mut summary = Summary::new(LinkType::RAW, 0, 0);
        (summary.src, summary.dst) =
            (Some(Ipv4Addr::from_bits(number).into()), Some(Ipv4Addr::LOCALHOST.into()));
        (summary.sport, summary.dport) = (Some(50_000), Some(53));
        FlowKey::new(None, &summary).unwrap()
    }

    /// The time of a response with this ID and name after a number of microseconds.
    fn elapsed(
        questions: &mut Questions,
        flow: FlowKey,
        us: i64,
        (id, is_response): (u16, bool),
        name: u64,
    ) -> Option<u64> {
        let question = Question { id, hash: name, is_response };
        questions.add(flow, Timestamp::from_ns(us * 1_000 + 999), question)
    }

    #[test]
    fn response_has_the_time_since_its_first_question() {
        let mut questions = Questions::default();
        let (query, response) = ((7, false), (7, true));
        let back = flow(1).reversed();
        assert_eq!(elapsed(&mut questions, flow(1), 0, query, 1), None);
        assert_eq!(elapsed(&mut questions, flow(1), 100, query, 1), None);
        assert_eq!(elapsed(&mut questions, flow(1), 150, response, 1), None, "same direction");
        assert_eq!(elapsed(&mut questions, flow(2).reversed(), 150, response, 1), None);
        assert_eq!(elapsed(&mut questions, back, 150, response, 2), None);
        assert_eq!(elapsed(&mut questions, back, 150, (8, true), 1), None);
        assert_eq!(elapsed(&mut questions, back, 250, response, 1), Some(250));
        assert_eq!(elapsed(&mut questions, back, 300, response, 1), None, "a second response");
        elapsed(&mut questions, flow(1), 1_000, query, 1);
        assert_eq!(elapsed(&mut questions, back, 70_000_000, response, 1), None, "too late");
        elapsed(&mut questions, flow(1), 1_000, query, 1);
        assert_eq!(elapsed(&mut questions, back, 999, response, 1), None, "the clock was set back");
    }

    #[test]
    fn number_of_questions_is_limited() {
        let mut questions = Questions::default();
        for number in 0..70_000 {
            elapsed(&mut questions, flow(number), 0, (7, false), 1);
        }
        let mut answer = |number| elapsed(&mut questions, flow(number).reversed(), 5, (7, true), 1);
        assert_eq!((answer(0), answer(69_999)), (None, Some(5)));
    }
}
