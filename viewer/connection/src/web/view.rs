//! The elements of the view, and what they show.

use js_sys::{Array, Function, Uint8Array};
use std::collections::BTreeMap;
use std::ops::Range;
use summary::grouped;
use viewer_dom::{
    append, download, download_png, download_text, new_button, new_element, set_flag, set_text,
    set_visible,
};
use viewer_model::wire::encode;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Document, Element, HtmlSelectElement};

use super::plot::{Action, PlotView};
use crate::page::Page;
use crate::text::count_text;
use crate::{Block, Connection, ConnectionRecord, Connections, Content, Packet, Side, Transcript};
use crate::{hex, printable};

/// The notice for connections in NDJSON files, which have no payload.
const NO_BYTES: &str = "The payload is not available: NDJSON lines do not contain the bytes of packets. To see it, open the pcap or \
     pcapng file, or serve the running capture with --pcapng.";

pub(super) struct View {
    document: Document,
    title: Element,
    /// The connections, if there are several.
    connection_select: HtmlSelectElement,
    view_select: HtmlSelectElement,
    side_select: HtmlSelectElement,
    format_select: HtmlSelectElement,
    save: Element,
    /// Buttons for images of the plot.
    images: [Element; 2],
    maximize: Element,
    status: Element,
    stream: Element,
    plot: PlotView,
    notify: Option<Function>,
    connections: Connections,
    /// For each connection, its packets as the page takes them.
    located: Vec<Vec<Vec<u8>>>,
    /// The names of the files.
    files: BTreeMap<usize, String>,
    current: usize,
    transcript: Transcript,
    page: Page,
}

impl View {
    /// Creates the elements that stay.
    pub(super) fn new(container: &Element) -> Result<Self, JsValue> {
        let document = container.owner_document().ok_or("no document")?;
        container.set_text_content(None);
        let controls = new_element(&document, "div", "")?;
        controls.set_class_name("controls");
        let title = new_element(&document, "h2", "")?;
        append(&controls, &title)?;
        let select = |label: &str, options: &[(&str, &str)]| {
            let select: HtmlSelectElement = document.create_element("select")?.dyn_into()?;
            select.set_attribute("aria-label", label)?;
            set_options(&document, &select, options)?;
            append(&controls, &select)?;
            Ok::<_, JsValue>(select)
        };
        let connection_select = select("Connection", &[])?;
        let views = [("payload", "Payload"), ("sequence", "Time–sequence")];
        let view_select = select("View", &views)?;
        let side_select = select("Sides", &[])?;
        let format_select = select("Format", &[("text", "Text"), ("hex", "Hex")])?;
        let save = action_button(&document, "Save bytes", "data-save", "")?;
        save.set_attribute("title", "Saves the bytes of the chosen sides")?;
        append(&controls, &save)?;
        let image = |text: &str, format: &str| {
            let button = action_button(&document, text, "data-image", format)?;
            append(&controls, &button)?;
            Ok::<_, JsValue>(button)
        };
        let images = [image("Download PNG", "png")?, image("Download SVG", "svg")?];
        let maximize = action_button(&document, "Maximize", "data-maximize", "")?;
        append(&controls, &maximize)?;
        let status = new_element(&document, "span", "")?;
        status.set_class_name("connection-status");
        status.set_attribute("role", "status")?;
        append(&controls, &status)?;
        append(container, &controls)?;
        let stream = new_element(&document, "div", "")?;
        stream.set_class_name("stream");
        stream.set_attribute("role", "region")?;
        stream.set_attribute("aria-label", "Payload")?;
        stream.set_attribute("tabindex", "0")?;
        append(container, &stream)?;
        let plot = PlotView::new(&document)?;
        append(container, &plot.element)?;
        Ok(Self {
            document,
            title,
            connection_select,
            view_select,
            side_select,
            format_select,
            save,
            images,
            maximize,
            status,
            stream,
            plot,
            notify: None,
            connections: Connections::default(),
            located: Vec::new(),
            files: BTreeMap::new(),
            current: 0,
            transcript: Transcript::default(),
            page: Page::default(),
        })
    }

    /// Removes the last connection.
    pub(super) fn begin(&mut self, notify: Function) -> Result<(), JsValue> {
        self.notify = Some(notify);
        self.connections = Connections::default();
        (self.located, self.files) = (Vec::new(), BTreeMap::new());
        self.show()
    }

    pub(super) fn add(&mut self, file: usize, name: &str, batch: &[u8]) {
        self.files.entry(file).or_insert_with(|| name.to_owned());
        for record in ConnectionRecord::batch(batch) {
            let Some(packet) = Packet::of(&record) else { continue };
            let index = self.connections.add(file, &packet);
            if self.located.len() <= index {
                self.located.push(Vec::new());
            }
            self.located[index].push(encode(&record.packet));
        }
    }

    /// Shows the first connection.
    pub(super) fn show(&mut self) -> Result<(), JsValue> {
        let all = self.connections.all();
        let name = |index: usize| {
            let connection = &all[index];
            let first = connection.packets().first().map_or(0, |packet| packet.n);
            let number =
                format!("{} of {}: from packet {}", index + 1, all.len(), number_text(first));
            match self.files.get(&connection.file()).filter(|_| 1 < self.files.len()) {
                Some(file) => format!("{number}, {}", printable(file.as_bytes())),
                None => number,
            }
        };
        let options: Vec<_> = (0..all.len()).map(|at| (at.to_string(), name(at))).collect();
        let options: Vec<_> = options.iter().map(|(value, text)| (&**value, &**text)).collect();
        set_options(&self.document, &self.connection_select, &options)?;
        set_visible(&self.connection_select, 1 < all.len());
        self.show_connection(0)
    }

    fn show_connection(&mut self, index: usize) -> Result<(), JsValue> {
        self.current = index;
        let connection = self.connections.all().get(index);
        self.transcript = connection.map(Connection::transcript).unwrap_or_default();
        set_text(&self.title, &connection.map(Connection::to_string).unwrap_or_default());
        let status = connection.map(|connection| self.transcript.description(connection));
        set_text(&self.status, &status.unwrap_or_default());
        let is_tcp = connection.is_some_and(Connection::is_tcp);
        set_visible(&self.view_select, is_tcp);
        if !is_tcp {
            self.view_select.set_value("payload");
        }
        self.render()
    }

    /// The sides from which the user can choose in the view.
    fn set_sides(&self, is_plot: bool) -> Result<(), JsValue> {
        let [client, server] = Side::ALL.map(|side| {
            let len = self.transcript.bytes(side).len() as u64;
            format!("{}: {}", side.name(), count_text(len, "byte"))
        });
        let payload = [("both", "Both sides"), ("client", &*client), ("server", &*server)];
        let plot = [("client", "Client → server"), ("server", "Server → client")];
        let options = if is_plot { &plot[..] } else { &payload };
        let chosen = self.side_select.value();
        set_options(&self.document, &self.side_select, options)?;
        // The side that sends more is more interesting.
        let [client, server] = Side::ALL.map(|side| {
            self.connections.all().get(self.current).map_or(0, |connection| connection.sent(side))
        });
        let default = if client < server { "server" } else { "client" };
        match &*chosen {
            "both" if is_plot => self.side_select.set_value(default),
            "" => self.side_select.set_value(if is_plot { default } else { "both" }),
            _ => self.side_select.set_value(&chosen),
        }
        Ok(())
    }

    /// Shows the start of the payload.
    fn render(&mut self) -> Result<(), JsValue> {
        let connection = self.connections.all().get(self.current);
        let is_plot = self.view_select.value() == "sequence" && connection.is_some();
        let has_bytes = connection.is_some_and(Connection::has_bytes) && !is_plot;
        for element in [&*self.format_select, &self.save] {
            set_visible(element, has_bytes);
        }
        set_visible(&self.side_select, has_bytes || is_plot);
        self.images.iter().for_each(|button| set_visible(button, is_plot));
        set_visible(&self.maximize, connection.is_some());
        set_visible(&self.stream, !is_plot);
        set_visible(&self.plot.element, is_plot);
        self.set_sides(is_plot)?;
        self.stream.set_text_content(None);
        self.stream.set_scroll_top(0);
        self.page = Page::default();
        if let Some(connection) = connection.filter(|_| is_plot) {
            return self.plot.show(connection, self.side().unwrap_or(Side::Client));
        }
        let note = match connection {
            None => return Ok(()),
            Some(connection) if !connection.has_bytes() => NO_BYTES,
            Some(_) if self.transcript.blocks().is_empty() => "No payload was sent.",
            Some(_) => return self.render_more(),
        };
        append(&self.stream, &new_element(&self.document, "p", note)?)
    }

    /// Shows the next blocks, and a button if more follow.
    fn render_more(&mut self) -> Result<(), JsValue> {
        let side = self.side();
        let is_shown = |block: &Block| side.is_none_or(|side| block.side == side);
        let (slices, page) = self.page.next(self.transcript.blocks(), is_shown);
        for slice in slices {
            let block = &self.transcript.blocks()[slice.block];
            append(&self.stream, &self.block_element(block, &slice.bytes)?)?;
        }
        self.page = page;
        if self.page.has_more(self.transcript.blocks(), is_shown) {
            append(&self.stream, &action_button(&self.document, "Show more", "data-more", "")?)?;
        }
        Ok(())
    }

    fn block_element(&self, block: &Block, bytes: &Range<usize>) -> Result<Element, JsValue> {
        let document = &self.document;
        let element = new_element(document, "div", "")?;
        element.set_class_name(&format!("block {}", class_of(block.side)));
        let head = new_element(document, "div", "")?;
        head.set_class_name("block-head");
        append(&head, &new_element(document, "b", block.side.name())?)?;
        let packets = self.connections.all()[self.current].packets();
        if let Some(index) = block.packet
            && let Some(entry) = packets.get(index)
        {
            let text = format!("Packet {}", number_text(entry.n));
            append(&head, &action_button(document, &text, "data-packet", &index.to_string())?)?;
        }
        append(&element, &head)?;
        let content = match &block.content {
            Content::Missing(len) => {
                let text = format!("{} missing: not in the file", count_text(*len, "byte"));
                let note = new_element(document, "p", &text)?;
                note.set_class_name("gap");
                note
            }
            Content::Bytes(range) => {
                let shown = &self.transcript.bytes_of(block)[bytes.clone()];
                let is_hex = self.format_select.value() == "hex";
                let text = match is_hex {
                    true => hex(shown, range.start + bytes.start),
                    false => printable(shown),
                };
                let text = new_element(document, "pre", &text)?;
                if is_hex {
                    text.set_class_name("hex");
                }
                text
            }
        };
        append(&element, &content)?;
        Ok(element)
    }

    /// The side that is shown; `None` for both.
    fn side(&self) -> Option<Side> {
        match &*self.side_select.value() {
            "client" => Some(Side::Client),
            "server" => Some(Side::Server),
            _ => None,
        }
    }

    /// A button was clicked.
    pub(super) fn click(&mut self, button: &Element) -> Result<(), JsValue> {
        if let Some(packet) = button.get_attribute("data-packet") {
            self.run(packet.parse().ok().map(Action::ShowPacket))?;
        } else if button.has_attribute("data-save") {
            self.save()?;
        } else if let Some(format) = button.get_attribute("data-image") {
            self.save_image(&format)?;
        } else if button.has_attribute("data-maximize") {
            self.maximize(!self.is_maximized())?;
        } else if button.has_attribute("data-more") {
            button.remove();
            self.render_more()?;
        }
        Ok(())
    }

    pub(super) fn plot(&self) -> &PlotView {
        &self.plot
    }

    pub(super) fn plot_mut(&mut self) -> &mut PlotView {
        &mut self.plot
    }

    /// Passes on what the user wants.
    pub(super) fn run(&self, action: Option<Action>) -> Result<(), JsValue> {
        let packet = |packet: usize| self.located.get(self.current)?.get(packet);
        let (name, bytes) = match action {
            None => return Ok(()),
            Some(Action::ShowPacket(index)) => match packet(index) {
                Some(located) => ("packet", Uint8Array::from(&located[..])),
                None => return Ok(()),
            },
            Some(Action::SelectTime(from, to)) => {
                ("time", Uint8Array::from(&encode(&(from, to))[..]))
            }
        };
        let Some(notify) = &self.notify else { return Ok(()) };
        notify.call2(&JsValue::NULL, &name.into(), &bytes).map(drop)
    }

    /// Another connection, view, side or format was chosen.
    pub(super) fn change(&mut self) -> Result<(), JsValue> {
        match self.connection_select.value().parse() {
            Ok(index) if index != self.current => self.show_connection(index),
            _ => self.render(),
        }
    }

    fn save(&self) -> Result<(), JsValue> {
        let Some(connection) = self.connections.all().get(self.current) else { return Ok(()) };
        let (bytes, side) = match self.side() {
            Some(side) => (self.transcript.bytes(side).to_vec(), class_of(side)),
            None => (self.transcript.both(), "both"),
        };
        let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(&bytes[..])))?;
        download(&blob, &format!("{}-{side}.bin", file_name(connection)))
    }

    /// Downloads the plot as a PNG or SVG image.
    fn save_image(&self, format: &str) -> Result<(), JsValue> {
        let Some(connection) = self.connections.all().get(self.current) else { return Ok(()) };
        let scene = self.plot.scene()?;
        let name = format!("{}-sequence.{format}", file_name(connection));
        match format {
            "png" => download_png(&self.document, scene, name),
            _ => download_text(&scene.svg(), &name),
        }
    }

    fn panel(&self) -> Result<Option<Element>, JsValue> {
        self.maximize.closest(".panel")
    }

    fn is_maximized(&self) -> bool {
        self.panel().ok().flatten().is_some_and(|panel| panel.has_attribute("data-maximized"))
    }

    /// Lets the view cover the other ones, or restores it.
    fn maximize(&self, is_maximized: bool) -> Result<(), JsValue> {
        if let Some(panel) = self.panel()? {
            set_flag(&panel, "data-maximized", is_maximized);
            // A style sheet that looked for the panel with `:has` would cost time in each frame.
            if let Some(views) = panel.closest("#views")? {
                set_flag(&views, "data-max-connection", is_maximized);
            }
        }
        set_text(&self.maximize, if is_maximized { "Restore" } else { "Maximize" });
        Ok(())
    }

    /// Handles a key outside of the plot: Escape restores the view. Returns false for other keys.
    pub(super) fn key(&self, key: &str) -> Result<bool, JsValue> {
        let is_handled = key == "Escape" && self.is_maximized();
        if is_handled {
            self.maximize(false)?;
        }
        Ok(is_handled)
    }
}

/// The start of the names of files about a connection.
fn file_name(connection: &Connection) -> String {
    let [client, server] = connection.ends().map(|end| {
        let address = end.address.to_string().replace(':', ".");
        format!("{address}-{}", end.port)
    });
    format!("{client}-{server}")
}

/// Creates a button with an attribute that names its action.
fn action_button(
    document: &Document,
    text: &str,
    attribute: &str,
    value: &str,
) -> Result<Element, JsValue> {
    let button = new_button(document, text)?;
    button.set_attribute(attribute, value)?;
    Ok(button)
}

/// Replaces the options of a control: value and text of each.
fn set_options(
    document: &Document,
    select: &HtmlSelectElement,
    options: &[(&str, &str)],
) -> Result<(), JsValue> {
    select.set_text_content(None);
    for (value, text) in options {
        let option = new_element(document, "option", text)?;
        option.set_attribute("value", value)?;
        append(select, &option)?;
    }
    Ok(())
}

/// The number of a packet with thousands separators.
fn number_text(number: i64) -> String {
    u64::try_from(number).map_or_else(|_| number.to_string(), grouped)
}

fn class_of(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}
