//! Opens the sockets of interfaces as configured, at the start and for interfaces that return.

use filter::{Program, Source};
use std::sync::Arc;

use super::config::Config;
use crate::Error;
use crate::capture::{self, Capture, Reader};
use crate::filter::Filter;
use crate::interfaces::{self, Interface};

/// The options for opening interfaces.
pub(super) struct Opener<'a> {
    options: &'a capture::Options,
    thread_count: usize,
    filter: Filter,
}

impl<'a> Opener<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        Self {
            options: &config.capture,
            thread_count: config.thread_count.unwrap_or(1),
            filter: Filter::new(&config.filter),
        }
    }

    /// Opens an interface once per thread.
    pub(super) fn open(&self, interface: &Interface) -> Result<(Vec<Capture>, Vec<Reader>), Error> {
        let program = self.program(interface)?;
        Ok(match self.thread_count {
            1 => std::iter::once(capture::open(interface, self.options, program)?).unzip(),
            count => {
                let group = capture::open_group(interface, self.options, program.as_ref(), count)?;
                group.into_iter().unzip()
            }
        })
    }

    /// The filter for the link type of an interface. Opening an interface without one fails.
    pub(super) fn program(&self, interface: &Interface) -> Result<Option<Arc<Program>>, Error> {
        let Some(link) = interface.link_type() else { return Ok(None) };
        self.filter.program(link, Source::Live, interfaces::netmask(&interface.name))
    }
}

/// Why the kernel does not run a filter.
pub(super) fn user_space_filter_message(interface: &Interface, program: &Program) -> String {
    let name = &interface.name;
    let len = program.instructions().len();
    if interface.index == 0 && len <= Program::KERNEL_MAX_LEN {
        return format!(
            "{name}: filtering in user space: the filter uses lengths or link-layer fields that \
             the kernel cannot provide on this interface"
        );
    }
    format!(
        "{name}: filtering in user space: the filter has {len} instructions; the kernel accepts \
         at most {}, within net.core.optmem_max bytes",
        Program::KERNEL_MAX_LEN
    )
}
