//! The state of a captured interface, and the events that follow from its changes.

use std::time::{Duration, Instant};
use summary::record::{Event, EventKind};

use crate::interfaces::Interface;
use crate::stream::new_event;

/// An interface and its state.
#[derive(Debug)]
pub(super) struct Link {
    /// The interface as last reported.
    interface: Interface,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Down {
        since: Instant,
    },
    /// The interface does not exist.
    Gone {
        since: Instant,
    },
    /// The capture is attached to a new interface of the same name, which is not up yet.
    Attached {
        since: Instant,
    },
}

impl State {
    /// When packets stopped arriving; now if they have not.
    fn since(self) -> Instant {
        match self {
            Self::Up => Instant::now(),
            Self::Down { since } | Self::Gone { since } | Self::Attached { since } => since,
        }
    }
}

/// What an update means for a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LinkUpdate {
    /// The update is about another interface.
    Unrelated,
    /// The link has changed; contains the events to record, possibly none.
    Changed(Vec<Event>),
    /// An interface of the same name exists again. The capture can be attached to it.
    Returned,
}

impl Link {
    pub(super) fn new(interface: Interface) -> Self {
        Self { interface, state: State::Up }
    }

    /// An interface that is not up yet, or not yet reported as such.
    pub(super) fn new_down(interface: Interface) -> Self {
        Self { interface, state: State::Down { since: Instant::now() } }
    }

    /// Whether the interface does not exist.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone { .. })
    }

    /// The interface as last reported.
    pub(super) fn interface(&self) -> &Interface {
        &self.interface
    }

    /// Evaluates the state of an interface as the kernel reports it.
    pub(super) fn on_update(&mut self, update: &Interface) -> LinkUpdate {
        if self.is_gone() {
            let has_returned = self.interface.name == update.name && update.link_type().is_some();
            return if has_returned { LinkUpdate::Returned } else { LinkUpdate::Unrelated };
        }
        if self.interface.index != update.index {
            return LinkUpdate::Unrelated;
        }
        let before = std::mem::replace(&mut self.interface, update.clone());
        let mut events = Vec::new();
        if before.name != update.name {
            let renamed = new_event(&before.name, EventKind::IfaceRenamed);
            events.push(Event { new_name: Some(update.name.clone()), ..renamed });
        }
        if before.mtu != update.mtu {
            let changed = new_event(&update.name, EventKind::IfaceMtu);
            events.push(Event { mtu: update.mtu, ..changed });
        }
        events.extend(self.update_state());
        LinkUpdate::Changed(events)
    }

    /// Records the removal of the interface `index`. `None` if it is another one, or was reported
    /// before.
    pub(super) fn on_removed(&mut self, index: u32) -> Option<Event> {
        // Index 0 stands for all interfaces, which are never removed.
        if self.interface.index != index || index == 0 || self.is_gone() {
            return None;
        }
        self.state = State::Gone { since: self.state.since() };
        Some(new_event(&self.interface.name, EventKind::IfaceGone))
    }

    /// Records that the capture was attached to `interface`. Returns an event if that is up.
    pub(super) fn on_attached(&mut self, interface: Interface) -> Option<Event> {
        self.interface = interface;
        self.state = State::Attached { since: self.state.since() };
        self.update_state()
    }

    /// Derives the state from the flags of the interface. Returns an event if it has changed.
    fn update_state(&mut self) -> Option<Event> {
        let (state, kind) = match (self.state, self.interface.is_up) {
            (State::Up, false) => (State::Down { since: Instant::now() }, EventKind::IfaceDown),
            (State::Down { .. }, true) => (State::Up, EventKind::IfaceUp),
            (State::Attached { .. }, true) => (State::Up, EventKind::Reattached),
            _ => return None,
        };
        let gap_ns = (state == State::Up).then(|| nanoseconds(self.state.since().elapsed()));
        self.state = state;
        Some(Event { gap_ns, ..new_event(&self.interface.name, kind) })
    }
}

/// A duration as events have it.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, index: u32, is_up: bool) -> Interface {
        let arphrd = libc::ARPHRD_ETHER;
        Interface { name: name.into(), index, arphrd, is_up, ..Interface::any() }
    }

    fn kinds(update: LinkUpdate) -> Vec<EventKind> {
        match update {
            LinkUpdate::Changed(events) => events.into_iter().map(|event| event.event).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn renamed_interface_goes_down_and_up() {
        let mut link = Link::new(interface("eth0", 2, true));
        assert_eq!(link.on_update(&interface("eth1", 3, false)), LinkUpdate::Unrelated);
        assert_eq!(kinds(link.on_update(&interface("eth0", 2, false))), [EventKind::IfaceDown]);
        assert_eq!(kinds(link.on_update(&interface("wan0", 2, false))), [EventKind::IfaceRenamed]);
        assert_eq!(kinds(link.on_update(&interface("wan0", 2, true))), [EventKind::IfaceUp]);
        assert_eq!(kinds(link.on_update(&interface("wan0", 2, true))), []);
        assert_eq!(link.interface().name, "wan0");
    }

    #[test]
    fn removed_interface_returns_under_another_index() {
        let mut link = Link::new(interface("eth0", 2, true));
        assert_eq!(link.on_removed(3), None);
        assert_eq!(link.on_removed(2).unwrap().event, EventKind::IfaceGone);
        assert_eq!(link.on_removed(2), None, "reported once");
        assert_eq!(link.on_update(&interface("eth1", 2, true)), LinkUpdate::Unrelated);
        let returned = interface("eth0", 7, false);
        assert_eq!(link.on_update(&returned), LinkUpdate::Returned);
        assert_eq!(link.on_attached(returned), None, "not up yet");
        assert_eq!(kinds(link.on_update(&interface("eth0", 7, true))), [EventKind::Reattached]);
    }

    #[test]
    fn any_is_never_removed() {
        assert_eq!(Link::new(Interface::any()).on_removed(0), None);
    }
}
