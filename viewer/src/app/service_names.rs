//! Names of well-known ports, from IANA's Service Name and Transport Protocol Port Number Registry.

/// The service name of a port that is widely known by its name.
pub(super) fn service_name(port: u16) -> Option<&'static str> {
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
    let index = NAMES.binary_search_by_key(&port, |(port, _)| *port).ok()?;
    Some(NAMES[index].1)
}
