//! Builds the configurations of the lower layers from the arguments.

use std::path::{Path, PathBuf};

use super::Generate;
use super::args::Args;
use super::records;
use super::validation::MIN_BUFFER_KIB;
use crate::filter::FilterOptions;
use crate::flows::FlowOptions;
use crate::interfaces::NamespaceName;
use crate::line_formatter::FieldOptions;
use crate::output::{FileId, Framing, Rotation, expand_host};
use crate::record_types::{RecordType, RecordTypes};
use crate::top::RateKind;
use crate::{Error, capture, dump, file, live, output, outputs, sandbox, stream};

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

impl Args {
    /// Whether there are lines: always, unless only packets have an output.
    pub(super) fn has_lines(&self) -> bool {
        self.write.is_some() || self.serve.is_some() || self.pcapng.is_none()
    }

    /// Whether lines are written to a file or to standard output.
    fn writes_lines(&self) -> bool {
        self.write.is_some() || (self.serve.is_none() && self.pcapng.is_none())
    }

    /// Whether the terminal shows flows and nothing is written.
    fn shows_only_top(&self) -> bool {
        self.top && self.write.is_none() && self.serve.is_none()
    }

    /// Whether the packets come from files.
    pub(super) fn reads_files(&self) -> bool {
        !self.read.is_empty() || self.read_list.is_some()
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
        let types = match &self.only[..] {
            _ if self.shows_only_top() || !self.has_lines() => RecordTypes::from_iter([]),
            [] => RecordTypes::default(),
            names => names.iter().map(|name| RecordType::from(*name)).collect(),
        };
        let has_metrics = self.metrics.is_some() && !self.reads_files();
        let stream = stream::Options {
            fields: FieldOptions {
                // `check` has accepted the tags.
                format: records::format(self.time, &self.tag).unwrap_or_default(),
                has_ethernet: self.ethernet,
                has_names: self.names,
                has_ja4: self.ja4,
                tunnels: self.tunnels.into(),
                has_community_id: self.community_id,
                has_observations: self.top
                    || has_metrics
                    || (self.has_lines() && (self.flows || self.tcp_analysis)),
                has_observed_names: self.top || has_metrics || (self.has_lines() && self.flows),
            },
            keeps_bytes: self.pcapng.is_some(),
            types,
            flows: FlowOptions {
                has_records: self.flows && types.contains(RecordType::Flow),
                interval: self.flow_interval,
                has_marks: self.tcp_analysis && types.contains(RecordType::Packet),
                ranking: self.top.then_some(match self.reads_files() {
                    true => RateKind::Mean,
                    false => RateKind::Current,
                }),
                has_metrics,
            },
            count: self.max_packets,
            snaplen: self.snapshot_length,
            filter: filter.expression.clone(),
            netns: self.netns.take().map(|NamespaceName(name)| name),
        };
        let outputs = self.outputs_options();
        let sandbox = self.sandbox_options();
        // More threads format more packets; counting them needs only one.
        let thread_count = self.threads.filter(|_| types.contains(RecordType::Packet));
        let thread_count = thread_count.and_then(|count| usize::try_from(count).ok());
        if !self.reads_files() {
            return Ok(Action::Capture(live::Config {
                interfaces: self.interface,
                capture,
                thread_count,
                exits_on_down: self.exit_on_down,
                duration: self.duration,
                stats_interval: self.stats,
                outputs,
                stream,
                filter,
                sandbox,
                is_quiet: self.quiet,
                metrics: self.metrics,
                serve: self.serve,
                has_top: self.top,
            }));
        }
        let config = file::Config {
            paths: self.read,
            thread_count,
            outputs,
            stream,
            filter,
            sandbox,
            is_quiet: self.quiet,
            has_top: self.top,
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
        Ok(self.filter_for(Some(text).filter(|text| !text.trim().is_empty())))
    }

    fn filter_for(&self, expression: Option<String>) -> FilterOptions {
        let (optimize, snaplen) = (!self.no_optimize, self.snapshot_length);
        FilterOptions { expression, optimize, snaplen }
    }

    fn sandbox_options(&self) -> sandbox::Options {
        sandbox::Options { mode: self.sandbox.into(), user: self.relinquish_privileges.clone() }
    }

    fn outputs_options(&self) -> outputs::Options {
        let lines =
            self.writes_lines().then(|| self.output_options(self.write.as_deref(), Framing::Lines));
        let packets = self.pcapng.as_deref();
        let packets = packets.map(|path| self.output_options(Some(path), Framing::Blocks));
        let filter = |expression: &Option<String>| {
            expression.as_ref().map(|expression| self.filter_for(Some(expression.clone())))
        };
        outputs::Options {
            lines,
            packets,
            keep: filter(&self.keep),
            ring: self.ring,
            trigger: filter(&self.trigger),
            rotation: self.rotation(),
        }
    }

    fn output_options(&self, path: Option<&Path>, framing: Framing) -> output::Options {
        let inputs = self.read.iter().chain(&self.read_list).chain(&self.filter_file);
        output::Options {
            path: path.and_then(|path| self.output_path(path)),
            framing,
            overwrite: self.force,
            compression: self.compress.map(Into::into),
            rotation: self.rotation(),
            inputs: inputs.filter_map(|path| FileId::of_input(path)).collect(),
        }
    }

    fn rotation(&self) -> Rotation {
        Rotation { size: self.rotate_size, interval: self.rotate_interval, count: self.file_count }
    }

    /// The file of an option, a template if there is an interval; `None` for standard output.
    fn output_path(&self, path: &Path) -> Option<PathBuf> {
        let is_file = path.as_os_str() != "-";
        let is_template = self.rotate_interval.is_some();
        is_file.then(|| if is_template { path.to_owned() } else { expand_host(path) })
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
