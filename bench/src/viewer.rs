//! Loads millions of lines in the viewer, and in plain pages with chart libraries, in the same
//! Chromium.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use super::lines::{self, Form};
use super::usage;
use ::tests::chromium::Chromium;
use xtask::build;
use xtask::server::Server;

/// Numbers of lines.
const LINES: [u64; 3] = [1_000_000, 5_000_000, 10_000_000];

/// Pinned npm packages, their names in `libraries.html`, and their largest number of lines: with more,
/// uPlot does not finish before the browser driver's timeout.
const LIBRARIES: [(&str, &str, u64); 3] = [
    ("plotly.js-dist-min@4.1.2", "plotly", u64::MAX),
    ("echarts@6.1.0", "echarts", u64::MAX),
    ("uplot@1.6.32", "uplot", 5_000_000),
];

const LIBRARIES_PAGE: &str = include_str!("libraries.html");
const WATCH: &str = include_str!("watch.js");

pub(super) fn run() -> Result<()> {
    let directory = super::directory()?;
    fs::write(directory.join("libraries.html"), LIBRARIES_PAGE)?;
    let has_libraries = install(&directory);
    println!(
        "\nLines of about 208 bytes in headless Chromium, page cache warm; steps: median / p95\n"
    );
    println!(
        "| page | lines | first chart | file read | all charts | zoom step | size brush | time brush | longest task, p95 | memory per packet | renderer's peak memory |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for count in LINES {
        let file = lines::file(&directory, count, Form::Own)?;
        warm(&file)?;
        measure_viewer(&file, count)?;
        for (package, name, max_lines) in LIBRARIES.into_iter().filter(|_| has_libraries) {
            if max_lines < count {
                continue;
            }
            if let Err(error) = measure_library(&directory, &file, count, package, name) {
                println!("| {package} | {count} | fails: {error} |");
            }
        }
    }
    cancel(&lines::file(&directory, LINES[2], Form::Own)?)?;
    field_order(&directory)
}

/// Installs the chart libraries next to their page; false if that fails.
fn install(directory: &Path) -> bool {
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(directory);
    npm.args(LIBRARIES.map(|(package, ..)| package)).stdout(Stdio::null());
    let is_installed = build::run(&mut npm).is_ok();
    if !is_installed {
        println!("\nchart libraries: SKIPPED, npm is missing or cannot install them");
    }
    is_installed
}

/// Reads the file into the page cache, so that the disk is not measured.
fn warm(file: &Path) -> Result<()> {
    let (mut file, mut buf) = (fs::File::open(file)?, vec![0; 1 << 20]);
    while 0 < file.read(&mut buf)? {}
    Ok(())
}

fn measure_viewer(file: &Path, lines: u64) -> Result<()> {
    let (chromium, _server) = open(&build::site_path(), "index.html")?;
    chromium.wait_for("window.viewer")?;
    chromium.eval(WATCH)?;
    chromium.choose_file("#file", file)?;
    let measured = chromium.eval("window.measured")?;
    let steps = ["zoom", "brush", "drag"];
    let times = steps.map(|step| spread(&measured[step]["times"]));
    let busy = steps.map(|step| percentile(&measured[step]["busy"], 95));
    row("viewer", lines, &measured, &times, busy.into_iter().fold(0.0, f64::max), peak(&chromium))
}

fn measure_library(
    directory: &Path,
    file: &Path,
    lines: u64,
    package: &str,
    name: &str,
) -> Result<()> {
    let (chromium, _server) = open(directory, "libraries.html")?;
    chromium.choose_file("input", file)?;
    let measured = chromium.eval(&format!("measure('{name}')"))?;
    let times = [spread(&measured["zoom_ms"]), "–".to_owned(), "–".to_owned()];
    row(package, lines, &measured, &times, f64::NAN, peak(&chromium))
}

/// How long loading takes if another program has reordered or spaced out the fields, as a ratio to
/// lines in the sniffer's own form. The formats alternate, so that a busy machine affects all of them equally.
fn field_order(directory: &Path) -> Result<()> {
    const COUNT: u64 = LINES[0];
    const ROUNDS: usize = 3;
    let forms = [
        (Form::Own, "own form"),
        (Form::SortedKeys, "sorted keys (jq -cS)"),
        (Form::Spaces, "spaces (Python json.dumps)"),
    ];
    let mut times = forms.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((form, _), times) in forms.iter().zip(&mut times) {
            let file = lines::file(directory, COUNT, *form)?;
            warm(&file)?;
            let (chromium, _server) = open(&build::site_path(), "index.html")?;
            chromium.wait_for("window.viewer")?;
            chromium.eval(WATCH)?;
            chromium.choose_file("#file", &file)?;
            times.push(chromium.eval("window.loaded")?);
        }
    }
    println!("\nLoading {COUNT} lines in another form, median of {ROUNDS}\n");
    println!("| lines | all charts complete | ratio |\n|---|---|---|");
    let medians = times.map(|times| percentile(&Value::Array(times), 50));
    for ((_, name), median_ms) in forms.iter().zip(medians) {
        println!("| {name} | {:.2} s | {:.2} |", median_ms / 1e3, median_ms / medians[0]);
    }
    Ok(())
}

/// Time from cancelling a load until it has stopped.
fn cancel(file: &Path) -> Result<()> {
    let (chromium, _server) = open(&build::site_path(), "index.html")?;
    chromium.wait_for("window.viewer")?;
    chromium.eval(WATCH)?;
    let mut times = Vec::new();
    for after_ms in [100, 300, 500, 700, 900] {
        chromium.choose_file("#file", file)?;
        times.push(chromium.eval(&format!("window.cancelled({after_ms})"))?);
        chromium.eval("document.getElementById('close').click()")?;
    }
    println!("\nCancelling {} lines while they load takes {} ms (median / maximum)", LINES[2], {
        let times = Value::Array(times);
        format!("{:.0} / {:.0}", percentile(&times, 50), percentile(&times, 100))
    });
    Ok(())
}

fn open(root: &Path, page: &str) -> Result<(Chromium, Server)> {
    let server = Server::start(root, 0)?;
    let chromium = Chromium::start()?;
    chromium.navigate(&format!("http://127.0.0.1:{}/{page}", server.port()))?;
    Ok((chromium, server))
}

fn row(
    name: &str,
    lines: u64,
    measured: &Value,
    times: &[String; 3],
    busy_ms: f64,
    peak: u64,
) -> Result<()> {
    let seconds =
        |key: &str| measured[key].as_f64().map(|ms| ms / 1e3).context("a measurement is missing");
    println!(
        "| {name} | {lines} | {:.2} s | {} | {:.2} s | {} | {} | {} | {} | {} | {} MiB |",
        seconds("first_ms")?,
        seconds("read_ms").map_or_else(|_| "–".to_owned(), |read| format!("{read:.2} s")),
        seconds("final_ms")?,
        times[0],
        times[1],
        times[2],
        or_dash(busy_ms, "ms"),
        or_dash(measured["packet_bytes"].as_f64().unwrap_or(f64::NAN), "B"),
        peak >> 20
    );
    Ok(())
}

/// A value with its unit, or a dash if the page does not measure it.
fn or_dash(value: f64, unit: &str) -> String {
    if value.is_nan() { "–".to_owned() } else { format!("{value:.0} {unit}") }
}

/// Median and 95th percentile.
fn spread(times: &Value) -> String {
    format!("{:.0} / {:.0} ms", percentile(times, 50), percentile(times, 95))
}

/// The nearest-rank percentile; NaN for an empty array.
pub(super) fn percentile(numbers: &Value, percent: usize) -> f64 {
    let numbers = numbers.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut numbers: Vec<_> = numbers.iter().filter_map(Value::as_f64).collect();
    numbers.sort_by(f64::total_cmp);
    let index = (numbers.len() * percent).div_ceil(100).saturating_sub(1);
    numbers.get(index).copied().unwrap_or(f64::NAN)
}

/// Peak memory of the largest renderer process in bytes.
fn peak(chromium: &Chromium) -> u64 {
    let renderers = chromium.renderers().into_iter();
    renderers.map(|process| usage::peak_memory(&[process])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::percentile;
    use serde_json::json;

    #[test]
    fn percentile_is_the_nearest_rank() {
        let numbers = json!([5, 1, 4, 2, 3]);
        assert_eq!([50, 95, 100].map(|percent| percentile(&numbers, percent)), [3.0, 5.0, 5.0]);
        assert!(percentile(&json!([]), 50).is_nan());
    }
}
