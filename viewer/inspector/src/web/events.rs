//! Pointer, keyboard and clipboard.

use std::cell::RefCell;
use std::rc::Rc;
use viewer_dom::{listen, log_error, write_clipboard};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use super::view::View;
use crate::content::bytes_text;
use crate::copy::CopyFormat;
use crate::grid::ROW_LEN;

type SharedView = Rc<RefCell<View>>;

/// Listens to the events of the container, for the lifetime of the page.
pub(super) fn attach(container: &Element, view: &SharedView) -> Result<(), JsValue> {
    let shared = view.clone();
    listen(container, "pointerover", move |event: PointerEvent| {
        let nodes = match place_of(&event) {
            Some(Place::Node { index, .. }) => vec![index],
            Some(Place::Byte(byte)) => shared.borrow().content().nodes_at(byte),
            _ => Vec::new(),
        };
        shared.borrow_mut().hover(nodes);
    })?;
    let shared = view.clone();
    listen(container, "pointerleave", move |_: PointerEvent| {
        shared.borrow_mut().hover(Vec::new());
    })?;
    let shared = view.clone();
    listen(container, "click", move |event: PointerEvent| {
        let Some(place) = place_of(&event) else { return };
        click(&shared, place);
    })?;
    let shared = view.clone();
    listen(container, "keydown", move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let is_handled = match place_of(&event) {
            Some(Place::Node { index, .. }) => tree_key(&shared, index, &event.key()),
            Some(Place::Bytes) => bytes_key(&shared, &event.key()),
            _ => false,
        };
        if is_handled {
            event.prevent_default();
            event.stop_propagation();
        }
    })
}

/// A part of the inspector.
#[derive(Clone, Copy)]
enum Place {
    /// A tree item, or the marker that opens it.
    Node {
        index: usize,
        is_marker: bool,
    },
    /// A segment that begins with this byte.
    Byte(usize),
    /// The bytes as a whole.
    Bytes,
    Copy(CopyFormat),
    ShowAll,
}

fn place_of(event: &web_sys::Event) -> Option<Place> {
    let target: Element = event.target()?.dyn_into().ok()?;
    let closest = |selector| target.closest(selector).ok().flatten();
    let number = |element: Element, name| element.get_attribute(name)?.parse().ok();
    if let Some(button) = closest("[data-copy]") {
        return CopyFormat::parse(&button.get_attribute("data-copy")?).map(Place::Copy);
    }
    if closest("[data-show-all]").is_some() {
        return Some(Place::ShowAll);
    }
    if let Some(item) = closest("[data-node]") {
        let is_marker = target.class_list().contains("marker");
        return Some(Place::Node { index: number(item, "data-node")?, is_marker });
    }
    if let Some(segment) = closest("[data-byte]") {
        return number(segment, "data-byte").map(Place::Byte);
    }
    closest(".inspector-bytes").map(|_| Place::Bytes)
}

fn click(shared: &SharedView, place: Place) {
    let mut view = shared.borrow_mut();
    match place {
        Place::Node { index, is_marker } => {
            if is_marker {
                view.toggle(index);
            }
            view.select(index);
            view.focus_item();
        }
        Place::Byte(byte) => {
            let nodes = view.content().nodes_at(byte);
            // Several fields can share a byte: each click selects the next one.
            let current = nodes.iter().position(|node| Some(*node) == view.selected());
            let next = current.map_or(0, |current| (current + 1) % nodes.len());
            if let Some(index) = nodes.get(next) {
                view.select(*index);
            }
        }
        Place::Copy(format) => {
            drop(view);
            copy(shared, format);
        }
        Place::ShowAll => {
            log_error(view.show_all());
        }
        Place::Bytes => {}
    }
}

/// The keys of a tree (ARIA Authoring Practices Guide, tree view pattern).
fn tree_key(shared: &SharedView, index: usize, key: &str) -> bool {
    let mut view = shared.borrow_mut();
    let target = match key {
        "ArrowDown" | "ArrowUp" if view.selected() != Some(index) => Some(index),
        "ArrowDown" => view.next_shown(true, false),
        "ArrowUp" => view.next_shown(false, false),
        "Home" => view.next_shown(false, true),
        "End" => view.next_shown(true, true),
        "ArrowRight" if view.set_open(index, true) => None,
        "ArrowRight" => Some(index + 1).filter(|_| view.content().nodes[index].is_parent),
        "ArrowLeft" if view.set_open(index, false) => None,
        "ArrowLeft" => view.content().parent_of(index),
        "Enter" | " " => {
            view.toggle(index);
            Some(index)
        }
        _ => return false,
    };
    if let Some(target) = target {
        view.select(target);
        view.focus_item();
    }
    true
}

/// Moves from field to field in the order of the bytes.
fn bytes_key(shared: &SharedView, key: &str) -> bool {
    let mut view = shared.borrow_mut();
    let content = view.content();
    let len = content.bytes.len();
    let current = view.selected().map(|index| &content.nodes[index]);
    let start = current.map_or(0, |node| node.bytes.start);
    let target = match key {
        // A layer begins with its first field.
        "ArrowRight" => current.filter(|node| 1 < node.level).map_or(start, |node| node.bytes.end),
        "ArrowLeft" => start.saturating_sub(1),
        "ArrowDown" => start + ROW_LEN,
        "ArrowUp" => start.saturating_sub(ROW_LEN),
        "Home" => 0,
        "End" => len.saturating_sub(1),
        "Enter" => {
            view.focus_item();
            return true;
        }
        _ => return false,
    };
    if let Some(index) = content.nodes_at(target).first().copied() {
        view.select(index);
    }
    true
}

fn copy(shared: &SharedView, format: CopyFormat) {
    let (text, len) = shared.borrow().copied(format);
    let shared = shared.clone();
    spawn_local(async move {
        let status = match write_clipboard(&text).await {
            Ok(()) => format!("Copied {}", bytes_text(len)),
            // Browsers offer the clipboard only to pages served over HTTPS.
            Err(_) => "Cannot access the clipboard".to_owned(),
        };
        shared.borrow().set_status(&status);
    });
}
