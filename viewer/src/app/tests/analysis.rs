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
fn legend_entry_of_problems_opens_their_tab() {
    let mut page = Page::open();
    let plot = SIZE.plot();
    let positions = (0..200).map(|step| (plot.x + f64::from(step), plot.y - 14.0));
    let find = |page: &mut Page| {
        positions.clone().find(|at| {
            page.send(Event::PointerMove(Panel::Throughput, *at));
            let tooltip = page.app.view().hover;
            tooltip.is_some_and(|tooltip| tooltip.lines[0] == "Packets with problems are marked")
        })
    };
    assert_eq!(find(&mut page), None);
    set_analysis(&mut page, true);
    let at = find(&mut page).unwrap();
    page.send(Event::PointerDown(Panel::Throughput, at, None));
    page.send(Event::PointerUp);
    assert_eq!(page.app.settings().get("tab"), "problems");
    assert!(page.chips().is_empty());
    let zoom = page.app.settings().zoom;
    page.send(Event::DoubleClick(Panel::Throughput, at));
    assert_eq!(page.app.settings().zoom, zoom);
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

#[test]
fn problems_are_counted_and_select_their_packets() {
    let mut page = Page::open();
    assert_eq!(page.app.view().problem_kinds.count, 0);
    set_analysis(&mut page, true);
    let counts = |page: &Page| -> Vec<_> {
        let rows = page.app.view().problem_kinds.rows;
        rows.into_iter().map(|row| (row.cells[0].clone(), row.cells[1].clone())).collect()
    };
    let fast = ("Fast retransmissions".to_owned(), "80".to_owned());
    assert!(counts(&page).contains(&fast), "{:?}", counts(&page));
    let row = counts(&page).iter().position(|row| *row == fast).unwrap();
    page.send(Event::ActivateRow(Panel::Problems, row));
    assert_eq!((page.selected(), page.chips()), (80, vec!["rtx == fast".to_owned()]));
    let view = page.app.view();
    assert_eq!(view.chips[0].label, "Fast retransmissions");
    assert!(view.problem_kinds.rows[row].is_selected);
    // The other kinds are counted as if nothing were selected here.
    assert_eq!(counts(&page)[row], fast);
    let resets = counts(&page).iter().position(|(name, _)| name == "Resets").unwrap();
    page.send(Event::ActivateRow(Panel::Problems, resets));
    assert_eq!(page.app.view().chips[0].label, "Fast retransmissions, Resets");
    page.send(Event::ActivateRow(Panel::Problems, row));
    assert_eq!(page.app.view().chips[0].label, "Resets");
    page.send(Event::Clear(None));
    page.send(Event::Select(Dimension::Size, "len < 100".into()));
    assert_eq!(counts(&page)[row].1, "10");
    let value = page.app.cell_value(Panel::Problems, row, 1).unwrap();
    assert_eq!((&*value.text, value.filter.as_deref()), ("10", Some("rtx == fast")));
    let csv = page.app.csv(Panel::Problems).unwrap();
    assert!(csv.starts_with("problem,packets,bytes,filter"), "{csv}");
    assert!(csv.contains("Fast retransmissions,10,"), "{csv}");
}

#[test]
fn conversations_count_signs_of_trouble() {
    let mut page = Page::open();
    page.send(Event::Set("conversations".into(), "5-tuples".into()));
    let is_hidden = |page: &Page, column: usize| page.app.view().conversations.hidden >> column & 1;
    assert_eq!([7, 8, 9, 10].map(|column| is_hidden(&page, column)), [1, 1, 0, 1]);
    set_analysis(&mut page, true);
    assert_eq!([7, 8, 9, 10].map(|column| is_hidden(&page, column)), [0; 4]);
    page.send(Event::Set("sort".into(), "-rtx".into()));
    let table = page.app.view().conversations;
    let cells = |row: usize| [2, 5, 7, 8, 9, 10].map(|column| &*table.rows[row].cells[column]);
    // Counts of 0 are not displayed.
    assert_eq!(cells(0), ["10.0.0.1", "50", "", "40", "", ""]);
    assert_eq!(cells(1), ["10.0.0.2", "50", "", "40", "", ""]);
    assert_eq!([table.rows[0].counted, table.rows[2].counted], [1 << 8, 0]);
    let csv = page.app.csv(Panel::Conversations).unwrap();
    assert!(csv.lines().next().unwrap().contains(",bytes,handshake_us,rtx,resets,zero_windows,"));
    let counts = csv.lines().skip(1).map(|line| line.split(',').nth(8).unwrap());
    assert_eq!(counts.collect::<Vec<_>>()[..3], ["40", "40", "0"]);
    // A click selects the packets; the other conversation is counted as if nothing were selected here.
    let value = page.app.cell_value(Panel::Conversations, 0, 8).unwrap();
    page.send(Event::ActivateCell(Panel::Conversations, 0, 8));
    assert_eq!((page.selected(), &*value.text), (40, "40"));
    let view = page.app.view();
    assert_eq!(view.chips[0].label, "10.0.0.0:0 ⇄ 10.0.0.1:0 tcp, retransmissions");
    assert_eq!(Some(&view.chips[0].text), value.filter.as_ref());
    page.send(Event::ActivateCell(Panel::Conversations, 1, 8));
    assert_eq!(page.selected(), 80);
    // A link restores the selection.
    let link = page.app.link();
    page.send(Event::Clear(None));
    page.send(Event::RestoreLink(link));
    assert_eq!(page.selected(), 80);
    page.send(Event::ActivateCell(Panel::Conversations, 0, 8));
    assert_eq!(page.selected(), 40);
    page.send(Event::Clear(None));
    // Cells without packets, and others, activate their row.
    page.send(Event::ActivateCell(Panel::Conversations, 0, 9));
    assert_eq!(page.selected(), 50);
    page.send(Event::ActivateCell(Panel::Conversations, 0, 9));
    page.send(Event::Select(Dimension::Size, "len < 100".into()));
    let packets = page.app.cell_value(Panel::Conversations, 0, 8).unwrap();
    assert_eq!(packets.text, "5");
}

#[test]
fn problems_have_a_threshold_or_no_filter() {
    let mut page = Page::open();
    set_analysis(&mut page, true);
    let row = |page: &Page, name: &str| {
        let rows = page.app.view().problem_kinds.rows;
        let index = rows.iter().position(|row| row.cells[0].starts_with(name)).expect("a row");
        (index, rows[index].cells.clone())
    };
    let slow = |page: &Page| row(page, "Slow handshakes").1;
    assert_eq!(slow(&page)[0], "Slow handshakes (200 ms or more)");
    page.send(Event::Set("slow-ms".into(), "50".into()));
    assert_eq!(slow(&page)[0], "Slow handshakes (50 ms or more)");
    assert_eq!(slow(&page)[1..], ["0", "0 B", "handshake_us >= 50000"]);
    assert!(page.app.link().contains("slow-ms=50"));
    // No address scans ports, so there is no filter.
    let (scans, cells) = row(&page, "Port scans");
    assert_eq!(cells[1..], ["0", "0 B", ""]);
    assert_eq!(page.app.cell_value(Panel::Problems, scans, 1).unwrap().filter, None);
    page.send(Event::ActivateRow(Panel::Problems, scans));
    assert_eq!(page.chips(), Vec::<String>::new());
    assert_eq!(row(&page, "DNS failures").1[1..], ["0", "0 B", "dns_rcode != NOERROR"]);
}

#[test]
fn charts_mark_the_selected_packets_with_problems() {
    let mut page = Page::open();
    page.send(Event::Set("x".into(), "time".into()));
    let sums = |page: &Page| {
        [Panel::Throughput, Panel::Scatter].map(|panel| {
            let csv = page.app.csv(panel).unwrap();
            let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
            let column = lines.next()?.iter().position(|name| *name == "problem_packets")?;
            Some(lines.map(|cells| cells[column].parse::<u64>().unwrap()).sum::<u64>())
        })
    };
    assert_eq!(sums(&page), [None; 2]);
    set_analysis(&mut page, true);
    assert_eq!(sums(&page), [Some(80); 2]);
    page.send(Event::Select(Dimension::Size, "len < 100".into()));
    assert_eq!(sums(&page), [Some(10); 2]);
    // Marks select nothing, and are not part of links.
    assert_eq!((page.selected(), page.chips().len()), (100, 1));
    assert!(!page.app.link().contains("marked"));
    assert_eq!(Dimension::parse("marked"), None);
    page.send(Event::Clear(None));
    assert_eq!((page.selected(), sums(&page)), (1_000, [Some(80); 2]));
    set_analysis(&mut page, false);
    assert_eq!(sums(&page), [None; 2]);
}
