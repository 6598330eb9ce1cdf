//! Rankings: horizontal bars of the top ports, addresses or protocols.

use super::{RenderContext, ScaleTo, Size, Table, label_mark, titled_scene, unselected_opacity};
use crate::scene::{Align, Mark, Rect, Scene};
use crate::tally::{RankBy, Tally};
use crate::text;
use summary::grouped;

/// Height of a row.
const ROW_PX: f64 = 22.0;

/// Top of the first row, below the title.
fn top_px(size: Size) -> f64 {
    if size.is_compact() { 0.0 } else { 34.0 }
}

/// The width of a character of a label, roughly. Longer labels are truncated.
const CHAR_PX: f64 = 7.7;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// A second name, such as the service of a port.
    pub alias: Option<&'static str>,
    /// The name that is shown instead, if an address has one.
    pub shown: Option<String>,
    /// Tally of all packets.
    pub whole: Tally,
    /// The same for the packets selected in other dimensions, if anything is selected.
    pub selected: Option<Tally>,
    /// It is selected in the ranking itself.
    pub is_selected: bool,
    /// Its colour, if it differs from the accent colour.
    pub color: Option<[u8; 3]>,
}

/// The data and settings of the chart.
#[derive(Clone, Debug)]
pub struct Ranking<'a> {
    /// Title.
    pub title: &'a str,
    /// Column name of the items in tables.
    pub kind: &'a str,
    /// The top items, in order.
    pub items: &'a [Item],
    /// The number of all items; `items` has only the top ones.
    pub count: usize,
    /// Packets are selected in other dimensions.
    pub has_selected: bool,
    /// The measure by which items are ranked.
    pub rank_by: RankBy,
    /// The packets to which the bars are scaled.
    pub scale_to: ScaleTo,
    /// The item at the keyboard cursor.
    pub cursor: Option<usize>,
}

impl Item {
    /// Its name and alias, or what is shown instead.
    pub fn label(&self) -> String {
        match (&self.shown, self.alias) {
            (Some(shown), _) => shown.clone(),
            (None, Some(alias)) => format!("{} {alias}", self.name),
            (None, None) => text::named(&self.name).to_owned(),
        }
    }
}

/// Shortens a text to a number of characters in its middle: addresses of one network differ at the end.
pub fn shortened(text: &str, max_chars: usize) -> String {
    let count = text.chars().count();
    if count <= max_chars {
        return text.to_owned();
    }
    let kept = max_chars.saturating_sub(1);
    let mut short: String = text.chars().take(kept.div_ceil(2)).collect();
    short.push('…');
    short.extend(text.chars().skip(count - kept / 2));
    short
}

impl Ranking<'_> {
    /// The number of rows that fit.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
    pub fn capacity(size: Size) -> usize {
        ((size.height_px - top_px(size)) / ROW_PX).max(1.0) as usize
    }

    /// Draws the chart.
    pub fn scene(&self, context: RenderContext<'_>) -> Scene {
        let (foreground, width) = (context.theme.foreground(), context.size.width_px);
        let shown = self.items.len().min(Self::capacity(context.size));
        let mut scene = titled_scene(context, &self.full_title(context.size));
        let length = |tally: Tally| self.rank_by.amount(tally) as f64;
        let (largest, is_of_selection) = self.largest();
        // The bars take the space between the labels on both sides.
        let is_compact = context.size.is_compact();
        let (left, right) = ((width * 0.42).min(200.0), if is_compact { 64.0 } else { 150.0 });
        let bar_width = (width - left - right).max(20.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
        let max_chars = ((left - 8.0) / CHAR_PX) as usize;
        for (index, item) in self.items.iter().take(shown).enumerate() {
            let (y, _) = Self::row(context.size, index);
            let bar = |tally: Tally| Rect {
                x: left,
                y: y + 3.0,
                // Bars that are longer than the scale are cut off.
                width: bar_width * (length(tally) / largest).min(1.0),
                height: ROW_PX - 6.0,
            };
            let color = item.color.unwrap_or(context.theme.accent());
            let is_faint = self.items.iter().any(|item| item.is_selected) && !item.is_selected;
            let opacity = if is_faint { 0.45 } else { 1.0 };
            if item.selected.is_some() {
                let (rect, color) = (bar(item.whole), context.theme.unselected());
                let opacity = unselected_opacity(is_of_selection);
                scene.marks.push(Mark::Rect { rect, color, opacity });
            }
            let drawn = item.selected.unwrap_or(item.whole);
            scene.marks.push(Mark::Rect { rect: bar(drawn), color, opacity });
            let middle = y + ROW_PX / 2.0;
            let label = shortened(&item.label(), max_chars);
            let label = if item.is_selected { format!("✓ {label}") } else { label };
            scene.marks.push(label_mark((left - 8.0, middle), &label, Align::End, foreground));
            let packets = grouped(drawn.packets);
            let bytes = text::bytes(drawn.bytes);
            let amount = match (is_compact, self.rank_by) {
                (true, RankBy::Packets) => packets,
                (true, RankBy::Bytes) => bytes,
                (false, _) => format!("{packets} · {bytes}"),
            };
            scene.marks.push(label_mark((width - 4.0, middle), &amount, Align::End, foreground));
            if self.cursor == Some(index) {
                let rect = Rect { x: 0.0, y, width, height: ROW_PX };
                super::highlight(&mut scene, rect, context.theme);
            }
        }
        scene
    }

    /// The amount of the longest bar, and whether bars are scaled to the selected packets.
    fn largest(&self) -> (f64, bool) {
        let of = |tally: fn(&Item) -> Tally| {
            let amounts = self.items.iter().map(|item| self.rank_by.amount(tally(item)));
            amounts.max().unwrap_or(0) as f64
        };
        let selected = of(|item| item.selected.unwrap_or_default());
        let total = of(|item| item.whole);
        let is_of_selection = self.scale_to.is_selection(selected, total);
        (if is_of_selection { selected } else { total.max(1.0) }, is_of_selection)
    }

    /// The title with the number of shown items and the settings that change the bars.
    pub fn full_title(&self, size: Size) -> String {
        let shown = self.items.len().min(Self::capacity(size));
        if self.count == 0 {
            let place = if self.has_selected { " in this selection" } else { "" };
            return format!("No {}{place}", self.title.to_ascii_lowercase());
        }
        let mut title = self.title.to_owned();
        if self.rank_by == RankBy::Bytes {
            title += " by bytes";
        }
        if shown < self.count {
            title += &format!(": top {shown} of {}", grouped(self.count as u64));
        }
        if self.largest().1 {
            title += ", scale: selection";
        }
        title
    }

    /// The item under a pixel.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
    pub fn item_at(&self, size: Size, y_px: f64) -> Option<usize> {
        let index = ((y_px - top_px(size)) / ROW_PX).floor();
        let shown = self.items.len().min(Self::capacity(size));
        (0.0 <= index && (index as usize) < shown).then_some(index as usize)
    }

    /// The top and the height of a row, in pixels.
    pub fn row(size: Size, index: usize) -> (f64, f64) {
        (top_px(size) + index as f64 * ROW_PX, ROW_PX)
    }

    /// A description for screen readers.
    pub fn description(&self) -> String {
        match self.items.first() {
            None => format!("{}.", self.full_title(Size::default())),
            Some(item) => format!(
                "{}: {} in total. Top: {}, {}.",
                self.title,
                grouped(self.count as u64),
                item.label(),
                text::packets(item.selected.unwrap_or(item.whole).packets)
            ),
        }
    }

    /// The tooltip of an item.
    pub fn item_text(&self, index: usize) -> Vec<String> {
        let Some(item) = self.items.get(index) else { return Vec::new() };
        let amount = |tally: Tally| {
            format!("{}, {} bytes", text::packets(tally.packets), grouped(tally.bytes))
        };
        let mut lines = vec![item.label()];
        lines.extend(item.shown.as_ref().map(|_| item.name.clone()));
        lines.push(amount(item.selected.unwrap_or(item.whole)));
        if item.selected.is_some() {
            lines.push(format!("of {} total", amount(item.whole)));
        }
        if item.is_selected {
            lines.push("selected".to_owned());
        }
        lines
    }

    /// The tallies of all items.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_shortened_in_the_middle() {
        let address = "2001:db8:85a3:8d3:1319:8a2e:370:7348";
        assert_eq!(shortened(address, 20), "2001:db8:8…:370:7348");
        for max_chars in 1..50 {
            let label = shortened(address, max_chars);
            assert_eq!(label.chars().count(), max_chars.min(address.len()), "{label}");
        }
        assert_eq!(shortened("ä→ö", 2), "ä…");
    }
}
