//! Processes and their descendants, from the kernel.

use std::fs;

/// A process and all its descendants.
pub fn tree(root: u32) -> Vec<u32> {
    let parent_of = |pid: u32| -> Option<u32> { stat(pid)?.get(1)?.parse().ok() };
    let processes: Vec<u32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        tree.extend(processes.iter().filter(|pid| parent_of(**pid) == Some(parent)));
        next += 1;
    }
    tree
}

/// The fields of `/proc/PID/stat` after the process name, which may contain any character (proc(5)).
pub fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}
