//! Starts a stream.

use summary::Timestamp;
use summary::record::{Interface, Meta, SourceKind, VERSION};

use super::{Destination, Options, SourceCounts, Stream};
use crate::Error;
use crate::counts::Counts;
use crate::flows::Flows;
use crate::line_formatter::LineFormatter;
use crate::output::Output;
use crate::outputs::Outputs;
use crate::packet_file::{Description, PacketFile};
use crate::record_types::RecordType;

impl Stream {
    /// Starts a stream by writing `meta`; without it, no file remains. Sources are the interfaces of a
    /// live run, or one for all files. `start` is the start of the run, before the first packet could
    /// be captured. `is_big_endian` is the byte order of the first packet's headers.
    pub(crate) fn open(
        outputs: Outputs,
        options: &Options,
        (source, is_big_endian): (SourceKind, bool),
        file: Option<String>,
        interfaces: Vec<Interface>,
        start: Timestamp,
    ) -> Result<Self, Error> {
        let Outputs { lines, packets, selection } = outputs;
        let described = if source == SourceKind::Live { &interfaces[..] } else { &[] };
        let description =
            Description { is_big_endian, snaplen: options.snaplen, filter: options.filter.clone() };
        let packets = packets
            .map(|output| PacketFile::open(output, selection, description, described, start))
            .transpose();
        let packets = match packets {
            Ok(packets) => packets,
            Err(error) => {
                lines.into_iter().for_each(Output::discard);
                return Err(error);
            }
        };
        let source_count = if source == SourceKind::Live { interfaces.len() } else { 1 };
        let has_lines = options.types.contains(RecordType::Packet);
        let mut stream = Self {
            lines,
            packets,
            types: options.types,
            format: options.fields.format.clone(),
            formatter: LineFormatter::new(options.fields.clone()),
            flows: Flows::new(options.flows, &options.fields.format),
            has_names: (has_lines && (options.fields.has_names || options.fields.has_ja4))
                || options.flows.has_records,
            limit: options.count.unwrap_or(u64::MAX),
            meta: Meta {
                v: VERSION,
                tool: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
                start,
                host: nix::unistd::gethostname()
                    .ok()
                    .map(|name| name.to_string_lossy().into_owned()),
                netns: options.netns.clone(),
                source,
                file,
                filter: options.filter.clone(),
                snaplen: options.snaplen,
                interfaces,
            },
            sources: vec![SourceCounts::default(); source_count],
            file_counts: Counts::default(),
            complete_counts: Counts::default(),
            out: 0,
            skip: 0,
            triggered: Vec::new(),
        };
        match stream.start_lines(Destination::All) {
            Ok(()) => Ok(stream),
            Err(error) => {
                stream.lines.into_iter().for_each(Output::discard);
                stream.packets.into_iter().for_each(PacketFile::discard);
                Err(error)
            }
        }
    }
}
