//! A pair of virtual Ethernet interfaces (veth(4)) in a network namespace.

use xtask::namespace;

/// Runs `work` in a new namespace with the veth pair `left` and `right`. Only frames that `work`
/// sends pass through it.
///
/// # Panics
///
/// If the namespace cannot be created, or `work` panics.
pub fn with_veth<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    namespace::run(|| {
        add();
        work()
    })
}

/// Adds the pair `left` and `right` to the current namespace and sets both ends up.
///
/// # Panics
///
/// If the kernel refuses, for example because one of them exists.
pub fn add() {
    // With the MTU from the start, captures record no change of it.
    namespace::ip("link add left mtu 65535 type veth peer name right mtu 65535").unwrap();
    for end in ["left", "right"] {
        // Without an address the kernel sends no packets itself, such as neighbor discovery.
        namespace::ip(&format!("link set {end} addrgenmode none")).unwrap();
        namespace::ip(&format!("link set {end} up")).unwrap();
    }
}
