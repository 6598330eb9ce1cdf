//! The Debian package: installed, used as an ordinary user, and removed.

use nix::sys::signal::Signal;
use std::fs;
use std::process::{Command, Stdio};
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Capture, Process, finish, signal, wait_for};
use tests::stream::Stream;
use tests::veth::with_veth;
use xtask::deb::package_path;

use super::system::System;

/// Installs the package and two users: alice, who may capture, and bob, who may not.
fn install(system: &System) {
    super::copy_built(&package_path(), &system.path("/sniffer.deb"));
    // In case the machine has it.
    system.try_sh("dpkg --purge sniffer");
    system.sh("dpkg --install /sniffer.deb
         useradd --no-create-home alice
         useradd --no-create-home bob
         usermod --append --groups sniffer alice");
}

#[test]
fn members_of_the_group_capture_and_others_do_not() {
    System::run(|system| {
        install(system);
        let version = system.sh("sniffer --version");
        assert!(version.contains("\nPage: included\n"), "{version}");
        assert_eq!(system.sh("stat --format='%a %U:%G' /usr/bin/sniffer"), "750 root:sniffer");
        assert_eq!(system.sh("getcap /usr/bin/sniffer"), "/usr/bin/sniffer cap_net_raw=ep");
        system.sh("install -d -o alice /captures");
        let stream = with_veth(|| {
            let mut command = system.command("alice", "sniffer");
            command.args(["--sandbox=strict", "-i", "right", "-w", "/captures/a"]);
            let capture = Capture::start_command(&mut command, system.path("/captures/a"));
            let sender = Sender::new("left");
            (0..3).for_each(|_| sender.send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])))));
            capture.stop()
        });
        assert_eq!(stream.packets.len(), 3);
        let mut command = system.command("bob", "sniffer");
        let output = command.arg("--version").stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("Permission denied"), "{message}");
    });
}

/// The kernel grants the service an ambient capability, and ignores that of the file.
#[test]
fn service_captures_as_its_user() {
    System::run(|system| {
        install(system);
        let unit = fs::read_to_string(system.path("/usr/lib/systemd/system/sniffer.service"));
        let unit = unit.unwrap();
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=sniffer ")).unwrap();
        system.sh("systemd-analyze verify sniffer.service");
        system.sh("install -d -o sniffer -m 700 /var/lib/sniffer");
        with_veth(|| {
            let mut command = system.command("root", "setpriv");
            command.args(["--reuid", "sniffer", "--regid", "sniffer", "--clear-groups"]);
            command.args([
                "--inh-caps",
                "+net_raw",
                "--ambient-caps",
                "+net_raw",
                "--no-new-privs",
            ]);
            // setpriv itself could run files that the user may not run. systemd replaces %%.
            command.args(["sh", "-c", &format!("exec sniffer {}", start.replace("%%", "%"))]);
            let child = Process::spawn(command.stderr(Stdio::piped()));
            let count = || fs::read_dir(system.path("/var/lib/sniffer")).unwrap().count();
            wait_for("the capture", || 0 < count());
            signal(&child, Signal::SIGTERM);
            let output = finish(child);
            assert!(output.status.success(), "{}", output.stderr);
        });
        let file = system.sh("ls /var/lib/sniffer/*.ndjson.zst");
        let lines = zstd::decode_all(fs::File::open(system.path(&file)).unwrap()).unwrap();
        assert_eq!(Stream::read(&lines).reason, "signal");
        assert_eq!(system.try_sh("systemctl is-enabled sniffer").status.code(), Some(1));
    });
}

#[test]
fn administrator_can_let_everyone_read_files() {
    System::run(|system| {
        install(system);
        system.sh("dpkg-statoverride --update --add root root 755 /usr/bin/sniffer
             dpkg --install /sniffer.deb");
        assert_eq!(system.sh("stat --format='%a %U:%G' /usr/bin/sniffer"), "755 root:root");
        assert_eq!(system.sh("getcap /usr/bin/sniffer"), "", "everyone could capture");
        fs::write(system.path("/a.pcap"), pcap(3)).unwrap();
        let mut command = system.command("bob", "sniffer");
        let output = command.args(["-r", "/a.pcap"]).output().unwrap();
        assert_eq!(Stream::read(&output.stdout).packets.len(), 3);
    });
}

#[test]
fn purging_leaves_captures_only() {
    System::run(|system| {
        install(system);
        system.sh("install -d -o sniffer /var/lib/private/captures-of-sniffer");
        system.sh("dpkg --remove sniffer");
        assert!(!system.path("/usr/bin/sniffer").exists());
        assert!(system.sh("id sniffer").contains("(sniffer)"), "files may belong to the user");
        system.sh("dpkg --purge sniffer");
        for database in ["passwd", "group"] {
            assert!(!system.try_sh(&format!("getent {database} sniffer")).status.success());
        }
        let mut find = Command::new("find");
        find.arg(system.changes()).args(["-name", "*sniffer*", "!", "-type", "c"]);
        let output = find.output().unwrap();
        let rest = String::from_utf8(output.stdout).unwrap();
        let prefix = system.changes().display().to_string();
        let mut rest: Vec<_> = rest.lines().map(|path| path.trim_start_matches(&prefix)).collect();
        rest.sort_unstable();
        assert_eq!(rest, ["/sniffer.deb", "/var/lib/private/captures-of-sniffer"]);
    });
}

#[test]
fn package_has_documents_where_programs_look_for_them() {
    let output = Command::new("dpkg-deb").arg("--contents").arg(package_path()).output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    for path in [
        "/usr/bin/sniffer",
        "/usr/lib/systemd/system/sniffer.service",
        "/usr/share/bash-completion/completions/sniffer",
        "/usr/share/doc/sniffer/copyright",
        "/usr/share/doc/sniffer/security.md",
        "/usr/share/doc/sniffer/third-party-licenses",
        "/usr/share/fish/vendor_completions.d/sniffer.fish",
        "/usr/share/man/man1/sniffer.1.gz",
        "/usr/share/zsh/vendor-completions/_sniffer",
    ] {
        assert!(list.lines().any(|line| line.ends_with(&format!(" .{path}"))), "{path}: {list}");
    }
}

#[test]
fn package_follows_the_policy_of_debian() {
    let mut lintian = Command::new("lintian");
    let output = lintian.args(["--allow-root", "--fail-on", "error,warning"]).arg(package_path());
    let output = output.output().unwrap();
    let tags = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{tags}{}", String::from_utf8_lossy(&output.stderr));
}
