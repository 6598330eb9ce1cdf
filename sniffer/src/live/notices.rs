//! Messages for a person about what the stream records: interfaces that go and come, and drops.

use std::time::{Duration, Instant};
use summary::record::{Event, EventKind};

use crate::progress::{duration_text, packets};

/// Shortest time between two messages about drops.
const DROPS_INTERVAL: Duration = Duration::from_secs(10);

/// The message about a change of an interface that the run waits for or recovers from; `None` for
/// other events. `is_captured` is false for an interface among all those of `any`, for which the run
/// does not wait.
pub(super) fn link_message(event: &Event, is_captured: bool) -> Option<String> {
    let name = event.interface.as_deref()?;
    let gap = || duration_text(Duration::from_nanos(event.gap_ns.unwrap_or(0)));
    match event.event {
        EventKind::IfaceDown if !is_captured => Some(format!("{name} went down")),
        EventKind::IfaceGone if !is_captured => Some(format!("{name} disappeared")),
        EventKind::IfaceUp | EventKind::Reattached if !is_captured => Some(format!("{name} is up")),
        EventKind::IfaceDown => Some(format!("{name} went down; waiting for it")),
        EventKind::IfaceGone => {
            Some(format!("{name} disappeared; waiting for an interface named {name}"))
        }
        EventKind::IfaceUp | EventKind::Reattached => {
            Some(format!("{name} is back after {}", gap()))
        }
        EventKind::IfaceRenamed if is_captured => {
            let new_name = event.new_name.as_deref()?;
            Some(format!("{name} is now named {new_name}; still capturing on it"))
        }
        EventKind::IfaceRenamed => {
            Some(format!("{name} is now named {}", event.new_name.as_deref()?))
        }
        _ => None,
    }
}

/// Reports drops: the first ones at once, then at most one message per [`DROPS_INTERVAL`].
#[derive(Debug, Default)]
pub(super) struct DropNotices {
    /// Drops in earlier messages.
    reported: u64,
    /// When the last message was printed.
    last: Option<Instant>,
}

impl DropNotices {
    /// The message about drops since the last message, if there is one now. `dropped` counts the
    /// whole run.
    pub(super) fn message(&mut self, dropped: u64, now: Instant) -> Option<String> {
        let new = dropped.saturating_sub(self.reported);
        let is_due = self.last.is_none_or(|last| DROPS_INTERVAL <= now - last);
        if new == 0 || !is_due {
            return None;
        }
        let since = if self.last.is_some() { " since the last message" } else { "" };
        (self.reported, self.last) = (dropped, Some(now));
        Some(format!("{} dropped{since}: the kernel's buffer was full", packets(new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::new_event;

    #[test]
    fn link_messages_name_the_interface_and_the_gap() {
        let message = |kind, gap_ns, new_name: Option<&str>| {
            let new_name = new_name.map(str::to_owned);
            link_message(&Event { gap_ns, new_name, ..new_event("eth0", kind) }, true)
        };
        for (kind, gap_ns, new_name, text) in [
            (EventKind::IfaceDown, None, None, "eth0 went down; waiting for it"),
            (EventKind::IfaceUp, Some(700_000_000), None, "eth0 is back after 700 ms"),
            (EventKind::IfaceUp, Some(1_700_000_000), None, "eth0 is back after 1.7 s"),
            (EventKind::Reattached, Some(61_000_000_000), None, "eth0 is back after 1 min 1 s"),
            (
                EventKind::IfaceRenamed,
                None,
                Some("wan0"),
                "eth0 is now named wan0; still capturing on it",
            ),
        ] {
            assert_eq!(message(kind, gap_ns, new_name).as_deref(), Some(text));
        }
        assert_eq!(message(EventKind::DropBegin, None, None), None);
    }

    #[test]
    fn link_messages_of_any_promise_no_wait() {
        for (kind, text) in [
            (EventKind::IfaceDown, "eth0 went down"),
            (EventKind::IfaceGone, "eth0 disappeared"),
            (EventKind::IfaceUp, "eth0 is up"),
            (EventKind::Reattached, "eth0 is up"),
        ] {
            assert_eq!(link_message(&new_event("eth0", kind), false).as_deref(), Some(text));
        }
    }

    #[test]
    fn drops_are_reported_at_once_and_then_rarely() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut notices = DropNotices::default();
        assert_eq!(notices.message(0, start), None);
        let first = notices.message(1_234, at(1)).unwrap();
        assert_eq!(first, "1,234 packets dropped: the kernel's buffer was full");
        assert_eq!(notices.message(2_000, at(10)), None);
        let second = notices.message(2_235, at(11)).unwrap();
        assert_eq!(
            second,
            "1,001 packets dropped since the last message: the kernel's buffer was full"
        );
        assert_eq!(notices.message(2_235, at(60)), None);
    }
}
