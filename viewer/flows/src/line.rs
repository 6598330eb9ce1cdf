//! Findings in the lines of `--tcp-analysis`, and times and codes of DNS responses in those of `--names`.

use flow::{Marks, Reset, Retransmission};
use memchr::memmem;
use summary::DnsCode;
use summary::line::{fields, string};

/// The findings in a line; `None` if it contains none. Lines contain those of TCP only if the sniffer was asked
/// for the analysis.
pub fn marks(line: &[u8]) -> Option<Marks> {
    // Most lines have none, which this search finds out without parsing them.
    let has_some =
        [&b"\":true"[..], b"\"rtx\":", b"\"reset\":", b"\"unseen\":", b"_us\":", b"\"dns_rcode\":"];
    if !has_some.iter().any(|text| memmem::find(line, text).is_some()) {
        return None;
    }
    let mut marks = Marks::default();
    for (name, value) in fields(str::from_utf8(line).ok()?).ok()? {
        let number = || value.parse().ok();
        match name.as_ref() {
            "rtx" => {
                let name = string(value)?;
                marks.rtx = Retransmission::ALL.into_iter().find(|rtx| *rtx.name() == *name);
            }
            "ooo" => marks.is_out_of_order = value == "true",
            "dup_ack" => marks.is_dup_ack = value == "true",
            "zero_window" => marks.is_zero_window = value == "true",
            "window_full" => marks.is_window_full = value == "true",
            "keep_alive" => marks.is_keep_alive = value == "true",
            "reset" => {
                let name = string(value)?;
                marks.reset = Reset::ALL.into_iter().find(|reset| *reset.name() == *name);
            }
            "unseen" => marks.unseen_bytes = number(),
            "rtt_us" => marks.rtt_us = number(),
            "handshake_us" => marks.handshake_us = number(),
            "dns_time_us" => marks.dns_time_us = number(),
            "dns_rcode" => marks.dns_code = DnsCode::parse(&string(value)?),
            _ => {}
        }
    }
    (marks != Marks::default()).then_some(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_lines_are_read() {
        let marks = |fields: &str| marks(format!(r#"{{"type":"pkt","n":1{fields}}}"#).as_bytes());
        assert_eq!(marks(""), None);
        assert_eq!(marks(r#","ech":true,"tag_a":"\"rtx\":\"fast\"""#), None);
        assert_eq!(
            marks(r#","rtx":"spurious","dup_ack":true,"zero_window":true,"tag_a":"b""#),
            Some(Marks {
                rtx: Some(Retransmission::Spurious),
                is_dup_ack: true,
                is_zero_window: true,
                ..Marks::default()
            })
        );
        assert_eq!(
            marks(
                r#","reset":"no_data","ooo":true,"window_full":true,"keep_alive":true,"unseen":7,"rtt_us":0,"handshake_us":9,"dns_rcode":"SERVFAIL","dns_time_us":8"#
            ),
            Some(Marks {
                is_out_of_order: true,
                is_window_full: true,
                is_keep_alive: true,
                reset: Some(Reset::NoData),
                unseen_bytes: Some(7),
                rtt_us: Some(0),
                handshake_us: Some(9),
                dns_time_us: Some(8),
                dns_code: Some(DnsCode(2)),
                ..Marks::default()
            })
        );
    }
}
