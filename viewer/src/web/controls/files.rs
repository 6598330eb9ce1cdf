//! Files dropped on the page or chosen in the file picker.

use wasm_bindgen::JsValue;
use web_sys::{DataTransfer, DragEvent, FileList, HtmlInputElement};

use crate::app::Event;
use crate::web::dom::{element, listen, log_error};
use crate::web::growing_file::watch_dropped;
use crate::web::open::{OpenMode, open_files};
use crate::web::page::Page;

pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    let document = page.document();
    let body = document.body().ok_or("no body")?;
    listen(&body, "dragover", |event: DragEvent| event.prevent_default())?;
    let target = body.clone();
    listen(&body, "dragenter", move |_: DragEvent| {
        log_error(target.dataset().set("drag", "over"));
    })?;
    let target = body.clone();
    listen(&body, "dragleave", move |event: DragEvent| {
        // The event is sent for every child element; only leaving the window has no related target.
        if event.related_target().is_none() {
            target.dataset().delete("drag");
        }
    })?;
    let (on_drop, target) = (page.clone(), body.clone());
    listen(&body, "drop", move |event: DragEvent| {
        event.prevent_default();
        target.dataset().delete("drag");
        // Dragged text and links have no files.
        let data = event.data_transfer();
        if !open(&on_drop, data.as_ref().and_then(DataTransfer::files), OpenMode::Add) {
            let error = "Text cannot be opened. Drop a file.";
            return on_drop.send(Event::ShowError(error.into()));
        }
        data.iter().for_each(|data| watch_dropped(&on_drop, data));
    })?;
    let input: HtmlInputElement = element(&document, "file")?;
    let (on_change, picker) = (page.clone(), input.clone());
    listen(&input, "change", move |_: web_sys::Event| {
        let mode = picker.dataset().get("mode").unwrap_or_default();
        open(&on_change, picker.files(), OpenMode::of(&mode));
        // Without this, choosing the same file once more would send no event.
        picker.set_value("");
    })
}

/// Opens files. Returns false if there are none.
fn open(page: &Page, files: Option<FileList>, mode: OpenMode) -> bool {
    let files = files.filter(|files| 0 < files.length());
    if let Some(files) = &files {
        open_files(page, files, mode);
    }
    files.is_some()
}
