//! The sandbox of the running sniffer: privileges as the kernel reports them, and everything that
//! must still work inside.

use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::{TempDir, tempdir};
use tests::files::write;
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Capture, Process, finish, run, signal, sniffer, wait_for};
use tests::stream::Stream;
use tests::veth::{self, with_veth};
use xtask::namespace;

/// CAP_NET_RAW as a bit mask (linux/capability.h).
const NET_RAW: u64 = 1 << 13;
pub(crate) const NOBODY: u32 = 65_534;
const USER: u32 = 1_000;

/// The security state of a process (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Privileges {
    uid: u32,
    permitted: u64,
    effective: u64,
    /// Inheritable, bounding and ambient capabilities.
    other: [u64; 3],
    no_new_privs: u64,
    seccomp: u64,
}

impl Privileges {
    fn of(child: &Child) -> Self {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap()
        };
        let mask = |name| u64::from_str_radix(field(name), 16).unwrap();
        Self {
            uid: field("Uid:").parse().unwrap(),
            permitted: mask("CapPrm:"),
            effective: mask("CapEff:"),
            other: ["CapInh:", "CapBnd:", "CapAmb:"].map(mask),
            no_new_privs: mask("NoNewPrivs:"),
            seccomp: mask("Seccomp:"),
        }
    }
}

/// A process in the sandbox, with `permitted` capabilities and the bounding set of its user.
fn confined(uid: u32, permitted: u64, bounding: u64) -> Privileges {
    let other = [0, bounding, 0];
    Privileges { uid, permitted, effective: 0, other, no_new_privs: 1, seccomp: 2 }
}

/// The id if this user namespace has it, otherwise that of root: a namespace that an ordinary user
/// created has no other user.
pub(crate) fn or_root(id: u32) -> u32 {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap();
    let numbers: Vec<u64> = map.split_whitespace().map(|number| number.parse().unwrap()).collect();
    if u64::from(id) < numbers[0] + numbers[2] { id } else { 0 }
}

/// A directory that every user can write to.
fn shared_directory() -> TempDir {
    let directory = tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    directory
}

/// Starts a command that captures into `file`, and waits until it does.
fn start(command: &mut Command, file: &Path) -> Process {
    let child = Process::spawn(command.arg("-w").arg(file).stderr(Stdio::piped()));
    wait_for("the capture", || {
        let directory = fs::read_dir(file.parent().unwrap()).unwrap();
        let mut sizes =
            directory.map(|entry| entry.unwrap().metadata().map_or(0, |data| data.len()));
        sizes.any(|size| 0 < size && Path::new(&format!("/proc/{}", child.id())).exists())
            && Privileges::of(&child).seccomp == 2
    });
    child
}

/// A command that runs a copy of the sniffer as an ordinary user. CAP_NET_RAW comes from the file.
fn as_user_with_file_capability(directory: &Path) -> Command {
    let program = directory.join("sniffer");
    fs::copy(xtask::build::sniffer_path(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new("setcap").arg("cap_net_raw=ep").arg(&program).status().unwrap().success());
    let mut command = as_user(&[]);
    command.arg(program);
    command
}

/// setpriv(1) as an ordinary user, with the default actions of all signals: nohup(1) around the tests
/// would ignore SIGHUP.
fn as_user(args: &[&str]) -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal", "setpriv"]);
    if or_root(USER) == USER {
        let id = USER.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
    }
    command.args(args);
    command
}

fn send(count: usize) {
    let sender = Sender::new("left");
    let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
    (0..count).for_each(|_| sender.send(&frame));
}

/// Rotates by size with compression, and by SIGHUP; prints counters on SIGUSR1; ends on SIGTERM.
fn check_run(mut command: Command, privileges: &Privileges) {
    let directory = shared_directory();
    let args = ["--sandbox=strict", "-i", "right", "-C", "4k", "--stats", "0.05"];
    let child = start(command.args(args), &directory.path().join("a.gz"));
    assert_eq!(&Privileges::of(&child), privileges);
    let count = || fs::read_dir(directory.path()).unwrap().count();
    wait_for("two more files", || {
        send(200);
        3 <= count()
    });
    let before = count();
    signal(&child, Signal::SIGHUP);
    wait_for("the file after SIGHUP", || before < count());
    signal(&child, Signal::SIGUSR1);
    signal(&child, Signal::SIGTERM);
    let output = finish(child);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(!output.stderr.contains("incomplete sandbox"), "{}", output.stderr);
    let mut packets = 0;
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().uid(), privileges.uid, "{entry:?}");
        let bytes = fs::read(entry.path()).unwrap();
        let mut plain = Vec::new();
        std::io::copy(&mut flate2::read::MultiGzDecoder::new(&bytes[..]), &mut plain).unwrap();
        packets += Stream::read(&plain).packets.len();
    }
    assert!(400 <= packets && packets.is_multiple_of(200), "{packets} packets");
}

#[test]
fn root_becomes_nobody_without_capabilities() {
    with_veth(|| check_run(sniffer(), &confined(or_root(NOBODY), 0, 0)));
}

#[test]
fn sudo_returns_to_its_caller() {
    let user = or_root(USER);
    with_veth(|| {
        let mut command = sniffer();
        command.env("SUDO_UID", USER.to_string()).env("SUDO_GID", USER.to_string());
        check_run(command, &confined(user, 0, 0));
    });
}

#[test]
fn file_capability_is_dropped() {
    with_veth(|| {
        let directory = shared_directory();
        let command = as_user_with_file_capability(directory.path());
        let bounding = if or_root(USER) == USER { own_bounding_set() } else { 0 };
        check_run(command, &confined(or_root(USER), 0, bounding));
    });
}

#[test]
fn ambient_capability_is_dropped() {
    with_veth(|| {
        let mut command = as_user(&["--inh-caps", "+net_raw", "--ambient-caps", "+net_raw"]);
        command.arg(xtask::build::sniffer_path());
        let bounding = if or_root(USER) == USER { own_bounding_set() } else { 0 };
        check_run(command, &confined(or_root(USER), 0, bounding));
    });
}

/// The bounding set of this process. Ordinary users cannot change it.
fn own_bounding_set() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

/// Members of a fanout group are reopened, which needs CAP_NET_RAW; other sockets are bound again.
#[test]
fn capture_reattaches_inside_the_sandbox() {
    for (args, permitted) in [(&[][..], 0), (&["--threads", "2"], NET_RAW)] {
        let stream = with_veth(|| {
            let directory = shared_directory();
            let file = directory.path().join("a");
            let child =
                start(sniffer().args(["--sandbox=strict", "-i", "right"]).args(args), &file);
            assert_eq!(Privileges::of(&child), confined(or_root(NOBODY), permitted, 0));
            let capture = Capture::from_process(child, file);
            send(1);
            namespace::ip("link delete right").unwrap();
            capture.wait_until(|text| text.contains("iface_gone"));
            veth::add();
            capture.wait_until(|text| text.contains("reattached"));
            send(1);
            capture.wait_until(|text| text.matches("\"pkt\"").count() == 2);
            capture.stop()
        });
        assert_eq!(stream.packets.len(), 2, "{args:?}");
    }
}

#[test]
fn reading_files_is_sandboxed_before_the_first_byte() {
    for args in [&["-r", "-"][..], &["-r", "-", "--threads", "2"]] {
        let mut command = sniffer();
        command.args(args).args(["--sandbox=strict", "udp and host localhost"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Process::spawn(&mut command);
        let mut input = child.stdin.take().unwrap();
        // Nothing has been written yet.
        wait_for("the sandbox", || {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            status.contains("Seccomp:\t2")
        });
        assert_eq!(Privileges::of(&child), confined(or_root(NOBODY), 0, 0));
        std::io::Write::write_all(&mut input, &pcap(10)).unwrap();
        drop(input);
        let output = finish(child);
        assert!(output.status.success(), "{}", output.stderr);
        assert_eq!(Stream::read(&output.stdout).end.skip, 10);
    }
}

#[test]
fn root_keeps_its_id_in_a_directory_that_only_root_can_write() {
    namespace::run(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("a");
        let path = file.to_str().unwrap();
        let args = ["-i", "lo", "--duration", "0.01", "-w", path];
        let output = run(&args);
        assert!(output.status.success(), "{}", output.stderr);
        let has_users = or_root(NOBODY) != 0;
        let message =
            "incomplete sandbox: running as user `root`, because `nobody` cannot write to";
        assert_eq!(output.stderr.contains(message), has_users, "{}", output.stderr);
        fs::remove_file(&file).unwrap();
        let output = run(&[&args[..], &["--sandbox=strict"]].concat());
        assert_eq!(output.status.success(), !has_users, "{}", output.stderr);
        assert_eq!(file.exists(), !has_users, "no empty file is left");
    });
}

/// The shell has created the output, so the sandbox needs no access to its directory.
#[test]
fn redirected_output_may_be_in_a_directory_that_only_root_can_write() {
    let directory = tempdir().unwrap();
    let input = write(&directory, "in.pcap", pcap(10));
    let path = directory.path().join("out");
    let file = fs::File::create(&path).unwrap();
    let mut command = sniffer();
    command.arg("-r").arg(input).arg("--sandbox=strict").stdout(file).stderr(Stdio::piped());
    let output = finish(Process::spawn(&mut command));
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(Stream::read(&fs::read(path).unwrap()).packets.len(), 10);
}

/// Root changes to `nobody`, who may not remove the file of another user from a sticky directory.
#[test]
fn another_users_file_in_a_sticky_directory_is_not_replaced() {
    if or_root(NOBODY) == 0 {
        return;
    }
    let directory = tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let file = write(&directory, "out", "old");
    std::os::unix::fs::chown(&file, Some(USER), None).unwrap();
    let input = write(&directory, "in.pcap", pcap(1));
    let [input, path] = [&input, &file].map(|path| path.to_str().unwrap());
    let output = run(&["-r", input, "-w", path, "--force"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("another user's file cannot be replaced"), "{}", output.stderr);
    assert_eq!(fs::read(&file).unwrap(), b"old");
    let output = run(&["-r", input, "-w", path, "--force", "-Z", &USER.to_string()]);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(Stream::read(&fs::read(&file).unwrap()).packets.len(), 1);
}

#[test]
fn staying_root_by_option_is_reported_or_refused() {
    let args = ["-r", "/dev/null", "-Z", "root"];
    let message = "incomplete sandbox: running as root, as -Z requests";
    let has_users = or_root(NOBODY) != 0;
    let output = run(&args);
    assert_eq!(output.stderr.contains(message), has_users, "{}", output.stderr);
    let output = run(&[&args[..], &["--sandbox=strict"]].concat());
    assert_eq!(output.stderr.contains(message), has_users, "{}", output.stderr);
    assert_eq!(output.stderr.contains("is empty"), !has_users, "refused: {}", output.stderr);
}

#[test]
fn changing_the_user_without_root_is_reported_or_refused() {
    // In a user namespace without other users, `as_user` stays root.
    let message = match or_root(USER) {
        USER => "only root can change to user `nobody`",
        _ => "user `nobody` does not exist in this user namespace",
    };
    let directory = shared_directory();
    let program = directory.path().join("sniffer");
    fs::copy(xtask::build::sniffer_path(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    for (mode, is_refused) in [("--sandbox=best-effort", false), ("--sandbox=strict", true)] {
        let args = ["-r", "/dev/null", "-Z", "nobody", mode];
        let output = as_user(&[]).arg(&program).args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(message), "{stderr}");
        assert_eq!(stderr.contains("is empty"), !is_refused, "{stderr}");
    }
}

#[test]
fn sandbox_can_be_turned_off() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right", "--sandbox=off"]);
        assert_eq!(capture.stop().reason, "signal");
    });
    let output = run(&["-r", "/dev/null", "-Z", "no-such-user"]);
    assert!(output.stderr.contains("no user named `no-such-user`"), "{}", output.stderr);
}

#[test]
fn check_reports_what_is_possible() {
    namespace::run(|| {
        let output = run(&["--check"]);
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{report}");
        for line in ["  ok       CAP_NET_RAW", "  ok       TPACKET_V3", "  ok       Landlock"] {
            assert!(report.contains(line), "{report}");
        }
        let unable = as_user(&["--bounding-set", "-all"])
            .arg(xtask::build::sniffer_path())
            .arg("--check")
            .output();
        let unable = unable.unwrap();
        let report = String::from_utf8(unable.stdout).unwrap();
        assert_eq!(unable.status.code(), Some(1), "{report}");
        assert!(report.contains("missing  CAP_NET_RAW"), "{report}");
    });
}

/// The capture starts on a TUN device, whose packets have no link header, and continues on Ethernet.
#[test]
fn capture_continues_with_another_link_type_without_privilege() {
    let stream = namespace::run(|| {
        namespace::ip("tuntap add right mode tun").unwrap();
        namespace::ip("link set right up").unwrap();
        let directory = shared_directory();
        let file = directory.path().join("a");
        let args = ["--sandbox=strict", "-i", "right", "udp and host 10.0.0.1"];
        let child = start(sniffer().args(args), &file);
        assert_eq!(Privileges::of(&child), confined(or_root(NOBODY), 0, 0));
        let capture = Capture::from_process(child, file);
        namespace::ip("link delete right").unwrap();
        capture.wait_until(|text| text.contains("iface_gone"));
        veth::add();
        capture.wait_until(|text| text.contains("reattached"));
        send(3);
        capture.wait_until(|text| text.matches("\"pkt\"").count() == 3);
        capture.stop()
    });
    assert!(stream.packets.iter().all(|packet| packet.len == 60), "{:?}", stream.packets);
}

#[test]
fn filter_dump_reads_the_link_type_inside_the_sandbox() {
    let mut command = sniffer();
    command.args(["-d", "-r", "-", "--sandbox=strict", "port domain"]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Process::spawn(piped);
    wait_for("the sandbox", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        status.contains("Seccomp:\t2")
    });
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &pcap(1)).unwrap();
    let output = finish(child);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(String::from_utf8_lossy(&output.stdout).contains("#0x35"), "port 53");
}
