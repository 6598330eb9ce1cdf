//! The observer that lists layers and fields.

use super::{Field, Fields, Layer};
use crate::observer::Observer;
use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

pub(super) struct Recorder<'a> {
    frame: &'a [u8],
    layers: Vec<Layer>,
    /// End of the innermost layer, according to the headers around it.
    content_end: usize,
    /// Whether the layers to come are in the transport payload.
    is_payload: bool,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(frame: &'a [u8]) -> Self {
        Self { frame, layers: Vec::new(), content_end: frame.len(), is_payload: false }
    }

    /// The layers to come are in the transport payload, up to its end.
    pub(super) fn begin_payload(&mut self) {
        self.is_payload = true;
    }

    /// The layers, with one for all bytes after the last header and one for padding.
    pub(super) fn finish(mut self, payload: &[u8]) -> Vec<Layer> {
        let headers_end = self.layers.last().map_or(0, |layer| layer.bytes.end);
        let content_end = self.content_end.max(headers_end);
        let name = if payload.is_empty() { "Data" } else { "Payload" };
        self.push_undecoded(name, headers_end..content_end);
        self.push_undecoded("Padding", content_end..self.frame.len());
        self.layers
    }

    fn push_undecoded(&mut self, name: &'static str, bytes: Range<usize>) {
        if !bytes.is_empty() {
            self.layers.push(Layer { name: Cow::Borrowed(name), bytes, fields: Vec::new() });
        }
    }

    /// Offset in the frame of one of its parts. An empty slice may be of other memory: it stands for
    /// the end of the captured bytes.
    fn offset(&self, part: &[u8]) -> usize {
        let distance = part.as_ptr().addr().wrapping_sub(self.frame.as_ptr().addr());
        distance.min(self.frame.len())
    }

    fn range(&self, part: &[u8]) -> Range<usize> {
        let start = self.offset(part);
        start..(start + part.len()).min(self.frame.len())
    }

    fn push_field(
        &mut self,
        key: Option<&'static str>,
        name: &'static str,
        bytes: &Range<usize>,
        value: String,
    ) {
        if let Some(layer) = self.layers.last_mut() {
            // ICMP errors quote the headers of another packet.
            layer.bytes.end = layer.bytes.end.max(bytes.end);
            let bits = bytes.start * 8..bytes.end * 8;
            let name = Cow::Borrowed(name);
            let (meaning, fields) = (String::new(), Vec::new());
            layer.fields.push(Field { name, value, meaning, key, bits, fields });
        }
    }
}

impl Observer for Recorder<'_> {
    fn layer(&mut self, bytes: &[u8], describe: fn(&mut Fields<'_>)) {
        if bytes.is_empty() {
            return;
        }
        let range = self.range(bytes);
        let mut fields = Fields::new(bytes, range.start);
        describe(&mut fields);
        let mut layer = fields.into_layer();
        if self.is_payload {
            layer.bytes.end = self.content_end.max(layer.bytes.end);
        } else {
            self.content_end = range.end;
        }
        self.layers.push(layer);
    }

    fn tunnel(&mut self, is_outermost: bool, is_frame: bool) {
        for field in self.layers.iter_mut().flat_map(|layer| &mut layer.fields) {
            field.key = field.key.and_then(|key| match key {
                "eth_src" | "eth_dst" | "vlan" => (!is_frame).then_some(key),
                "src" => is_outermost.then_some("outer_src"),
                "dst" => is_outermost.then_some("outer_dst"),
                "outer_src" | "outer_dst" => Some(key),
                _ => None,
            });
        }
    }

    fn content(&mut self, bytes: &[u8]) {
        self.content_end = self.range(bytes).end;
    }

    fn field(
        &mut self,
        key: Option<&'static str>,
        name: &'static str,
        (start, end): (&[u8], &[u8]),
        value: &impl Display,
    ) {
        let bytes = self.offset(start)..self.offset(end);
        self.push_field(key, name, &bytes, value.to_string());
    }

    fn text_field(&mut self, key: &'static str, name: &'static str, text: &[u8]) {
        let bytes = self.range(text);
        self.push_field(Some(key), name, &bytes, super::fields::text(text));
    }
}
