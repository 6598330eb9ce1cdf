//! Capabilities (capabilities(7)): all are dropped, except that CAP_NET_RAW can stay permitted.

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl::set_keepcaps;

/// Runs `open` with CAP_NET_RAW in effect if it is permitted.
pub(crate) fn with_net_raw<T>(open: impl FnOnce() -> T) -> T {
    let capability = Capability::CAP_NET_RAW;
    let is_raised =
        !is_effective(capability) && caps::raise(None, CapSet::Effective, capability).is_ok();
    let result = open();
    if is_raised {
        // Lowering a capability cannot fail.
        let _ = caps::drop(None, CapSet::Effective, capability);
    }
    result
}

/// Whether a capability is in effect.
pub(super) fn is_effective(capability: Capability) -> bool {
    caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false)
}

/// Empties the bounding set, which limits what exec(2) can gain. Only privileged processes can, and
/// `no_new_privs` has the same effect for the others.
pub(super) fn clear_bounding_set() -> Result<(), String> {
    if !is_effective(Capability::CAP_SETPCAP) {
        return Ok(());
    }
    caps::clear(None, CapSet::Bounding).map_err(failed)
}

/// Runs `change`, which may change the user, without losing permitted capabilities.
pub(super) fn keep_permitted(change: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    set_keepcaps(true).map_err(|errno| format!("PR_SET_KEEPCAPS: {errno}"))?;
    let changed = change();
    // An unset flag is the default, and exec(2) resets it.
    let _ = set_keepcaps(false);
    changed
}

/// Drops all capabilities. With `keeps_net_raw`, CAP_NET_RAW stays permitted, but not in effect.
pub(super) fn drop_all(keeps_net_raw: bool) -> Result<(), String> {
    let mut permitted = caps::read(None, CapSet::Permitted).map_err(failed)?;
    permitted.retain(|&capability| keeps_net_raw && capability == Capability::CAP_NET_RAW);
    // Since Linux 4.3; before, there is nothing to clear.
    let _ = caps::clear(None, CapSet::Ambient);
    caps::set(None, CapSet::Effective, &CapsHashSet::new()).map_err(failed)?;
    caps::set(None, CapSet::Permitted, &permitted).map_err(failed)?;
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new()).map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: CapsError) -> String {
    format!("capabilities cannot be dropped: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// Capabilities belong to threads, so the test's own ones stay.
    #[test]
    fn dropped_capabilities_cannot_be_raised() {
        let is_permitted = |set| caps::has_cap(None, set, Capability::CAP_NET_RAW).unwrap();
        for keeps_net_raw in [false, true] {
            let had = is_permitted(CapSet::Permitted);
            thread::spawn(move || {
                drop_all(keeps_net_raw).unwrap();
                let effective = caps::read(None, CapSet::Effective).unwrap();
                assert!(effective.is_empty(), "{effective:?}");
                let can_raise = keeps_net_raw && had;
                assert_eq!(with_net_raw(|| is_effective(Capability::CAP_NET_RAW)), can_raise);
                assert!(!is_effective(Capability::CAP_NET_RAW));
                assert_eq!(is_permitted(CapSet::Permitted), can_raise);
            })
            .join()
            .unwrap();
        }
    }
}
