//! The run of the sniffer that writes the source, from its records that are not packets.

use serde::Deserialize;

/// What the records other than packets say about a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Names of the interfaces; empty if they are not known.
    pub interfaces: Vec<String>,
    /// The filter expression; empty if there is none.
    pub filter: String,
    /// Sums of the `stats` records; `None` if there are none.
    pub counters: Option<Counters>,
    /// The `end` record, if it is the last one.
    pub end: Option<End>,
}

/// Numbers of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Delivered or dropped by the kernel.
    #[serde(rename = "recv")]
    pub received: u64,
    /// Dropped by the kernel.
    #[serde(rename = "drop")]
    pub dropped: u64,
    /// Lost by the interface.
    #[serde(rename = "if_drop")]
    pub lost_by_interface: u64,
    /// Written.
    #[serde(rename = "out")]
    pub written: u64,
}

/// The end of a run, or of one of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Totals of the file.
    pub counters: Counters,
    /// The run continues in another file.
    pub is_rotated: bool,
}

/// The fields of all types of records. Times are left out: their names depend on an option.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record {
    Meta {
        #[serde(default)]
        interfaces: Vec<Interface>,
        #[serde(default)]
        filter: String,
    },
    Stats(Counters),
    End {
        #[serde(default)]
        reason: String,
        #[serde(flatten)]
        counters: Counters,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Interface {
    name: Option<String>,
}

impl Run {
    /// Adds a record, given as its line. The records of a run come in their order, except that `stats`
    /// records may be in any order.
    pub fn add(&mut self, line: &str) {
        match serde_json::from_str(line) {
            Ok(Record::Meta { interfaces, filter }) => {
                let interfaces = interfaces.into_iter().filter_map(|one| one.name).collect();
                *self = Self { interfaces, filter, ..Self::default() };
            }
            Ok(Record::Stats(counters)) => {
                self.counters.get_or_insert_default().add(counters);
            }
            Ok(Record::End { reason, counters }) => {
                self.end = Some(End { counters, is_rotated: reason == "rotated" });
            }
            Ok(Record::Other) | Err(_) => {}
        }
    }
}

impl Counters {
    fn add(&mut self, more: Self) {
        for (sum, more) in [
            (&mut self.received, more.received),
            (&mut self.dropped, more.dropped),
            (&mut self.lost_by_interface, more.lost_by_interface),
            (&mut self.written, more.written),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str = r#"{"type":"meta","v":1,"tool":"sniffer","version":"0.1.0","filter":"port 53","interfaces":[{"name":"eth0","index":2},{"index":0},{"name":"a\"b","index":3}]}"#;
    const STATS: &str = r#"{"type":"stats","ts_ns":1,"if":"eth0","recv":7,"drop":2,"freeze":1,"if_drop":3,"out":5,"skip":0}"#;
    const END: &str =
        r#"{"type":"end","ts_ns":1,"reason":"signal","recv":14,"drop":4,"out":10,"skip":0}"#;

    fn run(lines: &[&str]) -> Run {
        let mut run = Run::default();
        lines.iter().for_each(|line| run.add(line));
        run
    }

    fn counters(received: u64, dropped: u64, lost_by_interface: u64, written: u64) -> Counters {
        Counters { received, dropped, lost_by_interface, written }
    }

    #[test]
    fn records_describe_the_run() {
        let started = run(&[META]);
        assert_eq!(
            (&started.interfaces[..], &*started.filter),
            (&["eth0".into(), "a\"b".into()][..], "port 53")
        );
        assert_eq!((started.counters, started.end), (None, None));
        let running = run(&[META, STATS, r#"{"type":"event","event":"iface_up"}"#, STATS]);
        assert_eq!((running.counters, running.end), (Some(counters(14, 4, 6, 10)), None));
        let end = End { counters: counters(14, 4, 0, 10), is_rotated: false };
        assert_eq!(run(&[META, STATS, STATS, END]).end, Some(end));
        let rotated = run(&[&END.replace("signal", "rotated")]);
        assert!(rotated.end.unwrap().is_rotated);
    }

    #[test]
    fn next_run_replaces_the_previous_one() {
        assert_eq!(run(&[META, STATS, END, META]), run(&[META]));
        let most = format!(r#"{{"type":"stats","recv":{}}}"#, u64::MAX);
        assert_eq!(run(&[&most, &most]).counters, Some(counters(u64::MAX, 0, 0, 0)));
        assert_eq!(run(&["{", "{\"type\":\"pkt\"}", "[]"]), Run::default());
    }
}
