//! Binary encoding of messages between the page and its workers, which always have the same version.
//!
//! Hand-written: with serde and postcard, the same messages add 4.6 kB to the gzipped site, which then
//! exceeds its limit.

/// A value that can be sent between page and workers.
pub trait Wire: Sized {
    /// Appends the value.
    fn put(&self, bytes: &mut Vec<u8>);

    /// Decodes a value and advances `bytes` past it; `None` if they are invalid.
    fn get(bytes: &mut &[u8]) -> Option<Self>;
}

/// Implements [`Wire`] for a struct by its fields, or for an enum by its variants.
#[macro_export]
macro_rules! wire {
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, bytes: &mut Vec<u8>) {
                $($crate::wire::Wire::put(&self.$field, bytes);)*
            }

            fn get(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::wire::Wire::get(bytes)?),* })
            }
        }
    };
    (enum $name:ident { $($tag:literal $variant:ident $(($($item:ident),*))? $({ $($field:ident),* })?),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, bytes: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($($item),*))? $({ $($field),* })? => {
                        bytes.push($tag);
                        $($($crate::wire::Wire::put($item, bytes);)*)?
                        $($($crate::wire::Wire::put($field, bytes);)*)?
                    })*
                }
            }

            fn get(bytes: &mut &[u8]) -> Option<Self> {
                Some(match <u8 as $crate::wire::Wire>::get(bytes)? {
                    $($tag => {
                        $($(let $item = $crate::wire::Wire::get(bytes)?;)*)?
                        $($(let $field = $crate::wire::Wire::get(bytes)?;)*)?
                        Self::$variant $(($($item),*))? $({ $($field),* })?
                    })*
                    _ => return None,
                })
            }
        }
    };
}
pub use wire;

/// Encodes a message.
pub fn encode(message: &impl Wire) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.put(&mut bytes);
    bytes
}

/// Decodes a message; `None` if it is invalid.
pub fn decode<M: Wire>(mut bytes: &[u8]) -> Option<M> {
    M::get(&mut bytes)
}

impl Wire for u64 {
    /// LEB128: seven bits per byte, lowest first; the highest bit marks that more bytes follow.
    fn put(&self, bytes: &mut Vec<u8>) {
        let mut rest = *self;
        loop {
            let low = (rest & 0x7f) as u8;
            rest >>= 7;
            if rest == 0 {
                return bytes.push(low);
            }
            bytes.push(low | 0x80);
        }
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Wire for i64 {
    /// Zigzag encoding, so that small numbers of either sign are short.
    fn put(&self, bytes: &mut Vec<u8>) {
        ((self << 1) ^ (self >> 63)).cast_unsigned().put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let value = u64::get(bytes)?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

/// Encodes smaller integers as `u64`.
macro_rules! wire_as_u64 {
    ($($number:ty),*) => {
        $(impl Wire for $number {
            fn put(&self, bytes: &mut Vec<u8>) {
                (*self as u64).put(bytes);
            }

            fn get(bytes: &mut &[u8]) -> Option<Self> {
                Self::try_from(u64::get(bytes)?).ok()
            }
        })*
    };
}

wire_as_u64!(u8, u16, u32, usize);

impl Wire for bool {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        Some(u8::get(bytes)? != 0)
    }
}

impl Wire for String {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.len().put(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let len = usize::get(bytes)?;
        let (text, rest) = bytes.split_at_checked(len)?;
        *bytes = rest;
        Some(std::str::from_utf8(text).ok()?.to_owned())
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.is_some().put(bytes);
        if let Some(value) = self {
            value.put(bytes);
        }
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        Some(if bool::get(bytes)? { Some(T::get(bytes)?) } else { None })
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.len().put(bytes);
        for item in self {
            item.put(bytes);
        }
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let len = usize::get(bytes)?;
        // Each item takes at least one byte, so an invalid length cannot allocate more than the input.
        let mut items = Self::with_capacity(len.min(bytes.len()));
        for _ in 0..len {
            items.push(T::get(bytes)?);
        }
        Some(items)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.0.put(bytes);
        self.1.put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::get(bytes)?, B::get(bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    enum Kind {
        Nothing,
        Some(Vec<(i64, bool)>),
        Named { name: String, count: Option<u32> },
    }
    wire!(enum Kind { 0 Nothing, 1 Some(items), 2 Named { name, count } });

    fn kinds() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Nothing),
            any::<Vec<(i64, bool)>>().prop_map(Kind::Some),
            any::<(String, Option<u32>)>().prop_map(|(name, count)| Kind::Named { name, count }),
        ]
    }

    proptest! {
        #[test]
        fn values_round_trip(kinds in proptest::collection::vec(kinds(), 0..5), number: u64) {
            let mut bytes = Vec::new();
            kinds.put(&mut bytes);
            number.put(&mut bytes);
            let mut rest = &bytes[..];
            prop_assert_eq!(Vec::<Kind>::get(&mut rest), Some(kinds));
            prop_assert_eq!((u64::get(&mut rest), rest.len()), (Some(number), 0));
        }

        #[test]
        fn decoding_any_bytes_does_not_panic(bytes: Vec<u8>) {
            let _ = Vec::<Kind>::get(&mut &bytes[..]);
        }
    }
}
