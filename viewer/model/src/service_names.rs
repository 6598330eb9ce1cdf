//! Names of well-known ports, from IANA's Service Name and Transport Protocol Port Number Registry.

const NAMES: [(u16, &str); 32] = [
    (20, "ftp-data"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (53, "domain"),
    (67, "bootps"),
    (68, "bootpc"),
    (69, "tftp"),
    (80, "http"),
    (88, "kerberos"),
    (110, "pop3"),
    (123, "ntp"),
    (137, "netbios-ns"),
    (138, "netbios-dgm"),
    (139, "netbios-ssn"),
    (143, "imap"),
    (161, "snmp"),
    (179, "bgp"),
    (389, "ldap"),
    (443, "https"),
    (445, "microsoft-ds"),
    (514, "syslog"),
    (636, "ldaps"),
    (853, "domain-s"),
    (993, "imaps"),
    (1883, "mqtt"),
    (3306, "mysql"),
    (3389, "ms-wbt-server"),
    (5353, "mdns"),
    (5432, "postgresql"),
    (6379, "redis"),
];

/// The service name of a port that is widely known by its name.
pub fn service_name(port: u16) -> Option<&'static str> {
    let index = NAMES.binary_search_by_key(&port, |(port, _)| *port).ok()?;
    Some(NAMES[index].1)
}

/// The port of a service: the inverse of [`service_name`]. Ignores case.
pub fn service_port(name: &str) -> Option<u16> {
    NAMES.iter().find(|(_, service)| service.eq_ignore_ascii_case(name)).map(|(port, _)| *port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ports_are_inverse() {
        assert!(NAMES.is_sorted());
        for (port, name) in NAMES {
            assert_eq!((service_name(port), service_port(name)), (Some(name), Some(port)));
        }
        assert_eq!((service_name(1), service_port("HTTPS")), (None, Some(443)));
    }
}
