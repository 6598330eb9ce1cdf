//! Lets the event loop run between two pieces of work, so that messages do not wait until a long
//! task ends.

use js_sys::{Date, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;

/// How long messages may wait, in milliseconds.
const INTERVAL_MS: f64 = 10.0;

/// Yields to the event loop from time to time.
pub(super) struct Yielder {
    channel: MessageChannel,
    yielded_ms: f64,
}

impl Yielder {
    pub(super) fn new() -> Result<Self, JsValue> {
        Ok(Self { channel: MessageChannel::new()?, yielded_ms: Date::now() })
    }

    /// Yields if that has not been done for [`INTERVAL_MS`]. A message through a channel takes less
    /// time than a timer, which browsers delay by at least 4 ms.
    pub(super) async fn yield_if_due(&mut self) -> Result<(), JsValue> {
        if Date::now() - self.yielded_ms < INTERVAL_MS {
            return Ok(());
        }
        let received = Promise::new(&mut |resolve, _| {
            self.channel.port1().set_onmessage(Some(&resolve));
        });
        self.channel.port2().post_message(&JsValue::NULL)?;
        JsFuture::from(received).await?;
        self.yielded_ms = Date::now();
        Ok(())
    }
}
