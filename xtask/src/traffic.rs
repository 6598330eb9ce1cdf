//! Traffic of this program's own over loopback: something to see in every capture.

use anyhow::Result;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

/// Segments of usual size instead of loopback's 64 kB: 1,514 bytes a frame.
const MAX_SEGMENT_LEN: u32 = 1448;

/// Exchanges of a sample.
const SAMPLE_ROUNDS: u64 = 120;

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// As many rounds as a sample needs.
    Sample,
    /// For a time, a round every few milliseconds.
    Time(Duration),
}

/// Makes TCP, UDP and ICMP traffic over IPv4, and UDP over IPv6 where there is any.
///
/// # Errors
///
/// Where loopback does not carry it.
pub fn make(length: Length) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    let sink = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let sink6 = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).ok();
    let start = Instant::now();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut round = 0;
    loop {
        match length {
            Length::Sample if round == SAMPLE_ROUNDS => return Ok(()),
            Length::Time(time) if time <= start.elapsed() => return Ok(()),
            Length::Sample => {}
            // A rate, not a wait for something: without it the capture would be all noise.
            Length::Time(_) => thread::sleep(Duration::from_millis(random.below(12))),
        }
        round += 1;
        match random.below(10) {
            0..=3 => exchange(server, random.below(60_000))?,
            4..=7 => query(sink.local_addr()?, random.below(300), random.below(1_300))?,
            8 => ping(random.below(1_000)),
            _ => {
                if let Some(sink) = &sink6 {
                    query(sink.local_addr()?, random.below(200), random.below(1_200))?;
                }
            }
        }
    }
}

/// Reads how much is wanted and sends that much.
fn serve(mut stream: TcpStream) -> Option<()> {
    let mut wanted = [0; 8];
    stream.read_exact(&mut wanted).ok()?;
    let wanted = usize::try_from(u64::from_be_bytes(wanted)).ok()?;
    stream.write_all(&vec![b'.'; wanted]).ok()
}

/// A TCP connection: a small request, an answer of that many bytes.
fn exchange(server: SocketAddr, answer_len: u64) -> Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_tcp_mss(MAX_SEGMENT_LEN)?;
    socket.connect(&server.into())?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(&answer_len.to_be_bytes())?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(())
}

/// A UDP datagram there, another back.
fn query(sink: SocketAddr, question_len: u64, answer_len: u64) -> Result<()> {
    let socket = UdpSocket::bind(match sink {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
    })?;
    let len = |len: u64| usize::try_from(len).unwrap_or(0);
    socket.send_to(&vec![b'?'; len(question_len)], sink)?;
    let back = UdpSocket::bind((sink.ip(), 0))?;
    back.send_to(&vec![b'!'; len(answer_len)], socket.local_addr()?)?;
    Ok(())
}

/// An ICMP echo; where this process may not send one, nothing.
fn ping(len: u64) {
    let kinds = [Type::RAW, Type::DGRAM];
    let open = |kind| Socket::new(Domain::IPV4, kind, Some(Protocol::ICMPV4)).ok();
    let Some(socket) = kinds.into_iter().find_map(open) else { return };
    let mut echo = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1];
    echo.resize(8 + usize::try_from(len).unwrap_or(0), b'.');
    let checksum = checksum(&echo);
    echo[2..4].copy_from_slice(&checksum.to_be_bytes());
    let localhost = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // Nothing depends on it.
    let _ = socket.send_to(&echo, &localhost.into());
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// The same numbers each time (xorshift64): a sample need not surprise.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_over_itself_is_zero() {
        let mut echo = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1, 7];
        let sum = checksum(&echo);
        echo[2..4].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(checksum(&echo), 0);
    }
}
