//! `cargo xtask demo`: from a clone to a moving picture of this machine's traffic.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use summary::Printable;

use crate::server::Server;
use crate::traffic::{self, Until};
use crate::{build, capture};

/// Options of the demo.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Interface to capture on [default: all]
    #[arg(short, long, value_name = "INTERFACE")]
    interface: Option<String>,

    /// How long to generate traffic on loopback, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    seconds: f64,

    /// Port of the web server on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    port: u16,
}

/// File name of the capture in the site, if this machine's traffic cannot be captured.
const CAPTURE: &str = "demo.ndjson";

/// Length of that capture in seconds.
const CAPTURE_SECONDS: f64 = 4.0;

/// Builds, captures and serves.
///
/// # Errors
///
/// If a step fails; the message names it.
pub fn run(options: &Options) -> Result<()> {
    if !(options.seconds >= 0.0 && options.seconds.is_finite()) {
        bail!("--seconds must not be negative");
    }
    println!("Step 1 of 3: build the viewer");
    build::page()?;
    println!("\nStep 2 of 3: build the sniffer");
    let sniffer = build::sniffer()?;
    let sniffer = Printable(relative(&sniffer).display()).to_string();
    println!("\nThe sniffer is ready. In another terminal you can already run:");
    println!("  {sniffer} --help");
    println!("  sudo {sniffer} -i any -c 10\n");
    let interface = options.interface.as_deref().unwrap_or("any");
    println!("Step 3 of 3: capture on {interface}, with some generated loopback traffic");
    println!("Open the URL below. Press Ctrl+C to end the capture.\n");
    match serve_capture(interface, options)? {
        Outcome::Ended => Ok(()),
        Outcome::NotPermitted if options.interface.is_none() => {
            println!(
                "Capturing needs the CAP_NET_RAW capability. This demo captures generated traffic"
            );
            println!("in a network namespace instead. To capture this machine's traffic, run");
            println!("  sudo setcap cap_net_raw=ep {sniffer}");
            println!("and start the demo again.\n");
            serve_file(options.port)
        }
        Outcome::NotPermitted => bail!("capturing needs the CAP_NET_RAW capability"),
    }
}

/// How a capture ended.
enum Outcome {
    /// The user ended it.
    Ended,
    /// It did not start, because the sniffer lacks a capability.
    NotPermitted,
}

/// Captures with `--serve` until the user ends it.
fn serve_capture(interface: &str, options: &Options) -> Result<Outcome> {
    let port = free_port(options.port)?;
    let mut command = Command::new(build::sniffer_path());
    command.args(["-i", interface, "--serve", &format!("127.0.0.1:{port}")]);
    // Without the traffic of the page, which would cause more of it.
    command.arg(format!("not (host 127.0.0.1 and tcp port {port})"));
    // Ctrl+C is for the sniffer, whose signal mask is empty. It then completes the capture.
    SigSet::from_iter([Signal::SIGINT]).thread_block()?;
    let mut child = command.stderr(Stdio::piped()).spawn().context("starting the sniffer")?;
    let time = Duration::try_from_secs_f64(options.seconds)?;
    // Errors of this traffic do not concern the capture. The thread ends with the process.
    thread::spawn(move || traffic::generate(Until::Elapsed(time)));
    let mut is_permitted = true;
    for line in child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line?;
        is_permitted &= !line.contains(CAPABILITY);
        if is_permitted {
            eprintln!("{line}");
        }
    }
    let status = child.wait()?;
    match status.success() {
        true => Ok(Outcome::Ended),
        false if !is_permitted => Ok(Outcome::NotPermitted),
        false => bail!("the sniffer failed: {status}"),
    }
}

/// Without it, the sniffer names it in its error.
const CAPABILITY: &str = "CAP_NET_RAW";

/// This port, or another one if it is in use.
fn free_port(port: u16) -> Result<u16> {
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = listen(port).or_else(|_| listen(0)).context("finding a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Captures generated traffic in a namespace, and serves the file until the user ends the process.
fn serve_file(port: u16) -> Result<()> {
    SigSet::from_iter([Signal::SIGINT]).thread_unblock()?;
    let site = build::sample()?;
    let out = site.join(CAPTURE);
    capture::in_namespace(&out, CAPTURE_SECONDS)?;
    let server = Server::start(&site, port).or_else(|_| Server::start(&site, 0))?;
    println!("\nOpen http://127.0.0.1:{}/?src={CAPTURE}", server.port());
    println!("Press Ctrl+C to stop the web server.");
    server.wait();
    Ok(())
}

/// The path relative to the current directory, where it lies below that.
fn relative(path: &Path) -> &Path {
    let current = std::env::current_dir();
    current.ok().and_then(|current| path.strip_prefix(current).ok()).unwrap_or(path)
}
