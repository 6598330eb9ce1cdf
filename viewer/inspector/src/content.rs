//! The layers and fields of a packet as a flat list, in the order in which a tree shows them.

use crate::line_layers::line_layers;
use std::ops::Range;
use summary::{Field, Layer, LinkType, Printable, inspect};

/// Maximum number of nodes: a frame can consist of thousands of labels or extension headers.
const MAX_NODES: usize = 2_000;

/// An item of the tree: a layer, a field, or a part of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// 1 for layers, 2 for fields, 3 for parts of fields.
    pub level: usize,
    /// Name of the layer or field.
    pub name: String,
    /// Value of a field with its meaning; a summary for a layer. Control characters are escaped.
    pub value: String,
    /// The bytes of the frame; empty for fields of a line.
    pub bytes: Range<usize>,
    /// It has nodes below it.
    pub is_parent: bool,
}

/// What the inspector shows of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Layers, each followed by its fields.
    pub nodes: Vec<Node>,
    /// The captured bytes; empty for a packet of lines.
    pub bytes: Vec<u8>,
    /// Bytes on the wire.
    pub wire_len: u32,
}

impl Content {
    /// A packet of a capture file, from its captured bytes.
    pub fn of_frame(link: u16, wire_len: u32, bytes: Vec<u8>) -> Self {
        let value = match bytes.len() {
            len if len < wire_len as usize => format!("{len} of {wire_len} bytes captured"),
            len => bytes_text(len),
        };
        let name = "Frame".to_owned();
        let mut nodes =
            vec![Node { level: 1, name, value, bytes: 0..bytes.len(), is_parent: false }];
        for layer in inspect(LinkType(link), &bytes, wire_len) {
            push_layer(&mut nodes, &layer);
        }
        if MAX_NODES < nodes.len() {
            let value = format!("{} layers and fields are not shown", nodes.len() - MAX_NODES);
            nodes.truncate(MAX_NODES);
            let (name, bytes) = ("More".to_owned(), 0..0);
            nodes.push(Node { level: 1, name, value, bytes, is_parent: false });
        }
        Self { nodes, bytes, wire_len }
    }

    /// A packet of which only its line is known.
    pub fn of_line(line: &str) -> Self {
        Self { nodes: line_layers(line), ..Self::default() }
    }

    /// The fields that contain a byte, or the layer that does.
    pub fn nodes_at(&self, byte: usize) -> Vec<usize> {
        let is_inside = |index: &usize| self.nodes[*index].bytes.contains(&byte);
        let mut all: Vec<_> = (0..self.nodes.len()).filter(is_inside).collect();
        if all.iter().any(|index| self.nodes[*index].level == 2) {
            all.retain(|index| self.nodes[*index].level == 2);
        } else {
            all.drain(..all.len().saturating_sub(1));
        }
        all
    }

    /// The layer that contains a node.
    pub fn layer_of(&self, index: usize) -> Option<&Node> {
        self.nodes.get(..=index)?.iter().rev().find(|node| node.level == 1)
    }

    /// The parent of a node.
    pub fn parent_of(&self, index: usize) -> Option<usize> {
        let level = self.nodes.get(index)?.level;
        (0..index).rev().find(|before| self.nodes[*before].level < level)
    }
}

fn push_layer(nodes: &mut Vec<Node>, layer: &Layer) {
    let len = layer.bytes.len();
    nodes.push(Node {
        level: 1,
        name: printable(&layer.name),
        value: bytes_text(len),
        bytes: layer.bytes.clone(),
        is_parent: !layer.fields.is_empty(),
    });
    layer.fields.iter().for_each(|field| push_field(nodes, field, 2));
}

fn push_field(nodes: &mut Vec<Node>, field: &Field, level: usize) {
    let value = match (field.value.is_empty(), field.meaning.is_empty()) {
        (_, true) => printable(&field.value),
        (true, false) => printable(&field.meaning),
        (false, false) => format!("{} ({})", printable(&field.value), printable(&field.meaning)),
    };
    nodes.push(Node {
        level,
        name: printable(&field.name),
        value,
        bytes: field.bytes(),
        is_parent: !field.fields.is_empty(),
    });
    field.fields.iter().for_each(|part| push_field(nodes, part, level + 1));
}

/// A number of bytes with its unit.
pub(crate) fn bytes_text(len: usize) -> String {
    if len == 1 { "1 byte".to_owned() } else { format!("{len} bytes") }
}

/// Text of the network without characters that control its display.
pub(crate) fn printable(text: &str) -> String {
    Printable(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::Content;

    /// Ethernet, IPv4, UDP with three bytes.
    fn frame() -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
        frame.extend([0x45, 0, 0, 31, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0x30, 0x39, 0, 53, 0, 11, 0, 0, b'a', b'b', b'c']);
        frame
    }

    #[test]
    fn layers_are_followed_by_their_fields() {
        let content = Content::of_frame(1, 45, frame());
        let layers: Vec<_> = content.nodes.iter().filter(|node| node.level == 1).collect();
        let names: Vec<_> = layers.iter().map(|node| (&*node.name, &*node.value)).collect();
        assert_eq!(
            names,
            [
                ("Frame", "45 bytes"),
                ("Ethernet", "14 bytes"),
                ("IPv4", "20 bytes"),
                ("UDP", "8 bytes"),
                ("Payload", "3 bytes")
            ]
        );
        let protocol = content.nodes.iter().find(|node| node.name == "Protocol").unwrap();
        assert_eq!((&*protocol.value, protocol.bytes.clone()), ("17 (udp)", 23..24));
    }

    #[test]
    fn bytes_lead_to_their_fields() {
        let content = Content::of_frame(1, 45, frame());
        let names = |byte: usize| {
            let nodes = content.nodes_at(byte).into_iter();
            nodes.map(|index| content.nodes[index].name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(14), ["Version", "Header length"]);
        assert_eq!(names(22), ["Time to live"]);
        assert_eq!(names(43), ["Payload"]);
        assert!(names(45).is_empty());
        let flags = content.nodes.iter().position(|node| node.name == "Don't fragment").unwrap();
        let parent = content.parent_of(flags).unwrap();
        assert_eq!(content.nodes[parent].name, "Flags");
        assert_eq!(content.layer_of(flags).unwrap().name, "IPv4");
    }

    #[test]
    fn number_of_nodes_is_limited() {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x47];
        frame.extend([0; 40_000]);
        let content = Content::of_frame(1, 40_014, frame);
        assert_eq!(content.nodes.len(), 2_001);
        assert_eq!(content.nodes[2_000].value, "48005 layers and fields are not shown");
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut frame = frame();
        frame.truncate(14);
        frame.extend([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0xd4, 0x31, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
        frame.extend("GET / HTTP/1.1\r\nHost: \u{202e}evil\r\n\r\n".bytes());
        let content = Content::of_frame(1, 200, frame);
        let host = content.nodes.iter().find(|node| node.name == "Host").unwrap();
        assert_eq!(host.value, "\\u{202e}evil");
    }
}
