//! The legend above a chart: an entry for each class with packets, a protocol or a file.

use super::ranking::shortened;
use super::{RenderContext, Size, highlight, label_mark};
use crate::protocol::{CLASS_COUNT, Class, ClassSet};
use crate::scene::{Align, Mark, Rect, Scene};

/// The distance from the top of the entries to the plot.
const HEIGHT_PX: f64 = 23.0;
/// The height of an entry, and of the square in it.
const ENTRY_PX: f64 = 18.0;
const SQUARE_PX: f64 = 11.0;
/// The left end of the name in an entry.
const NAME_PX: f64 = 16.0;

/// The name of the marks of problems.
const PROBLEMS: &str = "problems";
/// The length of a name. Names of files can be longer.
const MAX_CHARS: usize = 24;

/// An entry of a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegendEntry {
    /// A class, which can be selected.
    Class(Class),
    /// The marks of packets with problems.
    Problems,
}

/// The data of a legend.
#[derive(Clone, Debug)]
pub(super) struct Legend<'a> {
    /// The classes with packets.
    pub(super) classes: Vec<Class>,
    /// The name of each class.
    pub(super) names: [&'a str; CLASS_COUNT],
    /// The classes that are selected.
    pub(super) shown: ClassSet,
    /// The entry at the keyboard cursor.
    pub(super) cursor: Option<usize>,
    /// An entry explains the marks of problems.
    pub(super) has_problems: bool,
}

impl Legend<'_> {
    /// Draws the entries. Those of classes that are not selected are grey and crossed out.
    pub(super) fn draw(&self, scene: &mut Scene, context: RenderContext<'_>) {
        let theme = context.theme;
        let (entries, end) = entries(context.size, &self.classes, &self.names, self.has_problems);
        if self.has_problems {
            let middle = context.size.plot().y - HEIGHT_PX + ENTRY_PX / 2.0;
            let rect = Rect { x: end, y: middle - 2.0, width: SQUARE_PX, height: 4.0 };
            scene.marks.push(Mark::Rect { rect, color: theme.problem(), opacity: 1.0 });
            let at = (end + NAME_PX, middle);
            scene.marks.push(label_mark(at, PROBLEMS, Align::Start, theme.foreground()));
        }
        for (index, (class, entry)) in entries.into_iter().enumerate() {
            let is_shown = self.shown.has(class);
            let color = if is_shown { class.color(theme.is_dark) } else { theme.unselected() };
            let middle = entry.y + ENTRY_PX / 2.0;
            let y = middle - SQUARE_PX / 2.0;
            let rect = Rect { x: entry.x, y, width: SQUARE_PX, height: SQUARE_PX };
            scene.marks.push(Mark::Rect { rect, color, opacity: 1.0 });
            let (name, color) = (entry.x + NAME_PX, theme.foreground());
            scene.marks.push(label_mark(
                (name, middle),
                &shortened(self.names[class.index()], MAX_CHARS),
                Align::Start,
                color,
            ));
            if !is_shown {
                let to = (entry.x + entry.width, middle);
                scene.marks.push(Mark::Line { from: (name - 2.0, middle), to, color });
            }
            if self.cursor == Some(index) {
                highlight(scene, entry, theme);
            }
        }
    }
}

/// The width of an entry whose name has this many characters.
fn text_width(chars: usize) -> f64 {
    NAME_PX + chars as f64 * 7.2
}

/// The entries of a legend, with their rectangles, and the end of the last one, where that of problems
/// follows.
fn entries(
    size: Size,
    classes: &[Class],
    names: &[&str],
    has_problems: bool,
) -> (Vec<(Class, Rect)>, f64) {
    let plot = size.plot();
    let width = |class: &Class| text_width(names[class.index()].chars().count().min(MAX_CHARS));
    // A narrow chart has less space between the names.
    let problems_px = if has_problems { text_width(PROBLEMS.len()) } else { 0.0 };
    let free_px = size.width_px - plot.x - classes.iter().map(width).sum::<f64>() - problems_px;
    let gap_px = (free_px / classes.len() as f64).clamp(2.0, 16.0);
    let mut x = plot.x;
    let entry = |class: &Class| {
        let rect = Rect { x, y: plot.y - HEIGHT_PX, width: width(class), height: ENTRY_PX };
        x += rect.width + gap_px;
        (*class, rect)
    };
    let entries = classes.iter().map(entry).collect();
    (entries, x)
}

/// The entry at a pixel, with its rectangle.
pub fn legend_entry_at(
    size: Size,
    classes: &[Class],
    names: &[&str],
    has_problems: bool,
    at: (f64, f64),
) -> Option<(LegendEntry, Rect)> {
    let (entries, end) = entries(size, classes, names, has_problems);
    let y = size.plot().y - HEIGHT_PX;
    let problems = Rect { x: end, y, width: text_width(PROBLEMS.len()), height: ENTRY_PX };
    let problems = has_problems.then_some((LegendEntry::Problems, problems));
    let classes = entries.into_iter().map(|(class, rect)| (LegendEntry::Class(class), rect));
    classes.chain(problems).find(|(_, rect)| {
        (rect.x..=rect.x + rect.width).contains(&at.0)
            && (rect.y..=rect.y + rect.height).contains(&at.1)
    })
}

/// The tooltip of the entry of problems.
pub fn problems_text() -> Vec<String> {
    ["Packets with problems are marked", "Click: show the kinds of problems"]
        .map(str::to_owned)
        .into()
}

/// The tooltip of an entry, given the name of its class.
pub fn legend_text(name: &str, is_shown: bool) -> Vec<String> {
    vec![
        [name, if is_shown { ": on" } else { ": off" }].concat(),
        "Click or Enter: on or off".to_owned(),
        "Double-click, Alt+click or Shift+Enter: only this one".to_owned(),
    ]
}
