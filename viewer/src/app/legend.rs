//! Legends: their entries select protocols, like the bars of the protocol ranking, or files.

use super::charts::Chart;
use super::cursor::Key;
use super::files::file_class;
use super::{App, Panel};
use crate::chart::{LegendEntry, legend_entry_at};
use crate::filter::{Expr, Field, Set};
use crate::protocol::{CLASSES, Class, ClassSet};
use crate::scene::Rect;
use crate::selection::Dimension;

impl App {
    /// The dimension in which legends select.
    fn legend_dimension(&self) -> Dimension {
        if self.is_colored_by_file() { Dimension::File } else { Dimension::Protocol }
    }

    /// The classes that are selected in the dimension of legends.
    pub(super) fn shown_classes(&self) -> ClassSet {
        let (expr, is_excluded) = match self.history.now().get(self.legend_dimension()) {
            Some(Expr::Not(expr)) => (&**expr, true),
            Some(expr) => (expr, false),
            None => return ClassSet::ALL,
        };
        let Expr::In(Field::Proto | Field::File, Set::Texts(texts)) = expr else {
            return ClassSet::ALL;
        };
        if self.is_colored_by_file() {
            return self.classes_of(|name| texts.iter().any(|text| text == name) != is_excluded);
        }
        let classes: Vec<_> = texts.iter().map(|text| Class::of(text)).collect();
        let listed = ClassSet::of(&classes);
        // Not all other protocols are excluded.
        let other = ClassSet::of(&[Class::Other]);
        let excluded = listed.toggled(listed.intersection(other));
        if is_excluded { ClassSet::ALL.toggled(excluded) } else { listed }
    }

    /// The classes of the files whose name is accepted.
    fn classes_of(&self, is_accepted: impl Fn(&str) -> bool) -> ClassSet {
        let files = self.files.files.iter().enumerate();
        let accepted = files.filter(|(_, file)| is_accepted(&file.name));
        ClassSet::of(&accepted.map(|(index, _)| file_class(index)).collect::<Vec<_>>())
    }

    /// The expression that selects the files of classes; `None` if it would select all or none of those
    /// with packets.
    fn files_expr(&self, shown: ClassSet, present: ClassSet) -> Option<Expr> {
        let selected = shown.intersection(present);
        if selected == present || selected.is_empty() {
            return None;
        }
        let (mut selected, mut others) = (Vec::new(), Vec::new());
        for (index, file) in self.files.files.iter().enumerate() {
            let list = if shown.has(file_class(index)) { &mut selected } else { &mut others };
            list.push(file.name.clone());
        }
        let is_excluded = others.len() < selected.len();
        let names = if is_excluded { others } else { selected };
        let expr = Expr::In(Field::File, Set::Texts(names));
        Some(if is_excluded { Expr::Not(Box::new(expr)) } else { expr })
    }

    /// The classes that can be selected in the legend of a chart.
    pub(super) fn legend(&self, panel: Panel) -> Vec<Class> {
        match self.chart(panel) {
            Some(Chart::Binned(chart)) => chart.legend(),
            Some(Chart::Scatter(chart)) => chart.whole.present(),
            _ => Vec::new(),
        }
    }

    /// The legend entry at a pixel of a chart, with its rectangle.
    pub(super) fn legend_at(&self, panel: Panel, at: (f64, f64)) -> Option<(LegendEntry, Rect)> {
        let size = self.size(panel);
        // Only above the plot: saves the search for the classes with packets.
        if size.plot().y <= at.1 {
            return None;
        }
        legend_entry_at(size, &self.legend(panel), &self.class_names(), self.has_marks(panel), at)
    }

    /// Selects or deselects a class, or if `isolates` only this class. The last class is not deselected:
    /// all are selected instead.
    pub(super) fn toggle_class(&mut self, panel: Panel, class: Class, isolates: bool) {
        let present = ClassSet::of(&self.legend(panel));
        let (shown, one) = (self.shown_classes(), ClassSet::of(&[class]));
        let shown = if !isolates {
            shown.toggled(one)
        } else if shown.intersection(present) == one {
            ClassSet::ALL
        } else {
            one
        };
        let dimension = self.legend_dimension();
        let expr = match dimension {
            Dimension::File => self.files_expr(shown, present),
            _ => classes_expr(shown, present),
        };
        self.select(dimension, expr, false);
    }

    /// Handles a click on a legend entry.
    pub(super) fn click_class(&mut self, panel: Panel, class: Class) {
        let depth = match self.legend_click {
            Some((clicked, depth)) if clicked == class && self.history.depth() == depth + 1 => {
                depth
            }
            _ => self.history.depth(),
        };
        self.toggle_class(panel, class, false);
        self.legend_click = Some((class, depth));
    }

    /// Handles a double click on a legend entry, which replaces the two clicks that it consists of.
    pub(super) fn double_click_class(&mut self, panel: Panel, class: Class) {
        if let Some((clicked, depth)) = self.legend_click.take()
            && clicked == class
        {
            while depth < self.history.depth() {
                self.history.undo();
            }
        }
        self.toggle_class(panel, class, true);
    }

    /// Handles a key at an entry of a legend, or the key that moves the cursor from a bin to the legend.
    /// `isolates` selects only the class of the entry.
    pub(super) fn legend_key(
        &mut self,
        panel: Panel,
        key: Key,
        (bin, row): (usize, usize),
        isolates: bool,
    ) {
        let classes = self.legend(panel);
        let row = match key {
            Key::Up => row.max(1),
            Key::Down => 0,
            Key::Left => row.saturating_sub(1).max(1),
            Key::Right => row + 1,
            Key::Home => 1,
            Key::End => classes.len(),
            _ => row,
        };
        if let (Key::Enter, Some(class)) = (key, classes.get(row.wrapping_sub(1))) {
            self.toggle_class(panel, *class, isolates);
        }
        (self.pointer, self.anchor) = (None, None);
        self.cursor = Some((panel, (bin, row.min(classes.len()))));
    }
}

/// The expression that selects classes; `None` if it would select all or none of those with packets.
pub(super) fn classes_expr(shown: ClassSet, present: ClassSet) -> Option<Expr> {
    let selected = shown.intersection(present);
    if selected == present || selected.is_empty() {
        return None;
    }
    // Other protocols have no name in common: they are those that are not excluded.
    let is_excluded = shown.has(Class::Other);
    let listed = if is_excluded { ClassSet::ALL.toggled(shown) } else { selected };
    let names = CLASSES.iter().filter(|class| listed.has(**class));
    let names = names.map(|class| class.name().to_owned()).collect();
    let expr = Expr::In(Field::Proto, Set::Texts(names));
    Some(if is_excluded { Expr::Not(Box::new(expr)) } else { expr })
}
