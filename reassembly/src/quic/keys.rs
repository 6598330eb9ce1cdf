//! The keys of a client's Initial packets, which follow from a connection ID (RFC 9001, section 5.2).

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockEncrypt;
use aes_gcm::{Aes128Gcm, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use summary::QuicPacket;

const SALT_1: [u8; 20] =
    *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
const SALT_2: [u8; 20] =
    *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
/// Of drafts 29 to 32.
const SALT_DRAFT_29: [u8; 20] =
    *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
/// Of drafts 23 to 28, and of Facebook's versions.
const SALT_DRAFT_23: [u8; 20] =
    *b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";

/// Length of the tag at the end of a packet.
const TAG_LEN: usize = 16;
const MAX_PACKET_NUMBER_LEN: usize = 4;
const SAMPLE_LEN: usize = 16;

/// Removes the protection of the Initial packets that a client sends.
pub(super) struct ClientKeys {
    packet: Aes128Gcm,
    iv: [u8; 12],
    header: Aes128,
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientKeys").finish_non_exhaustive()
    }
}

impl ClientKeys {
    /// The keys for the connection ID that the client chose for the server. `None` if they are not known
    /// for the version.
    pub(super) fn new(version: u32, destination_id: &[u8]) -> Option<Self> {
        let salt = match version.to_be_bytes() {
            [0, 0, 0, 1] | [0xff, 0, 0, 33..=34] => SALT_1,
            [0xff, 0, 0, 29..=32] => SALT_DRAFT_29,
            [0xff, 0, 0, 23..=28] | [0xfa, 0xce, 0xb0, 2..=15] => SALT_DRAFT_23,
            _ if version == QuicPacket::VERSION_2 => SALT_2,
            _ => return None,
        };
        let material = Material::derive(version, &salt, destination_id)?;
        Some(Self {
            packet: Aes128Gcm::new(&material.key.into()),
            iv: material.iv,
            header: Aes128::new(&material.header.into()),
        })
    }

    /// Decrypts the payload of a packet into `out`. Returns false if it is not a complete packet with
    /// these keys.
    #[must_use]
    pub(super) fn decrypt(&self, packet: &QuicPacket<'_>, out: &mut Vec<u8>) -> bool {
        self.try_decrypt(packet, out).is_some()
    }

    /// RFC 9001, sections 5.3 and 5.4.
    fn try_decrypt(&self, packet: &QuicPacket<'_>, out: &mut Vec<u8>) -> Option<()> {
        let sample_start = packet.header_len + MAX_PACKET_NUMBER_LEN;
        let sample: [u8; SAMPLE_LEN] = *packet.bytes.get(sample_start..)?.first_chunk()?;
        let mut mask = sample.into();
        self.header.encrypt_block(&mut mask);
        let mut header = [0; 1 + MAX_PACKET_NUMBER_LEN];
        header[0] = packet.bytes[0] ^ mask[0] & 0x0f;
        let number_len = usize::from(header[0] & 3) + 1;
        let header_len = packet.header_len + number_len;
        let (protected, content) = packet.bytes.split_at_checked(header_len)?;
        let mut nonce = self.iv;
        out.clear();
        out.extend_from_slice(protected);
        out[0] = header[0];
        for index in 0..number_len {
            let byte = packet.bytes[packet.header_len + index] ^ mask[1 + index];
            out[packet.header_len + index] = byte;
            // The packet numbers at the start of a connection are complete.
            nonce[nonce_index(number_len, index)] ^= byte;
        }
        let content_len = content.len().checked_sub(TAG_LEN)?;
        let (content, tag) = content.split_at(content_len);
        out.extend_from_slice(content);
        let (header, content) = out.split_at_mut(header_len);
        let nonce = Nonce::from(nonce);
        let tag = Tag::clone_from_slice(tag);
        self.packet.decrypt_in_place_detached(&nonce, header, content, &tag).ok()?;
        out.drain(..header_len);
        Some(())
    }
}

/// The bytes of the keys.
struct Material {
    key: [u8; 16],
    iv: [u8; 12],
    header: [u8; 16],
}

impl Material {
    /// RFC 9001, section 5.2; RFC 9369, section 3.3.
    fn derive(version: u32, salt: &[u8], destination_id: &[u8]) -> Option<Self> {
        let initial = Hkdf::<Sha256>::new(Some(salt), destination_id);
        let secret: [u8; 32] = expand(&initial, "client in")?;
        let secret = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        let [key, iv, header] = match version {
            QuicPacket::VERSION_2 => ["quicv2 key", "quicv2 iv", "quicv2 hp"],
            _ => ["quic key", "quic iv", "quic hp"],
        };
        Some(Self {
            key: expand(&secret, key)?,
            iv: expand(&secret, iv)?,
            header: expand(&secret, header)?,
        })
    }
}

/// Index in a nonce of a byte of a packet number.
fn nonce_index(number_len: usize, index: usize) -> usize {
    12 - number_len + index
}

/// HKDF-Expand-Label without context (RFC 8446, section 7.1).
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> Option<[u8; N]> {
    let (len, label_len) = (u16::try_from(N).ok()?, u8::try_from(6 + label.len()).ok()?);
    let mut out = [0; N];
    let info = [&len.to_be_bytes()[..], &[label_len], b"tls13 ", label.as_bytes(), &[0]];
    secret.expand_multi_info(&info, &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The connection ID of the examples in RFC 9001 and RFC 9369.
    const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    impl ClientKeys {
        /// The packet with this header, which ends with a packet number of four bytes, and content.
        pub(crate) fn encrypt(&self, header: &[u8], content: &[u8]) -> Vec<u8> {
            let (start, number) = header.split_at(header.len() - 4);
            let mut nonce = self.iv;
            nonce.iter_mut().skip(8).zip(number).for_each(|(nonce, byte)| *nonce ^= byte);
            let mut content = content.to_vec();
            let nonce = Nonce::from(nonce);
            let tag = self.packet.encrypt_in_place_detached(&nonce, header, &mut content).unwrap();
            content.extend_from_slice(&tag);
            let mut mask = <[u8; SAMPLE_LEN]>::try_from(&content[..SAMPLE_LEN]).unwrap().into();
            self.header.encrypt_block(&mut mask);
            let mut packet = [start, number, &content].concat();
            packet[0] ^= mask[0] & 0x0f;
            let number = &mut packet[start.len()..start.len() + 4];
            number.iter_mut().zip(&mask[1..]).for_each(|(byte, mask)| *byte ^= mask);
            packet
        }
    }

    #[test]
    fn keys_are_those_of_the_examples() {
        let keys = |version, salt: &[u8]| {
            let Material { key, iv, header } = Material::derive(version, salt, &ID).unwrap();
            [hex(&key), hex(&iv), hex(&header)]
        };
        // RFC 9001, A.1.
        let expected = [
            "1f369613dd76d5467730efcbe3b1a22d",
            "fa044b2f42a3fd3b46fb255c",
            "9f50449e04a0e810283a1e9933adedd2",
        ];
        assert_eq!(keys(1, &SALT_1), expected);
        // RFC 9369, A.1.
        let expected = [
            "8b1a0bc121284290a29e0971b5cd045d",
            "91f73e2351d8fa91660e909f",
            "45b95e15235d6f45a6b19cbcb0294ba9",
        ];
        assert_eq!(keys(QuicPacket::VERSION_2, &SALT_2), expected);
    }

    /// RFC 9001, A.2, and RFC 9369, A.2: the same content in a packet of each version. The tag at the end
    /// depends on every byte.
    #[test]
    fn packets_are_those_of_the_examples() {
        let frame = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69\
            484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a0008\
            0006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9\
            caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e04\
            03050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff050480\
            00ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";
        let bytes = |text: &str| -> Vec<u8> {
            let digits: Vec<_> = text.chars().filter(char::is_ascii_hexdigit).collect();
            let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
            digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
        };
        let mut content = bytes(frame);
        content.resize(1162, 0);
        for (version, header, start, end) in [
            (
                1,
                "c300000001088394c8f03e5157080000449e00000002",
                "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
                "e221af44860018ab0856972e194cd934",
            ),
            (
                QuicPacket::VERSION_2,
                "d36b3343cf088394c8f03e5157080000449e00000002",
                "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
                "a18b2faa745b6fe189cf772a9f84cbfc",
            ),
        ] {
            let keys = ClientKeys::new(version, &ID).unwrap();
            let datagram = keys.encrypt(&bytes(header), &content);
            assert_eq!(datagram.len(), 1200);
            assert!(hex(&datagram).starts_with(start) && hex(&datagram).ends_with(end));
            let packet = QuicPacket::parse(&datagram, 1200).unwrap();
            let mut decrypted = Vec::new();
            assert!(keys.decrypt(&packet, &mut decrypted));
            assert_eq!(decrypted, content);
            // Any wrong byte is noticed.
            for at in [0, 6, 20, 30, 1199] {
                let mut wrong = datagram.clone();
                wrong[at] ^= 1;
                let packet = QuicPacket::parse(&wrong, 1200).unwrap();
                assert!(!keys.decrypt(&packet, &mut decrypted), "{at}");
            }
            let cut = QuicPacket::parse(&datagram[..1199], 1200).unwrap();
            assert!(!keys.decrypt(&cut, &mut decrypted));
        }
    }
}
