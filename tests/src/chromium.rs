//! Headless Chromium, driven over its own protocol.

use anyhow::{Context, Result, anyhow, bail};
use headless_chrome::protocol::cdp::{Emulation, Input, Page, Runtime};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything on a page may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// A browser with a profile of its own and one page.
pub struct Chromium {
    tab: Arc<Tab>,
    browser: Browser,
    _profile: TempDir,
}

/// What the mouse does.
#[derive(Clone, Copy, Debug)]
pub enum Mouse {
    /// Moves here.
    Move,
    /// The left button goes down here.
    Press,
    /// The left button goes up here.
    Release,
    /// The left button is clicked twice here.
    DoubleClick,
    /// The wheel turns, away from the person for negative values.
    Wheel(f64),
}

impl Chromium {
    /// Starts the browser with a page of 1280 by 1000 pixels.
    ///
    /// # Errors
    ///
    /// Where Chromium is missing or does not start.
    pub fn start() -> Result<Self> {
        let profile = TempDir::new()?;
        let args = [
            "--disable-quic",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--disable-background-networking",
        ];
        let options = LaunchOptions::default_builder()
            .path(Some("/usr/bin/chromium".into()))
            .sandbox(false)
            .user_data_dir(Some(profile.path().to_owned()))
            .window_size(Some((1280, 1000)))
            .idle_browser_timeout(DEADLINE)
            .args(args.iter().map(OsStr::new).collect())
            .build()?;
        let browser = Browser::new(options).context("starting Chromium")?;
        let tab = browser.new_tab()?;
        tab.set_default_timeout(DEADLINE);
        Ok(Self { tab, browser, _profile: profile })
    }

    /// Opens a page.
    ///
    /// # Errors
    ///
    /// Where it does not load.
    pub fn go(&self, url: &str) -> Result<()> {
        self.tab.navigate_to(url)?.wait_until_navigated()?;
        Ok(())
    }

    /// The value of a JavaScript expression, awaited where it is a promise.
    ///
    /// # Errors
    ///
    /// Where it throws; with what it throws.
    pub fn eval(&self, expression: &str) -> Result<Value> {
        let expression = format!("(async () => JSON.stringify(await ({expression})) ?? 'null')()");
        let answer = self.tab.call_method(Runtime::Evaluate {
            expression: expression.clone(),
            await_promise: Some(true),
            return_by_value: Some(true),
            object_group: None,
            include_command_line_api: None,
            silent: None,
            context_id: None,
            generate_preview: None,
            user_gesture: Some(true),
            throw_on_side_effect: None,
            timeout: None,
            disable_breaks: None,
            repl_mode: None,
            allow_unsafe_eval_blocked_by_csp: None,
            unique_context_id: None,
            serialization_options: None,
        })?;
        if let Some(thrown) = answer.exception_details {
            let words = thrown.exception.and_then(|exception| exception.description);
            bail!("{expression}: {}", words.unwrap_or(thrown.text));
        }
        let text = answer.result.value.and_then(|value| value.as_str().map(str::to_owned));
        Ok(serde_json::from_str(&text.ok_or_else(|| anyhow!("{expression}: no value"))?)?)
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    ///
    /// Where it is not in time.
    pub fn wait_for(&self, expression: &str) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while self.eval(&format!("!!({expression})"))? != Value::Bool(true) {
            if deadline < Instant::now() {
                bail!("never true: {expression}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Drags a file from outside onto a place of the page and drops it there.
    ///
    /// # Errors
    ///
    /// Where the browser refuses.
    pub fn drop_file(&self, file: &Path, (x, y): (f64, f64)) -> Result<()> {
        use Input::DispatchDragEventTypeOption::{DragEnter, DragOver, Drop};
        for kind in [DragEnter, DragOver, Drop] {
            self.tab.call_method(Input::DispatchDragEvent {
                Type: kind,
                x,
                y,
                data: Input::DragData {
                    items: Vec::new(),
                    files: Some(vec![file.display().to_string()]),
                    drag_operations_mask: 1,
                },
                modifiers: None,
            })?;
        }
        Ok(())
    }

    /// Gives a file to an `input` element.
    ///
    /// # Errors
    ///
    /// Where there is no such element.
    pub fn choose_file(&self, selector: &str, file: &Path) -> Result<()> {
        let element = self.tab.wait_for_element(selector)?;
        element.set_input_files(&[&file.display().to_string()])?;
        Ok(())
    }

    /// Does something with the mouse, `shift` held or not.
    ///
    /// # Errors
    ///
    /// Where the browser refuses.
    pub fn mouse(&self, action: Mouse, (x, y): (f64, f64), shift: bool) -> Result<()> {
        use Input::DispatchMouseEventTypeOption::{
            MouseMoved, MousePressed, MouseReleased, MouseWheel,
        };
        let event = |kind, clicks: u32, buttons: u32, wheel: Option<f64>| {
            let left = Some(Input::MouseButton::Left).filter(|_| clicks > 0);
            self.tab.call_method(Input::DispatchMouseEvent {
                Type: kind,
                x,
                y,
                modifiers: Some(if shift { 8 } else { 0 }),
                timestamp: None,
                button: left,
                buttons: Some(buttons),
                click_count: Some(clicks),
                force: None,
                tangential_pressure: None,
                tilt_x: None,
                tilt_y: None,
                twist: None,
                delta_x: wheel.map(|_| 0.0),
                delta_y: wheel,
                pointer_Type: None,
            })
        };
        match action {
            Mouse::Move => event(MouseMoved, 0, 0, None)?,
            Mouse::Press => event(MousePressed, 1, 1, None)?,
            Mouse::Release => event(MouseReleased, 1, 0, None)?,
            Mouse::Wheel(delta) => event(MouseWheel, 0, 0, Some(delta))?,
            Mouse::DoubleClick => {
                for clicks in [1, 2] {
                    event(MousePressed, clicks, 1, None)?;
                    event(MouseReleased, clicks, 0, None)?;
                }
                return Ok(());
            }
        };
        Ok(())
    }

    /// Presses a key, such as `Tab` or `+`.
    ///
    /// # Errors
    ///
    /// Where the browser knows no such key.
    pub fn press(&self, key: &str) -> Result<()> {
        self.tab.press_key(key)?;
        Ok(())
    }

    /// Light or dark, as the system would prefer it.
    ///
    /// # Errors
    ///
    /// Where the browser refuses.
    pub fn prefer_dark(&self, is_dark: bool) -> Result<()> {
        self.tab.call_method(Emulation::SetEmulatedMedia {
            media: None,
            features: Some(vec![Emulation::MediaFeature {
                name: "prefers-color-scheme".into(),
                value: if is_dark { "dark" } else { "light" }.into(),
            }]),
        })?;
        Ok(())
    }

    /// Has the page be in a time zone, by its name in the IANA's database.
    ///
    /// # Errors
    ///
    /// Where the browser knows none of that name.
    pub fn move_to(&self, timezone: &str) -> Result<()> {
        let timezone_id = timezone.to_owned();
        self.tab.call_method(Emulation::SetTimezoneOverride { timezone_id })?;
        Ok(())
    }

    /// Makes the page's window so large, in CSS pixels.
    ///
    /// # Errors
    ///
    /// Where the browser refuses.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.tab.call_method(Emulation::SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 1.0,
            mobile: true,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        })?;
        Ok(())
    }

    /// Files that the page offers are put into this directory.
    ///
    /// # Errors
    ///
    /// Where the browser refuses.
    pub fn download_to(&self, directory: &Path) -> Result<()> {
        use headless_chrome::protocol::cdp::Browser as Protocol;
        self.tab.call_method(Protocol::SetDownloadBehavior {
            behavior: Protocol::SetDownloadBehaviorBehaviorOption::Allow,
            browser_context_id: None,
            download_path: Some(directory.display().to_string()),
            events_enabled: None,
        })?;
        Ok(())
    }

    /// A picture of what the page shows, as PNG.
    ///
    /// # Errors
    ///
    /// Where the browser refuses.
    pub fn screenshot(&self) -> Result<Vec<u8>> {
        use Page::CaptureScreenshotFormatOption::Png;
        self.tab.capture_screenshot(Png, None, None, true)
    }

    /// The browser's process.
    pub fn process_id(&self) -> Option<u32> {
        self.browser.get_process_id()
    }
}
