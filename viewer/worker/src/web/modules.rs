//! The WebAssembly modules that a worker loads when it needs them first.

use js_sys::{Function, Promise};
use std::cell::OnceCell;
use std::thread::LocalKey;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

thread_local! {
    /// The function of `modules.js` that returns a promise of the exports of a module.
    static LOAD: OnceCell<Function> = const { OnceCell::new() };
}

/// Stores the function that loads modules.
pub(super) fn install(load: Function) {
    // Called once, at the start.
    LOAD.with(|cell| drop(cell.set(load)));
}

/// Loads a module and stores its exports, unless they are there already.
///
/// # Errors
///
/// If the module cannot be loaded.
pub(super) async fn load<T: JsCast>(
    exports: &'static LocalKey<OnceCell<T>>,
    name: &str,
) -> Result<(), JsValue> {
    if exports.with(|exports| exports.get().is_some()) {
        return Ok(());
    }
    let load = LOAD.with(|load| load.get().cloned()).ok_or("modules cannot be loaded")?;
    let promise: Promise = load.call1(&JsValue::NULL, &name.into())?.unchecked_into();
    let loaded = JsFuture::from(promise).await?.unchecked_into();
    // Another file may have loaded it meanwhile. Either can be used.
    exports.with(|exports| drop(exports.set(loaded)));
    Ok(())
}
