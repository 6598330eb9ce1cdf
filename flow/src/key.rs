//! What the packets of a flow have in common.

use std::hash::{Hash, Hasher};
use summary::Address;

use crate::scope::ScopeId;
use crate::slab::{Entry, Slab};

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// IP address, or MAC address of packets without IP addresses.
    pub address: Option<Address>,
    /// Port of TCP, UDP, UDP-Lite, SCTP and DCCP.
    pub port: Option<u16>,
}

/// An address in words, the rest of which are 0.
type Words = [u32; 4];

/// Which address an end has, and whether it has a port.
const V4: u8 = 1;
const V6: u8 = 2;
const MAC: u8 = 3;
const KIND: u8 = 3;
const HAS_PORT: u8 = 4;
/// The bits of one end.
const END_BITS: u32 = 3;

/// Identifies a flow. The ends are in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    addresses: [Words; 2],
    ports: [u16; 2],
    kinds: u8,
    scope: ScopeId,
}

impl Key {
    /// The key of packets between two ends, and whether the source is the second end of the key.
    pub(crate) fn new(src: Endpoint, dst: Endpoint, scope: ScopeId) -> (Self, bool) {
        let (src, dst) = (pack(src), pack(dst));
        let is_swapped = dst < src;
        let [first, second] = if is_swapped { [dst, src] } else { [src, dst] };
        let key = Self {
            addresses: [first.0, second.0],
            ports: [first.1, second.1],
            kinds: first.2 | second.2 << END_BITS,
            scope,
        };
        (key, is_swapped)
    }

    /// Whether both ends are the same.
    pub(crate) fn is_loop(&self) -> bool {
        self.end(0) == self.end(1)
    }

    pub(crate) fn end(&self, index: usize) -> Endpoint {
        let kind = if index == 0 { self.kinds } else { self.kinds >> END_BITS };
        unpack(self.addresses[index], self.ports[index], kind)
    }

    pub(crate) fn scope(&self) -> ScopeId {
        self.scope
    }

    /// Whether the first words of both addresses are all of them.
    fn is_short(kinds: u8) -> bool {
        [kinds & KIND, kinds >> END_BITS & KIND].iter().all(|&kind| kind <= V4)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [first, second] = self.ports.map(u64::from);
        let ends = first << 48 | second << 32 | u64::from(self.scope.number());
        state.write_u64(ends);
        let word = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let [first, second] = &self.addresses;
        state.write_u64(word(first[0], second[0]));
        if !Self::is_short(self.kinds) {
            for [first, second] in
                [[first[1], second[1]], [first[2], second[2]], [first[3], second[3]]]
            {
                state.write_u64(word(first, second));
            }
        }
    }
}

/// A key as a flow stores it: short addresses in place, long ones in a [`Slab`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StoredKey {
    /// The addresses; of long ones, the index of their [`LongAddresses`] and the word that is not there.
    pub(crate) words: [u32; 2],
    pub(crate) ports: [u16; 2],
    pub(crate) scope: ScopeId,
    pub(crate) kinds: u8,
}

/// The addresses of a flow with IPv6 or MAC addresses, without the first word of the second one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LongAddresses([u32; 7]);

impl LongAddresses {
    /// Splits addresses: what is stored, and the other word.
    fn split([[a, b, c, d], [word, e, f, g]]: [Words; 2]) -> (Self, u32) {
        (Self([a, b, c, d, e, f, g]), word)
    }

    fn join(self, word: u32) -> [Words; 2] {
        let [a, b, c, d, e, f, g] = self.0;
        [[a, b, c, d], [word, e, f, g]]
    }
}

impl Entry for LongAddresses {
    fn link(&mut self) -> &mut u32 {
        &mut self.0[0]
    }
}

impl StoredKey {
    pub(crate) fn new(key: &Key, long: &mut Slab<LongAddresses>) -> Self {
        let Key { addresses, ports, kinds, scope } = *key;
        let words = match Key::is_short(kinds) {
            true => addresses.map(|address| address[0]),
            false => {
                let (stored, word) = LongAddresses::split(addresses);
                [long.insert(stored), word]
            }
        };
        Self { words, ports, scope, kinds }
    }

    pub(crate) fn load(&self, long: &Slab<LongAddresses>) -> Key {
        let Self { words, ports, kinds, scope } = *self;
        let addresses = match Key::is_short(kinds) {
            true => words.map(|word| [word, 0, 0, 0]),
            false => long.get(words[0]).join(words[1]),
        };
        Key { addresses, ports, kinds, scope }
    }

    #[inline]
    pub(crate) fn is(&self, key: &Key, long: &Slab<LongAddresses>) -> bool {
        let Self { words, ports, kinds, scope } = *self;
        (ports, kinds, scope) == (key.ports, key.kinds, key.scope)
            && match Key::is_short(kinds) {
                true => words == key.addresses.map(|address| address[0]),
                false => long.get(words[0]).join(words[1]) == key.addresses,
            }
    }

    /// Frees long addresses.
    pub(crate) fn remove(&self, long: &mut Slab<LongAddresses>) {
        if !Key::is_short(self.kinds) {
            long.remove(self.words[0]);
        }
    }
}

fn pack(end: Endpoint) -> (Words, u16, u8) {
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
    let (words, kind) = match end.address {
        None => ([0; 4], 0),
        Some(Address::V4(bytes)) => ([u32::from_be_bytes(bytes), 0, 0, 0], V4),
        Some(Address::V6(bytes)) => {
            let bits = u128::from_be_bytes(bytes);
            ([96, 64, 32, 0].map(|shift| (bits >> shift & 0xffff_ffff) as u32), V6)
        }
        Some(Address::Mac(bytes)) => ([word(&bytes[..4]), word(&bytes[4..]), 0, 0], MAC),
    };
    (words, end.port.unwrap_or(0), kind | end.port.map_or(0, |_| HAS_PORT))
}

fn unpack(words: Words, port: u16, kind: u8) -> Endpoint {
    let bytes = words.map(u32::to_be_bytes);
    let address = match kind & KIND {
        V4 => Some(Address::V4(bytes[0])),
        V6 => Some(Address::V6(u128_of(words).to_be_bytes())),
        MAC => {
            let ([a, b, c, d], [_, _, e, f]) = (bytes[0], bytes[1]);
            Some(Address::Mac([a, b, c, d, e, f]))
        }
        _ => None,
    };
    Endpoint { address, port: (kind & HAS_PORT != 0).then_some(port) }
}

fn u128_of(words: Words) -> u128 {
    words.iter().fold(0, |bits, &word| bits << 32 | u128::from(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn endpoint() -> impl Strategy<Value = Endpoint> {
        let address = prop_oneof![
            any::<[u8; 4]>().prop_map(Address::V4),
            any::<[u8; 16]>().prop_map(Address::V6),
            any::<[u8; 6]>().prop_map(Address::Mac),
        ];
        let end = (prop::option::of(address), prop::option::of(any::<u16>()));
        end.prop_map(|(address, port)| Endpoint { address, port })
    }

    proptest! {
        /// A key has exactly the ends of its packets, in any order, also after it was stored.
        #[test]
        fn keys_keep_ends(src in endpoint(), dst in endpoint(), other in endpoint()) {
            let mut long = Slab::default();
            let scope = ScopeId::default();
            let (key, is_swapped) = Key::new(src, dst, scope);
            let first = usize::from(is_swapped);
            prop_assert_eq!((key.end(first), key.end(1 - first)), (src, dst));
            prop_assert_eq!(Key::new(dst, src, scope).0, key);
            prop_assert_eq!(key.is_loop(), src == dst);
            let stored = StoredKey::new(&key, &mut long);
            prop_assert_eq!(stored.load(&long), key);
            prop_assert!(stored.is(&key, &long));
            let other_key = Key::new(src, other, scope).0;
            prop_assert_eq!(stored.is(&other_key, &long), other == dst);
        }
    }
}
