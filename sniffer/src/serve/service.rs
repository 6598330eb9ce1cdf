//! Responds to requests for the page and the capture.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::page::{File, Page};
use super::token::Token;
use super::{frame_list, host, range};
use crate::http::{Limits, Piece, Request, Response, Service, Wakeup};
use crate::line_buffer::{Available, LineBuffer, Slice};
use crate::packet_buffer::{BufferedPacket, PacketBuffer};
use crate::packet_file::section_of;

/// The name of the capture below the token.
pub(super) const CAPTURE: &str = "capture.ndjson";

/// The directory of packets below the token. The name of a packet is its number.
const PACKETS: &str = "packets/";

/// The ends of the names of a list of packets, and its formats. The name before it contains numbers and ranges:
/// `1-5,7`.
const LIST_FORMATS: [(&str, ListFormat); 2] =
    [(".pcapng", ListFormat::Section), (".bin", ListFormat::Records)];

/// Most bytes of the capture in a response to a range. A request costs browsers about as much time as 2 MiB.
const MAX_RANGE_LEN: usize = 16 << 20;

/// Most bytes of packets in a response to a list. The capture waits while they are copied.
const MAX_LIST_LEN: usize = 1 << 20;

/// The format of a list of packets.
#[derive(Clone, Copy, Debug)]
enum ListFormat {
    /// A section of a pcapng file.
    Section,
    /// Records of [`frame_list`].
    Records,
}

/// Responds to requests for the page and the capture.
#[derive(Debug)]
pub(super) struct CaptureService {
    pub(super) token: Token,
    /// The address on which the server listens.
    pub(super) address: IpAddr,
    pub(super) page: Page,
    pub(super) lines: LineBuffer,
    pub(super) packets: PacketBuffer,
}

impl Service for CaptureService {
    const LIMITS: Limits = Limits {
        connections: 32,
        request: Duration::from_secs(5),
        wait: Duration::from_secs(1),
        // The link may be slow: that of a tunnel.
        response: Duration::from_secs(60),
    };
    const KEEPS_ALIVE: bool = true;

    fn respond(&self, request: &Request<'_>, is_final: bool) -> Option<Response> {
        let mut hosts = request.headers("Host");
        let is_own = |value: &[u8]| host::is_own(value, self.address);
        if !hosts.next().is_some_and(is_own) || hosts.next().is_some() {
            let text = "open the address that sniffer printed\n";
            return Some(protect(Response::text("421 Misdirected Request", text)));
        }
        let path = request.path().strip_prefix('/').and_then(|path| path.split_once('/'));
        let name = path.and_then(|(token, name)| self.token.is(token).then_some(name));
        let file = name.and_then(|name| self.page.file(name));
        let packet = name.and_then(|name| name.strip_prefix(PACKETS));
        let n = packet.and_then(|name| name.parse().ok());
        let list = packet.and_then(|name| {
            let mut lists = LIST_FORMATS.iter();
            let (numbers, format) =
                lists.find_map(|(end, format)| Some((name.strip_suffix(end)?, *format)))?;
            Some((range::parse_list(numbers)?, format))
        });
        let response = match (name, n, list, file) {
            (Some(CAPTURE), ..) => self.capture(request, is_final)?,
            (_, Some(n), ..) => self.packet(n),
            (_, _, Some((ranges, format)), _) => self.packet_list(&ranges, format),
            (.., Some(file)) => {
                self.lines.expect_reader();
                respond_with_file(request, file)
            }
            _ => Response::text("404 Not Found", "not found\n"),
        };
        Some(protect(response))
    }

    fn wakeup(&self) -> Option<&Wakeup> {
        Some(self.lines.wakeup())
    }
}

impl CaptureService {
    /// Responds with lines of the capture; `None` to wait for them.
    fn capture(&self, request: &Request<'_>, is_final: bool) -> Option<Response> {
        let mut ranges = request.headers("Range");
        let from = match (ranges.next(), ranges.next()) {
            (None, _) => return Some(self.all_lines()),
            (Some(value), None) => range::parse(value),
            _ => None,
        };
        let Some(from) = from else {
            return Some(Response::text("400 Bad Request", "expected Range: bytes=N-\n"));
        };
        let response = match self.lines.read(from, MAX_RANGE_LEN) {
            Available::Lines { start, slices, total } => {
                let end = start + slices.iter().map(|slice| slice.range.len() as u64).sum::<u64>();
                let total = total.map_or("*".to_owned(), |total| total.to_string());
                let range = format!("bytes {start}-{}/{total}", end - 1);
                lines("206 Partial Content", slices).header("Content-Range", range)
            }
            Available::Nothing if is_final => Response::new("204 No Content"),
            Available::Nothing => return None,
            Available::End(total) => Response::new("416 Range Not Satisfiable")
                .header("Content-Range", format!("bytes */{total}")),
        };
        Some(response.header("Cache-Control", "no-store"))
    }

    /// Responds with the bytes of a packet, without content if they are not in memory.
    fn packet(&self, n: u64) -> Response {
        let response = match self.packets.get(n) {
            Some(BufferedPacket { link, wire_len, bytes }) => Response::new("200 OK")
                .header("Content-Type", "application/octet-stream")
                .header("Link-Type", link.0.to_string())
                .header("Wire-Length", wire_len.to_string())
                .body([Piece::Owned(bytes)]),
            None => Response::new("204 No Content"),
        };
        response.header("Cache-Control", "no-store")
    }

    /// Responds with several packets, without content if none of them are in memory.
    fn packet_list(&self, ranges: &[RangeInclusive<u64>], format: ListFormat) -> Response {
        let copied = self.packets.copy(ranges, MAX_LIST_LEN);
        let count = copied.iter().len();
        let response = match count {
            0 => Response::new("204 No Content"),
            _ => Response::new("200 OK")
                .header("Content-Type", "application/octet-stream")
                .header("Packet-Count", count.to_string())
                .body([Piece::Owned(match format {
                    ListFormat::Section => section_of(copied.description.clone(), copied.iter()),
                    ListFormat::Records => frame_list::encode(copied.iter()),
                })]),
        };
        let response = response.header("Cache-Control", "no-store");
        match copied.next {
            Some(n) => response.header("Next-Packet", n.to_string()),
            None => response,
        }
    }

    /// Responds with all lines in memory.
    fn all_lines(&self) -> Response {
        lines("200 OK", self.lines.read_all()).header("Cache-Control", "no-store")
    }
}

fn lines(status: &'static str, slices: Vec<Slice>) -> Response {
    Response::new(status)
        .header("Content-Type", "application/x-ndjson")
        .header("Accept-Ranges", "bytes")
        .body(slices.into_iter().map(|Slice { chunk, range }| Piece::Shared(chunk, range)))
}

fn respond_with_file(request: &Request<'_>, file: File) -> Response {
    // The addresses of all other files contain their version.
    let caching = if file.is_index() { "no-cache" } else { "private, max-age=86400" };
    let response = Response::new("200 OK")
        .header("Content-Type", file.media_type())
        .header("Cache-Control", caching)
        .header("Vary", "Accept-Encoding");
    if request.headers("Accept-Encoding").any(accepts_gzip) {
        return response.header("Content-Encoding", "gzip").body([Piece::Static(file.compressed)]);
    }
    match file.decompress() {
        Ok(bytes) => response.body([Piece::Owned(bytes)]),
        Err(_) => Response::text("500 Internal Server Error", "damaged program\n"),
    }
}

/// Whether a value of `Accept-Encoding` contains gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|coding| {
        let mut parts = coding.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(b"gzip"));
        is_gzip && !parts.any(|part| matches!(part, b"q=0" | b"q=0.0" | b"q=0.00" | b"q=0.000"))
    })
}

/// Adds headers that keep other sites from using the response.
fn protect(response: Response) -> Response {
    response
        .header("Content-Security-Policy", "frame-ancestors 'none'")
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Cross-Origin-Resource-Policy", "same-origin")
        .header("Referrer-Policy", "no-referrer")
}

#[cfg(test)]
#[path = "service/tests.rs"]
mod tests;
