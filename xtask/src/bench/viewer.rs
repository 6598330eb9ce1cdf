//! A million and ten million lines in the page, beside Plotly, all in the same Chromium.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::usage;
use crate::browser::Chromium;
use crate::build;
use crate::server::Server;

/// How many lines; Plotly gets the first of them only: it runs out of memory with more.
const LINES: [u64; 2] = [1_000_000, 10_000_000];

/// From npm, pinned.
const PLOTLY: &str = "plotly.js-dist-min@4.1.2";

/// What a page does without a viewer: `JSON.parse` line by line, then two charts.
const PLOTLY_PAGE: &str = r#"<!doctype html><meta charset="utf-8">
<input type="file"><div id="a" style="width:1200px;height:340px"></div><div id="b" style="width:1200px;height:400px"></div>
<script src="node_modules/plotly.js-dist-min/plotly.min.js"></script>
<script>
const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))));
async function measure() {
  const file = document.querySelector("input").files[0];
  const start = performance.now();
  const sizes = [];
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) sizes.push(JSON.parse(line).len);
  }
  const numbers = sizes.map((_, index) => index + 1);
  await Plotly.newPlot("a", [{ type: "histogram", x: sizes, nbinsx: 50 }]);
  await Plotly.newPlot("b", [{ type: "scattergl", mode: "markers", x: numbers, y: sizes, marker: { size: 2 } }]);
  await drawn();
  const first_ms = performance.now() - start;
  const zooms = [];
  for (let step = 0; step < 10; step++) {
    const start = performance.now();
    await Plotly.relayout("b", { "xaxis.range": [(sizes.length * step) / 20, (sizes.length * (step + 4)) / 20] });
    await drawn();
    zooms.push(performance.now() - start);
  }
  return { first_ms, final_ms: first_ms, zoom_ms: zooms.sort((a, b) => a - b)[5], brush_ms: 0, packet_bytes: 0 };
}
</script>"#;

/// The viewer, watched from outside: when the file comes in, when charts are there, when they are
/// final; then the same zoom steps.
const OURS_WATCH: &str = r#"(() => {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))));
  window.measured = new Promise((resolve) => document.querySelector("input[type=file]").addEventListener("change", async () => {
    const start = performance.now();
    while (document.getElementById("views").hidden) await new Promise(requestAnimationFrame);
    await drawn();
    const first_ms = performance.now() - start;
    await viewer.histogram("size");
    await drawn();
    const final_ms = performance.now() - start;
    const { packets } = viewer.state();
    const zooms = [];
    for (let step = 0; step < 10; step++) {
      const start = performance.now();
      await viewer.zoom("scatter", { x: [(packets * step) / 20, (packets * (step + 4)) / 20], y: [0, 1600] });
      await drawn();
      zooms.push(performance.now() - start);
    }
    const brushes = [];
    for (let step = 0; step < 10; step++) {
      const start = performance.now();
      await viewer.select("size", [100 + 20 * step, 900 + 20 * step]);
      await drawn();
      brushes.push(performance.now() - start);
    }
    const middle = (times) => times.sort((a, b) => a - b)[5];
    const packet_bytes = viewer.state().memory_bytes / packets;
    resolve({ first_ms, final_ms, zoom_ms: middle(zooms), brush_ms: middle(brushes), packet_bytes });
  }, { capture: true }));
})()"#;

pub(super) fn run() -> Result<()> {
    let directory = super::directory()?;
    let files = LINES.map(|lines| directory.join(format!("{lines}.ndjson")));
    for (file, lines) in files.iter().zip(LINES) {
        write_lines(file, lines)?;
    }
    println!("\nLines of about 175 bytes in headless Chromium\n");
    println!(
        "| page | lines | first picture | all pictures | zoom step | brush step | memory a packet | renderer's peak |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (file, lines) in files.iter().zip(LINES) {
        let ours = |chromium: &Chromium| {
            chromium.wait_for("window.viewer")?;
            chromium.eval(OURS_WATCH)?;
            chromium.choose_file("#file", file)?;
            chromium.eval("window.measured")
        };
        measure("viewer", lines, &build::site_path(), "index.html", ours)?;
    }
    let file = &files[0];
    fs::write(directory.join("plotly.html"), PLOTLY_PAGE)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .arg(&directory)
        .arg(PLOTLY);
    if build::run(npm.stdout(Stdio::null())).is_err() {
        println!("\nplotly: SKIPPED, npm is missing or cannot install {PLOTLY}");
        return Ok(());
    }
    let plotly = |chromium: &Chromium| {
        chromium.choose_file("input", file)?;
        chromium.eval("measure()")
    };
    measure(PLOTLY, LINES[0], &directory, "plotly.html", plotly)
}

fn measure(
    name: &str,
    lines: u64,
    root: &Path,
    page: &str,
    work: impl FnOnce(&Chromium) -> Result<serde_json::Value>,
) -> Result<()> {
    let server = Server::start(root, 0)?;
    let chromium = Chromium::start()?;
    chromium.go(&format!("http://127.0.0.1:{}/{page}", server.port()))?;
    let measured = work(&chromium)?;
    let ms = |key: &str| measured[key].as_f64().context("a figure");
    let renderers: Vec<_> = usage::tree(chromium.process_id().unwrap_or(0))
        .into_iter()
        .filter(|process| is_renderer(*process))
        .collect();
    let peak = renderers.iter().map(|process| usage::peak_memory(&[*process])).max().unwrap_or(0);
    println!(
        "| {name} | {lines} | {:.2} s | {:.2} s | {:.0} ms | {} | {} | {} MiB |",
        ms("first_ms")? / 1e3,
        ms("final_ms")? / 1e3,
        ms("zoom_ms")?,
        known(ms("brush_ms")?, "ms"),
        known(ms("packet_bytes")?, "B"),
        peak >> 20
    );
    Ok(())
}

/// A figure that not every page has.
fn known(value: f64, unit: &str) -> String {
    if value == 0.0 { "–".to_owned() } else { format!("{value:.0} {unit}") }
}

fn is_renderer(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/cmdline"))
        .is_ok_and(|words| words.contains("--type=renderer"))
}

/// Lines as the sniffer writes them, of TCP and UDP between a few hosts.
fn write_lines(path: &Path, lines: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for n in 1..=lines {
        let (second, ns) = (n / 100_000, n % 100_000 * 10_000 + n % 7);
        let (minute, second) = (second / 60, second % 60);
        let len = if n % 3 == 0 { 1_514 } else { 60 + n * 31 % 1_200 };
        let (host, port) = (n % 200, 1_024 + n % 60_000);
        let proto = if n % 5 == 0 { "udp" } else { "tcp" };
        writeln!(
            file,
            "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-23T02:{minute:02}:{second:02}.{ns:09}Z\",\"len\":{len},\"src\":\"10.0.0.{host}\",\"dst\":\"10.0.1.7\",\"sport\":{port},\"dport\":443,\"proto\":\"{proto}\",\"ttl\":64,\"payload\":{}}}",
            len - 54
        )?;
    }
    file.flush()?;
    Ok(())
}
