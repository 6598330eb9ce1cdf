//! The network interfaces of this namespace, read over rtnetlink (rtnetlink(7)). Unlike `/sys`,
//! rtnetlink answers for the network namespace of the process.

mod default_route;
mod interface;
mod list;
mod lookup;
mod monitor;
mod namespace;
mod netlink;

pub(crate) use interface::{ANY, Interface, link_type};
pub(crate) use list::list;
pub(crate) use lookup::{all, has_default_route, netmask, select};
pub(crate) use monitor::{LinkChange, LinkMonitor};
pub(crate) use namespace::{NamespaceName, NamespaceWatch, names as namespace_names};
