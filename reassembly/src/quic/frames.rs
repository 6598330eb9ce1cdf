//! Frames of Initial packets (RFC 9000, sections 12.4 and 19).

use summary::take_variable_int;

const PADDING: u64 = 0;
const PING: u64 = 1;
const ACK: u64 = 2;
const ACK_ECN: u64 = 3;
const CRYPTO: u64 = 6;

/// The CRYPTO frames in the content of a packet: offset and data. They end before a frame that is damaged
/// or not allowed in Initial packets, except that a frame after all others closes the connection.
pub(super) fn crypto(content: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = content;
    std::iter::from_fn(move || {
        loop {
            match take_variable_int(&mut rest)? {
                PADDING | PING => {}
                kind @ (ACK | ACK_ECN) => skip_ack(&mut rest, kind)?,
                CRYPTO => {
                    let offset = usize::try_from(take_variable_int(&mut rest)?).ok()?;
                    let len = usize::try_from(take_variable_int(&mut rest)?).ok()?;
                    let (data, after) = rest.split_at_checked(len)?;
                    rest = after;
                    return Some((offset, data));
                }
                _ => return None,
            }
        }
    })
}

fn skip_ack(rest: &mut &[u8], kind: u64) -> Option<()> {
    take_variable_int(rest)?; // largest acknowledged
    take_variable_int(rest)?; // delay
    let range_count = take_variable_int(rest)?;
    let ecn_count = if kind == ACK_ECN { 3 } else { 0 };
    let count = range_count.checked_mul(2)?.checked_add(1 + ecn_count)?;
    // Each takes a byte at least, so a false count ends the packet.
    for _ in 0..count {
        take_variable_int(rest)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crypto_frames_are_found_between_others() {
        let content = [
            &[0, 1, 2, 5, 0, 1, 0, 1, 1][..], // padding, ping, an acknowledgement with two ranges
            &[6, 0x40, 0x64, 2, b'a', b'b', 3, 5, 0, 0, 0, 1, 2, 3], // and one with ECN counts
            &[6, 0, 1, b'c', 0, 0],
        ]
        .concat();
        let found: Vec<_> = crypto(&content).collect();
        assert_eq!(found, [(100, &b"ab"[..]), (0, &b"c"[..])]);
        for damaged in [&[6, 0, 3, b'a', b'b'][..], &[2, 0, 0, 0xff, 0xff], &[6], &[0x1e, 6, 0, 0]]
        {
            assert_eq!(crypto(damaged).count(), 0, "{damaged:?}");
        }
    }
}
