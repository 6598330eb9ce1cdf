//! The largest of something: bars that are made once an answer, and what clicking them selects.

use super::charts::slots;
use super::query_scheduler::Slot;
use super::{App, Panel};
use crate::axis::Quantity;
use crate::chart::{Item, Ranking};
use crate::filter::{Expr, Field, Set};
use crate::intern::Interner;
use crate::protocol::Class;
use crate::query::Answer;
use crate::tally::Tally;
use crate::tally::{RankBy, top};
use summary::Address;

/// Items that tables of rankings and saved files have.
const MAX_ITEMS: usize = 100;

/// Panels with bars of the largest.
const RANKINGS: [Panel; RANKING_COUNT] =
    [Panel::Ports, Panel::Sources, Panel::Destinations, Panel::Protocols];
/// How many those are.
pub(super) const RANKING_COUNT: usize = 4;

fn ranking_place(panel: Panel) -> Option<usize> {
    RANKINGS.iter().position(|known| *known == panel)
}

/// The bars of a ranking, made once for all that show them.
#[derive(Debug)]
pub(super) struct Ranked {
    items: Vec<Item>,
    /// What each item stands for.
    keys: Vec<Key>,
    count: usize,
    made_of: MadeOf,
}

/// What bars depend on.
#[derive(Debug, PartialEq)]
struct MadeOf {
    /// Versions of the answers.
    whole: u64,
    part: u64,
    has_part: bool,
    rank: RankBy,
    is_dark: bool,
    picks: Option<Expr>,
}

/// What a bar of a ranking stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Port(u16),
    Address(Address),
    Word(String),
}

fn pick(panel: Panel, key: &Key) -> Expr {
    match key {
        Key::Port(port) => {
            let port = i64::from(*port);
            Expr::numbers(Quantity::DestinationPort, port, port)
        }
        Key::Address(address) => {
            let field = if panel == Panel::Sources { Field::Src } else { Field::Dst };
            Expr::In(field, Set::Addresses(vec![(*address, *address)]))
        }
        Key::Word(word) => Expr::In(Field::Proto, Set::Texts(vec![word.clone()])),
    }
}

impl App {
    /// The bars of a panel, where their data is there.
    pub(super) fn ranking(&self, panel: Panel, cursor: Option<usize>) -> Option<Ranking<'_>> {
        let known = self.rankings[ranking_place(panel)?].as_ref()?;
        let (title, kind) = match panel {
            Panel::Ports => ("Destination Ports", "port"),
            Panel::Sources => ("Source Addresses", "source"),
            Panel::Destinations => ("Destination Addresses", "destination"),
            _ => ("Protocols", "protocol"),
        };
        let settings = &self.settings;
        let (rank, is_log) = (settings.rank, settings.rank_log);
        Some(Ranking { title, kind, items: &known.items, count: known.count, rank, is_log, cursor })
    }

    /// Brings rankings and conversations up to date with what they are made of.
    pub(super) fn refresh_rankings(&mut self) {
        for panel in RANKINGS {
            let Some(place) = ranking_place(panel) else { continue };
            let [whole, part] = slots(panel);
            let picks = panel.dimension().and_then(|own| self.history.now().get(own)).cloned();
            let has_part = self.dimensions_except(panel.dimension()).is_some();
            let made_of = MadeOf {
                whole: self.scheduler.version(whole),
                part: if has_part { self.scheduler.version(part) } else { 0 },
                has_part,
                rank: self.settings.rank,
                is_dark: self.theme.is_dark,
                picks,
            };
            if self.rankings[place].as_ref().is_none_or(|known| known.made_of != made_of) {
                self.rankings[place] = self.ranked(panel, made_of);
            }
        }
        let version = self.scheduler.version(Slot::Conversations);
        if self.conversations.version != version {
            let all = match self.scheduler.latest(Slot::Conversations) {
                Some((_, Answer::Flows(flows))) => self.flows.conversations(flows),
                _ => Vec::new(),
            };
            self.conversations.replace(version, all);
        }
        self.conversations.show(self.settings.sort, self.flows.protos());
    }

    /// What has any packet, in no order.
    fn keys(&self, panel: Panel, slot: Slot) -> Option<Vec<(Key, Tally)>> {
        Some(match (self.scheduler.latest(slot)?.1, panel) {
            (Answer::Ports(ports), _) => {
                ports.iter().map(|(port, tally)| (Key::Port(*port), *tally)).collect()
            }
            (Answer::Ids(tallies), Panel::Protocols) => {
                let all = self.flows.by_proto(tallies).into_iter();
                all.map(|(name, tally)| (Key::Word(name.to_owned()), tally)).collect()
            }
            (Answer::Ids(tallies), _) => {
                let all = self.flows.by_address(tallies).into_iter();
                all.map(|(address, tally)| (Key::Address(address), tally)).collect()
            }
            _ => return None,
        })
    }

    fn ranked(&self, panel: Panel, made_of: MadeOf) -> Option<Ranked> {
        let [whole, part] = slots(panel);
        let whole = self.keys(panel, whole)?;
        let part = made_of.has_part.then(|| self.keys(panel, part).unwrap_or_default());
        // The largest of what is selected elsewhere, or of all.
        let all = part.as_ref().unwrap_or(&whole);
        let front = top(all, made_of.rank, MAX_ITEMS);
        let places: Interner<&Key> = front.iter().map(|(key, _)| key).collect();
        let mut wholes: Vec<_> = front.iter().map(|(_, tally)| *tally).collect();
        if part.is_some() {
            for (key, tally) in &whole {
                if let Some(place) = places.get(&key) {
                    wholes[place as usize] = *tally;
                }
            }
        }
        let item = |((key, tally), whole): (&(Key, Tally), &Tally)| {
            let (name, alias) = match key {
                Key::Port(port) => (port.to_string(), service(*port)),
                Key::Address(address) => (address.to_string(), None),
                Key::Word(word) => (word.clone(), None),
            };
            let color = match key {
                Key::Word(name) => Some(Class::of(name).color(made_of.is_dark)),
                _ => None,
            };
            let picks = made_of.picks.as_ref();
            Item {
                whole: *whole,
                selected: part.is_some().then_some(*tally),
                is_selected: picks.is_some_and(|expr| has_pick(expr, &pick(panel, key))),
                name,
                alias,
                color,
            }
        };
        let items = front.iter().zip(&wholes).map(item).collect();
        let keys = front.iter().map(|(key, _)| key.clone()).collect();
        Some(Ranked { items, keys, count: all.len(), made_of })
    }

    /// What picks a bar of a ranking.
    pub(super) fn pick_of(&self, panel: Panel, index: usize) -> Option<Expr> {
        let known = self.rankings[ranking_place(panel)?].as_ref()?;
        Some(pick(panel, known.keys.get(index)?))
    }

    /// Names of the words that a field has in the capture.
    pub(super) fn words_of(&self, field: Field) -> Vec<String> {
        let names = |panel: Panel| -> Vec<String> {
            let known = ranking_place(panel).and_then(|place| self.rankings[place].as_ref());
            known.iter().flat_map(|known| &known.items).map(|item| item.name.clone()).collect()
        };
        match field {
            Field::Quantity(Quantity::DestinationPort) | Field::Port => names(Panel::Ports),
            Field::Proto => names(Panel::Protocols),
            Field::Src | Field::Host => names(Panel::Sources),
            Field::Dst => names(Panel::Destinations),
            Field::File => self.files.files.iter().map(|file| file.name.clone()).collect(),
            Field::Direction => {
                ["in", "out", "bcast", "mcast", "other"].map(str::to_owned).to_vec()
            }
            Field::Flags => ["S", "SA", "A", "PA", "FA", "R"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }
}

/// True where the picks hold this one.
pub(super) fn has_pick(picks: &Expr, pick: &Expr) -> bool {
    match (picks, pick) {
        (Expr::In(field, all), Expr::In(of, one)) if field == of => all.has(one),
        (Expr::Or(all), pick) => all.iter().any(|picks| has_pick(picks, pick)),
        (one, pick) => one == pick,
    }
}

/// The picks with this one, or without it where they have it.
pub(super) fn toggled(picks: Option<&Expr>, pick: Expr) -> Option<Expr> {
    let Some(picks) = picks else { return Some(pick) };
    let alternatives = if let Expr::Or(all) = picks { all } else { std::slice::from_ref(picks) };
    let mut rest = Vec::new();
    let mut is_in = false;
    for one in alternatives {
        match (one, &pick) {
            (Expr::In(field, all), Expr::In(of, some)) if field == of && !is_in => {
                is_in = true;
                rest.extend(all.toggled(some).map(|set| Expr::In(*field, set)));
            }
            (one, pick) if one == pick => is_in = true,
            _ => rest.push(one.clone()),
        }
    }
    if !is_in {
        rest.push(pick);
    }
    if rest.len() < 2 { rest.pop() } else { Some(Expr::Or(rest)) }
}

/// Names of ports that people know by them (IANA's service name registry).
fn service(port: u16) -> Option<&'static str> {
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
    let at = NAMES.binary_search_by_key(&port, |(port, _)| *port).ok()?;
    Some(NAMES[at].1)
}
