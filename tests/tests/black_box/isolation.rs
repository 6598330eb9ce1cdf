//! The page sends nothing to other origins, and does not change other sites of its own origin.

use std::fs;
use std::path::Path;
use tempfile::tempdir;
use tests::chromium::Chromium;
use tests::page::Page;
use xtask::build;
use xtask::server::Server;

#[test]
fn sample_opens_without_third_party_requests() {
    let page = Page::open("");
    page.eval("document.getElementById('sample').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    assert!(500 < page.eval("viewer.state().packets").as_u64().unwrap());
    let foreign = page.eval(
        "performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))",
    );
    assert_eq!(foreign, serde_json::json!([]));
    let requests = page.server.requests();
    assert!(requests.iter().all(|url| !url.contains("favicon")), "{requests:?}");
}

/// The page's Content Security Policy also applies to its workers, which have the captures.
#[test]
fn page_and_workers_cannot_send_data_elsewhere() {
    let page = Page::open("");
    let other_server = Server::start(&build::site_path(), 0).unwrap();
    let url = format!("http://127.0.0.1:{}/style.css", other_server.port());
    page.eval(concat!(
        "(() => { window.violations = []; document.addEventListener('securitypolicyviolation', ",
        "event => window.violations.push(event.effectiveDirective)); })()"
    ));
    let requests = [
        ("connect-src", format!("fetch('{url}').catch(() => 0)")),
        ("connect-src", format!("void navigator.sendBeacon('{url}', 'x')")),
        ("connect-src", format!("void new WebSocket('{}')", url.replace("http", "ws"))),
        ("img-src", format!("void (new Image().src = '{url}')")),
        ("script-src-elem", format!("void import('{url}').catch(() => 0)")),
    ];
    for (number, (directive, request)) in requests.iter().enumerate() {
        page.eval(request);
        page.wait_for(&format!("window.violations.length === {}", number + 1));
        assert_eq!(page.eval("window.violations").as_array().unwrap()[number], *directive);
    }
    // Workers start from a blob of the page, so they inherit its policy.
    page.eval(concat!(
        "(() => { window.started = []; const Plain = Worker; window.Worker = class extends Plain {",
        "constructor(url, options) { window.started.push(String(url).split(':')[0]); super(url, options); } };",
        "void viewer.open(new File(['x'], 'a.ndjson')); })()"
    ));
    page.wait_for("1 <= window.started.length");
    assert_eq!(page.eval("window.started.every(scheme => scheme === 'blob')"), true);
    let script =
        format!("fetch('{url}').then(() => postMessage('sent'), () => postMessage('refused'))");
    let answer = page.eval(&format!(
        "new Promise(done => {{ const script = new Blob([`{script}`], {{type: 'text/javascript'}}); \
         const worker = new Worker(trusted.createScriptURL(URL.createObjectURL(script)), {{type: 'module'}}); \
         worker.onmessage = event => done(event.data); }})"
    ));
    assert_eq!(answer, "refused");
    assert_eq!(other_server.requests(), Vec::<String>::new());
}

/// Copies the site, with another version in the addresses of its files.
fn copy_site(target: &Path, version: &str) {
    fs::create_dir(target).unwrap();
    for entry in fs::read_dir(build::site_path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, target.join(path.file_name().unwrap())).unwrap();
    }
    let page = target.join("index.html");
    let html = fs::read_to_string(&page).unwrap();
    let (_, rest) = html.split_once("?v=").unwrap();
    let (current, _) = rest.split_once('"').unwrap();
    fs::write(&page, html.replace(&format!("?v={current}"), &format!("?v={version}"))).unwrap();
}

#[test]
fn sites_of_one_origin_keep_their_own_caches() {
    let directory = tempdir().unwrap();
    copy_site(&directory.path().join("first"), "1");
    copy_site(&directory.path().join("second"), "2");
    let server = Server::start(directory.path(), 0).unwrap();
    let chromium = Chromium::start().unwrap();
    let go = |site: &str| {
        chromium.navigate(&format!("http://127.0.0.1:{}/{site}/", server.port())).unwrap();
        chromium.wait_for("navigator.serviceWorker.controller !== null").unwrap();
    };
    let cached = "caches.match('style.css?v=1').then(response => response !== undefined)";
    go("first");
    assert_eq!(chromium.eval(cached).unwrap(), true);
    // Activating a service worker deletes the caches of old versions of its own site.
    go("second");
    let first = cached.replace("style.css", "/first/style.css");
    assert_eq!(chromium.eval(&first).unwrap(), true);
    // A new version of a site still deletes the old one.
    fs::remove_dir_all(directory.path().join("first")).unwrap();
    copy_site(&directory.path().join("first"), "3");
    go("first");
    chromium.navigate("about:blank").unwrap();
    go("first");
    chromium.wait_for(&format!("!(await {first})")).unwrap();
}
