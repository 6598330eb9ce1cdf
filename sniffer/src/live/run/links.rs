//! Changes of interfaces and of the network namespace during a run.

use summary::Printable;
use summary::record::{Event, EventKind};

use super::super::all_links::AllLinks;
use super::super::link::LinkUpdate;
use super::super::notices::link_message;
use super::super::opener::user_space_filter_message;
use super::super::packet_source::PacketSource;
use super::Run;
use crate::interfaces::{Interface, LinkChange};
use crate::{Error, sandbox, stream};

impl Run<'_> {
    /// Records that the network namespace is gone.
    ///
    /// # Errors
    ///
    /// If the run is configured to end then.
    pub(super) fn check_namespace(&mut self) -> Result<(), Error> {
        let Some(namespace) = self.namespace.take_if(|namespace| namespace.is_gone()) else {
            return Ok(());
        };
        self.accounting.record_event(Event::new(stream::now(), EventKind::NetnsGone))?;
        let name = namespace.name().to_owned();
        if self.config.exits_on_down {
            return Err(Error::NamespaceGone { name });
        }
        self.progress.info(format_args!(
            "network namespace `{}` was deleted; capturing on its interfaces while they exist",
            Printable(&name)
        ));
        Ok(())
    }

    /// Records a change of interfaces. Continues the captures of those that return.
    ///
    /// # Errors
    ///
    /// If an interface is down or gone and the run is configured to end then, or if a record cannot be written.
    pub(super) fn on_link_change(&mut self, change: LinkChange) -> Result<(), Error> {
        match change {
            LinkChange::Updated(interface) => self.on_link_update(&interface),
            LinkChange::Removed(index) => self.on_link_removed(index),
            LinkChange::Resync(interfaces) => {
                let captured = self.accounting.interfaces.iter();
                let captured = captured.map(|interface| interface.link.interface().index);
                let all = self.all_links.iter().flat_map(AllLinks::indices);
                let indices: Vec<_> = captured.chain(all).collect();
                for index in indices {
                    if interfaces.iter().all(|interface| interface.index != index) {
                        self.on_link_removed(index)?;
                    }
                }
                interfaces.iter().try_for_each(|interface| self.on_link_update(interface))
            }
        }
    }

    fn on_link_update(&mut self, update: &Interface) -> Result<(), Error> {
        self.names.set(update.index, &update.name);
        let events = self.all_links.as_mut().map(|links| links.on_update(update));
        self.record_any_events(events.into_iter().flatten())?;
        for index in 0..self.accounting.interfaces.len() {
            match self.accounting.interfaces[index].link.on_update(update) {
                LinkUpdate::Unrelated => {}
                LinkUpdate::Changed(events) => {
                    events.into_iter().try_for_each(|event| self.record_link_event(event))?;
                }
                LinkUpdate::Returned => match self.reattach(index, update) {
                    // Removed again in the meantime. An update follows when it returns.
                    Err(error) if error.is_no_device() => {}
                    result => result?,
                },
            }
        }
        Ok(())
    }

    fn on_link_removed(&mut self, removed: u32) -> Result<(), Error> {
        let event = self.all_links.as_mut().and_then(|links| links.on_removed(removed));
        self.record_any_events(event)?;
        for index in 0..self.accounting.interfaces.len() {
            if let Some(event) = self.accounting.interfaces[index].link.on_removed(removed) {
                self.record_link_event(event)?;
            }
        }
        Ok(())
    }

    /// Records events of interfaces among those of `any`.
    fn record_any_events(&mut self, events: impl IntoIterator<Item = Event>) -> Result<(), Error> {
        for event in events {
            let message = link_message(&event, false);
            self.accounting.record_event(event)?;
            message.into_iter().for_each(|message| self.progress.info(message));
        }
        Ok(())
    }

    /// Records an event of a captured interface.
    ///
    /// # Errors
    ///
    /// If packets stop with it, and the run is configured to end then.
    fn record_link_event(&mut self, event: Event) -> Result<(), Error> {
        let (kind, name) = (event.event, event.interface.clone().unwrap_or_default());
        let message = link_message(&event, true);
        self.accounting.record_event(event)?;
        match kind {
            EventKind::IfaceDown if self.config.exits_on_down => Err(Error::WentDown { name }),
            EventKind::IfaceGone if self.config.exits_on_down => Err(Error::InterfaceGone { name }),
            _ => {
                if let Some(message) = message {
                    self.progress.info(message);
                }
                Ok(())
            }
        }
    }

    /// Continues the capture on a new interface of the same name.
    fn reattach(&mut self, index: usize, update: &Interface) -> Result<(), Error> {
        let link = self.accounting.interfaces[index].link.interface().link_type();
        let new_link = update.link_type().filter(|_| link != update.link_type());
        if new_link.is_some() {
            self.drain(index)?;
        }
        match &mut self.sources[index] {
            PacketSource::Direct { reader, .. } => {
                let had_filter = reader.filter().is_some();
                for capture in &mut self.accounting.interfaces[index].captures {
                    if let Some(link) = new_link {
                        capture.set_link_type(reader, link, self.opener.program(update)?);
                    }
                    capture.attach(reader, update)?;
                }
                if let Some(program) = reader.filter().filter(|_| !had_filter) {
                    self.progress.info(user_space_filter_message(update, program));
                }
            }
            // Sockets in a fanout group cannot be bound to another interface: replace them.
            PacketSource::Threaded(_) => {
                if !update.is_up {
                    return Ok(());
                }
                self.drain(index)?;
                let (captures, readers) = sandbox::with_net_raw(|| self.opener.open(update))?;
                let options = &self.config.stream;
                self.sources[index] = PacketSource::new(readers, &self.names, options)?;
                self.accounting.interfaces[index].replace_captures(captures);
            }
        }
        let interface = &mut self.accounting.interfaces[index];
        let event = interface.link.on_attached(update.clone());
        interface.reset_hw_baseline();
        event.map_or(Ok(()), |event| self.record_link_event(event))
    }
}
