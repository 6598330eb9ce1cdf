//! Headless Firefox, driven over WebDriver BiDi (<https://w3c.github.io/webdriver-bidi/>). The browser
//! itself is the server: no driver program is needed.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;
use tungstenite::{Error, Message, WebSocket};
use xtask::wait::wait_until;

use crate::browser::{Driver, TIMEOUT, to_json};

/// Turns on WebDriver BiDi only, not the deprecated remote protocol.
const PROTOCOL_PREF: &str = "user_pref(\"remote.active-protocols\", 1);\n";

/// Codes of the Shift key and the left button (WebDriver, section "Keyboard actions").
const SHIFT_KEY: &str = "\u{e008}";
const LEFT_BUTTON: u32 = 0;

/// A browser with a temporary profile and one tab.
pub struct Firefox {
    connection: RefCell<Connection>,
    /// ID of the tab.
    context: String,
    process: Child,
    _profile: TempDir,
}

struct Connection {
    socket: WebSocket<TcpStream>,
    last_id: u64,
}

impl Firefox {
    /// Starts the browser. `prefs` are lines of `user.js` such as `user_pref("name", false);`.
    ///
    /// # Errors
    ///
    /// If Firefox is missing or does not start.
    pub fn start(prefs: &str) -> Result<Self> {
        let profile = TempDir::new()?;
        fs::write(profile.path().join("user.js"), format!("{PROTOCOL_PREF}{prefs}"))?;
        let mut process = Command::new("firefox-esr")
            .args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"])
            .arg(profile.path())
            // Caches, crash reports and temporary files go there.
            .env("HOME", profile.path())
            .env("TMPDIR", profile.path())
            .env_remove("XDG_CACHE_HOME")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting firefox-esr")?;
        match connect(profile.path()) {
            Ok((connection, context)) => {
                let connection = RefCell::new(connection);
                Ok(Self { connection, context, process, _profile: profile })
            }
            Err(error) => {
                process.kill()?;
                process.wait()?;
                Err(error)
            }
        }
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value> {
        self.connection.borrow_mut().call(method, params)
    }
}

/// Opens a session with the browser that uses this profile, and returns its tab.
fn connect(profile: &Path) -> Result<(Connection, String)> {
    let mut port = 0;
    wait_until("WebDriver BiDi server", TIMEOUT, || {
        // The browser writes this file once the server listens.
        let server = fs::read(profile.join("WebDriverBiDiServer.json")).unwrap_or_default();
        let server: Value = serde_json::from_slice(&server).unwrap_or_default();
        port = u16::try_from(server["ws_port"].as_u64().unwrap_or(0))?;
        Ok(0 < port)
    })?;
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}/session"), stream)?;
    let mut connection = Connection { socket, last_id: 0 };
    connection.call("session.new", &json!({"capabilities": {}}))?;
    let tree = connection.call("browsingContext.getTree", &json!({}))?;
    let context = tree["contexts"][0]["context"].as_str().context("no tab")?.to_owned();
    Ok((connection, context))
}

impl Connection {
    /// Sends a command and waits for its result at most for [`TIMEOUT`]. Events are ignored.
    fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.last_id += 1;
        let command = json!({"id": self.last_id, "method": method, "params": params});
        self.socket.send(Message::text(command.to_string()))?;
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            let message = match self.socket.read() {
                // A read with a timeout fails when the process continues after a stop: signal(7).
                Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => continue,
                message => message?,
            };
            let mut answer: Value = serde_json::from_str(message.to_text()?)?;
            if answer["id"] != self.last_id {
                continue;
            }
            if answer["type"] != "success" {
                bail!("{method}: {}: {}", answer["error"], answer["message"]);
            }
            return Ok(answer["result"].take());
        }
        bail!("{method}: no result within {} s", TIMEOUT.as_secs())
    }
}

impl Driver for Firefox {
    fn navigate(&self, url: &str) -> Result<()> {
        let params = json!({"context": self.context, "url": url, "wait": "complete"});
        self.call("browsingContext.navigate", &params).map(drop)
    }

    fn eval(&self, expression: &str) -> Result<Value> {
        let params = json!({
            "expression": to_json(expression),
            "target": {"context": self.context},
            "awaitPromise": true,
            "userActivation": true,
        });
        let answer = self.call("script.evaluate", &params)?;
        if answer["type"] == "exception" {
            bail!("{expression}: {}", answer["exceptionDetails"]["text"]);
        }
        let text = answer["result"]["value"].as_str();
        Ok(serde_json::from_str(text.ok_or_else(|| anyhow!("{expression}: no value"))?)?)
    }

    fn choose_file(&self, selector: &str, file: &Path) -> Result<()> {
        let locator = json!({"type": "css", "value": selector});
        let params = json!({"context": self.context, "locator": locator});
        let found = self.call("browsingContext.locateNodes", &params)?;
        let element = &found["nodes"][0];
        let params = json!({"context": self.context, "element": element, "files": [file]});
        self.call("input.setFiles", &params).map(drop)
    }

    fn shift_drag(&self, from: (f64, f64), to: (f64, f64)) -> Result<()> {
        // Events have whole coordinates.
        let move_to =
            |(x, y): (f64, f64)| json!({"type": "pointerMove", "x": x.round(), "y": y.round()});
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let pause = json!({"type": "pause"});
        // Each column is one step of both devices.
        let keys = json!({"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": SHIFT_KEY}, pause, pause, pause, pause, pause,
            {"type": "keyUp", "value": SHIFT_KEY},
        ]});
        let pointer = json!({"type": "pointer", "id": "mouse", "actions": [
            pause, move_to(from), {"type": "pointerDown", "button": LEFT_BUTTON},
            move_to(middle), move_to(to), {"type": "pointerUp", "button": LEFT_BUTTON}, pause,
        ]});
        let params = json!({"context": self.context, "actions": [keys, pointer]});
        self.call("input.performActions", &params).map(drop)
    }

    fn set_download_directory(&self, directory: &Path) -> Result<()> {
        let behavior = json!({"type": "allowed", "destinationFolder": directory});
        let params = json!({"downloadBehavior": behavior});
        self.call("browser.setDownloadBehavior", &params).map(drop)
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        // Its other processes end when they lose their connection to this one.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
