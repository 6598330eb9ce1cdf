//! The Spark job: its page, and a cluster that loses an executor.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;
use tempfile::tempdir;
use tests::process::Process;
use tests::stream::Packet;
use xtask::wait::wait_until;
use xtask::{build, namespace};

use super::answers::{answer, rows};
use super::captures::{self, Captures};
use super::engines::Engines;
use super::pages::{packets, run_page};

/// Number of packets that the sample is to have.
const SAMPLE: u64 = 5_000;

/// Longest time until Spark has started and counted once.
const FIRST_RESULT_TIMEOUT: Duration = Duration::from_secs(300);

#[test]
fn spark_answers_and_samples() {
    let directory = tempdir().unwrap();
    let captures = captures::write_tree(directory.path());
    // The page names the job by its path in the project.
    std::os::unix::fs::symlink(build::root().join("docs"), directory.path().join("docs")).unwrap();
    assert_eq!(run_page("docs/spark.md", directory.path(), &captures), 3);
    check_sample(&directory.path().join("out"), &captures);
}

#[test]
fn spark_survives_a_killed_executor() {
    let directory = tempdir().unwrap();
    let captures = captures::write_tree(directory.path());
    let out = directory.path().join("out");
    let log = namespace::run(|| {
        let mut submit = Engines::new(directory.path()).command("spark-submit");
        submit.args(["--master", "local-cluster[2,1,2048]", "--conf", "spark.executor.memory=1g"]);
        submit.args(["--conf", "spark.ui.enabled=false"]);
        submit.arg(build::root().join("docs/spark/packets.py")).arg("captures").arg("out");
        submit.args(["--sample", &SAMPLE.to_string()]);
        let mut job = Process::spawn(submit.stdout(Stdio::null()).stderr(Stdio::piped()));
        let stderr = job.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            BufReader::new(stderr).lines().collect::<Result<Vec<_>, _>>().unwrap().join("\n")
        });
        // The job is not over: it has written the first of four results.
        wait_until("the first result", FIRST_RESULT_TIMEOUT, || {
            assert!(job.try_wait()?.is_none(), "the job ended early");
            Ok(out.join("sizes/_SUCCESS").exists())
        })
        .unwrap();
        kill_executor(&job);
        let status = job.wait().unwrap();
        let log = log.join().unwrap();
        assert!(status.success(), "{log}");
        log
    });
    assert!(log.contains("Lost executor"), "{log}");
    for name in ["sizes", "throughput", "conversations"] {
        assert_eq!(table(&out.join(name)), answer(name, &captures), "{name}");
    }
    check_sample(&out, &captures);
}

/// Kills one executor of a job, which is the process of a worker among its descendants.
fn kill_executor(job: &Child) {
    use nix::sys::signal::{Signal, kill};
    let executor = descendants(job.id()).into_iter().find(|&process| {
        let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains("CoarseGrainedExecutorBackend")
    });
    let executor = executor.expect("an executor among the descendants of the job");
    kill(nix::unistd::Pid::from_raw(i32::try_from(executor).unwrap()), Signal::SIGKILL).unwrap();
}

/// The processes that a process started, and those that they started.
fn descendants(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(&process) = found.get(next) {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().map(|child| child.parse::<u32>().unwrap()));
        }
    }
    found
}

/// The only file of a directory that Spark wrote.
fn part(directory: &Path) -> Vec<u8> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_part = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with("part-")
    };
    let parts: Vec<_> = files.filter(is_part).collect();
    assert_eq!(parts.len(), 1, "{parts:?}");
    fs::read(&parts[0]).unwrap()
}

fn table(directory: &Path) -> super::answers::Rows {
    rows(&part(directory))
}

/// Compares the sample with the packets whose number is a multiple of k.
fn check_sample(out: &Path, captures: &Captures) {
    let total = captures.iter().map(Vec::len).sum::<usize>() as u64;
    let k = total.div_ceil(SAMPLE);
    let mut expected: Vec<&Packet> =
        captures.iter().flatten().filter(|packet| packet.n % k == 0).collect();
    expected.sort_by(|a, b| a.ts.cmp(&b.ts));
    let mut text = String::new();
    let compressed = part(&out.join("sample"));
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut text)
        .unwrap();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    assert!(packets(&lines).iter().eq(expected), "the sample has other packets");
}
