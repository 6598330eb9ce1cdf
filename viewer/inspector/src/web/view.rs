//! The elements of the inspector, and what is selected in them.

use std::collections::HashSet;
use std::ops::Range;
use viewer_dom::{aria_bool, log_error, new_button, set_attribute, set_text};
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::content::{Content, bytes_text};
use crate::copy::CopyFormat;
use crate::grid::Grid;

/// Number of bytes shown at first.
const MAX_SHOWN_LEN: usize = 4 << 10;

/// Names, texts and titles of the copy buttons.
const COPY_BUTTONS: [(&str, &str); 3] =
    [("hex", "Copy as hex"), ("c", "Copy as C array"), ("text", "Copy as text")];

pub(super) struct View {
    document: Document,
    controls: Element,
    status: Element,
    tree: Element,
    bytes: HtmlElement,
    content: Content,
    /// The tree item of each node.
    items: Vec<HtmlElement>,
    /// The two elements, hexadecimal and ASCII, of each segment.
    segments: Vec<(Range<usize>, [Element; 2])>,
    selected: Option<usize>,
    hovered: Vec<usize>,
    /// Paths of the nodes that are not in their default state: layers are open, fields are closed.
    toggled: HashSet<String>,
}

impl View {
    /// Creates the elements that stay.
    pub(super) fn new(container: &Element) -> Result<Self, JsValue> {
        let document = container.owner_document().ok_or("no document")?;
        let create = |tag: &str, class: &str| -> Result<Element, JsValue> {
            let element = document.create_element(tag)?;
            element.set_class_name(class);
            Ok(element)
        };
        container.set_text_content(None);
        let controls = create("div", "controls inspector-controls")?;
        for (format, text) in COPY_BUTTONS {
            let button = new_button(&document, text)?;
            button.set_attribute("data-copy", format)?;
            button.set_attribute("title", "Copies the selected layer or field")?;
            controls.append_child(&button)?;
        }
        let status = create("span", "secondary inspector-status")?;
        status.set_attribute("role", "status")?;
        controls.append_child(&status)?;
        let tree = create("div", "inspector-tree")?;
        tree.set_attribute("role", "tree")?;
        tree.set_attribute("aria-label", "Layers and fields")?;
        let bytes: HtmlElement = create("div", "inspector-bytes")?.dyn_into()?;
        bytes.set_attribute("role", "application")?;
        bytes.set_attribute("aria-roledescription", "bytes")?;
        bytes.set_attribute("tabindex", "0")?;
        let panes = create("div", "inspector-panes")?;
        panes.append_child(&tree)?;
        panes.append_child(&bytes)?;
        container.append_child(&panes)?;
        container.append_child(&controls)?;
        Ok(Self {
            document,
            controls,
            status,
            tree,
            bytes,
            content: Content::default(),
            items: Vec::new(),
            segments: Vec::new(),
            selected: None,
            hovered: Vec::new(),
            toggled: HashSet::new(),
        })
    }

    /// Shows a packet. The field that is selected and the focus stay where the packet has the same field.
    pub(super) fn show(&mut self, content: Content) -> Result<(), JsValue> {
        let path = self.selected.map(|index| self.path(index));
        let focused = self.document.active_element();
        let had_focus = focused.is_some_and(|focused| self.tree.contains(Some(&focused)));
        self.content = content;
        let same = (0..self.content.nodes.len()).find(|index| Some(self.path(*index)) == path);
        self.selected = same;
        self.hovered.clear();
        self.render_tree()?;
        self.render_bytes(MAX_SHOWN_LEN)?;
        self.update();
        if had_focus {
            self.focus_item();
        }
        Ok(())
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// Names of the layer, the field and the part: the same field of another packet has the same path.
    fn path(&self, index: usize) -> String {
        let name = &self.content.nodes[index].name;
        match self.content.parent_of(index) {
            Some(parent) => format!("{}/{name}", self.path(parent)),
            None => name.clone(),
        }
    }

    fn render_tree(&mut self) -> Result<(), JsValue> {
        self.tree.set_text_content(None);
        self.items.clear();
        for (index, node) in self.content.nodes.iter().enumerate() {
            let item: HtmlElement = self.document.create_element("div")?.dyn_into()?;
            item.set_attribute("role", "treeitem")?;
            item.set_attribute("aria-level", &node.level.to_string())?;
            item.set_attribute("data-node", &index.to_string())?;
            for (class, text) in
                [("marker", ""), ("node-name", &node.name[..]), ("node-value", &node.value[..])]
            {
                let span = self.document.create_element("span")?;
                span.set_class_name(class);
                span.set_text_content(Some(text));
                item.append_child(&span)?;
            }
            self.tree.append_child(&item)?;
            self.items.push(item);
        }
        Ok(())
    }

    /// Shows the first bytes, and a button for the others.
    fn render_bytes(&mut self, max_len: usize) -> Result<(), JsValue> {
        let len = self.content.bytes.len();
        self.bytes.set_text_content(None);
        self.segments.clear();
        self.bytes.set_hidden(len == 0);
        self.controls.toggle_attribute_with_force("hidden", len == 0)?;
        self.bytes
            .set_attribute("aria-label", &format!("Bytes of the packet, {}", bytes_text(len)))?;
        for row in Grid::new(&self.content, max_len).rows {
            let line = self.document.create_element("div")?;
            line.set_class_name("byte-row");
            let [offset, hex, ascii] =
                ["byte-offset", "byte-hex", "byte-ascii"].map(|class| self.new_span(class));
            let (offset, hex, ascii) = (offset?, hex?, ascii?);
            offset.set_text_content(Some(&format!("{:04x}", row.offset)));
            for segment in row.segments {
                let cells =
                    [(&hex, &segment.hex), (&ascii, &segment.ascii)].map(|(parent, text)| {
                        let cell = self.new_span("segment")?;
                        cell.set_attribute("data-byte", &segment.bytes.start.to_string())?;
                        cell.set_text_content(Some(text));
                        parent.append_child(&cell)?;
                        Ok::<_, JsValue>(cell)
                    });
                let [hex_cell, ascii_cell] = cells;
                self.segments.push((segment.bytes, [hex_cell?, ascii_cell?]));
            }
            for part in [&offset, &hex, &ascii] {
                line.append_child(part)?;
            }
            self.bytes.append_child(&line)?;
        }
        if max_len < len {
            let button = new_button(&self.document, &format!("Show all {}", bytes_text(len)))?;
            button.set_attribute("data-show-all", "")?;
            self.bytes.append_child(&button)?;
        }
        Ok(())
    }

    fn new_span(&self, class: &str) -> Result<Element, JsValue> {
        let span = self.document.create_element("span")?;
        span.set_class_name(class);
        Ok(span)
    }

    /// Shows all bytes.
    pub(super) fn show_all(&mut self) -> Result<(), JsValue> {
        self.render_bytes(usize::MAX)?;
        self.update();
        self.bytes.focus()
    }

    /// Whether the parts of a node are shown.
    fn is_open(&self, index: usize) -> bool {
        let is_layer = self.content.nodes[index].level == 1;
        is_layer != self.toggled.contains(&self.path(index))
    }

    /// Whether all parents of a node are open.
    fn is_shown(&self, index: usize) -> bool {
        let mut child = index;
        while let Some(parent) = self.content.parent_of(child) {
            if !self.is_open(parent) {
                return false;
            }
            child = parent;
        }
        true
    }

    /// Opens or closes a node. Returns false if it is in that state, or has no parts.
    pub(super) fn set_open(&mut self, index: usize, is_open: bool) -> bool {
        if !self.content.nodes[index].is_parent || self.is_open(index) == is_open {
            return false;
        }
        let path = self.path(index);
        if !self.toggled.remove(&path) {
            self.toggled.insert(path);
        }
        self.update();
        true
    }

    /// Opens a closed node, and closes an open one.
    pub(super) fn toggle(&mut self, index: usize) {
        let is_open = self.is_open(index);
        self.set_open(index, !is_open);
    }

    /// Selects a node, opens its parents and scrolls to its bytes.
    pub(super) fn select(&mut self, index: usize) {
        let mut child = index;
        while let Some(parent) = self.content.parent_of(child) {
            self.set_open(parent, true);
            child = parent;
        }
        self.selected = Some(index);
        self.update();
        let bytes = &self.content.nodes[index].bytes;
        let segment = self.segments.iter().find(|(range, _)| range.start == bytes.start);
        if let Some((_, [hex, _])) = segment.filter(|_| !bytes.is_empty()) {
            scroll_to(hex);
        }
        scroll_to(&self.items[index]);
    }

    /// The shown node after or before the selected one, or at an end of the tree.
    pub(super) fn next_shown(&self, is_forward: bool, is_end: bool) -> Option<usize> {
        let shown = |index: &usize| self.is_shown(*index);
        let current = self.selected.unwrap_or(0);
        match (is_forward, is_end) {
            (true, true) => (0..self.items.len()).rev().find(shown),
            (false, true) => (0..self.items.len()).find(shown),
            (true, false) => (current + 1..self.items.len()).find(shown),
            (false, false) => (0..current).rev().find(shown),
        }
    }

    /// Moves the focus to the selected item.
    pub(super) fn focus_item(&self) {
        if let Some(item) = self.items.get(self.selected.unwrap_or(0)) {
            // Fails if the element is hidden, which is fine.
            let _ = item.focus();
        }
    }

    /// Highlights nodes under the pointer, and their bytes.
    pub(super) fn hover(&mut self, nodes: Vec<usize>) {
        if self.hovered != nodes {
            self.hovered = nodes;
            self.update();
        }
    }

    /// Shows selection, highlights and open nodes.
    fn update(&self) {
        let focusable = self.selected.filter(|index| self.is_shown(*index)).unwrap_or(0);
        for (index, item) in self.items.iter().enumerate() {
            let is_selected = self.selected == Some(index);
            set_attribute(item, "aria-selected", aria_bool(is_selected));
            set_attribute(item, "tabindex", if index == focusable { "0" } else { "-1" });
            if self.content.nodes[index].is_parent {
                let is_open = self.is_open(index);
                set_attribute(item, "aria-expanded", aria_bool(is_open));
            }
            set_class(item, "hovered", self.hovered.contains(&index));
            item.set_hidden(!self.is_shown(index));
        }
        let bytes_of = |index: &usize| self.content.nodes[*index].bytes.clone();
        let selected = self.selected.iter().map(bytes_of).next().unwrap_or_default();
        let hovered: Vec<_> = self.hovered.iter().map(bytes_of).collect();
        let overlaps = |one: &Range<usize>, other: &Range<usize>| {
            one.start < other.end && other.start < one.end
        };
        for (range, cells) in &self.segments {
            let is_selected = overlaps(range, &selected);
            let is_hovered = hovered.iter().any(|hovered| overlaps(range, hovered));
            for cell in cells {
                set_class(cell, "selected", is_selected);
                set_class(cell, "hovered", is_hovered);
            }
        }
        self.set_status(&self.selection_text());
    }

    /// Describes the selected node: its layer, value and bytes.
    fn selection_text(&self) -> String {
        let Some(index) = self.selected else { return String::new() };
        let node = &self.content.nodes[index];
        let layer = match self.content.layer_of(index) {
            Some(layer) if layer != node => format!("{}, ", layer.name),
            _ => String::new(),
        };
        let place = match node.bytes.len() {
            0 => String::new(),
            1 => format!(" (byte {})", node.bytes.start),
            _ => format!(" (bytes {}–{})", node.bytes.start, node.bytes.end - 1),
        };
        format!("{layer}{}: {}{place}", node.name, node.value)
    }

    pub(super) fn set_status(&self, text: &str) {
        set_text(&self.status, text);
    }

    /// The selected bytes as text, or all bytes, and their number.
    pub(super) fn copied(&self, format: CopyFormat) -> (String, usize) {
        let selected = self.selected.map(|index| self.content.nodes[index].bytes.clone());
        let bytes =
            selected.filter(|range| !range.is_empty()).unwrap_or(0..self.content.bytes.len());
        let bytes = &self.content.bytes[bytes];
        (format.format(bytes), bytes.len())
    }
}

fn set_class(element: &Element, class: &str, is_set: bool) {
    if element.class_list().contains(class) != is_set {
        log_error(element.class_list().toggle_with_force(class, is_set));
    }
}

fn scroll_to(element: &Element) {
    let options = ScrollIntoViewOptions::new();
    options.set_block(ScrollLogicalPosition::Nearest);
    options.set_inline(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}
