//! The static sniffer in an empty root directory: no /proc, /dev, /etc, time zones or libraries.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::{TempDir, tempdir};
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Capture, Output, Process, finish};
use tests::stream::Stream;
use tests::veth::with_veth;
use xtask::dist::{Linkage, program_path};

/// The user `nobody`, who has no name here.
const NOBODY: u32 = 65_534;

/// A root directory that contains the sniffer and, as in the image of the Dockerfile, a directory
/// for captures.
struct Container {
    root: TempDir,
}

impl Container {
    fn new() -> Self {
        let root = tempdir().unwrap();
        // Other users can enter it.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        super::copy_built(&program_path(Linkage::Static), &root.path().join("sniffer"));
        let container = Self { root };
        fs::create_dir(container.captures()).unwrap();
        std::os::unix::fs::chown(container.captures(), Some(NOBODY), Some(NOBODY)).unwrap();
        container
    }

    fn captures(&self) -> PathBuf {
        self.root.path().join("captures")
    }

    /// A command that runs the sniffer in the container, without environment.
    fn sniffer(&self) -> Command {
        let mut command = Command::new("env");
        command.args(["--ignore-environment", "--default-signal", "/usr/sbin/chroot"]);
        command.arg(self.root.path()).arg("/sniffer");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = self.sniffer();
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(Process::spawn(&mut command))
    }
}

#[test]
fn captures_in_the_whole_sandbox() {
    for args in [&["-i", "right"][..], &["-i", "any"], &["-i", "right", "--threads", "2"]] {
        let container = Container::new();
        let file = container.captures().join("a.ndjson");
        let stream = with_veth(|| {
            let mut command = container.sniffer();
            command.args(["--sandbox=strict", "-w", "/captures/a.ndjson", "udp"]).args(args);
            let capture = Capture::start_command(&mut command, file.clone());
            let sender = Sender::new("left");
            for _ in 0..3 {
                sender.send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18]))));
            }
            // `any` also includes the sending interface.
            capture.wait_until(|text| 3 <= text.matches("\"pkt\"").count());
            capture.stop()
        });
        assert_eq!((stream.end.recv, stream.end.drop), (stream.end.out, 0), "{args:?}");
        assert_eq!(fs::metadata(file).unwrap().uid(), NOBODY, "{args:?}");
    }
}

#[test]
fn rotated_files_are_named_in_utc() {
    let container = Container::new();
    let output = with_veth(|| {
        let name = "/captures/%Z.ndjson.gz";
        container.run(&[
            "--sandbox=strict",
            "-i",
            "right",
            "--duration",
            "0.01",
            "-G",
            "60",
            "-w",
            name,
        ])
    });
    assert!(output.status.success(), "{}", output.stderr);
    assert!(container.captures().join("UTC.ndjson.gz").exists());
}

#[test]
fn reads_standard_input_in_the_whole_sandbox() {
    let container = Container::new();
    let mut command = container.sniffer();
    command.args(["--sandbox=strict", "-r", "-", "tcp port 443 or udp"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Process::spawn(&mut command);
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &pcap(10)).unwrap();
    let output = finish(child);
    assert!(output.status.success(), "{}", output.stderr);
    let end = Stream::read(&output.stdout).end;
    assert_eq!(end.out + end.skip, 10);
}

#[test]
fn names_that_need_files_are_errors() {
    let container = Container::new();
    for (args, status, message) in [
        (&["-r", "/sniffer", "-Z", "root"][..], 1, "no user named `root`"),
        (&["-d", "-y", "EN10MB", "port http"], 2, "unknown port 'http'"),
    ] {
        let output = container.run(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        assert!(output.stderr.contains(message), "{args:?}: {}", output.stderr);
    }
}

#[test]
fn reports_machine_build_and_interfaces() {
    let container = Container::new();
    let output = with_veth(|| container.run(&["--check"]));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    for line in ["ok       CAP_NET_RAW", "ok       seccomp", "user namespaces: unknown"] {
        assert!(report.contains(line), "{report}");
    }
    let interfaces = String::from_utf8(with_veth(|| container.run(&["-D"])).stdout).unwrap();
    assert!(interfaces.contains("right"), "{interfaces}");

    let version = String::from_utf8(container.run(&["--version"]).stdout).unwrap();
    assert!(version.contains("-unknown-linux-musl, static"), "{version}");
    assert!(version.contains("\nPage: included\n"), "{version}");
}

/// Each command of `docs/install.md` that grants capabilities, with these capabilities.
#[test]
fn documented_capabilities_suffice_for_the_whole_sandbox() {
    let page = fs::read_to_string(xtask::build::root().join("docs/install.md")).unwrap();
    let commands: Vec<_> = page.lines().filter(|line| line.contains("--cap-drop ALL")).collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let container = Container::new();
        let file = container.captures().join("a");
        let options = command.split("--cap-add ").skip(1);
        let names = options.map(|text| text.split(' ').next().unwrap().to_lowercase());
        let bounding_set = names.fold("-all".to_owned(), |set, name| format!("{set},+{name}"));
        let output = with_veth(|| {
            let mut sniffer = Command::new("setpriv");
            sniffer.arg(format!("--bounding-set={bounding_set}"));
            sniffer.arg(program_path(Linkage::Static));
            sniffer.args(["--sandbox=strict", "-i", "right", "--duration", "0.01"]);
            if command.contains(" -w ") {
                sniffer.arg("-w").arg(&file);
            }
            finish(Process::spawn(sniffer.stdout(Stdio::piped()).stderr(Stdio::piped())))
        });
        assert!(output.status.success(), "{command}: {}", output.stderr);
        if command.contains(" -w ") {
            assert_eq!(fs::metadata(&file).unwrap().uid(), NOBODY, "{command}");
        } else {
            assert_eq!(Stream::read(&output.stdout).reason, "duration");
        }
    }
}
