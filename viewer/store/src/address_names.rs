//! Names of addresses, learnt from the answers in DNS messages of the capture.

use crate::columns::{Columns, ExtraColumn};
use crate::intern::Interner;
use summary::Address;
use viewer_model::filter::ExtraField;

/// An address, the time of the message in nanoseconds since the epoch, and the name.
pub type NamedAddress = (Address, (i64, String));

/// Longer texts are no names of hosts (RFC 1035, section 2.3.4).
const MAX_NAME_LEN: usize = 255;

/// The latest name of each address.
#[derive(Clone, Debug, Default)]
pub struct AddressNames {
    addresses: Interner<Address>,
    /// Time and name by the id of the address.
    names: Vec<(i64, String)>,
}

impl AddressNames {
    /// The largest number of names. The names of further addresses are ignored.
    pub const MAX: usize = 65_536;

    /// The fields from which names are read: question name, question type, answers.
    pub const FIELDS: [ExtraField; 3] =
        [ExtraField::DNS, ExtraField::DNS_TYPE, ExtraField::DNS_ANSWERS];

    /// Adds a name, unless a later one is known. Of two names with the same time, the one that is later in
    /// the order of texts is kept, whichever was added first.
    pub fn add(&mut self, (address, name): NamedAddress) {
        match self.addresses.get(&address) {
            Some(id) if self.names[id as usize] < name => self.names[id as usize] = name,
            Some(_) => {}
            None if Self::MAX <= self.names.len() => {}
            None => {
                self.addresses.id(address);
                self.names.push(name);
            }
        }
    }

    /// Adds the names in the answers of a part from this row on, given the values of
    /// [`AddressNames::FIELDS`].
    pub fn add_answers(
        &mut self,
        columns: &Columns,
        first_row: usize,
        fields: &[(ExtraField, ExtraColumn)],
    ) {
        let [(_, name), (_, kind), (_, answers)] = fields else { return };
        for row in first_row..columns.len() {
            let Some(list) = answers.text(row) else { continue };
            let name = name.text(row).unwrap_or_default();
            if !is_host_name(name) {
                continue;
            }
            let is_v6 = match kind.text(row) {
                Some("A") => false,
                Some("AAAA") => true,
                _ => continue,
            };
            let ts_ns = columns.row(row).ts_ns;
            for answer in ExtraColumn::list(list) {
                // Other answers are the names to which the name is an alias.
                if let Some(address) = Address::parse(answer.as_bytes())
                    && matches!((address, is_v6), (Address::V4(_), false) | (Address::V6(_), true))
                {
                    self.add((address, (ts_ns, name.to_owned())));
                }
            }
        }
    }

    /// The name of an address.
    pub fn get(&self, address: Address) -> Option<&str> {
        let id = self.addresses.get(&address)?;
        self.names.get(id as usize).map(|(_, name)| &**name)
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True if there are no names.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names, to send them.
    pub fn into_list(self) -> Vec<NamedAddress> {
        self.addresses.items().iter().copied().zip(self.names).collect()
    }
}

/// Whether a text can be shown instead of an address. Anyone can send answers: a name that looks like
/// another address, or has characters that cannot be seen, would mislead.
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME_LEN
        && name.bytes().all(|byte| byte.is_ascii_graphic())
        && Address::parse(name.as_bytes()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use summary::{LinkType, Packet, Summary, Timestamp};

    /// The names learnt from packets with question, type and answers, one per nanosecond.
    fn learnt(packets: &[(&str, &str, &[&str])]) -> AddressNames {
        let mut columns = Columns::default();
        let mut fields = AddressNames::FIELDS.map(|field| (field, ExtraColumn::default()));
        for (row, (name, kind, answers)) in packets.iter().enumerate() {
            let ts = Timestamp::from_ns(i64::try_from(row).unwrap());
            let summary = Summary::new(LinkType::ETHERNET, 60, 60);
            columns.push(&Packet::new(1 + row as u64, ts, summary), 0).unwrap();
            fields[0].1.set_text(row, name);
            fields[1].1.set_text(row, kind);
            if !answers.is_empty() {
                fields[2].1.set_list(row, answers);
            }
        }
        let mut names = AddressNames::default();
        names.add_answers(&columns, 0, &fields);
        names
    }

    #[test]
    fn addresses_of_answers_have_the_name_of_the_question() {
        let names = learnt(&[
            ("www.example", "A", &["cdn.example", "10.0.0.1", "10.0.0.2"]),
            ("www.example", "A", &[]),
            ("v6.example", "AAAA", &["2001:db8::1"]),
            ("later.example", "A", &["10.0.0.2"]),
            ("text.example", "TXT", &["10.0.0.3"]),
            ("odd.example", "A", &["2001:db8::2", "02:00:00:00:00:01"]),
        ]);
        let name = |address: &str| names.get(Address::parse(address.as_bytes()).unwrap());
        assert_eq!(name("10.0.0.1"), Some("www.example"));
        assert_eq!(name("10.0.0.2"), Some("later.example"));
        assert_eq!(name("2001:db8::1"), Some("v6.example"));
        for other in ["10.0.0.3", "2001:db8::2", "02:00:00:00:00:01"] {
            assert_eq!(name(other), None, "{other}");
        }
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn misleading_names_are_ignored() {
        let long = "a".repeat(256);
        for name in ["", "10.0.0.9", "::1", "a b", "\u{202e}moc.elpmaxe", "a\u{7}", &long] {
            assert!(learnt(&[(name, "A", &["10.0.0.1"])]).is_empty(), "{name:?}");
        }
        assert_eq!(learnt(&[("xn--bcher-kva.example", "A", &["10.0.0.1"])]).len(), 1);
    }

    #[test]
    fn number_of_names_is_limited() {
        let address = |id: u32| Address::V4(id.to_be_bytes());
        let mut names = AddressNames::default();
        for id in 0..70_000 {
            names.add((address(id), (0, "old.example".to_owned())));
        }
        for id in [0, 69_999] {
            names.add((address(id), (1, "new.example".to_owned())));
        }
        assert_eq!(names.len(), AddressNames::MAX);
        assert_eq!(names.get(address(0)), Some("new.example"), "known addresses get later names");
        assert_eq!(names.get(address(69_999)), None);
    }

    proptest! {
        /// Workers read their parts at the same time.
        #[test]
        fn order_does_not_matter(list in proptest::collection::vec((any::<u8>(), 0..4i64, "[ab]{1,2}"), 0..30)) {
            let added = |list: &mut dyn Iterator<Item = &(u8, i64, String)>| {
                let mut names = AddressNames::default();
                list.for_each(|(id, ts, name)| {
                    names.add((Address::V4([10, 0, 0, *id % 4]), (*ts, name.clone())));
                });
                let mut list = names.into_list();
                list.sort();
                list
            };
            let names = added(&mut list.iter());
            prop_assert_eq!(&names, &added(&mut list.iter().rev()));
            for (address, (ts, _)) in names {
                let of = list.iter().filter(|(id, ..)| Address::V4([10, 0, 0, *id % 4]) == address);
                prop_assert_eq!(Some(ts), of.map(|(_, ts, _)| *ts).max());
            }
        }
    }
}
