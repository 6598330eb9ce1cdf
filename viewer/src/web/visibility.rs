//! Which panels are in the viewport.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, IntersectionObserver, IntersectionObserverEntry};

use crate::app::Panel;
use crate::web::dom::{element, enclosing_panel};

/// Observes whether panels are in the viewport.
pub(super) struct VisibilityObserver {
    observer: IntersectionObserver,
    sections: Vec<Element>,
    /// The browser has not reported since the layout changed.
    is_outdated: bool,
}

impl VisibilityObserver {
    /// Calls `report` with panels and whether they are in the viewport: with all of them at the start
    /// and after [`Self::restart`], then with changes.
    pub(super) fn new(
        document: &Document,
        mut report: impl FnMut(Vec<(Panel, bool)>) + 'static,
    ) -> Result<Self, JsValue> {
        let update = move |entries: Array| {
            let panels = entries.iter().filter_map(|entry| {
                let entry: IntersectionObserverEntry = entry.unchecked_into();
                Some((enclosing_panel(&entry.target())?, entry.is_intersecting()))
            });
            report(panels.collect());
        };
        let closure = Closure::<dyn FnMut(Array)>::new(update);
        let observer = IntersectionObserver::new(closure.as_ref().unchecked_ref())?;
        closure.forget();
        let section = |panel: Panel| element(document, &format!("{}-panel", panel.name()));
        let sections = Panel::ALL.into_iter().map(section).collect::<Result<_, _>>()?;
        let mut observer = Self { observer, sections, is_outdated: false };
        observer.restart();
        Ok(observer)
    }

    /// Makes the browser report all panels again after a change of the layout. Otherwise it reports only
    /// panels whose visibility changed, and nothing if there are none.
    pub(super) fn restart(&mut self) {
        self.is_outdated = true;
        self.observer.disconnect();
        self.sections.iter().for_each(|section| self.observer.observe(section));
    }

    /// Notes a report.
    pub(super) fn set_current(&mut self) {
        self.is_outdated = false;
    }

    /// Returns true if what was reported may not be the state of the current layout.
    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated
    }
}
