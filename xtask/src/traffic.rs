//! Generates traffic on loopback, so that a capture in a demo or test is never empty.

use anyhow::Result;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crate::random::Random;

/// Ethernet's usual segment size instead of loopback's 64 kB: frames of at most 1,514 bytes.
const MAX_SEGMENT_LEN: u32 = 1448;

/// Time between two exchanges: it sets the packet rate and waits for nothing.
const PAUSE: Duration = Duration::from_millis(6);

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this many exchanges, made without pause.
    Rounds(u64),
    /// After this time, with one exchange every few milliseconds.
    Elapsed(Duration),
}

/// Generates TCP, UDP and ICMP over IPv4, and UDP over IPv6 if there is any.
///
/// # Errors
///
/// If loopback does not work.
pub fn generate(until: Until) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    // The sockets stay open: closed ports would answer with ICMP errors.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let sink = socket.local_addr()?;
    let socket6 = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0));
    let sink6 = socket6.as_ref().ok().and_then(|socket| socket.local_addr().ok());
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let mut exchange_one = || match random.between(0, 9) {
        0..=3 => exchange(server, random.between(0, 59_999)),
        4..=7 => query(sink, random.between(0, 299), random.between(0, 1_299)),
        8 => {
            ping(random.between(0, 999));
            Ok(())
        }
        _ => {
            let (question_len, answer_len) = (random.between(0, 199), random.between(0, 1_199));
            sink6.map_or(Ok(()), |sink| query(sink, question_len, answer_len))
        }
    };
    match until {
        Until::Rounds(count) => (0..count).try_for_each(|_| exchange_one()),
        Until::Elapsed(time) => {
            let start = Instant::now();
            while start.elapsed() < time {
                exchange_one()?;
                thread::sleep(PAUSE);
            }
            Ok(())
        }
    }
}

/// Reads the length of the answer, then sends an answer of that length.
fn serve(mut stream: TcpStream) -> Option<()> {
    let mut answer_len = [0; 8];
    stream.read_exact(&mut answer_len).ok()?;
    let answer_len = usize::try_from(u64::from_be_bytes(answer_len)).ok()?;
    stream.write_all(&vec![b'.'; answer_len]).ok()
}

/// One TCP connection: a short request, and an answer of `answer_len` bytes.
fn exchange(server: SocketAddr, answer_len: u64) -> Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_tcp_mss(MAX_SEGMENT_LEN)?;
    socket.connect(&server.into())?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(&answer_len.to_be_bytes())?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(())
}

/// A UDP datagram to `sink`, and one in the other direction.
fn query(sink: SocketAddr, question_len: u64, answer_len: u64) -> Result<()> {
    let socket = UdpSocket::bind(match sink {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
    })?;
    let len = |len: u64| usize::try_from(len).unwrap_or(0);
    socket.send_to(&vec![b'?'; len(question_len)], sink)?;
    let answering = UdpSocket::bind((sink.ip(), 0))?;
    answering.send_to(&vec![b'!'; len(answer_len)], socket.local_addr()?)?;
    Ok(())
}

/// An ICMP echo request, if this process may send one.
fn ping(len: u64) {
    let types = [Type::RAW, Type::DGRAM];
    let open = |kind| Socket::new(Domain::IPV4, kind, Some(Protocol::ICMPV4)).ok();
    let Some(socket) = types.into_iter().find_map(open) else { return };
    let mut echo = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1];
    echo.resize(8 + usize::try_from(len).unwrap_or(0), b'.');
    let checksum = checksum(&echo);
    echo[2..4].copy_from_slice(&checksum.to_be_bytes());
    let localhost = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // Nothing depends on this packet.
    let _ = socket.send_to(&echo, &localhost.into());
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let values =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = values.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_a_message_with_its_checksum_is_zero() {
        let mut echo = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1, 7];
        let sum = checksum(&echo);
        echo[2..4].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(checksum(&echo), 0);
    }
}
