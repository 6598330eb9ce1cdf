//! Selections as chips, described in words. Their filter text gives the exact meaning.

use super::App;
use super::health::counted_name;
use crate::axis::Quantity;
use crate::filter::{Context, Expr, Field, Set, parse};
use crate::protocol::Rgb;
use crate::selection::{Dimension, Selection};
use crate::service_names::service_name;
use crate::text::{exact_time_range, integer, named};
use crate::time::{Zone, duration};

/// Why a condition cannot be added to the filter.
pub(super) const INCOMPLETE_FILTER: &str = "The filter is incomplete. Complete or clear it first.";

/// The selection of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// The dimension.
    pub dimension: Dimension,
    /// The selection in words.
    pub label: String,
    /// The selection as a filter expression.
    pub text: String,
    /// The packets that match the expression's operand are excluded.
    pub is_excluded: bool,
    /// The colour of a line; `None` for selections.
    pub color: Option<Rgb>,
}

impl App {
    /// The selections.
    pub(super) fn chips(&self, zone: &Zone) -> Vec<Chip> {
        let clauses = self.history.now().selecting();
        let chip = |(dimension, expr): (Dimension, &Expr)| Chip {
            dimension,
            label: self.label(dimension, expr, zone),
            text: expr.to_text(zone),
            is_excluded: matches!(expr, Expr::Not(_)),
            color: None,
        };
        clauses.map(chip).collect()
    }

    /// Excludes the packets that a dimension selects, or selects those that it excludes.
    pub(super) fn invert(&mut self, dimension: Dimension) {
        let expr = self.history.now().get(dimension).cloned();
        self.select(dimension, expr.map(inverted), false);
    }

    /// Moves the selection of a dimension to the filter box, where it can be edited. The same packets stay
    /// selected. An incomplete filter must be completed first: it would be lost.
    pub(super) fn edit(&mut self, dimension: Dimension) {
        if self.is_filter_incomplete() {
            return;
        }
        if let Some(expr) = self.history.now().get(dimension).cloned() {
            let mut selection = self.history.now().clone();
            selection.set(dimension, None);
            self.add_to_filter(selection, expr);
        }
    }

    /// Adds a condition, given as a filter expression, to the filter, or its opposite. Ignores invalid
    /// expressions. An incomplete filter must be completed first.
    pub(super) fn filter_by(&mut self, text: &str, is_excluded: bool) {
        if self.is_filter_incomplete() {
            return;
        }
        if let Ok(Some(expr)) = parse(text, &Context::canonical()) {
            let expr = if is_excluded { inverted(expr) } else { expr };
            self.add_to_filter(self.history.now().clone(), expr);
        }
    }

    /// Returns true if the filter box has an invalid text, and says so.
    pub(super) fn is_filter_incomplete(&mut self) -> bool {
        let is_incomplete = self.filter_error.is_some();
        if is_incomplete {
            self.files.error = Some(INCOMPLETE_FILTER.to_owned());
        }
        is_incomplete
    }

    /// Selects `selection` with another condition in its filter. The text of the filter stays as it was
    /// typed, with the condition after it.
    fn add_to_filter(&mut self, mut selection: Selection, expr: Expr) {
        let added = expr.to_text(&self.zone());
        let filter = selection.get(Dimension::Filter).cloned();
        let text = match &filter {
            Some(_) => {
                let joined = |[a, b, c]: [&str; 3]| format!("{a}{}{b}{added}{c}", self.filter_text);
                let both = filter.clone().map(|filter| filter.and(expr.clone()));
                let texts =
                    [["", " and ", ""], ["(", ") and ", ""], ["", " and (", ")"]].map(joined);
                let is_same = |text: &&String| {
                    parse(text, &self.filter_context()).is_ok_and(|parsed| parsed == both)
                };
                let last = joined(["(", ") and (", ")"]);
                texts.iter().find(is_same).cloned().unwrap_or(last)
            }
            None => added,
        };
        selection
            .set(Dimension::Filter, Some(filter.map_or(expr.clone(), |filter| filter.and(expr))));
        self.filter_text = text;
        self.filter_error = None;
        self.history.select(selection, None);
        self.on_selection_changed();
    }
}

/// The opposite of an expression.
fn inverted(expr: Expr) -> Expr {
    match expr {
        Expr::Not(expr) => *expr,
        expr => Expr::Not(Box::new(expr)),
    }
}

impl App {
    /// A selection in words.
    fn label(&self, dimension: Dimension, expr: &Expr, zone: &Zone) -> String {
        if let Expr::Not(expr) = expr {
            return format!("Not {}", self.label(dimension, expr, zone));
        }
        let words = match dimension {
            Dimension::Conversation => self.conversations(expr),
            Dimension::Problem => self.problem_names(expr),
            _ => None,
        };
        words.or_else(|| self.words(expr, zone)).unwrap_or_else(|| expr.to_text(zone))
    }

    /// The expression of a line in words.
    pub(super) fn line_label(&self, expr: &Expr, zone: &Zone) -> String {
        let operands =
            if let Expr::And(operands) = expr { operands } else { std::slice::from_ref(expr) };
        let label = |expr| {
            let named = self.conversations(expr).or_else(|| self.problem_names(expr));
            named.unwrap_or_else(|| self.label(Dimension::Filter, expr, zone))
        };
        operands.iter().map(label).collect::<Vec<_>>().join(", ")
    }

    /// The words for an expression that a chart makes; `None` for others.
    fn words(&self, expr: &Expr, zone: &Zone) -> Option<String> {
        match expr {
            Expr::Lasso(lasso) => {
                let [x, y] = [lasso.x, lasso.y].map(|(quantity, _)| quantity.label());
                Some(format!("Lasso: {x}, {y}"))
            }
            Expr::And(operands) => {
                let operands: Option<Vec<_>> =
                    operands.iter().map(|expr| self.words(expr, zone)).collect();
                operands.map(|operands| operands.join(", "))
            }
            Expr::In(Field::Quantity(quantity), Set::Numbers(ranges)) => {
                let ranges: Vec<_> = ranges
                    .iter()
                    .map(|(first, last)| range(*quantity, *first, *last, zone))
                    .collect();
                let name = match quantity {
                    Quantity::Size => "Size",
                    Quantity::Gap => "Gap",
                    Quantity::Elapsed => "Elapsed",
                    quantity => quantity.label(),
                };
                Some(format!("{name} {}", ranges.join(", ")))
            }
            Expr::In(
                field @ (Field::Src | Field::Dst | Field::Host | Field::File | Field::Proto),
                set,
            ) => {
                let name = match field {
                    Field::Src => "Source",
                    Field::Dst => "Destination",
                    Field::Host => "Endpoint",
                    Field::File => "File",
                    _ => "Protocol",
                };
                Some(format!("{name} {}", self.values(set)?.join(", ")))
            }
            _ => None,
        }
    }

    /// The values of a set, if they are texts, addresses or single ports.
    fn values(&self, set: &Set) -> Option<Vec<String>> {
        match set {
            Set::Texts(texts) => Some(texts.iter().map(|text| named(text).to_owned()).collect()),
            Set::Addresses(ranges) => {
                let one = ranges.iter().map(|(a, b)| {
                    let name = || self.name_of(*a).map_or_else(|| a.to_string(), str::to_owned);
                    (a == b).then(name)
                });
                one.collect()
            }
            Set::Numbers(ranges) => {
                let one = |(first, last): &(i64, i64)| (first == last).then(|| first.to_string());
                ranges.iter().map(one).collect()
            }
            _ => None,
        }
    }

    /// The two sides of a conversation and its protocol, or those of several: `10.0.0.77 ⇄ 10.0.0.5 tcp`.
    fn conversations(&self, expr: &Expr) -> Option<String> {
        if let Expr::Or(operands) = expr
            && let Some(all) =
                operands.iter().map(|expr| self.conversation(expr)).collect::<Option<Vec<_>>>()
        {
            return Some(all.join(", "));
        }
        self.conversation(expr)
    }

    fn conversation(&self, expr: &Expr) -> Option<String> {
        let value = |field: Field| {
            let values = self.values(find(expr, field)?)?;
            values.into_iter().next()
        };
        let port = |quantity| value(Field::Quantity(quantity)).map(|port| format!(":{port}"));
        let (a, b) = (value(Field::Src)?, value(Field::Dst)?);
        let a_port = port(Quantity::SourcePort).unwrap_or_default();
        let b_port = port(Quantity::DestinationPort).unwrap_or_default();
        let proto = value(Field::Proto).map(|proto| format!(" {proto}")).unwrap_or_default();
        let counted = counted_name(expr).map(|name| format!(", {name}")).unwrap_or_default();
        Some(format!("{a}{a_port} ⇄ {b}{b_port}{proto}{counted}"))
    }
}

/// A range of a quantity.
fn range(quantity: Quantity, first: i64, last: i64, zone: &Zone) -> String {
    let value = |number: i64| match quantity {
        Quantity::Gap | Quantity::Elapsed => duration(number),
        Quantity::DestinationPort | Quantity::SourcePort => {
            let service = u16::try_from(number).ok().and_then(service_name);
            service.map_or(number.to_string(), |name| format!("{number} ({name})"))
        }
        _ => integer(number),
    };
    match (quantity, first, last) {
        (_, i64::MIN, i64::MAX) => "any".to_owned(),
        (Quantity::Time, first, last) if first != i64::MIN && last != i64::MAX => {
            exact_time_range(first, last, zone)
        }
        (Quantity::Time, i64::MIN, last) => format!("until {}", zone.format(last)),
        (Quantity::Time, first, _) => format!("from {}", zone.format(first)),
        (_, first, last) if first == last => value(first),
        (_, first, i64::MAX) => format!("from {}", value(first)),
        (_, first, last) if first <= 0 && quantity != Quantity::Gap => {
            format!("up to {}", value(last))
        }
        (_, i64::MIN, last) => format!("up to {}", value(last)),
        (_, first, last) => format!("{}–{}", value(first), value(last)),
    }
}

/// The first set to which the expression limits a field.
fn find(expr: &Expr, field: Field) -> Option<&Set> {
    match expr {
        Expr::In(one, set) if *one == field => Some(set),
        Expr::And(operands) | Expr::Or(operands) => {
            operands.iter().find_map(|expr| find(expr, field))
        }
        _ => None,
    }
}
