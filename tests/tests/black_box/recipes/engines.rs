//! Runs code blocks: in bash, in SQLite's shell, or in a Python process with DuckDB, ClickHouse
//! (chdb), pandas and polars.

use serde_json::json;
use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use tests::process::Process;
use xtask::{build, python};

use super::answers::{Rows, rows};

/// Replaces the sniffer in the blocks of a page: live captures end by themselves.
const SNIFFER_WRAPPER: &str = r#"#!/bin/sh
case " $* " in
    *" -i "*) exec SNIFFER --duration 0.3 "$@" ;;
    *) exec SNIFFER "$@" ;;
esac
"#;

/// The engines of one page, and the directory in which they run.
pub(crate) struct Engines {
    directory: PathBuf,
    /// `PATH` of the blocks.
    path: String,
    python: BTreeMap<String, PythonEngine>,
}

impl Engines {
    pub(crate) fn new(directory: &Path) -> Self {
        let programs = directory.join("programs");
        fs::create_dir_all(&programs).unwrap();
        let wrapper = programs.join("sniffer");
        let sniffer = build::sniffer_path();
        fs::write(&wrapper, SNIFFER_WRAPPER.replace("SNIFFER", sniffer.to_str().unwrap())).unwrap();
        fs::set_permissions(&wrapper, Permissions::from_mode(0o755)).unwrap();
        let recipes = python::recipe_packages_path().join("bin");
        let path = env::var("PATH").unwrap();
        let path = format!("{}:{}:{path}", programs.display(), recipes.display());
        Self { directory: directory.to_owned(), path, python: BTreeMap::new() }
    }

    /// Runs a block; `place` names it in failures. Returns the rows of its answer.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub(crate) fn run(
        &mut self,
        engine: &str,
        text: &str,
        answer: Option<&str>,
        place: &str,
    ) -> Rows {
        match engine {
            "sh" => {
                let mut bash = self.command("bash");
                // `head` closes its input early: no pipefail.
                let output = bash.args(["-e", "-u", "-c", text]).output().unwrap();
                assert!(output.status.success(), "{place}: {}", describe(&output));
                rows(&output.stdout)
            }
            "console" => {
                self.run_console(text, place);
                Rows::new()
            }
            "sqlite" => {
                let mut sqlite = self.command("sqlite3");
                sqlite.args(["-batch", "-bail", "-tabs", "capture.db"]);
                rows(&run_with_input(&mut sqlite, text, place))
            }
            engine => {
                if !self.python.contains_key(engine) {
                    let started = self.start_python(engine);
                    self.python.insert(engine.to_owned(), started);
                }
                self.python.get_mut(engine).unwrap().run(text, answer, place)
            }
        }
    }

    /// Runs the lines that start with a prompt, and compares their output with the lines after them.
    fn run_console(&self, text: &str, place: &str) {
        for part in format!("\n{text}").split("\n$ ").skip(1) {
            let (command, expected) = part.split_once('\n').unwrap();
            let output = self.command("bash").args(["-c", &format!("{command} 2>&1")]).output();
            let output = String::from_utf8(output.unwrap().stdout).unwrap();
            assert_eq!(output.trim_end(), expected.trim_end(), "{place}: {command}");
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts an engine that runs in a Python process.
    pub(crate) fn start_python(&self, engine: &str) -> PythonEngine {
        PythonEngine::start(self.command("python3"), engine)
    }

    /// A command that runs in the directory and finds the packages.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).env("PATH", &self.path);
        command.env("PYTHONPATH", python::recipe_packages_path());
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("SPARK_LOCAL_IP", "127.0.0.1");
        command
    }
}

/// Runs a command with this standard input, and returns its standard output.
fn run_with_input(command: &mut Command, input: &str, place: &str) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{place}: {}", describe(&output));
    output.stdout
}

fn describe(output: &std::process::Output) -> String {
    let mut text = output.status.to_string();
    for bytes in [&output.stdout, &output.stderr] {
        write!(text, "\n{}", String::from_utf8_lossy(bytes)).unwrap();
    }
    text
}

/// A process of `engine.py`.
pub(crate) struct PythonEngine {
    /// Killed when the engine is dropped.
    _process: Process,
    blocks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl PythonEngine {
    fn start(mut python: Command, engine: &str) -> Self {
        python.arg(build::root().join("tests/tests/black_box/recipes/engine.py")).arg(engine);
        let mut process = Process::spawn(python.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let blocks = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { _process: process, blocks, answers }
    }

    pub(crate) fn run(&mut self, text: &str, answer: Option<&str>, place: &str) -> Rows {
        writeln!(self.blocks, "{}", json!({"text": text, "answer": answer})).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("{place} failed; its message is on standard error: {line}"))
    }
}
