//! Builds the fields of one layer.

use super::{Field, Layer};
use crate::{Address, Proto};
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

/// The fields of a layer while they are listed. Ranges count bits from the start of the layer. Fields
/// that were not captured completely are left out.
pub(crate) struct Fields<'a> {
    /// The captured bytes from the start of the layer on; they can include inner layers.
    bytes: &'a [u8],
    /// Offset of the layer in the frame, in bytes.
    offset: usize,
    layer: Layer,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8], offset: usize) -> Self {
        let layer = Layer { name: Cow::Borrowed(""), bytes: offset..offset, fields: Vec::new() };
        Self { bytes, offset, layer }
    }

    pub(super) fn into_layer(self) -> Layer {
        self.layer
    }

    /// Sets name and length of the header, in bytes.
    pub(super) fn header(&mut self, name: impl Into<Cow<'static, str>>, len: usize) {
        self.layer.name = name.into();
        self.layer.bytes.end = self.offset + len.min(self.bytes.len());
    }

    /// A captured byte; 0 if it was not captured.
    pub(super) fn byte(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    /// The captured bytes from the start of the layer to the end of its content.
    pub(super) fn captured(&self) -> &'a [u8] {
        self.bytes
    }

    /// The captured bytes of the layer's header.
    pub(super) fn header_bytes(&self) -> &'a [u8] {
        &self.bytes[..self.layer.bytes.len()]
    }

    /// Adds a field with this value, and returns it so that details can be added. A field without bits is
    /// left out, as one that was not captured.
    pub(super) fn add(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        bits: Range<usize>,
        value: impl Into<String>,
    ) -> Added<'_> {
        let start = self.offset * 8;
        if bits.is_empty() || self.layer.bytes.len() * 8 < bits.end {
            return Added { start, field: None };
        }
        self.layer.fields.push(Field {
            name: name.into(),
            value: value.into(),
            meaning: String::new(),
            key: None,
            bits: start + bits.start..start + bits.end,
            fields: Vec::new(),
        });
        Added { start, field: self.layer.fields.last_mut() }
    }

    fn add_if(
        &mut self,
        name: &'static str,
        bits: Range<usize>,
        value: Option<String>,
    ) -> Added<'_> {
        match value {
            Some(value) => self.add(name, bits, value),
            None => Added { start: 0, field: None },
        }
    }

    /// Adds a number in decimal.
    pub(super) fn number(&mut self, name: &'static str, bits: Range<usize>) -> Added<'_> {
        let value = self.number_at(bits.clone()).map(|number| number.to_string());
        self.add_if(name, bits, value)
    }

    /// Adds a number in hexadecimal, with a digit for each four bits.
    pub(super) fn hex(&mut self, name: &'static str, bits: Range<usize>) -> Added<'_> {
        let digits = bits.len().div_ceil(4);
        let value = self.number_at(bits.clone()).map(|number| format!("0x{number:0digits$x}"));
        self.add_if(name, bits, value)
    }

    /// Adds bytes as hexadecimal digits.
    pub(super) fn octets(&mut self, name: &'static str, bits: Range<usize>) -> Added<'_> {
        let value = self.bytes_at(bits.clone()).map(hex_digits);
        self.add_if(name, bits, value)
    }

    /// Adds an address: MAC, IPv4 or IPv6, by the number of bits.
    pub(super) fn address(&mut self, name: &'static str, bits: Range<usize>) -> Added<'_> {
        let value = self.bytes_at(bits.clone()).and_then(address_text);
        self.add_if(name, bits, value)
    }

    /// Adds an EtherType with its name.
    pub(super) fn ether_type(&mut self, name: &'static str, bits: Range<usize>) -> Added<'_> {
        let number = self.number_at(bits.clone()).and_then(|number| u16::try_from(number).ok());
        let meaning = number.map(|number| name_of(&Proto::from_ether_type(number)));
        self.hex(name, bits).meaning(meaning.unwrap_or_default())
    }

    /// Adds an IP protocol number with its name.
    pub(super) fn ip_protocol(&mut self, name: &'static str, bits: Range<usize>) -> Added<'_> {
        let number = self.number_at(bits.clone()).and_then(|number| u8::try_from(number).ok());
        let meaning = number.map(|number| name_of(&Proto::from_ip_number(number)));
        self.number(name, bits).meaning(meaning.unwrap_or_default())
    }

    /// Adds a field of flags. `names` has a name for each bit, the most significant one first; bits
    /// without a name are not listed.
    pub(super) fn flags(
        &mut self,
        name: &'static str,
        bits: Range<usize>,
        names: &[&'static str],
    ) -> Added<'_> {
        let number = self.number_at(bits.clone()).unwrap_or(0);
        let mut added = self.hex(name, bits.clone());
        for (bit, name) in bits.clone().zip(names).filter(|(_, name)| !name.is_empty()) {
            let is_set = number >> (bits.end - 1 - bit) & 1;
            added = added.part(name, bit..bit + 1, is_set.to_string());
        }
        added
    }

    /// The bits as a number; `None` if they were not captured or are more than 64.
    pub(super) fn number_at(&self, bits: Range<usize>) -> Option<u64> {
        let bytes = self.bytes.get(bits.start / 8..bits.end.div_ceil(8))?;
        if bits.is_empty() || 8 < bytes.len() {
            return None;
        }
        let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let shift = bits.end.div_ceil(8) * 8 - bits.end;
        Some(number >> shift & u64::MAX >> (64 - bits.len()))
    }

    /// The captured bytes of a field of whole bytes.
    pub(super) fn bytes_at(&self, bits: Range<usize>) -> Option<&'a [u8]> {
        self.bytes.get(bits.start / 8..bits.end / 8)
    }
}

/// The field that was just added, unless it has no bits or was not captured.
pub(super) struct Added<'f> {
    /// First bit of the layer in the frame.
    start: usize,
    field: Option<&'f mut Field>,
}

impl Added<'_> {
    /// Sets the name of the field in a line.
    pub(super) fn key(mut self, key: &'static str) -> Self {
        if let Some(field) = &mut self.field {
            field.key = Some(key);
        }
        self
    }

    /// Explains the value.
    pub(super) fn meaning(mut self, meaning: impl Into<String>) -> Self {
        if let Some(field) = &mut self.field {
            field.meaning = meaning.into();
        }
        self
    }

    /// Replaces the value.
    pub(super) fn value(mut self, value: impl Into<String>) -> Self {
        if let Some(field) = &mut self.field {
            field.value = value.into();
        }
        self
    }

    /// Adds a part of the field; `bits` count from the start of the layer.
    pub(super) fn part(mut self, name: &'static str, bits: Range<usize>, value: String) -> Self {
        let start = self.start;
        if let Some(field) = &mut self.field {
            field.fields.push(Field {
                name: Cow::Borrowed(name),
                value,
                meaning: String::new(),
                key: None,
                bits: start + bits.start..start + bits.end,
                fields: Vec::new(),
            });
        }
        self
    }
}

/// An address as text; `None` if it has another length.
fn address_text(bytes: &[u8]) -> Option<String> {
    let address = match bytes.len() {
        6 => Address::Mac(bytes.try_into().ok()?),
        4 => Address::V4(bytes.try_into().ok()?),
        _ => Address::V6(bytes.try_into().ok()?),
    };
    Some(address.to_string())
}

/// The bits of a range of bytes.
pub(super) fn bits(bytes: Range<usize>) -> Range<usize> {
    bytes.start * 8..bytes.end * 8
}

/// Bytes as hexadecimal digits.
pub(super) fn hex_digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes from the network as text; invalid UTF-8 becomes U+FFFD.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The name of a protocol; empty if it has none.
fn name_of(proto: &Proto<'_>) -> String {
    if proto.number().is_none() { proto.name().to_owned() } else { String::new() }
}
