//! A cable in a network namespace of its own.

use xtask::namespace;

/// Runs `work` in a namespace with the two ends of a cable, `left` and `right`, and nothing on it
/// but what `work` sends.
///
/// # Panics
///
/// Where there is no namespace to be had, or `work` panics.
pub fn with_veth<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    namespace::run(|| {
        namespace::ip("link add left type veth peer name right").unwrap();
        for end in ["left", "right"] {
            // No address, no neighbour discovery: the kernel itself stays silent.
            namespace::ip(&format!("link set {end} mtu 65535 addrgenmode none")).unwrap();
            namespace::ip(&format!("link set {end} up")).unwrap();
        }
        work()
    })
}
