//! Headless Chromium, driven over the Chrome DevTools Protocol.

use anyhow::{Context, Result, anyhow, bail, ensure};
use headless_chrome::protocol::cdp::{Emulation, Input, Page, Runtime};
use headless_chrome::{Browser, LaunchOptions, Tab};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

use crate::browser::{COLLECT_ERRORS, Driver, TIMEOUT, to_json};
use crate::process_tree::tree;

/// A browser with a temporary profile and one tab.
pub struct Chromium {
    tab: Arc<Tab>,
    browser: Browser,
    _profile: TempDir,
}

/// A mouse action.
#[derive(Clone, Copy, Debug)]
pub enum Mouse {
    /// Moves the pointer.
    Move,
    /// Moves the pointer with the left button pressed.
    Drag,
    /// Presses the left button.
    Press,
    /// Releases the left button.
    Release,
    /// Double-clicks with the left button.
    DoubleClick,
    /// Scrolls by this many CSS pixels with the Ctrl key held; up for negative values.
    CtrlWheel(f64),
}

impl Chromium {
    /// Starts the browser with a window of 1280 by 1000 pixels.
    ///
    /// # Errors
    ///
    /// If Chromium is missing or does not start.
    pub fn start() -> Result<Self> {
        let profile = TempDir::new()?;
        let profile_path = profile.path().display().to_string();
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
            .idle_browser_timeout(TIMEOUT)
            // A killed browser does not remove its temporary directories: they go with the profile.
            .process_envs(Some([("TMPDIR".to_owned(), profile_path)].into()))
            .args(args.iter().map(OsStr::new).collect())
            .build()?;
        let browser = Browser::new(options).context("starting Chromium")?;
        let tab = browser.new_tab()?;
        tab.set_default_timeout(TIMEOUT);
        tab.call_method(Page::AddScriptToEvaluateOnNewDocument {
            source: COLLECT_ERRORS.to_owned(),
            world_name: None,
            include_command_line_api: None,
            run_immediately: None,
        })?;
        Ok(Self { tab, browser, _profile: profile })
    }

    /// Opens a URL and waits until it is loaded.
    ///
    /// # Errors
    ///
    /// If it does not load.
    pub fn navigate(&self, url: &str) -> Result<()> {
        self.tab.navigate_to(url)?.wait_until_navigated()?;
        Ok(())
    }

    /// The value of a JavaScript expression; promises are awaited.
    ///
    /// # Errors
    ///
    /// If it throws; the error contains the exception.
    pub fn eval(&self, expression: &str) -> Result<Value> {
        let expression = to_json(expression);
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
            let description = thrown.exception.and_then(|exception| exception.description);
            bail!("{expression}: {}", description.unwrap_or(thrown.text));
        }
        let text = answer.result.value.and_then(|value| value.as_str().map(str::to_owned));
        Ok(serde_json::from_str(&text.ok_or_else(|| anyhow!("{expression}: no value"))?)?)
    }

    /// Waits until a JavaScript expression is true.
    ///
    /// # Errors
    ///
    /// If it throws, or is not true in time.
    pub fn wait_for(&self, expression: &str) -> Result<()> {
        Driver::wait_for(self, expression)
    }

    /// Drags a file from the desktop and drops it at a point of the page.
    ///
    /// # Errors
    ///
    /// If the file does not exist, or the browser reports an error.
    pub fn drop_file(&self, file: &Path, (x, y): (f64, f64)) -> Result<()> {
        use Input::DispatchDragEventTypeOption::{DragEnter, DragOver, Drop};
        let file = absolute(file)?;
        for kind in [DragEnter, DragOver, Drop] {
            self.tab.call_method(Input::DispatchDragEvent {
                Type: kind,
                x,
                y,
                data: Input::DragData {
                    items: Vec::new(),
                    files: Some(vec![file.clone()]),
                    drag_operations_mask: 1,
                },
                modifiers: None,
            })?;
        }
        Ok(())
    }

    /// Chooses a file in an `input` element.
    ///
    /// # Errors
    ///
    /// If the element or the file does not exist.
    pub fn choose_file(&self, selector: &str, file: &Path) -> Result<()> {
        let element = self.tab.wait_for_element(selector)?;
        element.set_input_files(&[&absolute(file)?])?;
        Ok(())
    }

    /// Performs a mouse action, with the Shift key held or not.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
    pub fn mouse(&self, action: Mouse, (x, y): (f64, f64), shift: bool) -> Result<()> {
        use Input::DispatchMouseEventTypeOption::{
            MouseMoved, MousePressed, MouseReleased, MouseWheel,
        };
        let event = |kind, clicks: u32, buttons: u32, wheel: Option<f64>| {
            let left = Some(Input::MouseButton::Left).filter(|_| 0 < clicks + buttons);
            self.tab.call_method(Input::DispatchMouseEvent {
                Type: kind,
                x,
                y,
                modifiers: Some(if shift {
                    8
                } else if wheel.is_some() {
                    2
                } else {
                    0
                }),
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
            Mouse::Drag => event(MouseMoved, 0, 1, None)?,
            Mouse::Press => event(MousePressed, 1, 1, None)?,
            Mouse::Release => event(MouseReleased, 1, 0, None)?,
            Mouse::CtrlWheel(delta) => event(MouseWheel, 0, 0, Some(delta))?,
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

    /// Moves a finger from one point of the window to another.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
    pub fn swipe(&self, from: (f64, f64), to: (f64, f64)) -> Result<()> {
        const STEPS: u32 = 10;
        let touch = |kind, at: Option<(f64, f64)>| {
            let point = |(x, y)| Input::TouchPoint {
                x,
                y,
                radius_x: None,
                radius_y: None,
                rotation_angle: None,
                force: None,
                tangential_pressure: None,
                tilt_x: None,
                tilt_y: None,
                twist: None,
                id: None,
            };
            self.tab.call_method(Input::DispatchTouchEvent {
                Type: kind,
                touch_points: at.into_iter().map(point).collect(),
                modifiers: None,
                timestamp: None,
            })
        };
        use Input::DispatchTouchEventTypeOption::{TouchEnd, TouchMove, TouchStart};
        touch(TouchStart, Some(from))?;
        for step in 1..=STEPS {
            let part = f64::from(step) / f64::from(STEPS);
            let at = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            touch(TouchMove, Some(at))?;
        }
        touch(TouchEnd, None)?;
        Ok(())
    }

    /// Presses a key, such as `Tab` or `+`.
    ///
    /// # Errors
    ///
    /// If there is no such key.
    pub fn press(&self, key: &str) -> Result<()> {
        self.tab.press_key(key)?;
        Ok(())
    }

    /// Sets the preferred color scheme.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
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

    /// Sets the time zone, by its IANA name such as `Europe/Berlin`.
    ///
    /// # Errors
    ///
    /// If the browser does not know the name.
    pub fn set_timezone(&self, timezone: &str) -> Result<()> {
        let timezone_id = timezone.to_owned();
        self.tab.call_method(Emulation::SetTimezoneOverride { timezone_id })?;
        Ok(())
    }

    /// Sets the size of the viewport in CSS pixels.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
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

    /// Saves downloads to this directory.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
    pub fn set_download_directory(&self, directory: &Path) -> Result<()> {
        use headless_chrome::protocol::cdp::Browser as Protocol;
        self.tab.call_method(Protocol::SetDownloadBehavior {
            behavior: Protocol::SetDownloadBehaviorBehaviorOption::Allow,
            browser_context_id: None,
            download_path: Some(directory.display().to_string()),
            events_enabled: None,
        })?;
        Ok(())
    }

    /// A screenshot as PNG.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
    pub fn screenshot(&self) -> Result<Vec<u8>> {
        use Page::CaptureScreenshotFormatOption::Png;
        self.tab.capture_screenshot(Png, None, None, true)
    }

    /// Process IDs of the renderers, one of which runs the page.
    pub fn renderers(&self) -> Vec<u32> {
        let is_renderer = |process: &u32| {
            fs::read_to_string(format!("/proc/{process}/cmdline"))
                .is_ok_and(|args| args.contains("--type=renderer"))
        };
        let processes = tree(self.process_id().unwrap_or(0)).into_iter();
        processes.filter(is_renderer).collect()
    }

    /// Sends a signal to the renderers, such as SIGSTOP.
    ///
    /// # Errors
    ///
    /// If there are none, or the system refuses.
    pub fn signal_renderers(&self, signal: Signal) -> Result<()> {
        let renderers = self.renderers();
        ensure!(!renderers.is_empty(), "no renderer");
        for process in renderers {
            kill(Pid::from_raw(i32::try_from(process)?), signal)?;
        }
        Ok(())
    }

    /// Process ID of the browser.
    pub fn process_id(&self) -> Option<u32> {
        self.browser.get_process_id()
    }
}

/// The path of a file without `..`, which Chromium refuses to read.
fn absolute(file: &Path) -> Result<String> {
    let path = fs::canonicalize(file).with_context(|| file.display().to_string())?;
    Ok(path.display().to_string())
}

impl Driver for Chromium {
    fn navigate(&self, url: &str) -> Result<()> {
        Self::navigate(self, url)
    }

    fn eval(&self, expression: &str) -> Result<Value> {
        Self::eval(self, expression)
    }

    fn choose_file(&self, selector: &str, file: &Path) -> Result<()> {
        Self::choose_file(self, selector, file)
    }

    fn shift_drag(&self, from: (f64, f64), to: (f64, f64)) -> Result<()> {
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        self.mouse(Mouse::Press, from, true)?;
        self.mouse(Mouse::Move, middle, true)?;
        self.mouse(Mouse::Move, to, true)?;
        self.mouse(Mouse::Release, to, true)
    }

    fn set_download_directory(&self, directory: &Path) -> Result<()> {
        Self::set_download_directory(self, directory)
    }
}
