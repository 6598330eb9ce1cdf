//! Names that are shown instead of addresses. They come from the answers in DNS messages of the capture;
//! nothing is looked up. Filters, copies and downloads keep the addresses.

use super::tables::VirtualRow;
use super::{App, Effect, Phase};
use crate::address_names::{AddressNames, NamedAddress};
use crate::columns::PacketRow;
use summary::{Address, grouped};

/// The names of the open files. They are read once the user has asked for them.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: AddressNames,
    /// The number of parts whose names have been requested.
    requested: usize,
    /// The number of parts whose names have arrived.
    arrived: usize,
    /// The number of times that names of appended lines have arrived.
    appended: usize,
    /// A part could not be read.
    has_failed: bool,
}

impl Names {
    /// Whether names are being read.
    pub(super) fn is_reading(&self) -> bool {
        self.arrived < self.requested
    }

    /// Stores the names of a part.
    pub(super) fn on_names(&mut self, names: Option<Vec<NamedAddress>>) {
        self.arrived += 1;
        self.has_failed |= names.is_none();
        names.into_iter().flatten().for_each(|name| self.names.add(name));
    }

    /// Stores the names of lines that were appended to a part.
    pub(super) fn on_appended(&mut self, names: Vec<NamedAddress>) {
        self.appended += 1;
        names.into_iter().for_each(|name| self.names.add(name));
    }
}

impl App {
    /// The request for the names of parts that have been loaded since the last one, if names are shown.
    pub(super) fn request_names(&mut self) -> Option<Effect> {
        // Dropped parts have no names.
        let (first, count) =
            (self.names.requested.max(self.files.first_part), self.files.next_part());
        let is_due =
            self.settings.layout.has_names && self.files.phase == Phase::Ready && first < count;
        is_due.then(|| {
            self.names.arrived += first - self.names.requested;
            self.names.requested = count;
            Effect::ReadNames(first)
        })
    }

    /// A number that changes with the names that are shown.
    pub(super) fn names_version(&self) -> usize {
        let Names { arrived, appended, .. } = self.names;
        if self.settings.layout.has_names { 1 + arrived + appended } else { 0 }
    }

    /// The name of an address, if names are shown and it has one.
    pub(super) fn name_of(&self, address: Address) -> Option<&str> {
        self.settings.layout.has_names.then(|| self.names.names.get(address)).flatten()
    }

    /// The name of an address that is given as text.
    pub(super) fn name_of_text(&self, address: &str) -> Option<&str> {
        self.name_of(Address::parse(address.as_bytes())?)
    }

    /// The endpoints of a packet with their names; `None` if none has a name.
    pub(super) fn named_endpoints(&self, row: &PacketRow) -> Option<String> {
        let [src, dst] = [&row.src, &row.dst].map(|address| (self.name_of_text(address), address));
        src.0.or(dst.0)?;
        let [src, dst] = [src, dst].map(|(name, address)| name.unwrap_or(address));
        Some(format!("{src} → {dst}"))
    }

    /// A row with names instead of the addresses in these columns.
    pub(super) fn row(
        &self,
        mut cells: Vec<String>,
        is_selected: bool,
        columns: &[usize],
    ) -> VirtualRow {
        let mut addresses = Vec::new();
        for column in columns {
            if let Some(name) = self.name_of_text(&cells[*column]) {
                let address = std::mem::replace(&mut cells[*column], name.to_owned());
                addresses.push((*column, address));
            }
        }
        VirtualRow { cells, addresses, is_selected, counted: 0 }
    }

    /// The number of names, beside their switch; empty if names are not shown.
    pub(super) fn names_text(&self) -> String {
        let Names { names, has_failed, .. } = &self.names;
        match (names.len(), has_failed) {
            _ if !self.settings.layout.has_names || !self.has_data() => String::new(),
            _ if self.names.is_reading() => "reading…".to_owned(),
            (_, true) => "a file could not be read again".to_owned(),
            (0, _) => "none found".to_owned(),
            (AddressNames::MAX, _) => {
                format!("only the first {}", grouped(AddressNames::MAX as u64))
            }
            (count, _) => format!("{} found", grouped(count as u64)),
        }
    }
}
