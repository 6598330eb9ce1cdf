//! The records other than packets and flows: `meta`, `stats`, `event` and `end`. This page specifies them;
//! [`crate::line`] specifies the `pkt` record.
//!
//! Each record is a JSON object on a line of its own, with `type` as its first key and the other
//! fields in the order of declaration. An absent field does not apply. Readers must ignore records
//! and fields that they do not know; they can be added without a new [`VERSION`].
//!
//! [`RecordFormat`](crate::RecordFormat) can turn the times into numbers with the unit in the name of the
//! field, and adds tags at the end of each record.
//!
//! Unless the user leaves types of records out, an output file has one `meta` as its first line and one `end` as its last line. Each interface has
//! a `stats` record at regular intervals (live only) and before the `end`.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the output format. It increases when the type or the meaning of a field changes.
pub const VERSION: u32 = 1;

/// A record about the capture itself, as opposed to a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum CaptureRecord {
    /// The first line of every file.
    Meta(Meta),
    /// Counters of one interface.
    Stats(Stats),
    /// A change that affects the capture.
    Event(Event),
    /// The last line of every file.
    End(End),
}

/// What produced the output, and from which source.
///
/// ```
/// # use summary::{Timestamp, record::*};
/// let meta = Meta {
///     v: VERSION,
///     tool: "sniffer".into(),
///     version: "0.1.0".into(),
///     start: Timestamp::from_ns(0),
///     host: None,
///     netns: None,
///     source: SourceKind::File,
///     file: Some("dump.pcap".into()),
///     filter: None,
///     snaplen: 262_144,
///     interfaces: vec![],
/// };
/// let mut line = Vec::new();
/// summary::write_json(&mut line, &CaptureRecord::Meta(meta)).unwrap();
/// assert!(line.starts_with(br#"{"type":"meta","v":1,"tool":"sniffer","version":"0.1.0","#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Version of the output format: [`VERSION`].
    pub v: u32,
    /// Name of the program that wrote the output.
    pub tool: String,
    /// Version of that program.
    pub version: String,
    /// Wall-clock time at which the run started.
    pub start: Timestamp,
    /// Host name (uname(2)); absent if it is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The network namespace of the interfaces, as it was named for `--netns`; absent if it is the one
    /// in which the program was started.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub netns: Option<String>,
    /// Where the packets come from.
    pub source: SourceKind,
    /// Names of the capture files read, joined by a comma and a space; `-` is standard input. Absent
    /// in live captures.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The filter expression; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filter: Option<String>,
    /// Maximum number of bytes captured per packet.
    pub snaplen: u32,
    /// The captured interfaces, or those that a file describes before its first packet.
    pub interfaces: Vec<Interface>,
}

/// Where the packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Network interfaces.
    Live,
    /// Capture files.
    File,
}

/// An element of `meta.interfaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Name; absent for pcap files, which do not contain it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Live: the kernel's interface index (netdevice(7)), 0 for `any`. File: position in the file,
    /// from 0.
    pub index: u32,
    /// [LINKTYPE_ number](https://www.tcpdump.org/linktypes.html).
    pub linktype: u16,
    /// Hardware address: six bytes in lower-case hexadecimal, separated by colons. Live only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<String>,
    /// Maximum transmission unit in bytes. Live only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mtu: Option<u32>,
    /// Whether this run enabled promiscuous mode. Live only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promisc: Option<bool>,
}

/// Counters of one interface since its previous `stats` record. Each record satisfies
/// `recv = out + skip + drop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Wall-clock time of the record.
    pub ts: Timestamp,
    /// Name of the interface; absent for files.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// Packets that the kernel delivered or dropped, or that the file contained: `tp_packets` of
    /// packet(7).
    pub recv: u64,
    /// Packets that the kernel dropped because the ring buffer was full: `tp_drops` of packet(7).
    pub drop: u64,
    /// How often the ring buffer became full: `tp_freeze_q_cnt` of packet(7).
    pub freeze: u64,
    /// Packets that the interface lost before the kernel saw them, from its own counters.
    pub if_drop: u64,
    /// `pkt` records written, or left out on request.
    pub out: u64,
    /// Packets that did not match the filter, where the filter runs in user space.
    pub skip: u64,
    /// Sum of `len` of these records.
    pub bytes: u64,
    /// Incomplete messages that were given up because there were too many: their names are missing.
    /// Absent if the run does not look for names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub names_evicted: Option<u64>,
}

/// A change that affects the capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Wall-clock time of the event.
    pub ts: Timestamp,
    /// Name of the interface concerned; absent if the event concerns none.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// What happened.
    pub event: EventKind,
    /// `reattached`, `iface_up`, `drop_end`: length of the gap that ends here, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gap_ns: Option<u64>,
    /// `drop_end`: number of packets dropped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub drop: Option<u64>,
    /// `drop_end`: capture time of the last packet before the first drop. No packet up to then was
    /// dropped. Absent if no packet was captured before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ts_before: Option<Timestamp>,
    /// `drop_end`: capture time of the first packet after the last drop. No packet from then on was
    /// dropped. Absent if no packet was captured since.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ts_after: Option<Timestamp>,
    /// `iface_renamed`: the new name. `if` is the old one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_name: Option<String>,
    /// `iface_mtu`: the new maximum transmission unit in bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mtu: Option<u32>,
    /// `trigger`: number of the packet that was the trigger. Absent if it was SIGUSR1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub n: Option<u64>,
    /// `trigger`: number of packets that were written from memory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub packets: Option<u64>,
}

impl Event {
    /// An event without optional fields.
    pub const fn new(ts: Timestamp, event: EventKind) -> Self {
        Self {
            ts,
            interface: None,
            event,
            gap_ns: None,
            drop: None,
            ts_before: None,
            ts_after: None,
            new_name: None,
            mtu: None,
            n: None,
            packets: None,
        }
    }
}

/// What an [`Event`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The interface went down; the capture waits for it.
    IfaceDown,
    /// The interface came back up.
    IfaceUp,
    /// The interface was removed; the capture waits for an interface with its name.
    IfaceGone,
    /// An interface with the same name appeared, and the capture continues on it.
    Reattached,
    /// The interface was renamed.
    IfaceRenamed,
    /// The maximum transmission unit of the interface changed.
    IfaceMtu,
    /// The network namespace of `--netns` was deleted or replaced, or its process ended. The capture
    /// continues on the old interfaces.
    NetnsGone,
    /// The kernel started to drop packets because the ring buffer was full.
    DropBegin,
    /// No packet was dropped for one second, or the capture ended. `gap_ns` is an upper bound of how
    /// long the losses lasted: from the last reading of the counters before the first drop to the last
    /// with new drops.
    DropEnd,
    /// Packets in memory were written, and those after them follow.
    Trigger,
    /// The output continues in the next file.
    Rotated,
    /// An event that this version does not know.
    #[serde(other)]
    Other,
}

/// Why a file ended, and its totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Wall-clock time of the record.
    pub ts: Timestamp,
    /// Why the file ended.
    pub reason: Reason,
    /// Sum of `stats.recv`.
    pub recv: u64,
    /// Sum of `stats.drop`.
    pub drop: u64,
    /// Sum of `stats.out`.
    pub out: u64,
    /// Sum of `stats.skip`.
    pub skip: u64,
    /// Sum of `stats.bytes`.
    pub bytes: u64,
    /// Sum of `stats.names_evicted`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub names_evicted: Option<u64>,
}

/// Why a run, or one of its output files, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The requested number of packets was reached.
    Count,
    /// The requested duration of the run was reached, or that of the last file.
    Duration,
    /// The requested size of the file was reached.
    Size,
    /// The next file was started, by SIGHUP or after the requested time. The run continues.
    Rotated,
    /// A signal stopped the run, such as SIGINT from Ctrl+C.
    Signal,
    /// All input files were read to their ends.
    Eof,
    /// The run failed; the error is on standard error.
    Error,
}

impl Reason {
    /// The value of `end.reason`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Rotated => "rotated",
            Self::Signal => "signal",
            Self::Eof => "eof",
            Self::Error => "error",
        }
    }
}
