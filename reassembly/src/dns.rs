//! The time from a DNS question to its response.

use crate::flow::{ConnectionKey, FlowKey};
use crate::table::{MAX_AGE_NS, Table};
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use summary::{PayloadNames, Proto, Summary, Timestamp};

/// Maximum number of questions whose response is expected.
const MAX_QUESTIONS: usize = 1 << 16;

/// Identifies the question of a DNS message. A response repeats the question that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DnsQuestion {
    /// ID of the message.
    pub id: u16,
    /// A hash of name and type.
    pub hash: u64,
    /// Whether the message is the response.
    pub is_response: bool,
}

impl DnsQuestion {
    /// The question in the message of a packet with these names. Messages that continue in other packets have no
    /// names.
    pub fn of(summary: &Summary<'_>, payload: &[u8], names: &PayloadNames<'_>) -> Option<Self> {
        // The length of a message over TCP is before it.
        let is_tcp = summary.proto == Proto::TCP;
        let message = if is_tcp { payload.get(2..)? } else { payload };
        Self::new(message, names)
    }

    /// The question of a message with these names.
    fn new(message: &[u8], names: &PayloadNames<'_>) -> Option<Self> {
        let (Some((name, kind)), [id_high, id_low, flags, ..]) = (&names.dns, message) else {
            return None;
        };
        let mut hasher = FxHasher::default();
        (name, kind).hash(&mut hasher);
        Some(Self {
            id: u16::from_be_bytes([*id_high, *id_low]),
            hash: hasher.finish(),
            is_response: flags & 0x80 != 0,
        })
    }
}

/// Measures the times of DNS responses.
#[derive(Debug, Default)]
pub struct DnsTimes(Questions);

impl DnsTimes {
    /// Adds a DNS message. Returns the response time in microseconds, or `None` if the message is a question, or
    /// if its question was not captured. Add messages in the order in which they were captured.
    pub fn add(
        &mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        question: DnsQuestion,
    ) -> Option<u64> {
        let flow = FlowKey::new(interface, summary).filter(|_| summary.frag.is_none())?;
        self.0.add_question(flow, ts, question)
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
    /// Adds a DNS message with these names: a question is remembered, a response gets the time since its
    /// question. A question that is repeated counts from the first time.
    pub(crate) fn add(
        &mut self,
        flow: FlowKey,
        now: Timestamp,
        message: &[u8],
        names: &mut PayloadNames<'_>,
    ) {
        if let Some(question) = DnsQuestion::new(message, names) {
            names.dns_time_us = self.add_question(flow, now, question);
        }
    }

    /// Adds a message. Returns the time of a response.
    fn add_question(
        &mut self,
        flow: FlowKey,
        now: Timestamp,
        question: DnsQuestion,
    ) -> Option<u64> {
        let DnsQuestion { id, hash, is_response } = question;
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
    use summary::{DnsType, LinkType, Summary};

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
        message: [u8; 3],
        name: &str,
    ) -> Option<u64> {
        let dns = Some((name.to_owned().into(), DnsType(1)));
        let mut names = PayloadNames { dns, ..PayloadNames::default() };
        questions.add(flow, Timestamp::from_ns(us * 1_000 + 999), &message, &mut names);
        names.dns_time_us
    }

    #[test]
    fn response_has_the_time_since_its_first_question() {
        let mut questions = Questions::default();
        let (query, response) = ([0, 7, 1], [0, 7, 0x81]);
        let back = flow(1).reversed();
        assert_eq!(elapsed(&mut questions, flow(1), 0, query, "a"), None);
        assert_eq!(elapsed(&mut questions, flow(1), 100, query, "a"), None);
        assert_eq!(elapsed(&mut questions, flow(1), 150, response, "a"), None, "same direction");
        assert_eq!(elapsed(&mut questions, flow(2).reversed(), 150, response, "a"), None);
        assert_eq!(elapsed(&mut questions, back, 150, response, "b"), None);
        assert_eq!(elapsed(&mut questions, back, 150, [1, 7, 0x81], "a"), None);
        assert_eq!(elapsed(&mut questions, back, 250, response, "a"), Some(250));
        assert_eq!(elapsed(&mut questions, back, 300, response, "a"), None, "a second response");
        elapsed(&mut questions, flow(1), 1_000, query, "a");
        assert_eq!(elapsed(&mut questions, back, 70_000_000, response, "a"), None, "too late");
        elapsed(&mut questions, flow(1), 1_000, query, "a");
        assert_eq!(
            elapsed(&mut questions, back, 999, response, "a"),
            None,
            "the clock was set back"
        );
    }

    #[test]
    fn number_of_questions_is_limited() {
        let mut questions = Questions::default();
        for number in 0..70_000 {
            elapsed(&mut questions, flow(number), 0, [0, 7, 1], "a");
        }
        let mut answer =
            |number| elapsed(&mut questions, flow(number).reversed(), 5, [0, 7, 0x81], "a");
        assert_eq!((answer(0), answer(69_999)), (None, Some(5)));
    }
}
