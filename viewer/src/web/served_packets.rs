//! The bytes of packets whose lines are followed, from the sniffer that serves this page.

use js_sys::{Array, Promise, Uint8Array};
use std::str::FromStr;
use summary::grouped;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{AbortSignal, Blob, Document, RequestInit, Response};

use super::open::same_origin;
use super::page::Page;
use crate::app::{App, Event};
use crate::frame_list;
use crate::load::{ExportFormat, RawFrame};
use crate::number_list::NumberList;

/// The longest wait for the bytes of a packet, in milliseconds.
const TIMEOUT_MS: u32 = 2_000;

/// The longest wait for the bytes of several packets, in milliseconds. The link may be slow.
const LIST_TIMEOUT_MS: u32 = 30_000;

/// Most characters of a list of packets in a request. The sniffer accepts 4 KiB with all headers.
const MAX_LIST_LEN: usize = 2_000;

/// Whether the sniffer serves this page.
pub(super) fn is_served(document: &Document) -> bool {
    document.document_element().is_some_and(|root| root.has_attribute("data-served"))
}

/// The packet with this number; `None` if the sniffer does not have its bytes.
pub(super) async fn read(n: i64) -> Option<RawFrame> {
    let answer = fetch(&n.to_string(), TIMEOUT_MS).await.ok()?;
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

/// The response to a request for a name in the directory of packets.
async fn fetch(name: &str, timeout_ms: u32) -> Result<Response, JsValue> {
    let url = same_origin(&format!("packets/{name}"))?;
    let init = RequestInit::new();
    init.set_signal(Some(&AbortSignal::timeout_with_u32(timeout_ms)));
    let window = web_sys::window().ok_or("no window")?;
    JsFuture::from(window.fetch_with_str_and_init(&url, &init)).await?.dyn_into()
}

/// A promise of the selected packets as a pcapng file: from the open files, or from the sniffer that serves this
/// page. The user is told if it is not complete.
pub(super) fn export_pcapng(page: &Page) -> Promise {
    if !page.with_app(App::has_served_packets) {
        return page.export(ExportFormat::Pcapng);
    }
    let page = page.clone();
    let numbers = page.export(ExportFormat::Numbers);
    future_to_promise(async move {
        let numbers: Blob = JsFuture::from(numbers).await?.unchecked_into();
        let numbers = JsFuture::from(numbers.text()).await?.as_string().unwrap_or_default();
        let numbers = NumberList::parse(&numbers);
        let wanted = numbers.count();
        let result = request(numbers, "pcapng").await.and_then(|(file, found)| match found {
            0 => Err("The sniffer has the bytes of none of these packets. It keeps those of the latest packets \
                      that --pcapng writes."
                .into()),
            _ => Ok((file, found)),
        });
        if let Err(error) = &result {
            page.send(Event::ShowError(error.as_string().unwrap_or_else(|| {
                "The export failed: the sniffer that serves this page does not respond.".to_owned()
            })));
        }
        let (file, found) = result?;
        if found < wanted {
            page.send(Event::ShowError(format!(
                "The file contains {} of {} packets: the sniffer does not have the bytes of the others. It keeps \
                 those of the latest packets that --pcapng writes.",
                grouped(found),
                grouped(wanted)
            )));
        }
        Ok(file.into())
    })
}

/// The packets with these numbers, as far as the sniffer has them.
pub(super) async fn frames(numbers: NumberList) -> Result<Vec<(u64, RawFrame)>, JsValue> {
    let (records, _) = request(numbers, "bin").await?;
    let bytes = JsFuture::from(records.array_buffer()).await?;
    Ok(frame_list::frames(&Uint8Array::new(&bytes).to_vec()).collect())
}

/// Those of the packets that the sniffer has in a format, and their number.
async fn request(mut numbers: NumberList, format: &str) -> Result<(Blob, u64), JsValue> {
    let (sections, mut found) = (Array::new(), 0);
    while !numbers.is_empty() {
        let mut list = numbers.take(MAX_LIST_LEN);
        while !list.is_empty() {
            let name = format!("{}.{format}", list.to_text());
            let answer = fetch(&name, LIST_TIMEOUT_MS).await?;
            if answer.status() == 200 {
                found += header::<u64>(&answer, "Packet-Count").unwrap_or(0);
                sections.push(&JsFuture::from(answer.blob()?).await?);
            }
            let next = header(&answer, "Next-Packet");
            if !next.is_some_and(|next| list.skip_to(next)) {
                break;
            }
        }
    }
    Ok((Blob::new_with_blob_sequence(&sections)?, found))
}

fn header<T: FromStr>(answer: &Response, name: &str) -> Option<T> {
    answer.headers().get(name).ok()??.parse().ok()
}
