//! The page of `sniffer --serve` while packets arrive at a steady rate: losses, and how far the charts are
//! behind the wire. Sender, sniffer and browser share the processors of the machine.

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use summary::grouped;

use super::paced::Packets;
use super::usage;
use super::viewer::percentile;
use tests::chromium::Chromium;
use tests::process::{finish, signal};
use tests::served::Served;
use tests::veth;
use xtask::{build, namespace};

/// What is sent, and what happens to the page meanwhile.
#[derive(Clone, Copy)]
struct Load {
    /// Packets per second.
    rate: u32,
    seconds: u64,
    /// The page does not run for this time.
    stop_seconds: u64,
}

const LOADS: [Load; 5] = [
    Load { rate: 1_000, seconds: 20, stop_seconds: 0 },
    Load { rate: 100_000, seconds: 30, stop_seconds: 0 },
    Load { rate: 250_000, seconds: 30, stop_seconds: 0 },
    Load { rate: 500_000, seconds: 60, stop_seconds: 0 },
    Load { rate: 100_000, seconds: 60, stop_seconds: 30 },
];

/// Bytes of a frame.
const FRAME_LEN: usize = 60;

/// Records the time, and how far the charts in sight are behind, whenever they have been redrawn.
const WATCH: &str = "(window.pictures = [], (async () => {
    for (let shown = null;;) {
        const { latest_ms } = viewer.state();
        if (latest_ms === shown) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            continue;
        }
        await viewer.drawn();
        shown = latest_ms;
        const now = performance.timeOrigin + performance.now();
        pictures.push([now, now - latest_ms]);
    }
})(), 0)";

/// Packets that the page has, and those of which it says that they were removed or missed.
const COUNTS: &str = "(() => {
    const said = (text) => Number(live.textContent.match(`([0-9,]+) (older )?packets? ${text}`)?.[1].replaceAll(',', '') ?? 0);
    return [viewer.state().packets, said('removed'), said('missed')];
})()";

pub(super) fn run() -> Result<()> {
    measure_all(&LOADS)
}

/// Measures one rate for 30 s.
pub(super) fn run_at(rate: u32) -> Result<()> {
    measure_all(&[Load { rate, seconds: 30, stop_seconds: 0 }])
}

fn measure_all(loads: &[Load]) -> Result<()> {
    println!(
        "\nThe page of `sniffer --serve` in headless Chromium, frames of {FRAME_LEN} bytes through veth\n"
    );
    println!(
        "| packets/s | reached | sent | dropped | in the page | removed | missed | behind the wire, median / p95 \
         | between pictures, median / p95 | catching up | CPU: sender | sniffer | renderer | rest of the browser | all others |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    loads.iter().try_for_each(|load| namespace::run(|| measure(*load)))
}

fn measure(load: Load) -> Result<()> {
    let Load { rate, seconds, stop_seconds } = load;
    veth::add();
    let mut command = Command::new(build::sniffer_path());
    command.args(["--serve=127.0.0.1:0", "-i", "right"]).stdout(Stdio::piped());
    let served = Served::start(&mut command);
    let chromium = Chromium::start()?;
    chromium.navigate(&served.url())?;
    chromium.wait_for("window.viewer && live.dataset.state === 'live'")?;
    chromium.eval(WATCH)?;
    let cpu_before = Cpu::now(&served, &chromium)?;
    let start = Instant::now();
    let sent = thread::scope(|scope| {
        let sender = scope.spawn(|| send(load));
        if 0 < stop_seconds {
            thread::sleep(Duration::from_secs((seconds - stop_seconds) / 2));
            chromium.signal_renderers(Signal::SIGSTOP)?;
            thread::sleep(Duration::from_secs(stop_seconds));
            chromium.signal_renderers(Signal::SIGCONT)?;
        }
        sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))
    })?;
    let took = start.elapsed();
    let cpu = Cpu::now(&served, &chromium)?;
    // The capture goes on, so that the page can catch up.
    chromium.wait_for("live.dataset.state === 'live' && !live.textContent.includes('behind')")?;
    settle(&chromium)?;
    let catching_up = start.elapsed() - took;
    signal(&served.process, Signal::SIGINT);
    chromium.wait_for("live.dataset.state === 'ended'")?;
    let messages = finish(served.process);
    ensure!(messages.status.success(), "the sniffer failed");
    let text = chromium.eval("live.textContent")?;
    let text = text.as_str().unwrap_or_default();
    let number = |after: &str| -> Option<u64> {
        text.split_once(after)?.0.rsplit(' ').next()?.replace(',', "").parse().ok()
    };
    let (written, dropped) = (number(" packets").context("no end")?, number(" dropped"));
    let dropped = dropped.context("no drops")?;
    ensure!(written + dropped == sent, "{written} written + {dropped} dropped != {sent} sent");
    let counts: Vec<u64> = serde_json::from_value(chromium.eval(COUNTS)?)?;
    ensure!(
        counts.iter().sum::<u64>() == written,
        "the page accounts for {counts:?} of {written}: {text}"
    );
    let pictures = chromium.eval("pictures")?;
    let pictures: Vec<(f64, f64)> = serde_json::from_value(pictures)?;
    let behind: Vec<_> = pictures.iter().map(|(_, behind_ms)| *behind_ms).collect();
    let between: Vec<_> = pictures.windows(2).map(|two| two[1].0 - two[0].0).collect();
    println!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1} s | {} |",
        grouped(rate.into()),
        grouped(sent * 1_000 / u64::try_from(took.as_millis())?.max(1)),
        grouped(sent),
        grouped(dropped),
        grouped(counts[0]),
        grouped(counts[1]),
        grouped(counts[2]),
        spread(&behind),
        spread(&between),
        catching_up.as_secs_f64(),
        cpu.shares(&cpu_before, took),
    );
    Ok(())
}

/// CPU time in clock ticks so far.
struct Cpu {
    sender: u64,
    sniffer: u64,
    /// Main thread and workers of the page.
    renderer: u64,
    /// The process of the browser, its network and its graphics.
    browser: u64,
    all: u64,
}

impl Cpu {
    fn now(served: &Served, chromium: &Chromium) -> Result<Self> {
        let renderers = chromium.renderers();
        let browser = usage::tree(chromium.process_id().context("no browser")?);
        let browser: Vec<_> = browser.into_iter().filter(|pid| !renderers.contains(pid)).collect();
        Ok(Self {
            sender: usage::ticks(&[std::process::id()]),
            sniffer: usage::ticks(&[served.process.id()]),
            renderer: usage::ticks(&renderers),
            browser: usage::ticks(&browser),
            all: usage::machine_ticks()?,
        })
    }

    /// The CPU time since then, in percent of one processor, as cells of the table.
    fn shares(&self, before: &Self, took: Duration) -> String {
        let percent =
            |now: u64, before: u64| format!("{:.0} %", (now - before) as f64 / took.as_secs_f64());
        let own = |cpu: &Self| cpu.sender + cpu.sniffer + cpu.renderer + cpu.browser;
        [
            percent(self.sender, before.sender),
            percent(self.sniffer, before.sniffer),
            percent(self.renderer, before.renderer),
            percent(self.browser, before.browser),
            percent(self.all - own(self), before.all - own(before)),
        ]
        .join(" | ")
    }
}

/// Waits until the page has no more packets than a while before.
fn settle(chromium: &Chromium) -> Result<()> {
    let mut before = Value::Null;
    for _ in 0..120 {
        let now = chromium.eval(&format!("viewer.settled().then(() => {COUNTS})"))?;
        if now == before {
            return Ok(());
        }
        before = now;
        thread::sleep(Duration::from_secs(1));
    }
    anyhow::bail!("the page does not catch up")
}

/// Median and 95th percentile of times in milliseconds.
fn spread(times: &[f64]) -> String {
    let times = json!(times);
    format!("{:.0} / {:.0} ms", percentile(&times, 50), percentile(&times, 95))
}

/// Sends the packets of a load. Returns their number.
fn send(load: Load) -> u64 {
    let flow = |n: u64| {
        let [.., a, b] = (n % 100).to_be_bytes();
        let [.., c, d] = (n % 1_000).to_be_bytes();
        ([a, b], [c, d])
    };
    let length = Duration::from_secs(load.seconds);
    Packets { frame_len: FRAME_LEN, rate: load.rate, flow }.send(|elapsed| length <= elapsed)
}
