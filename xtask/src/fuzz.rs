//! `cargo xtask fuzz`: runs the libFuzzer programs of `fuzz/targets`, one after the other, for a given CPU
//! time each. Everything that they write is in `target/fuzz`. Several commands can run at the same time, with
//! different targets.
//!
//! | Directory | Content |
//! |---|---|
//! | `corpus/TARGET` | inputs that reach different code, minimized after each run |
//! | `seeds/TARGET` | inputs made from capture files, if `SNIFFER_CORPUS` names a directory of them |
//! | `artifacts` | inputs that break a law, take too long or need too much memory |
//! | `logs` | output of libFuzzer |

use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use summary::Printable;

use crate::{build, test};

/// Options of `cargo xtask fuzz`.
#[derive(Args)]
pub struct Options {
    /// CPU minutes for each target
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    minutes: f64,
    /// Targets to run, all by default
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// Memory that a target may use, in MiB. It includes the shadow memory of the address sanitizer.
const MEMORY_LIMIT_MB: u32 = 2_048;

/// Time that a single input may take, in seconds.
const TIMEOUT_S: u32 = 20;

/// Programs run until they have used their CPU time, in at most this many rounds: on a busy machine,
/// wall time is longer.
const MAX_ROUNDS: u32 = 50;

/// Result of running one target.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    executions: u64,
    cpu: Duration,
    /// Number of edges in the control flow that were reached.
    coverage: u64,
    /// Number of inputs after minimization.
    corpus: usize,
    finding: Option<PathBuf>,
}

/// Builds and runs targets.
///
/// # Errors
///
/// If a tool is missing, a target does not exist or does not build, or an input breaks a law.
pub fn run(options: &Options) -> Result<()> {
    require(
        Command::new("rustc").args(["+nightly", "--version"]),
        "the nightly toolchain; install it with: rustup toolchain install nightly --profile minimal",
    )?;
    require(
        Command::new("cargo").args(["+nightly", "fuzz", "--version"]),
        "cargo-fuzz; install it with: cargo install cargo-fuzz",
    )?;
    let known = targets()?;
    if let Some(unknown) = options.targets.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {unknown:?}. Targets: {}", known.join(", "));
    }
    let chosen = if options.targets.is_empty() { &known } else { &options.targets };
    let directories = ["artifacts", "logs", "seeds", "corpus"];
    directories.iter().try_for_each(|name| fs::create_dir_all(root().join(name)))?;
    if let Some(captures) = std::env::var_os("SNIFFER_CORPUS") {
        // Held until the seeds are written.
        let lock = File::create(root().join("seeds.lock"))?;
        lock.lock()?;
        let mut command = build::cargo(["run", "--quiet", "--package", "fuzz", "--"]);
        build::run(command.arg(captures).arg(root().join("seeds")))?;
    }
    let programs = build_targets()?;
    println!(
        "{:<14} {:>12} {:>11} {:>9} {:>7}  finding",
        "target", "executions", "CPU minutes", "coverage", "corpus"
    );
    let mut findings = 0;
    for name in chosen {
        let cpu = Duration::try_from_secs_f64(options.minutes * 60.0).context("--minutes")?;
        let outcome = run_target(name, &programs.join(name), cpu)?;
        findings += usize::from(outcome.finding.is_some());
        let minutes = outcome.cpu.as_secs_f64() / 60.0;
        let Outcome { executions, coverage, corpus, finding, .. } = &outcome;
        let finding = finding.as_ref().map_or("none".into(), |path| path.to_string_lossy());
        println!(
            "{name:<14} {executions:>12} {minutes:>11.1} {coverage:>9} {corpus:>7}  {finding}"
        );
    }
    if 0 < findings {
        bail!(
            "{findings} of {} targets have findings; logs are in {}",
            chosen.len(),
            Printable(root().display())
        );
    }
    Ok(())
}

/// The directory of everything written here.
fn root() -> PathBuf {
    build::target().join("fuzz")
}

fn require(command: &mut Command, tool: &str) -> Result<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        bail!("fuzzing needs {tool}");
    }
    Ok(())
}

fn package() -> PathBuf {
    build::root().join("fuzz/targets")
}

/// The names of all targets, in the order of their manifest.
fn targets() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(package().join("Cargo.toml"))?;
    let names = manifest.lines().filter_map(|line| {
        // `cargo metadata` sorts the targets.
        line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\"")
    });
    Ok(names.map(str::to_owned).collect())
}

/// Builds all targets. Returns the directory of their programs.
fn build_targets() -> Result<PathBuf> {
    // The same versions of all dependencies as in the workspace.
    fs::copy(build::root().join("Cargo.lock"), package().join("Cargo.lock"))?;
    let mut command = Command::new("cargo");
    command.current_dir(package()).args(["+nightly", "fuzz", "build", "--fuzz-dir", "."]);
    build::run(command.arg("--target-dir").arg(root().join("build")))?;
    let version = Command::new("rustc").args(["+nightly", "-vV"]).output()?;
    let version = String::from_utf8(version.stdout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(root().join("build").join(host.context("no host in rustc -vV")?).join("release"))
}

/// Runs a target until it has used its CPU time or has a finding, and minimizes its corpus.
fn run_target(name: &str, program: &Path, cpu: Duration) -> Result<Outcome> {
    let corpus = root().join("corpus").join(name);
    let seeds = [build::root().join("fuzz/seeds").join(name), root().join("seeds").join(name)];
    let seeds = seeds.iter().filter(|seeds| seeds.is_dir());
    fs::create_dir_all(&corpus)?;
    let log = root().join("logs").join(format!("{name}.log"));
    let artifacts = root().join("artifacts").join(format!("{name}-"));
    let dictionary = build::root().join("fuzz/dictionaries").join(format!("{name}.dict"));
    let mut outcome = Outcome::default();
    for _ in 0..MAX_ROUNDS {
        let left = cpu.saturating_sub(outcome.cpu).as_secs();
        if left == 0 {
            break;
        }
        let mut command = fuzzer(program, &log)?;
        command.arg(&corpus).args(seeds.clone());
        command.arg(format!("-max_total_time={left}")).arg("-print_final_stats=1");
        command.arg(format!("-artifact_prefix={}", artifacts.display()));
        command.arg(format!("-max_len={}", max_len(name)));
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let before = test::children_cpu()?;
        let status = command
            .status()
            .with_context(|| format!("starting {}", Printable(program.display())))?;
        outcome.cpu += test::children_cpu()?.saturating_sub(before);
        let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        outcome.executions += number_after(&output, "stat::number_of_executed_units:").unwrap_or(0);
        outcome.coverage = number_after(&output, " cov: ").unwrap_or(outcome.coverage);
        if !status.success() {
            let artifact = output.lines().find_map(|line| line.split_once("Test unit written to "));
            outcome.finding = Some(artifact.map_or(log.clone(), |(_, path)| path.trim().into()));
            break;
        }
    }
    let minimized = root().join(format!("minimized-{name}"));
    if minimized.exists() {
        fs::remove_dir_all(&minimized)?;
    }
    fs::create_dir_all(&minimized)?;
    let mut merge = fuzzer(program, &log.with_extension("merge.log"))?;
    merge.arg("-merge=1").arg(&minimized).arg(&corpus).args(seeds);
    if merge.status()?.success() {
        fs::remove_dir_all(&corpus)?;
        fs::rename(&minimized, &corpus)?;
    }
    outcome.corpus = fs::read_dir(&corpus)?.count();
    Ok(outcome)
}

/// The command that runs a program with the limits of all runs and its output in `log`.
fn fuzzer(program: &Path, log: &Path) -> Result<Command> {
    let mut command = Command::new(program);
    command.arg(format!("-rss_limit_mb={MEMORY_LIMIT_MB}")).arg(format!("-timeout={TIMEOUT_S}"));
    command.stdout(Stdio::null()).stderr(File::create(log)?);
    // Of a C++ library, which rustc links twice.
    command.env("ASAN_OPTIONS", "detect_odr_violation=0");
    Ok(command)
}

/// Maximum length of an input in bytes: enough for the formats of the target, and short enough to be fast.
fn max_len(name: &str) -> usize {
    match name {
        "filter" | "page_filter" | "fragment" => 256,
        "line" | "generic_json" | "packet_filter" | "interpreter" => 1_024,
        _ => 4_096,
    }
}

/// The number after the last occurrence of a label.
fn number_after(text: &str, label: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_from_the_output() {
        let output = "#2 INITED cov: 83 ft: 84\n#9 NEW    cov: 85 ft: 90 corp: 3/9b\n\
                      stat::number_of_executed_units: 1234\nstat::average_exec_per_sec: 5\n";
        assert_eq!(number_after(output, " cov: "), Some(85));
        assert_eq!(number_after(output, "stat::number_of_executed_units:"), Some(1_234));
        assert_eq!(number_after(output, "stat::peak_rss_mb:"), None);
    }

    #[test]
    fn targets_are_in_the_order_of_their_manifest() {
        let targets = targets().unwrap();
        assert_eq!((targets.len(), &targets[1][..]), (17, "names"));
        for name in &targets {
            assert!(package().join(format!("fuzz_targets/{name}.rs")).is_file(), "{name}");
        }
    }
}
