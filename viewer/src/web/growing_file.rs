//! Local files that grow. Browsers with the File System Access API give handles of files, which can be read
//! again; in others, files are opened as they are.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use viewer_dom::{FileHandle, sleep};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DataTransfer, File};

use super::dom::error_message;
use super::follow::follow_file;
use super::open::{OpenMode, open_files};
use super::page::Page;
use crate::app::{App, Event};
use crate::load::{START_LEN, is_text};

/// The time between two looks at an open file, in milliseconds.
const POLL_MS: i32 = 1_000;

/// Lets the user choose files, and opens them. Returns false if the browser has no handles of files.
pub(super) fn choose_files(page: &Page, mode: OpenMode) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let picker = Reflect::get(&window, &"showOpenFilePicker".into());
    let Some(picker) = picker.ok().and_then(|picker| picker.dyn_into::<Function>().ok()) else {
        return false;
    };
    let options = js_sys::Object::new();
    // A plain object accepts every property.
    let _ = Reflect::set(&options, &"multiple".into(), &true.into());
    let Ok(chosen) = picker.call1(&window, &options) else { return false };
    let page = page.clone();
    spawn_local(async move {
        // Rejected if the user chooses nothing.
        let Ok(handles) = JsFuture::from(Promise::resolve(&chosen)).await else { return };
        let handles: Vec<_> =
            Array::from(&handles).iter().filter_map(|handle| FileHandle::of(&handle)).collect();
        if let Err(error) = open_handles(&page, &handles, mode).await {
            let reason = error_message(&error);
            page.send(Event::ShowError(format!("The file could not be read ({reason}).")));
        }
    });
    true
}

/// Opens files. A single one is followed once it grows.
///
/// # Errors
///
/// If one cannot be read.
pub(super) async fn open_handles(
    page: &Page,
    handles: &[FileHandle],
    mode: OpenMode,
) -> Result<(), JsValue> {
    let files = Array::new();
    for handle in handles {
        files.push(&handle.file().await?.into());
    }
    open_files(page, &files, mode);
    if let [handle] = handles {
        watch(page, handle.clone(), files.get(0).unchecked_into());
    }
    Ok(())
}

/// Watches a file that was dropped and opened, if it is the only one.
pub(super) fn watch_dropped(page: &Page, data: &DataTransfer) {
    let items = data.items();
    let item = items.get(0).filter(|_| items.length() == 1);
    let Some((item, file)) = item.zip(data.files().and_then(|files| files.get(0))) else { return };
    // Handles are available only while the event is handled.
    let method = Reflect::get(&item, &"getAsFileSystemHandle".into());
    let Some(method) = method.ok().and_then(|method| method.dyn_into::<Function>().ok()) else {
        return;
    };
    let Ok(handle) = method.call0(&item) else { return };
    let (page, epoch) = (page.clone(), page.epoch());
    spawn_local(async move {
        let handle = JsFuture::from(Promise::resolve(&handle)).await;
        if page.epoch() == epoch
            && let Some(handle) = handle.ok().as_ref().and_then(FileHandle::of)
        {
            watch(&page, handle, file);
        }
    });
}

/// Follows the open file from its start once it is longer than when it was opened, or explains why not.
fn watch(page: &Page, handle: FileHandle, opened: File) {
    let (page, epoch) = (page.clone(), page.epoch());
    spawn_local(async move {
        while sleep(POLL_MS).await.is_ok() {
            let Ok(file) = handle.file().await else { return };
            if page.epoch() != epoch || !page.with_app(App::can_reopen) {
                return;
            }
            if opened.size() < file.size() {
                let can_follow = has_text(&file).await;
                if page.epoch() != epoch {
                    return;
                }
                if can_follow {
                    return follow_file(&page, file.name(), handle);
                }
                return page.send(Event::ShowError(format!(
                    "“{}” has grown. The page follows only NDJSON files; open this one again to see all packets.",
                    file.name()
                )));
            }
        }
    });
}

/// Whether a file can be read and may be NDJSON.
async fn has_text(file: &File) -> bool {
    let Ok(start) = file.slice_with_f64_and_f64(0.0, START_LEN as f64) else { return false };
    let bytes = JsFuture::from(start.array_buffer()).await;
    bytes.is_ok_and(|bytes| is_text(&Uint8Array::new(&bytes).to_vec()))
}
