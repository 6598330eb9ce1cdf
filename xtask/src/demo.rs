//! `cargo xtask demo`: from a clone to a picture of this machine's own traffic.

use anyhow::{Result, bail};
use std::process::Command;
use std::time::Duration;

use crate::{build, capture, server::Server, traffic};

/// What the demo does.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Capture on INTERFACE; without it on all of them
    #[arg(short, long, value_name = "INTERFACE")]
    interface: Option<String>,

    /// Capture for SECONDS
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0)]
    seconds: f64,

    /// Serve on this port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    port: u16,

    /// Stop when capture and site are written
    #[arg(long)]
    no_serve: bool,
}

/// The capture's name in the site.
const CAPTURE: &str = "demo.ndjson";

/// Builds, captures, serves.
///
/// # Errors
///
/// Where a step fails; the message says which.
pub fn run(options: &Options) -> Result<()> {
    if !(options.seconds > 0.0 && options.seconds.is_finite()) {
        bail!("--seconds has to be more than nothing");
    }
    let sniffer = build::sniffer()?;
    let site = build::site()?;
    let out = site.join(CAPTURE);
    let interface = options.interface.as_deref().unwrap_or("any");
    println!(
        "capturing on {interface} for {} s, with some loopback traffic made here",
        options.seconds
    );
    let mut command = Command::new(&sniffer);
    command.args(["-i", interface, "-w"]).arg(&out);
    let length = traffic::Length::Time(Duration::try_from_secs_f64(options.seconds)?);
    match capture::while_capturing(&mut command, &out, || traffic::make(length)) {
        Ok(()) => {}
        Err(error) if error.to_string().contains("CAP_NET_RAW") && options.interface.is_none() => {
            println!(
                "this user may not capture: capturing in a user and network namespace instead,"
            );
            println!("where there is only the traffic made here. To see this machine's:");
            println!("  sudo setcap cap_net_raw=ep {}", sniffer.display());
            capture::in_namespace(&out, Some(options.seconds))?;
        }
        Err(error) => return Err(error),
    }
    println!("capture: {}", out.display());
    if options.no_serve {
        return Ok(());
    }
    let server = Server::start(&site, options.port).or_else(|_| Server::start(&site, 0))?;
    println!("open http://127.0.0.1:{}/?src={CAPTURE}", server.port());
    println!("Ctrl-C ends the server");
    server.wait();
    Ok(())
}
