//! Network namespaces: places where traffic meets nobody's.

use anyhow::{Context, Result, bail};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::sched::{CloneFlags, unshare};
use std::panic::resume_unwind;
use std::process::Command;

/// The kernel's index of the loopback interface: the first of every namespace.
const LOOPBACK_INDEX: u32 = 1;

/// Runs `work` on a thread in a network namespace of its own, with loopback up. What it starts is
/// in that namespace too; the namespace ends with them.
///
/// Needs to be root, of the machine or of a user namespace.
///
/// # Panics
///
/// Where there is no namespace to be had, or `work` panics.
#[expect(clippy::expect_used, reason = "for tests: a panic is their failure")]
pub fn run<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let inside = || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root: unshare -rn");
        set_loopback_up().expect("loopback up");
        work()
    };
    std::thread::scope(|scope| {
        scope.spawn(inside).join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A command that will run in a user and network namespace of its own, as root of those: no
/// privilege is needed where the system lets users make namespaces.
pub fn unprivileged(command: &Command) -> Command {
    let mut wrapped = Command::new("unshare");
    wrapped
        .args(["--map-root-user", "--net", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    wrapped
}

/// Brings the loopback interface of this namespace up.
///
/// # Errors
///
/// Where the kernel refuses.
pub fn set_loopback_up() -> Result<()> {
    set_loopback(Vec::new())
}

/// Brings the loopback interface of this namespace up with frames as an Ethernet has them: at most
/// 1,514 bytes, and no segments joined to larger ones.
///
/// # Errors
///
/// Where the kernel refuses.
pub fn set_loopback_up_like_ethernet() -> Result<()> {
    set_loopback(vec![LinkAttribute::Mtu(1_500), LinkAttribute::GsoMaxSegs(1)])
}

fn set_loopback(attributes: Vec<LinkAttribute>) -> Result<()> {
    let mut link = LinkMessage::default();
    link.attributes = attributes;
    link.header.index = LOOPBACK_INDEX;
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    let mut message = NetlinkMessage::new(
        NetlinkHeader::default(),
        NetlinkPayload::from(RouteNetlinkMessage::SetLink(link)),
    );
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&bytes, 0)?;
    let (answer, _) = socket.recv_from_full()?;
    let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer)?;
    match answer.payload {
        NetlinkPayload::Error(error) if error.code.is_some() => {
            bail!("bringing loopback up: {}", error.to_io())
        }
        _ => Ok(()),
    }
}

/// Runs `ip` with these words.
///
/// # Errors
///
/// Where it fails.
pub fn ip(words: &str) -> Result<()> {
    let output =
        Command::new("ip").args(words.split_whitespace()).output().context("starting ip")?;
    if !output.status.success() {
        bail!("ip {words}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
