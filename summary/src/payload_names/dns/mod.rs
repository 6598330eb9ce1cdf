//! DNS messages (RFC 1035, section 4.1).
//!
//! Any bytes can look like the start of a message. A message is one only if its header has possible
//! values, and its questions and records fill it exactly.

mod answer;
mod code;
mod kind;
mod name;
mod registry;

pub use code::DnsCode;
pub use kind::DnsType;

use super::{Bytes, Extent};
use crate::inspect::payload as fields;
use crate::observer::Observer;
use name::HEADER_LEN;
use std::borrow::Cow;
use std::ops::Range;

/// The shortest question: the root, type, class.
const MIN_QUESTION_LEN: usize = 5;
/// The shortest resource record: the root, type, class, time to live, length.
const MIN_RECORD_LEN: usize = 11;

/// What is known about the bytes of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// Length of the message. It is more than the number of bytes if the capture omits the end.
    pub(super) len: usize,
    /// The ports, or the multicast address, are those of DNS. Other messages must be complete and have
    /// one question of the usual kind.
    pub(super) is_expected: bool,
}

/// A DNS message whose parts agree with its header and length, as far as they were captured.
///
/// [`DnsMessage::in_packet`](Self::in_packet) finds one without the names of other protocols.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// The first question: end of its name, and its type.
    question: Option<(usize, DnsType)>,
    /// Start of the first answer, if all questions were captured.
    answers: Option<usize>,
    answer_count: usize,
    /// The code of a response.
    code: Option<u16>,
}

/// The first message in a TCP segment, each message after its length (RFC 1035, section 4.2.2). The
/// segment has `len` bytes on the wire.
///
/// Messages must fill the segment exactly: otherwise it may be a later one of a long message.
pub(super) fn first_in_segment(
    payload: &[u8],
    len: usize,
    is_expected: bool,
) -> Option<Message<'_>> {
    let mut rest = Bytes(payload);
    let first_len = rest.u16()?;
    if payload.len() < len {
        let is_only_one = 2 + first_len == len;
        return Message::parse(rest.0, Context { len: first_len, is_expected })
            .filter(|_| is_only_one);
    }
    let message = Message::parse(rest.take(first_len)?, Context { len: first_len, is_expected })?;
    while !rest.0.is_empty() {
        let len = rest.u16()?;
        Message::parse(rest.take(len)?, Context { len, is_expected })?;
    }
    Some(message)
}

/// How far the message at the front of a stream extends, with its length.
pub(super) fn extent(bytes: &[u8]) -> Extent {
    let mut rest = Bytes(bytes);
    let Some(len) = rest.u16() else { return Extent::Incomplete };
    let context = Context { len, is_expected: true };
    match Header::parse(rest.0) {
        None if len < HEADER_LEN + MIN_QUESTION_LEN || HEADER_LEN <= rest.0.len() => {
            Extent::Unknown
        }
        Some(header) if !header.is_possible(context) => Extent::Unknown,
        _ if rest.0.len() < len => Extent::Incomplete,
        _ => Extent::Complete(2 + len),
    }
}

/// Fields of the header.
struct Header {
    is_response: bool,
    operation: u8,
    response_code: u8,
    question_count: usize,
    answer_count: usize,
    /// Records of all sections.
    record_count: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let count = |at: usize| usize::from(header[at]) << 8 | usize::from(header[at + 1]);
        let [flags, codes] = [header[2], header[3]];
        let is_reserved_clear = codes & 0x40 == 0;
        is_reserved_clear.then(|| Self {
            is_response: flags & 0x80 != 0,
            operation: flags >> 3 & 0xf,
            response_code: codes & 0xf,
            question_count: count(4),
            answer_count: count(6),
            record_count: count(6) + count(8) + count(10),
        })
    }

    fn is_possible(&self, context: Context) -> bool {
        let min_len = HEADER_LEN
            + self.question_count * MIN_QUESTION_LEN
            + self.record_count * MIN_RECORD_LEN;
        // Operations with questions: query, inverse query, status, notify, update (IANA).
        let has_questions = matches!(self.operation, 0 | 1 | 2 | 4 | 5);
        let is_usual = context.is_expected
            || self.question_count == 1
                && matches!(self.operation, 0 | 4 | 5)
                && (self.is_response || self.response_code == 0);
        HEADER_LEN < min_len && min_len <= context.len && has_questions && is_usual
    }
}

impl<'a> Message<'a> {
    /// Reads all questions and records.
    pub(super) fn parse(bytes: &'a [u8], context: Context) -> Option<Self> {
        let header = Header::parse(bytes).filter(|header| header.is_possible(context))?;
        let is_cut = bytes.len() < context.len;
        if is_cut && !context.is_expected {
            return None;
        }
        let Header { answer_count, response_code, .. } = header;
        let code = header.is_response.then_some(u16::from(response_code));
        let mut message = Self { bytes, question: None, answers: None, answer_count, code };
        let mut at = HEADER_LEN;
        for _ in 0..header.question_count {
            match message.question_at(at, context) {
                Some((end, question)) => {
                    message.question = message.question.or(Some(question));
                    at = end;
                }
                // What was captured must contain the first question.
                None => return message.question.map(|_| message).filter(|_| is_cut),
            }
        }
        message.answers = Some(at);
        for _ in 0..header.record_count {
            match message.record_at(at) {
                Some(record) => {
                    at = record.data.end;
                    if usize::from(record.kind) == OPT {
                        message.code = message.code.map(|code| code | record.extended_code << 4);
                    }
                }
                // The code may be incomplete.
                None => return Some(Self { code: None, ..message }).filter(|_| is_cut),
            }
        }
        // Some servers fill responses with zeros.
        let is_padding = context.is_expected && bytes[at..].iter().all(|byte| *byte == 0);
        (at == context.len || is_padding).then_some(message)
    }

    /// The end of a question; and the end of its name, and its type.
    fn question_at(&self, start: usize, context: Context) -> Option<(usize, (usize, DnsType))> {
        let name_end = name::read(self.bytes, start, |_| ())?;
        let mut rest = Bytes(self.bytes.get(name_end..)?);
        let (kind, class) = (u16::try_from(rest.u16()?).ok()?, rest.u16()?);
        let is_valid = kind != 0 && (context.is_expected || class == IN);
        (is_valid && is_class(class)).then_some((name_end + 4, (name_end, DnsType(kind))))
    }

    /// The resource record at this offset.
    fn record_at(&self, start: usize) -> Option<Record> {
        let name_end = name::read(self.bytes, start, |_| ())?;
        let mut rest = Bytes(self.bytes.get(name_end..)?);
        let (kind, class) = (rest.u16()?, rest.u16()?);
        let time_to_live = rest.take(4)?;
        let len = rest.u16()?;
        let data_start = self.bytes.len() - rest.0.len();
        rest.take(len)?;
        // In an OPT record, the class is a length, and the time to live has other fields.
        let is_valid = kind != 0 && (kind == OPT || is_class(class));
        is_valid.then_some(Record {
            kind: u16::try_from(kind).ok()?,
            extended_code: u16::from(time_to_live[0]),
            data: data_start..data_start + len,
        })
    }

    /// The ID, which a response repeats.
    pub fn id(&self) -> u16 {
        self.bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id))
    }

    /// Whether the message is a response.
    pub fn is_response(&self) -> bool {
        self.bytes.get(2).is_some_and(|flags| flags & 0x80 != 0)
    }

    /// The code of a response; `None` in queries, and if the end of the message was not captured.
    pub fn code(&self) -> Option<DnsCode> {
        self.code.map(DnsCode)
    }

    /// Texts of the answers that have one; those that were captured.
    pub(super) fn answers(&self) -> impl Iterator<Item = String> {
        let mut at = self.answers;
        let records = (0..self.answer_count).map_while(move |_| {
            let record = self.record_at(at?)?;
            at = Some(record.data.end);
            Some(record)
        });
        records.filter_map(|record| answer::text(self.bytes, record.kind, record.data))
    }

    /// Name and type of the first question, as [`PayloadNames::dns`](crate::PayloadNames::dns) has them. `buf`
    /// holds the name.
    pub fn question<'b>(&self, buf: &'b mut String) -> Option<(Cow<'b, str>, DnsType)> {
        self.question_observed(buf, &mut ())
    }

    /// Like [`Message::question`], with an observer.
    pub(super) fn question_observed<'b>(
        &self,
        buf: &'b mut String,
        observer: &mut impl Observer,
    ) -> Option<(Cow<'b, str>, DnsType)> {
        let (name_end, kind) = self.question?;
        buf.clear();
        name::push(self.bytes, HEADER_LEN, buf)?;
        observer.layer(self.bytes, fields::dns);
        let from = |offset: usize| self.bytes.get(offset..).unwrap_or_default();
        let (start, after_name) = (from(HEADER_LEN), from(name_end));
        let (after_kind, end) = (from(name_end + 2), from(name_end + 4));
        observer.field(Some("dns"), "Question name", (start, after_name), buf);
        observer.field(Some("dns_type"), "Question type", (after_name, after_kind), &kind);
        let class = Bytes(after_kind).u16()?;
        observer.field(None, "Question class", (after_kind, end), &class);
        Some((Cow::Borrowed(buf), kind))
    }
}

/// A resource record: what is needed of it.
struct Record {
    kind: u16,
    /// In an OPT record, the upper bits of the response code.
    extended_code: u16,
    /// Where the data are in the message.
    data: Range<usize>,
}

const IN: usize = 1;
const OPT: usize = 41;

/// Classes (IANA): Internet, CHAOS, Hesiod, NONE, ANY. In multicast DNS, the highest bit is a flag
/// (RFC 6762, sections 10.2 and 18.12).
fn is_class(class: usize) -> bool {
    matches!(class & 0x7fff, IN | 3 | 4 | 254 | 255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A response with a question, an answer, an authority record and an OPT record.
    fn response() -> Vec<u8> {
        [
            &b"\x12\x34\x81\x80\0\x01\0\x01\0\x01\0\x01"[..],
            b"\x03www\x07example\0\0\x01\0\x01",
            b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01",
            b"\xc0\x10\0\x02\0\x01\0\0\0\x3c\0\x05\x02ns\xc0\x10",
            b"\0\0\x29\x04\xd0\0\0\0\0\0\0",
        ]
        .concat()
    }

    fn question(bytes: &[u8], len: usize, is_expected: bool) -> Option<String> {
        let message = Message::parse(bytes, Context { len, is_expected })?;
        let mut buf = String::new();
        message.question(&mut buf).map(|(name, kind)| format!("{name} {kind}"))
    }

    #[test]
    fn header_counts_and_length_must_agree() {
        let message = response();
        for is_expected in [false, true] {
            let read = |bytes: &[u8]| question(bytes, bytes.len(), is_expected);
            assert_eq!(read(&message).as_deref(), Some("www.example A"));
            // Operation, reserved bit, counts, class, type.
            for (at, value) in
                [(2, 0x99), (3, 0xc0), (5, 0), (5, 2), (7, 0), (7, 2), (11, 0), (28, 9), (26, 0)]
            {
                let mut wrong = message.clone();
                wrong[at] = value;
                assert_eq!(read(&wrong), None, "{at} {value}");
            }
            assert_eq!(read(&[&message[..], &[1]].concat()), None);
            assert_eq!(read(&[&message[..], &[0]].concat()).is_some(), is_expected);
            assert_eq!(read(&message[..message.len() - 1]), None);
        }
        assert_eq!(question(&[0; 12], 12, true), None);
    }

    #[test]
    fn responses_have_code_and_answers() {
        let mut bytes = response();
        let read = |bytes: &[u8]| {
            let context = Context { len: response().len(), is_expected: true };
            let message = Message::parse(bytes, context).unwrap();
            let code = message.code().map(|code| code.to_string());
            (code, message.answers().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(read(&bytes), (Some("NOERROR".to_owned()), "192.0.2.1".to_owned()));
        let opt = bytes.len() - 6;
        (bytes[3], bytes[opt]) = (0x83, 1);
        assert_eq!(read(&bytes), (Some("RCODE19".to_owned()), "192.0.2.1".to_owned()));
        assert_eq!(read(&bytes[..50]), (None, "192.0.2.1".to_owned()));
        assert_eq!(read(&bytes[..40]), (None, String::new()));
        bytes[2] = 1;
        bytes[3] = 0;
        assert_eq!(read(&bytes).0, None, "a query");
    }

    #[test]
    fn expected_messages_may_be_cut() {
        let message = response();
        let end = 29; // of the question
        for len in 0..message.len() {
            let found = question(&message[..len], message.len(), true);
            assert_eq!(found.is_some(), end <= len, "{len}");
            assert_eq!(question(&message[..len], message.len(), false), None);
        }
    }

    #[test]
    fn multicast_messages_have_several_questions_or_none() {
        let header = |questions: u8| [0, 0, 0, 0, 0, questions, 0, 0, 0, 0, 0, 0];
        let one = b"\x01a\0\0\x0c\x80\x01";
        let message = [&header(2)[..], one, b"\xc0\x0c\0\x10\0\x01"].concat();
        assert_eq!(question(&message, message.len(), true).as_deref(), Some("a PTR"));
        assert_eq!(question(&message, message.len(), false), None);
    }

    #[test]
    fn segments_contain_whole_messages() {
        let message = response();
        let len = u16::try_from(message.len()).unwrap().to_be_bytes();
        let one = [&len[..], &message].concat();
        let two = one.repeat(2);
        let found = |bytes: &[u8], len: usize| first_in_segment(bytes, len, true).is_some();
        assert!(found(&one, one.len()) && found(&two, two.len()));
        for len in 0..two.len() {
            assert_eq!(found(&two[..len], len), len == one.len(), "{len}");
        }
        // The capture may omit the end of the only message.
        assert!(found(&one[..40], one.len()));
        assert!(!found(&one[..40], two.len()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_accepted(bytes: Vec<u8>, missing in 0usize..100, is_expected: bool) {
            question(&bytes, bytes.len() + missing, is_expected);
            first_in_segment(&bytes, bytes.len() + missing, is_expected);
        }
    }
}
