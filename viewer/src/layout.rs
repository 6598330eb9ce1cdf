//! The settings of the page that the browser stores: open tabs, the maximized part, hidden columns, the sizes of columns and
//! panes, and whether names are shown. It is part of the [`Settings`](crate::settings::Settings).

use crate::app::Panel;
use crate::column_widths::ColumnWidths;
use crate::settings::{Choices, SWITCH};
use crate::table_columns::ColumnChoices;

/// A tab of the upper charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChartTab {
    /// Throughput.
    #[default]
    Throughput,
    /// Scatter plot.
    Scatter,
}

/// A tab of the lower half. Wide windows show the top lists beside the tables, and the first table for
/// [`Tab::Top`] and [`Tab::More`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Top lists.
    #[default]
    Top,
    /// Conversations.
    Conversations,
    /// Endpoints.
    Endpoints,
    /// Packets.
    Packets,
    /// Problems.
    Problems,
    /// The connection that was opened.
    Connection,
    /// Histograms.
    More,
}

/// The part of the page that covers the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maximized {
    /// A chart or table.
    Panel(Panel),
    /// The packet details, if they are open.
    Detail,
}

impl Maximized {
    /// The name in links.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Panel(panel) => panel.name(),
            Self::Detail => DETAIL,
        }
    }

    /// The part of that name.
    fn parse(name: &str) -> Option<Self> {
        match Panel::parse(name) {
            Some(Panel::Overview) => None,
            Some(panel) => Some(Self::Panel(panel)),
            None => (name == DETAIL).then_some(Self::Detail),
        }
    }
}

/// The name of the packet details.
const DETAIL: &str = "detail";

const CHART_TABS: Choices<ChartTab> =
    Choices(&[("throughput", ChartTab::Throughput), ("scatter", ChartTab::Scatter)]);
const TABS: Choices<Tab> = Choices(&[
    ("top", Tab::Top),
    ("conversations", Tab::Conversations),
    ("endpoints", Tab::Endpoints),
    ("packets", Tab::Packets),
    ("problems", Tab::Problems),
    ("connection", Tab::Connection),
    ("more", Tab::More),
]);

/// The panes whose size can be changed: name, default size, and smallest and largest size in CSS
/// pixels.
const PANES: [(&str, u16, u16, u16); 3] =
    [("timeline", 250, 120, 1_200), ("side", 330, 200, 1_200), (DETAIL, 260, 80, 1_200)];

/// The keys of the layout in links.
pub const KEYS: [&str; 9] =
    ["chart", "tab", "max", "columns", "widths", NAMES_KEY, "timeline", "side", DETAIL];

/// The key of [`Layout::has_names`], the only one that changes charts.
pub const NAMES_KEY: &str = "names";

/// The layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The chart in the upper part.
    pub chart: ChartTab,
    /// The view in the lower part.
    pub tab: Tab,
    /// The part that covers the others.
    pub maximized: Option<Maximized>,
    /// The columns that the user has hidden or shown.
    pub columns: ColumnChoices,
    /// The widths of columns.
    pub widths: ColumnWidths,
    /// Names are shown instead of addresses.
    pub has_names: bool,
    sizes_px: [u16; PANES.len()],
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            chart: ChartTab::default(),
            tab: Tab::default(),
            maximized: None,
            columns: ColumnChoices::default(),
            widths: ColumnWidths::default(),
            has_names: false,
            sizes_px: PANES.map(|pane| pane.1),
        }
    }
}

impl Layout {
    /// The value of a key in the format of [`Layout::set`]; `None` for an unknown key.
    pub fn get(&self, key: &str) -> Option<String> {
        Some(match key {
            "chart" => CHART_TABS.name(self.chart),
            "tab" => TABS.name(self.tab),
            "max" => self.maximized.map_or("", Maximized::name).to_owned(),
            "columns" => self.columns.text(),
            "widths" => self.widths.text(),
            NAMES_KEY => SWITCH.name(self.has_names),
            _ => self.sizes_px[pane(key)?].to_string(),
        })
    }

    /// The keys and values that differ from the defaults.
    pub fn changed(&self) -> Vec<(String, String)> {
        let pairs = KEYS.iter().filter_map(|key| Some((key.to_string(), self.get(key)?)));
        pairs.filter(|(key, value)| Self::default().get(key).as_ref() != Some(value)).collect()
    }

    /// Changes a value. Returns false if the key or the value is unknown. Sizes are clamped.
    pub fn set(&mut self, key: &str, text: &str) -> bool {
        match key {
            "chart" => CHART_TABS.set(text, &mut self.chart),
            "tab" => TABS.set(text, &mut self.tab),
            NAMES_KEY => SWITCH.set(text, &mut self.has_names),
            "max" => {
                let maximized = Maximized::parse(text);
                let is_valid = maximized.is_some() || text.is_empty();
                if is_valid {
                    self.maximized = maximized;
                }
                is_valid
            }
            "columns" => {
                let columns = ColumnChoices::parse(text);
                let is_valid = columns.is_some();
                self.columns = columns.unwrap_or_default();
                is_valid
            }
            "widths" => {
                let widths = ColumnWidths::parse(text);
                let is_valid = widths.is_some();
                self.widths = widths.unwrap_or_default();
                is_valid
            }
            _ => match (pane(key), text.parse::<u16>()) {
                (Some(pane), Ok(size_px)) => {
                    self.sizes_px[pane] = size_px.clamp(PANES[pane].2, PANES[pane].3);
                    true
                }
                _ => false,
            },
        }
    }
}

fn pane(key: &str) -> Option<usize> {
    PANES.iter().position(|pane| pane.0 == key)
}
