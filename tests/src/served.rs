//! A sniffer that serves over HTTP, and requests to it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::process::{Process, wait_for};

/// A capture that serves over HTTP. Its URL is in its messages.
#[derive(Debug)]
pub struct Served {
    /// The sniffer.
    pub process: Process,
    url: String,
    messages: Arc<Mutex<String>>,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Served {
    /// Starts a capture, and waits until it runs and has printed its URL.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(command: &mut Command) -> Self {
        let mut process = Process::spawn(command.stderr(Stdio::piped()));
        let mut stderr = process.stderr.take().unwrap();
        let messages = Arc::new(Mutex::new(String::new()));
        let shared = messages.clone();
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(len @ 1..) = stderr.read(&mut buffer) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
            }
        });
        let url = || {
            let text = messages.lock().unwrap();
            let after = text.split_once("http://")?.1;
            let (url, _) = after.split_once('\n')?;
            text.contains("capturing on").then(|| url.to_owned())
        };
        wait_for("the start", || url().is_some());
        let url = url().unwrap();
        Self { process, url, messages }
    }

    /// The messages so far.
    ///
    /// # Panics
    ///
    /// If the thread that reads them has panicked.
    pub fn messages(&self) -> String {
        self.messages.lock().unwrap().clone()
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.url)
    }

    /// Address and port of the URL.
    pub fn address(&self) -> &str {
        self.url.split('/').next().unwrap()
    }

    /// The directory in the path of the URL, with a slash at both ends.
    pub fn directory(&self) -> &str {
        let path = &self.url[self.address().len()..];
        &path[..=path.rfind('/').unwrap()]
    }

    /// Opens a connection.
    ///
    /// # Panics
    ///
    /// If the server does not accept it.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).unwrap()
    }

    /// The answer to a request for a file in the directory of the URL, with more headers.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn get(&self, name: &str, headers: &str) -> Answer {
        let directory = self.directory();
        self.ask(format!(
            "GET {directory}{name} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.address()
        ))
    }

    /// The answer to a request that ends the connection.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }
}

impl Answer {
    /// Parses the bytes of a connection that served one request.
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        let head = str::from_utf8(&bytes[..end]).unwrap();
        let (status, headers) = head.split_once("\r\n").unwrap();
        let status = status.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let headers = headers.lines().map(|line| line.split_once(": ").unwrap());
        let headers: BTreeMap<_, _> =
            headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let body = bytes[end + 4..].to_vec();
        if let Some(len) = headers.get("content-length") {
            assert_eq!(body.len(), len.parse::<usize>().unwrap());
        }
        Self { status, headers, body }
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}
