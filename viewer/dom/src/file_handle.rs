//! Handles of local files, which can be read again after the files have changed.

use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

#[wasm_bindgen]
extern "C" {
    /// `FileSystemFileHandle` of the File System Access API, which not all browsers have.
    #[wasm_bindgen(extends = js_sys::Object, js_name = FileSystemFileHandle)]
    #[derive(Clone)]
    pub type FileHandle;

    #[wasm_bindgen(method, js_name = getFile)]
    fn get_file(this: &FileHandle) -> Promise;

    #[wasm_bindgen(method, getter)]
    fn kind(this: &FileHandle) -> String;
}

impl FileHandle {
    /// A value as a handle of a file, if it is one.
    pub fn of(value: &JsValue) -> Option<Self> {
        let has_method = Reflect::has(value, &"getFile".into()).unwrap_or(false);
        let handle: &Self = value.unchecked_ref();
        (has_method && handle.kind() == "file").then(|| handle.clone())
    }

    /// The file as it is now. It can be read until it changes.
    ///
    /// # Errors
    ///
    /// If the file is gone, or the user has withdrawn the permission to read it.
    pub async fn file(&self) -> Result<File, JsValue> {
        JsFuture::from(self.get_file()).await?.dyn_into()
    }
}
