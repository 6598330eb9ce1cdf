//! The records of the stream besides packets: `meta`, `stats`, `event`, `end`.
//!
//! Fields come in the order declared here. Absent means "does not apply"; readers ignore fields
//! that they do not know.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the stream that this crate writes: changed when a field's type or meaning does.
pub const VERSION: u32 = 1;

/// Any record but a packet; serializes with `type` as its first key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum CaptureRecord {
    /// The first line of every file.
    Meta(Meta),
    /// Counters of one interface since the last such record.
    Stats(Stats),
    /// Something happened to the capture itself.
    Event(Event),
    /// The last line of every file.
    End(End),
}

/// The first line: what wrote the stream, and from what.
///
/// ```
/// # use summary::{Timestamp, record::*};
/// let meta = Meta {
///     v: VERSION,
///     tool: "sniffer".into(),
///     version: "0.1.0".into(),
///     start: Timestamp::from_ns(0),
///     host: None,
///     source: SourceKind::File,
///     file: Some("dump.pcap".into()),
///     filter: None,
///     snaplen: 262_144,
///     interfaces: vec![],
/// };
/// let line = serde_json::to_string(&CaptureRecord::Meta(meta)).unwrap();
/// assert!(line.starts_with(r#"{"type":"meta","v":1,"tool":"sniffer","version":"0.1.0","#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Version of the stream: [`VERSION`].
    pub v: u32,
    /// The program that wrote it.
    pub tool: String,
    /// That program's version.
    pub version: String,
    /// Wall clock at the start of the run.
    pub start: Timestamp,
    /// Host name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// Where the packets come from.
    pub source: SourceKind,
    /// Name of the capture file read; `-` is standard input. Of several files their names, with a comma
    /// and a space between them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// Text of the filter, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filter: Option<String>,
    /// Most bytes kept of a packet.
    pub snaplen: u32,
    /// The interfaces; of a file those that it described before its first packet.
    pub interfaces: Vec<Interface>,
}

/// Where the packets of a stream come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// An interface, while it happens.
    Live,
    /// A capture file.
    File,
}

/// One element of `meta.interfaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Name, where it has one: pcap files have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The kernel's index (0 for `any`), or the place in the file.
    pub index: u32,
    /// LINKTYPE_ number.
    pub linktype: u16,
    /// Hardware address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<String>,
    /// Maximum transmission unit in bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mtu: Option<u32>,
    /// Whether this run put it into promiscuous mode.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promisc: Option<bool>,
}

/// Counters of one interface since its last `stats`. `recv = out + skip + drop` in each record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Wall clock.
    pub ts: Timestamp,
    /// Interface; absent for files.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// Packets that the kernel, or the file, had for this run.
    pub recv: u64,
    /// Packets that the kernel dropped because the ring was full.
    pub drop: u64,
    /// Times the ring was full.
    pub freeze: u64,
    /// Packets that the interface itself lost.
    pub if_drop: u64,
    /// `pkt` lines written.
    pub out: u64,
    /// Packets filtered out in user space.
    pub skip: u64,
    /// Bytes on the wire of the lines written.
    pub bytes: u64,
}

/// Something happened to the capture itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Wall clock.
    pub ts: Timestamp,
    /// The interface concerned.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// What happened.
    pub event: EventKind,
    /// Length of the gap that ends here, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gap_ns: Option<u64>,
    /// The name that the interface has from here on; `interface` is the one before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_name: Option<String>,
    /// The maximum transmission unit that the interface has from here on, in bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mtu: Option<u32>,
}

/// What an [`Event`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The interface went down; the capture waits.
    IfaceDown,
    /// The interface came back up.
    IfaceUp,
    /// The interface no longer exists; the capture waits for one of that name.
    IfaceGone,
    /// There is an interface of that name again, and it is captured on.
    Reattached,
    /// The interface has a new name.
    IfaceRenamed,
    /// The interface has a new maximum transmission unit.
    IfaceMtu,
    /// The kernel began to drop packets, for its buffer is full.
    DropBegin,
    /// No packet was dropped for a second; `gap_ns` is how long packets were.
    DropEnd,
    /// The file ends here, and the run goes on in the next one.
    Rotated,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

/// The last line: why the file ended, and its totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Wall clock.
    pub ts: Timestamp,
    /// Why it ended.
    pub reason: Reason,
    /// Total of `stats.recv`.
    pub recv: u64,
    /// Total of `stats.drop`.
    pub drop: u64,
    /// Total of `stats.out`.
    pub out: u64,
    /// Total of `stats.skip`.
    pub skip: u64,
    /// Total of `stats.bytes`.
    pub bytes: u64,
}

/// Why a run, or one of its files, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// As many packets as asked for.
    Count,
    /// As long as asked for, the run or its file.
    Duration,
    /// A file as large as asked for.
    Size,
    /// A signal, such as Ctrl-C.
    Signal,
    /// The file ended.
    Eof,
    /// Something failed; standard error has the words.
    Error,
}

impl Reason {
    /// The value of `reason`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Signal => "signal",
            Self::Eof => "eof",
            Self::Error => "error",
        }
    }
}
