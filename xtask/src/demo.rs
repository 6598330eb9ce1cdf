//! `cargo xtask demo`: from a clone to a picture of this machine's traffic.

use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;
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

    /// Length of the capture in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0)]
    seconds: f64,

    /// Port of the web server on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    port: u16,

    /// Write the capture and the site, but do not serve them
    #[arg(long)]
    no_serve: bool,
}

/// File name of the capture in the site.
const CAPTURE: &str = "demo.ndjson";

/// Builds, captures and serves.
///
/// # Errors
///
/// If a step fails; the message names it.
pub fn run(options: &Options) -> Result<()> {
    if !(options.seconds > 0.0 && options.seconds.is_finite()) {
        bail!("--seconds must be greater than 0");
    }
    println!("Step 1 of 3: build the viewer");
    build::page()?;
    println!("\nStep 2 of 3: build the sniffer");
    let sniffer = build::sniffer()?;
    let sniffer = Printable(relative(&sniffer).display()).to_string();
    println!("\nThe sniffer is ready. In another terminal you can already run:");
    println!("  {sniffer} --help");
    println!("  sudo {sniffer} -i any -c 10\n");
    let site = build::sample()?;
    let out = site.join(CAPTURE);
    let interface = options.interface.as_deref().unwrap_or("any");
    println!(
        "\nStep 3 of 3: capture on {interface} for {} s, with some generated loopback traffic",
        options.seconds
    );
    let mut command = Command::new(build::sniffer_path());
    command.args(["-i", interface, "-w"]).arg(&out);
    let until = Until::Elapsed(Duration::try_from_secs_f64(options.seconds)?);
    match capture::while_capturing(&mut command, &out, || traffic::generate(until)) {
        Ok(()) => {}
        Err(error) if error.to_string().contains("CAP_NET_RAW") && options.interface.is_none() => {
            println!(
                "Capturing needs the CAP_NET_RAW capability. This demo captures generated traffic"
            );
            println!("in a network namespace instead. To capture this machine's traffic, run");
            println!("  sudo setcap cap_net_raw=ep {sniffer}");
            println!("and start the demo again.");
            capture::in_namespace(&out, options.seconds)?;
        }
        Err(error) => return Err(error),
    }
    println!("capture: {}", Printable(out.display()));
    if options.no_serve {
        return Ok(());
    }
    let server = Server::start(&site, options.port).or_else(|_| Server::start(&site, 0))?;
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
