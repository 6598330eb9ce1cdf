//! What `--generate` prints: completions in the shells themselves, and the manual page.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::{TempDir, tempdir};
use tests::files;
use tests::process::{Process, run};
use xtask::build::sniffer_path;
use xtask::namespace;

/// Drives an interactive shell on a pseudo-terminal with zsh's module zpty: runs the setup, types a
/// line with a tab, and prints what the shell executes for it. The terminal echoes the setup, which
/// therefore writes the texts that the driver waits for in two parts.
const DRIVER: &str = r#"
zmodload zsh/zpty
zpty shell $1
zpty -w shell "$2; print_ready"
zpty -r shell output '*shell is ready*'
zpty -w -n shell "$3"$'\t --version\n'
zpty -r shell output '*executes: *--version*'
print -r -- ${output##*executes: }
"#;

/// The command line after completion in an interactive shell.
fn complete(shell: &str, setup: &str, typed: &str) -> String {
    let output = Command::new("timeout")
        .args(["60", "zsh", "-f", "-c", DRIVER, "zsh", shell, setup, typed])
        .env("PATH", path())
        .env("TERM", "dumb")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shell}: {stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The search path with the sniffer, which completion scripts call.
fn path() -> String {
    let directory = sniffer_path().parent().unwrap().display().to_string();
    format!("{directory}:{}", std::env::var("PATH").unwrap())
}

/// A directory with the script for a shell under a name.
fn script(shell: &str, name: &str) -> TempDir {
    let directory = tempdir().unwrap();
    files::write(&directory, name, run(&["--generate", shell]).stdout);
    directory
}

/// Runs the work for command lines before and after their completion, in a namespace with the interface
/// `uplink7`, which is also named `provider`. Another namespace has the interface `remote8`.
fn with_typed(work: impl Fn(&str, &str) + Sync) {
    namespace::run(|| {
        namespace::ip("link add uplink7 type veth peer name other").unwrap();
        namespace::ip("link property add dev uplink7 altname provider").unwrap();
        let script =
            "ip link add remote8 type veth peer name other && echo ready && exec sleep 600";
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", script]).stdout(Stdio::piped());
        let mut elsewhere = Process::spawn(&mut command);
        let mut ready = [0; 5];
        elsewhere.stdout.take().unwrap().read_exact(&mut ready).unwrap();
        TYPED.iter().for_each(|(typed, completed)| work(typed, completed));
        for option in ["--netns ", "--net "] {
            let typed = format!("sniffer {option}{} -i re", elsewhere.id());
            work(&typed, &typed.replace(" -i re", " -i remote8"));
        }
    });
}

const TYPED: [(&str, &str); 5] = [
    ("sniffer -i upl", "sniffer -i uplink7"),
    ("sniffer -i prov", "sniffer -i provider"),
    ("sniffer -i lo,upl", "sniffer -i lo,uplink7"),
    ("sniffer --read-l", "sniffer --read-list"),
    ("sniffer --sandbox b", "sniffer --sandbox best-effort"),
];

#[test]
fn bash_completes_interface_names_and_options() {
    let directory = script("bash", "sniffer");
    let setup = format!(
        "PS1= PS2=; print_ready() {{ echo shell is \"\"ready; }}; source {}; \
         trap 'echo exe\"\"cutes: $BASH_COMMAND' DEBUG",
        directory.path().join("sniffer").display()
    );
    with_typed(|typed, completed| {
        let line = complete("bash --norc --noprofile -i", &setup, typed);
        assert_eq!(line, format!("{completed} --version"), "{typed}");
    });
}

/// The script is loaded from `fpath` when the first command line is completed.
#[test]
fn zsh_completes_interface_names_and_options() {
    let directory = script("zsh", "_sniffer");
    let here = directory.path().display();
    let setup = format!(
        "PS1= PS2=; print_ready() {{ print shell is \"\"ready }}; fpath=({here} $fpath); \
         autoload -Uz compinit; compinit -u -d {here}/dump; \
         preexec() {{ print -r -- exe\"\"cutes: $1 }}"
    );
    with_typed(|typed, completed| {
        let line = complete("zsh -f -i", &setup, typed);
        assert_eq!(line, format!("{completed} --version"), "{typed}");
    });
}

#[test]
fn fish_completes_interface_names_and_options() {
    let directory = script("fish", "sniffer.fish");
    with_typed(|typed, completed| {
        let file = directory.path().join("sniffer.fish");
        let words = fish(&file, typed);
        assert_eq!(words, [completed.rsplit(' ').next().unwrap()], "{typed}");
    });
}

/// The words that fish offers for a command line.
fn fish(file: &Path, typed: &str) -> Vec<String> {
    let home = tempdir().unwrap();
    let output = Command::new("fish")
        .args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"])
        .arg(file)
        .arg(typed)
        .env("PATH", path())
        .env("HOME", home.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // A description follows after a tab.
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn manual_page_is_well_formed() {
    let directory = tempdir().unwrap();
    let page = files::write(&directory, "sniffer.1", run(&["--generate", "man"]).stdout);
    let lint =
        Command::new("mandoc").args(["-T", "lint", "-W", "style"]).arg(&page).output().unwrap();
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    let text = Command::new("mandoc").args(["-T", "ascii", "-O", "width=78"]).arg(&page).output();
    // Bold characters are typed twice, with a backspace between them (mandoc(1)).
    let text = String::from_utf8(text.unwrap().stdout).unwrap();
    let mut plain = String::new();
    for c in text.chars() {
        if c == '\u{8}' {
            plain.pop();
        } else {
            plain.push(c);
        }
    }
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMPATIBILITY WITH TCPDUMP",
        "RECORDS",
        "SIGNALS",
        "EXIT STATUS",
        "FILES",
        "SECURITY",
        "EXAMPLES",
        "SEE ALSO",
    ] {
        assert!(plain.contains(&format!("\n{section}\n")), "{section}");
    }
    let example =
        "\n       Capture on eth0 until Ctrl+C:\n\n           sniffer -i eth0 -w capture.ndjson\n";
    assert!(plain.contains(example), "{plain}");
}
