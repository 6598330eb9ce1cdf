//! The states of all interfaces while `any` is captured. Its socket stays attached whatever happens
//! to them: the events only record when packets of an interface were missing.

use summary::record::Event;

use super::link::{Link, LinkUpdate};
use crate::interfaces::Interface;

/// Removed interfaces to remember, so that memory stays bounded where containers come and go.
const MAX_REMOVED: usize = 256;

/// All interfaces, and the latest removed ones, in the order of their first report or removal.
#[derive(Debug)]
pub(super) struct AllLinks(Vec<Link>);

impl AllLinks {
    /// The interfaces that exist now.
    pub(super) fn new(interfaces: Vec<Interface>) -> Self {
        let link = |interface: Interface| {
            if interface.is_up { Link::new(interface) } else { Link::new_down(interface) }
        };
        Self(interfaces.into_iter().map(link).collect())
    }

    /// Evaluates the state of an interface as the kernel reports it. Returns the events to record.
    pub(super) fn on_update(&mut self, update: &Interface) -> Vec<Event> {
        let mut returned = None;
        for link in &mut self.0 {
            match link.on_update(update) {
                LinkUpdate::Unrelated => {}
                LinkUpdate::Changed(events) => return events,
                LinkUpdate::Returned => returned = Some(link),
            }
        }
        if let Some(link) = returned {
            return link.on_attached(update.clone()).into_iter().collect();
        }
        let mut link = Link::new_down(update.clone());
        let events = match link.on_update(update) {
            LinkUpdate::Changed(events) => events,
            LinkUpdate::Unrelated | LinkUpdate::Returned => Vec::new(),
        };
        self.0.push(link);
        events
    }

    /// Records the removal of the interface `index`. `None` if it was reported before.
    pub(super) fn on_removed(&mut self, index: u32) -> Option<Event> {
        let links = self.0.iter_mut().enumerate();
        let removals = links.map(|(position, link)| (position, link.on_removed(index)));
        let (position, event) = removals.into_iter().find(|(_, event)| event.is_some())?;
        // The latest removal comes last.
        let link = self.0.remove(position);
        self.0.push(link);
        let mut removed = self.0.iter().enumerate().filter(|(_, link)| link.is_gone());
        if let Some((oldest, _)) = removed.next()
            && MAX_REMOVED <= removed.count()
        {
            self.0.remove(oldest);
        }
        event
    }

    /// Indices of the interfaces that exist, as last reported.
    pub(super) fn indices(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter(|link| !link.is_gone()).map(|link| link.interface().index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use summary::record::EventKind;

    fn interface(name: &str, index: u32, is_up: bool) -> Interface {
        let arphrd = libc::ARPHRD_ETHER;
        Interface { name: name.into(), index, arphrd, is_up, ..Interface::any() }
    }

    fn text(events: impl IntoIterator<Item = Event>) -> Vec<(String, EventKind)> {
        events.into_iter().map(|event| (event.interface.unwrap(), event.event)).collect()
    }

    #[test]
    fn events_name_their_interface() {
        let mut links = AllLinks::new(vec![interface("lo", 1, true), interface("eth0", 2, true)]);
        let mut update =
            |name: &str, index, is_up| text(links.on_update(&interface(name, index, is_up)));
        let event = |name: &str, kind| vec![(name.to_owned(), kind)];
        assert_eq!(update("eth0", 2, false), event("eth0", EventKind::IfaceDown));
        assert_eq!(update("eth0", 2, true), event("eth0", EventKind::IfaceUp));
        assert_eq!(update("veth7", 3, false), []);
        assert_eq!(update("veth7", 3, true), event("veth7", EventKind::IfaceUp));
        assert_eq!(update("wan0", 3, true), event("veth7", EventKind::IfaceRenamed));
        assert_eq!(text(links.on_removed(2)), event("eth0", EventKind::IfaceGone));
        assert_eq!(links.on_removed(2), None);
        assert_eq!(links.indices().collect::<Vec<_>>(), [1, 3]);
        let returned = links.on_update(&interface("eth0", 9, true));
        assert_eq!(text(returned), event("eth0", EventKind::Reattached));
    }

    #[test]
    fn interface_that_is_down_at_the_start_gives_no_event() {
        let mut links = AllLinks::new(vec![interface("eth0", 2, false)]);
        assert_eq!(links.on_update(&interface("eth0", 2, false)), []);
    }

    #[test]
    fn memory_of_removed_interfaces_is_bounded() {
        let mut links = AllLinks::new(vec![interface("lo", 1, true)]);
        for index in 2..2_000 {
            links.on_update(&interface(&format!("veth{index}"), index, true));
            assert!(links.on_removed(index).is_some());
        }
        assert_eq!(links.0.len(), 1 + MAX_REMOVED);
        assert_eq!(links.0.last().unwrap().interface().index, 1_999);
    }
}
