//! docs/hosting.md: its headers match the policy of the page, and nginx serves the site with its
//! configuration.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use tempfile::{TempDir, tempdir};
use tests::chromium::Chromium;
use tests::process::{Process, wait_for};
use xtask::build::{root, site_path};

/// The text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start:?}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end:?} after {start:?}")).0
}

/// The configuration for a server in docs/hosting.md.
fn configuration(server: &str) -> String {
    let page = fs::read_to_string(root().join("docs/hosting.md")).unwrap();
    between(&page, &format!("```{server}\n"), "```").to_owned()
}

/// The page's own policy with the part that only a header can contain.
fn full_policy() -> String {
    let html = fs::read_to_string(root().join("www/index.html")).unwrap();
    let policy = between(&html, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    format!("{policy}; frame-ancestors 'none'")
}

#[test]
fn documented_headers_are_the_same_for_all_servers() {
    let nginx = configuration("nginx");
    let headers: Vec<_> =
        nginx.lines().filter_map(|line| line.trim().strip_prefix("add_header ")).collect();
    assert!(6 < headers.len(), "{headers:?}");
    for server in ["nginx", "apache", "caddy"] {
        let text = configuration(server);
        let policy = format!("Content-Security-Policy \"{}\"", full_policy());
        assert!(text.contains(&policy), "{server}: expected {policy}");
        for header in headers.iter().filter_map(|header| header.strip_suffix(" always;")) {
            assert!(text.contains(header), "{server}: {header}");
        }
        for caching in ["\"no-cache\"", "\"public, max-age=31536000, immutable\""] {
            assert!(text.contains(caching), "{server}: {caching}");
        }
    }
}

/// nginx with the documented configuration, on the loopback interface.
struct Nginx {
    port: u16,
    process: Process,
    _directory: TempDir,
}

impl Nginx {
    fn start() -> Self {
        let directory = tempdir().unwrap();
        // nginx cannot report a free port. The kernel gives out none below 32,768 by itself
        // (net.ipv4.ip_local_port_range).
        let port = u16::try_from(20_000 + std::process::id() % 12_000).unwrap();
        let site = site_path();
        let text = configuration("nginx");
        assert!(text.contains("listen 443 ssl;") && text.contains("root /var/www/viewer;"));
        let server = text
            .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"))
            .replace("/var/www/viewer", site.to_str().unwrap());
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path temp;\n"))
            .concat();
        // One process, which keeps its user: workers could not read the site in a private directory.
        let main = format!(
            "daemon off; master_process off; pid nginx.pid; events {{}}\n\
             http {{ include /etc/nginx/mime.types; access_log off; log_not_found off;\n{temporary}{server}}}\n"
        );
        fs::write(directory.path().join("nginx.conf"), main).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(directory.path());
        let process = Process::spawn(command.stdin(Stdio::null()));
        let mut nginx = Self { port, process, _directory: directory };
        wait_for("nginx", || {
            assert_eq!(nginx.process.try_wait().unwrap(), None, "nginx exited");
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        nginx
    }

    /// The status and the headers of an answer, with names in lower case.
    fn head(&self, path: &str) -> (String, BTreeMap<String, String>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "HEAD /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (status, headers) = answer.split_once("\r\n").unwrap();
        let headers = headers.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        (status.to_owned(), headers.collect())
    }
}

#[test]
fn nginx_serves_the_site_with_the_documented_headers() {
    let nginx = Nginx::start();
    let html = fs::read_to_string(site_path().join("index.html")).unwrap();
    let version = between(&html, "style.css?", "\"");
    let immutable = "public, max-age=31536000, immutable";
    for (path, media_type, caching) in [
        ("", "text/html", "no-cache"),
        (&format!("main.js?{version}"), "application/javascript", immutable),
        (&format!("viewer_bg.wasm?{version}"), "application/wasm", immutable),
        ("sample.ndjson", "text/plain", "no-cache"),
    ] {
        let (status, headers) = nginx.head(path);
        assert_eq!(status, "HTTP/1.1 200 OK", "{path}");
        for (name, value) in [
            ("content-type", media_type),
            ("cache-control", caching),
            ("content-security-policy", &full_policy()),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(headers.get(name).map(String::as_str), Some(value), "{path}: {name}");
        }
        assert!(headers["permissions-policy"].contains("camera=()"), "{path}");
    }
    let (status, headers) = nginx.head(&format!("missing?{version}"));
    assert_eq!((&status[..], headers.get("cache-control")), ("HTTP/1.1 404 Not Found", None));
    assert_eq!(headers["content-security-policy"], full_policy());

    // The page works under these headers, its workers and its service worker too.
    let chromium = Chromium::start().unwrap();
    chromium.navigate(&format!("http://127.0.0.1:{}/", nginx.port)).unwrap();
    chromium.wait_for("window.viewer").unwrap();
    chromium
        .eval(concat!(
            "(() => { window.violations = []; addEventListener('securitypolicyviolation',",
            "(event) => window.violations.push(event.effectiveDirective)); })()"
        ))
        .unwrap();
    chromium.eval("document.getElementById('sample').click()").unwrap();
    chromium.wait_for("viewer.state().phase === 'ready'").unwrap();
    assert!(500 < chromium.eval("viewer.state().packets").unwrap().as_u64().unwrap());
    chromium.eval("navigator.serviceWorker.ready.then(() => 0)").unwrap();
    let cached =
        format!("caches.match('style.css?{version}').then((found) => found !== undefined)");
    assert_eq!(chromium.eval(&cached).unwrap(), true);
    assert_eq!(chromium.eval("window.violations").unwrap(), serde_json::json!([]));
}
