//! The largest of something, as bars that lie.

use super::{Look, Size, Table, background, words};
use crate::scene::{Align, Mark, Rect, Scene};
use crate::tally::RankBy;
use crate::tally::Tally;
use crate::text;
use summary::grouped;

/// Height of a bar with its words.
const ROW_PX: f64 = 22.0;
/// Where the first bar begins.
const TOP_PX: f64 = 34.0;
/// Letters of a label that are drawn.
const MAX_LABEL_CHARS: usize = 26;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub name: String,
    /// What people know it by besides, if anything.
    pub alias: Option<&'static str>,
    /// All packets.
    pub whole: Tally,
    /// Those that are selected elsewhere, where anything is.
    pub selected: Option<Tally>,
    /// Whether it is one of those that are selected here.
    pub is_selected: bool,
    /// Its colour, where it has one of its own.
    pub color: Option<[u8; 3]>,
}

/// Everything that the picture shows.
#[derive(Clone, Debug)]
pub struct Ranking<'a> {
    /// Its title.
    pub title: &'a str,
    /// What an item is, in tables.
    pub kind: &'a str,
    /// The largest, in the order of their size.
    pub items: &'a [Item],
    /// How many there are in all.
    pub count: usize,
    /// What makes something large.
    pub rank: RankBy,
    /// Whether lengths are logarithmic.
    pub is_log: bool,
    /// The bar that the keyboard is at.
    pub cursor: Option<usize>,
}

impl Item {
    /// What it is, and what people know it by.
    pub fn label(&self) -> String {
        match self.alias {
            Some(alias) => format!("{} {alias}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Ranking<'_> {
    /// How many bars fit.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
    pub fn room(size: Size) -> usize {
        ((size.height_px - TOP_PX - 4.0) / ROW_PX).max(1.0) as usize
    }

    /// The picture.
    pub fn scene(&self, look: Look<'_>) -> Scene {
        let (ink, width) = (look.theme.ink(), look.size.width_px);
        let shown = self.items.len().min(Self::room(look.size));
        let mut title = self.title.to_owned();
        title += match (self.rank, self.is_log) {
            (RankBy::Packets, false) => "",
            (RankBy::Packets, true) => ", log",
            (RankBy::Bytes, false) => " by bytes",
            (RankBy::Bytes, true) => " by bytes, log",
        };
        match self.count {
            0 => title += ": none",
            count if count == shown => {}
            count => title += &format!(" ({shown} of {})", grouped(count as u64)),
        }
        let mut scene = background(look, &title);
        let length = |tally: Tally| match (self.is_log, self.rank.amount(tally) as f64) {
            (true, amount) => amount.ln_1p(),
            (false, amount) => amount,
        };
        let lengths = self.items.iter().map(|item| length(item.whole));
        let largest = lengths.fold(f64::MIN_POSITIVE, f64::max);
        // Words of both sides have their rect; the bars have what is left.
        let (left, right) = ((width * 0.34).min(200.0), 150.0);
        let room = (width - left - right).max(20.0);
        for (index, item) in self.items.iter().take(shown).enumerate() {
            let y = TOP_PX + index as f64 * ROW_PX;
            let bar = |tally: Tally| Rect {
                x: left,
                y: y + 3.0,
                width: room * length(tally) / largest,
                height: ROW_PX - 6.0,
            };
            let color = item.color.unwrap_or(look.theme.accent());
            let is_faint = self.items.iter().any(|item| item.is_selected) && !item.is_selected;
            let opacity = if is_faint { 0.45 } else { 1.0 };
            if item.selected.is_some() {
                let (rect, color) = (bar(item.whole), look.theme.ghost());
                scene.marks.push(Mark::Rect { rect, color, opacity: 1.0 });
            }
            let front = item.selected.unwrap_or(item.whole);
            scene.marks.push(Mark::Rect { rect: bar(front), color, opacity });
            let middle = y + ROW_PX / 2.0;
            let whole = item.label();
            let mut label: String = whole.chars().take(MAX_LABEL_CHARS).collect();
            if label.len() < whole.len() {
                label.push('…');
            }
            let label = if item.is_selected { format!("✓ {label}") } else { label };
            scene.marks.push(words((left - 8.0, middle), &label, Align::End, ink));
            let amount = format!("{} · {}", grouped(front.packets), text::bytes(front.bytes));
            scene.marks.push(words((left + room + 8.0, middle), &amount, Align::Start, ink));
            if self.cursor == Some(index) {
                let rect = Rect { x: 0.0, y, width, height: ROW_PX };
                super::shade(&mut scene, rect, look.theme);
            }
        }
        scene
    }

    /// The bar under a pixel.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
    pub fn item_at(&self, size: Size, y_px: f64) -> Option<usize> {
        let index = ((y_px - TOP_PX) / ROW_PX).floor();
        let shown = self.items.len().min(Self::room(size));
        (0.0 <= index && (index as usize) < shown).then_some(index as usize)
    }

    /// What the picture shows, in words.
    pub fn words(&self) -> String {
        match self.items.first() {
            None => format!("{}: none.", self.title),
            Some(item) => format!(
                "{}: {} in all. First is {} with {} packets.",
                self.title,
                grouped(self.count as u64),
                item.label(),
                grouped(item.selected.unwrap_or(item.whole).packets)
            ),
        }
    }

    /// A bar in words.
    pub fn words_of(&self, index: usize) -> Vec<String> {
        let Some(item) = self.items.get(index) else { return Vec::new() };
        let amount = |tally: Tally| {
            format!("{} packets, {} bytes", grouped(tally.packets), grouped(tally.bytes))
        };
        let mut lines = vec![item.label(), amount(item.selected.unwrap_or(item.whole))];
        if item.selected.is_some() {
            lines.push(format!("of {} in all", amount(item.whole)));
        }
        if item.is_selected {
            lines.push("selected".to_owned());
        }
        lines
    }

    /// The bars in numbers.
    pub fn table(&self) -> Table {
        let has_selected = self.items.iter().any(|item| item.selected.is_some());
        let mut header = vec![self.kind.to_owned(), "packets".to_owned(), "bytes".to_owned()];
        if has_selected {
            header.extend(["selected_packets".to_owned(), "selected_bytes".to_owned()]);
        }
        let row = |item: &Item| {
            let tallies = [Some(item.whole), item.selected].into_iter().flatten();
            let numbers = tallies.flat_map(|t| [t.packets.to_string(), t.bytes.to_string()]);
            std::iter::once(item.name.clone()).chain(numbers).collect()
        };
        Table { header, rows: self.items.iter().map(row).collect() }
    }
}
