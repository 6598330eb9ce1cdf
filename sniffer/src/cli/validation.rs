//! Checks of options against each other, and messages about those that make no difference.

use clap::ArgMatches;
use clap::parser::ValueSource;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use summary::Printable;

use super::args::Args;
use super::choices::SandboxMode;
use super::output_names::{
    check_compression, check_extension, check_packet_extension, check_template,
};
use super::records::{self, TypeName};
use crate::interfaces::ANY;

/// Options for live captures that make no difference for files. They are accepted with a message.
const LIVE_ONLY_OPTIONS: [(&str, &str); 11] = [
    ("no_promiscuous", "-p"),
    ("direction", "-Q"),
    ("linktype", "-y"),
    ("exit_on_down", "--exit-on-down"),
    ("buffer_size", "-B"),
    ("block_size", "--block-size"),
    ("immediate_mode", "--immediate-mode"),
    ("no_gso", "--no-gso"),
    ("stats", "--stats"),
    ("netns", "--netns"),
    ("metrics", "--metrics"),
];

/// Options for lines, which make no difference without them. They are accepted with a message.
const LINE_OPTIONS: [(&str, &str); 12] = [
    ("stats", "--stats"),
    ("only", "--only"),
    ("flows", "--flows"),
    ("flow_interval", "--flow-interval"),
    ("time", "--time"),
    ("ethernet", "-e"),
    ("names", "--names"),
    ("ja4", "--ja4"),
    ("tcp_analysis", "--tcp-analysis"),
    ("tag", "--tag"),
    ("tunnels", "--tunnels"),
    ("community_id", "--community-id"),
];

/// The smallest ring buffer in KiB.
pub(super) const MIN_BUFFER_KIB: u32 = 256;

impl Args {
    /// Messages about options that make no difference for files or without lines, or about a value that
    /// is not used.
    pub(super) fn notices(&self, matches: &ArgMatches) -> Vec<String> {
        if 0 < self.dump {
            return Vec::new();
        }
        let mut notices = Vec::new();
        let given = |options: &[(&str, &'static str)]| -> Vec<_> {
            let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
            options.iter().filter(|(id, _)| is_given(id)).map(|(_, name)| *name).collect()
        };
        if self.reads_files() {
            let given = given(&LIVE_ONLY_OPTIONS);
            if !given.is_empty() {
                notices.push(format!("no effect on files: {}", given.join(", ")));
            }
        } else if self.buffer_size < MIN_BUFFER_KIB {
            let size = self.buffer_size;
            notices.push(format!("-B {size}: the smallest buffer is {MIN_BUFFER_KIB} KiB"));
        }
        if !self.has_lines() {
            let given = given(&LINE_OPTIONS);
            if !given.is_empty() {
                let given = given.join(", ");
                notices.push(format!("no effect without lines (add -w FILE): {given}"));
            }
        }
        notices
    }

    /// Checks options against each other, as far as clap cannot.
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_inputs()?;
        if self.sandbox == SandboxMode::Off && self.relinquish_privileges.is_some() {
            return Err("--sandbox=off keeps all privileges; -Z has no effect with it".into());
        }
        records::format(self.time, &self.tag).map_err(|error| error.to_string())?;
        self.check_output()
    }

    fn check_inputs(&self) -> Result<(), String> {
        let names = &self.interface;
        let repeated =
            names.iter().enumerate().find(|&(index, name)| names[..index].contains(name));
        if let Some((_, name)) = repeated {
            return Err(format!("interface `{}` is given more than once", Printable(name)));
        }
        if 1 < names.len() && names.iter().any(|name| name == ANY) {
            return Err(format!("`{ANY}` already includes all other interfaces"));
        }
        let inputs = self.read.iter().chain(&self.read_list).chain(&self.filter_file);
        if 1 < inputs.filter(|path| path.as_os_str() == "-").count() {
            return Err("standard input can be read only once".into());
        }
        if self.reads_files() && !names.is_empty() {
            return Err("-i captures live, -r and -V read files; choose one of them".into());
        }
        if self.reads_files() && self.duration.is_some() {
            return Err(
                "--duration limits live captures; for files: timeout TIME sniffer ...".into()
            );
        }
        if self.reads_files() && self.ring.is_some() {
            return Err("--ring is for live captures; to select packets of files: --keep".into());
        }
        if self.reads_files() && self.serve.is_some() {
            return Err("--serve shows live captures; to view a file, open it in the page".into());
        }
        if self.count && !self.reads_files() {
            return Err(
                "--count counts the packets of files (-r); to stop after COUNT packets, use \
                        -c COUNT"
                    .into(),
            );
        }
        if self.linktype.is_some() && self.dump == 0 && !self.reads_files() {
            return Err("-y is for -d; a capture has the link type of its interface".into());
        }
        Ok(())
    }

    fn check_output(&self) -> Result<(), String> {
        if self.top && self.write.as_deref() == Some(Path::new("-")) {
            return Err("--top uses the terminal; write records to a file with -w FILE".into());
        }
        if self.top && !std::io::stdout().is_terminal() {
            return Err("--top requires a terminal, and standard output is none".into());
        }
        if self.only.contains(&TypeName::Flow) && !self.flows {
            return Err("--only flow requires --flows".into());
        }
        let is_rotated = self.rotate_size.is_some() || self.rotate_interval.is_some();
        if self.file_count.is_some() && !is_rotated {
            return Err("-W requires -C or -G".into());
        }
        let paths: Vec<&Path> =
            self.write.iter().chain(&self.pcapng).map(PathBuf::as_path).collect();
        if paths.is_empty() && self.force {
            return Err("--force requires an output file; name it with -w or --pcapng".into());
        }
        if paths.is_empty() && is_rotated {
            return Err("-C and -G require an output file; name it with -w or --pcapng".into());
        }
        if let [lines, packets] = paths[..]
            && lines == packets
        {
            return Err("-w and --pcapng require different outputs".into());
        }
        if let Some(path) = &self.write {
            check_compression("-w", path)?;
            check_extension(path)?;
        }
        if let Some(path) = &self.pcapng {
            check_compression("--pcapng", path)?;
            check_packet_extension(path)?;
        }
        if is_rotated && paths.iter().all(|path| path.as_os_str() == "-") {
            return Err("-C and -G require an output file, not standard output".into());
        }
        if self.rotate_interval.is_some() {
            self.write.iter().try_for_each(|path| check_template("-w", path))?;
            self.pcapng.iter().try_for_each(|path| check_template("--pcapng", path))?;
        }
        Ok(())
    }
}
