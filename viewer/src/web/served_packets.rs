//! The bytes of packets whose lines are followed, from the sniffer that serves this page.

use js_sys::Uint8Array;
use std::str::FromStr;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Document, RequestInit, Response};

use super::open::same_origin;
use crate::load::RawFrame;

/// The longest wait for the bytes of a packet, in milliseconds.
const TIMEOUT_MS: u32 = 2_000;

/// Whether the sniffer serves this page.
pub(super) fn is_served(document: &Document) -> bool {
    document.document_element().is_some_and(|root| root.has_attribute("data-served"))
}

/// The packet with this number; `None` if the sniffer does not have its bytes.
pub(super) async fn read(n: i64) -> Option<RawFrame> {
    let url = same_origin(&format!("packets/{n}")).ok()?;
    let init = RequestInit::new();
    init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
    let answer = web_sys::window()?.fetch_with_str_and_init(&url, &init);
    let answer: Response = JsFuture::from(answer).await.ok()?.dyn_into().ok()?;
    if answer.status() != 200 {
        return None;
    }
    let bytes = JsFuture::from(answer.array_buffer().ok()?).await.ok()?;
    Some(RawFrame {
        link: header(&answer, "Link-Type")?,
        wire_len: header(&answer, "Wire-Length")?,
        bytes: Uint8Array::new(&bytes).to_vec(),
    })
}

fn header<T: FromStr>(answer: &Response, name: &str) -> Option<T> {
    answer.headers().get(name).ok()??.parse().ok()
}
