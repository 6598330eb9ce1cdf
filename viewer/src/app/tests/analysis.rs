//! The analysis of TCP connections.

use super::*;
use flow::{Marks, Retransmission};
use viewer_store::findings::Findings;

/// The findings in each part: a retransmission in every tenth packet.
pub(super) fn found() -> Findings {
    let marks = Marks { rtx: Some(Retransmission::Fast), ..Marks::default() };
    let mut findings = Findings::default();
    (0..400).step_by(10).for_each(|row| findings.push(row, &marks));
    findings
}

fn set_analysis(page: &mut Page, is_on: bool) {
    page.send(Event::Set("analysis".into(), if is_on { "1" } else { "0" }.into()));
}

#[test]
fn filters_know_the_findings_once_they_are_requested() {
    let mut page = Page::open();
    page.send(Event::SetFilter("rtx".into(), 0));
    assert_eq!((page.selected(), page.app.view().analysis), (0, String::new()));
    set_analysis(&mut page, true);
    assert_eq!(page.analyzed, [[(0, 0), (1, 500)]]);
    assert_eq!((page.selected(), &*page.app.view().analysis), (80, "done"));
    assert!(page.app.link().contains("analysis=1"));
    page.load("b.ndjson", vec![columns(0..400, 0)], true);
    assert_eq!(page.analyzed[1..], [[(2, 0)]], "only the new file");
    assert_eq!(page.selected(), 120);
    set_analysis(&mut page, false);
    set_analysis(&mut page, true);
    assert_eq!((page.analyzed.len(), &*page.app.view().analysis), (2, "done"));
}

#[test]
fn progress_and_failures_of_the_analysis_are_shown() {
    let mut page = Page::open();
    let effects = page.app.update(Event::Set("analysis".into(), "1".into()));
    assert!(effects.contains(&Effect::Analyze(vec![(0, 0), (1, 500)])), "{effects:?}");
    page.app.update(Event::AnalysisRead(0, (250, 1_000)));
    assert_eq!(page.app.view().analysis, "reading… 25.0 %");
    assert!(!page.app.is_settled());
    page.send(Event::Analyzed(0, Some("no file".into())));
    assert_eq!(page.app.view().analysis, "failed: no file");
    page.load("b.ndjson", vec![columns(0..10, 0)], false);
    assert_eq!((page.analyzed.len(), &*page.app.view().analysis), (1, "done"));
}

#[test]
fn findings_in_capture_files_need_the_analysis() {
    let mut page = Page::empty();
    page.load("a.pcap", vec![columns(0..10, 0)], false);
    page.send(Event::SetFilter("rtx".into(), 0));
    let note =
        |page: &Page| page.app.view().selected.split_once(';').map(|(_, note)| note.to_owned());
    let expected = " rtx is known only from the sniffer’s lines, and after the analysis of TCP";
    assert_eq!(note(&page).as_deref(), Some(expected));
    set_analysis(&mut page, true);
    assert_eq!((note(&page), page.selected()), (None, 1));
}
