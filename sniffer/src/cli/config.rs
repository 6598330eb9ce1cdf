//! From arguments to configurations: checks the options against each other, and builds what the
//! layers below take.

use clap::ArgMatches;
use clap::parser::ValueSource;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use summary::Printable;

use super::Generate;
use super::args::Args;
use super::choices::SandboxMode;
use super::records::{self, TypeName};
use crate::filter::FilterOptions;
use crate::flows::FlowOptions;
use crate::interfaces::{ANY, NamespaceName};
use crate::line_formatter::FieldOptions;
use crate::output::{Compression, FileId, Rotation, expand, expand_host};
use crate::record_types::{RecordType, RecordTypes};
use crate::{Error, capture, dump, file, live, output, sandbox, stream};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The network namespace to enter; `None` stays in that of the process.
    pub(crate) namespace: Option<NamespaceName>,
    pub(crate) action: Action,
}

/// The action that the command line selects.
#[derive(Debug)]
pub(crate) enum Action {
    Generate(Generate),
    ListInterfaces,
    Check(capture::Options),
    DumpFilter(dump::Config),
    Capture(live::Config),
    ReadFiles(file::Config),
    CountPackets(file::Config),
}

impl Invocation {
    /// The filter expression, if the action has one.
    pub(super) fn filter(&self) -> Option<&str> {
        let filter = match &self.action {
            Action::DumpFilter(config) => &config.filter,
            Action::Capture(config) => &config.filter,
            Action::ReadFiles(config) | Action::CountPackets(config) => &config.filter,
            Action::Generate(_) | Action::ListInterfaces | Action::Check(_) => return None,
        };
        filter.expression.as_deref()
    }
}

/// Options for live captures that make no difference for files. They are accepted with a message.
const LIVE_ONLY_OPTIONS: [(&str, &str); 10] = [
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
];

/// The smallest ring buffer in KiB.
const MIN_BUFFER_KIB: u32 = 256;

/// File name extensions of capture files, which sniffer does not write.
const CAPTURE_EXTENSIONS: [&str; 4] = ["pcap", "pcapng", "cap", "dmp"];

/// File name extensions of formats in which sniffer does not compress.
const UNSUPPORTED_COMPRESSION: [&str; 8] = ["lz4", "bz2", "xz", "lzma", "zip", "7z", "z", "br"];

impl Args {
    /// A message about options that make no difference for files, or about a value that is not used, if
    /// there are some.
    pub(super) fn notice(&self, matches: &ArgMatches) -> Option<String> {
        if 0 < self.dump {
            return None;
        }
        if !self.reads_files() {
            let size = self.buffer_size;
            return (size < MIN_BUFFER_KIB)
                .then(|| format!("-B {size}: the smallest buffer is {MIN_BUFFER_KIB} KiB"));
        }
        let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let given: Vec<_> = LIVE_ONLY_OPTIONS
            .iter()
            .filter(|(id, _)| is_given(id))
            .map(|(_, name)| *name)
            .collect();
        (!given.is_empty()).then(|| format!("no effect on files: {}", given.join(", ")))
    }

    fn reads_files(&self) -> bool {
        !self.read.is_empty() || self.read_list.is_some()
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
        if self.only.contains(&TypeName::Flow) && !self.flows {
            return Err("--only flow requires --flows".into());
        }
        let is_rotated = self.rotate_size.is_some() || self.rotate_interval.is_some();
        if self.file_count.is_some() && !is_rotated {
            return Err("-W requires -C or -G".into());
        }
        let Some(path) = &self.write else {
            return match is_rotated {
                true => Err("-C and -G require an output file; name it with -w".into()),
                false => Ok(()),
            };
        };
        check_extension(path)?;
        if is_rotated && path.as_os_str() == "-" {
            return Err("-C and -G require an output file, not standard output".into());
        }
        if self.rotate_interval.is_some() {
            let expanded = expand(path, &jiff::Zoned::now()).map_err(|error| error.to_string())?;
            if !has_same_structure(path, &expanded) {
                return Err(format!(
                    "-w {}: a directive stands for a text with `/` or control characters; use \
                     %Y-%m-%d for dates",
                    Printable(path.display())
                ));
            }
        }
        Ok(())
    }

    /// The invocation that the options describe.
    ///
    /// # Errors
    ///
    /// If the file of `-F` or `-V` cannot be read.
    pub(super) fn into_invocation(mut self) -> Result<Invocation, Error> {
        // Files are the same in all namespaces, and entering one needs a privilege.
        if self.reads_files() {
            self.netns = None;
        }
        Ok(Invocation { namespace: self.netns.clone(), action: self.into_action()? })
    }

    fn into_action(mut self) -> Result<Action, Error> {
        if let Some(what) = self.generate {
            return Ok(Action::Generate(what));
        }
        if self.list_interfaces {
            return Ok(Action::ListInterfaces);
        }
        let capture = self.capture_options();
        if self.check {
            return Ok(Action::Check(capture));
        }
        if let Some(list) = &self.read_list {
            self.read.extend(file::read_list(list)?);
        }
        let filter = self.filter_options()?;
        if 0 < self.dump {
            return Ok(Action::DumpFilter(self.into_dump(filter)));
        }
        let has_type = |name| self.only.is_empty() || self.only.contains(&name);
        let stream = stream::Options {
            fields: FieldOptions {
                // `check` has accepted the tags.
                format: records::format(self.time, &self.tag).unwrap_or_default(),
                has_ethernet: self.ethernet,
                has_names: self.names,
                has_ja4: self.ja4,
                tunnels: self.tunnels.into(),
                has_community_id: self.community_id,
                has_observations: self.flows || self.tcp_analysis,
            },
            types: match &self.only[..] {
                [] => RecordTypes::default(),
                names => names.iter().map(|name| RecordType::from(*name)).collect(),
            },
            flows: FlowOptions {
                has_records: self.flows && has_type(TypeName::Flow),
                interval: self.flow_interval,
                has_marks: self.tcp_analysis && has_type(TypeName::Pkt),
            },
            count: self.max_packets,
            snaplen: self.snapshot_length,
            filter: filter.expression.clone(),
            netns: self.netns.take().map(|NamespaceName(name)| name),
        };
        let output = self.output_options();
        let sandbox = self.sandbox_options();
        // More threads format more packets; counting them needs only one.
        let has_lines = stream.types.contains(RecordType::Packet);
        let thread_count = self.threads.filter(|_| has_lines);
        let thread_count = thread_count.and_then(|count| usize::try_from(count).ok());
        if !self.reads_files() {
            return Ok(Action::Capture(live::Config {
                interfaces: self.interface,
                capture,
                thread_count,
                exits_on_down: self.exit_on_down,
                duration: self.duration,
                stats_interval: self.stats,
                output,
                stream,
                filter,
                sandbox,
                is_quiet: self.quiet,
            }));
        }
        let config = file::Config {
            paths: self.read,
            thread_count,
            output,
            stream,
            filter,
            sandbox,
            is_quiet: self.quiet,
        };
        Ok(if self.count { Action::CountPackets(config) } else { Action::ReadFiles(config) })
    }

    fn capture_options(&self) -> capture::Options {
        capture::Options {
            snaplen: self.snapshot_length,
            is_promiscuous: !self.no_promiscuous,
            direction: self.direction.into(),
            buffer_kib: self.buffer_size.max(MIN_BUFFER_KIB),
            block_kib: self.block_size,
            is_immediate: self.immediate_mode,
            records_gso: !self.no_gso,
        }
    }

    fn filter_options(&self) -> Result<FilterOptions, Error> {
        let text = match &self.filter_file {
            Some(path) => crate::filter::read_expression(path)?,
            None => self.expression.join(" "),
        };
        Ok(FilterOptions {
            expression: Some(text).filter(|text| !text.trim().is_empty()),
            optimize: !self.no_optimize,
            snaplen: self.snapshot_length,
        })
    }

    fn sandbox_options(&self) -> sandbox::Options {
        sandbox::Options { mode: self.sandbox.into(), user: self.relinquish_privileges.clone() }
    }

    fn output_options(&self) -> output::Options {
        let inputs = self.read.iter().chain(&self.read_list).chain(&self.filter_file);
        output::Options {
            path: self.output_path(),
            overwrite: self.force,
            compression: self.compress.map(Into::into),
            rotation: Rotation {
                size: self.rotate_size,
                interval: self.rotate_interval,
                count: self.file_count,
            },
            inputs: inputs.filter_map(|path| FileId::of_input(path)).collect(),
        }
    }

    /// The file of `-w`, a template if there is an interval; `None` for standard output.
    fn output_path(&self) -> Option<PathBuf> {
        let path = self.write.as_ref().filter(|path| path.as_os_str() != "-")?;
        Some(if self.rotate_interval.is_some() { path.clone() } else { expand_host(path) })
    }

    fn into_dump(self, filter: FilterOptions) -> dump::Config {
        let sandbox = self.sandbox_options();
        let source = match (self.linktype, self.read.into_iter().next(), &self.interface[..]) {
            (Some(link), ..) => dump::LinkSource::LinkType(link),
            (None, Some(path), _) => dump::LinkSource::File(path),
            (None, None, []) => dump::LinkSource::LinkType(filter::LinkType::ETHERNET),
            (None, None, names) => dump::LinkSource::Interfaces(names.to_vec()),
        };
        let format = match self.dump {
            1 => filter::DumpFormat::Assembly,
            2 => filter::DumpFormat::C,
            _ => filter::DumpFormat::Decimal,
        };
        dump::Config { filter, format, source, sandbox }
    }
}

/// Whether the text of no directive splits a component or contains control characters.
fn has_same_structure(template: &Path, expanded: &Path) -> bool {
    let controls =
        |path: &Path| path.as_os_str().as_bytes().iter().filter(|b| b.is_ascii_control()).count();
    template.components().count() == expanded.components().count()
        && controls(template) == controls(expanded)
}

/// Refuses names that promise a format which sniffer does not write.
fn check_extension(path: &Path) -> Result<(), String> {
    let extension =
        |path: &Path| path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase());
    let Some(last) = extension(path) else { return Ok(()) };
    let name = Printable(path.display());
    if UNSUPPORTED_COMPRESSION.contains(&last.as_str()) {
        return Err(format!(
            "-w {name}: cannot compress to .{last}; use .gz or .zst, or -w - and a pipe"
        ));
    }
    let is_compressed = Compression::from_extension(last.as_ref()).is_some();
    let inner = if is_compressed { extension(&path.with_extension("")) } else { Some(last) };
    match inner {
        // tcpdump appends numbers.
        Some(inner) if CAPTURE_EXTENSIONS.contains(&inner.trim_end_matches(char::is_numeric)) => {
            let stem = path.with_extension("");
            let stem = if is_compressed { stem.with_extension("") } else { stem };
            Err(format!(
                "-w {name}: the output is JSON lines; use a name such as {}.ndjson, or tcpdump -w",
                Printable(stem.display())
            ))
        }
        _ => Ok(()),
    }
}
