use super::*;
use crate::load::Problem;

fn files(parts: &[usize]) -> Files {
    let mut files = Files::default();
    files.announce(vec![FileInfo::unprobed("announced".to_owned(), 9)]);
    add(&mut files, parts);
    files
}

fn add(files: &mut Files, parts: &[usize]) -> Vec<PartAssignment> {
    let file = |parts: &usize| FileInfo {
        parts: *parts,
        packets: 100,
        ..FileInfo::unprobed(format!("of {parts}"), 1_000)
    };
    files.add(parts.iter().map(file).collect(), Sampling { every: 2, ..Sampling::default() }, 2)
}

fn done(packets: u64) -> Report {
    let totals = Totals { packets, ..Totals::default() };
    Report { totals, records: packets, read_bytes: 500, is_done: true, ..Report::default() }
}

#[test]
fn parts_are_assigned_round_robin_and_files_counted_once() {
    let mut files = files(&[1]);
    let assignments = add(&mut files, &[2, 1]);
    let seen: Vec<_> = assignments.iter().map(|p| (p.file, p.part, p.worker, p.is_whole)).collect();
    assert_eq!(seen, [(0, 1, 1, false), (0, 2, 0, false), (1, 3, 1, true)]);
    assert_eq!(files.names(), "of 1 and 2 more files");
    assert_eq!(assignments[2].name, "of 1 (2)");
    let same_names = add(&mut files, &[2, 2]);
    assert_eq!([0, 2].map(|index: usize| &same_names[index].name[..]), ["of 2 (2)", "of 2 (3)"]);
    let mut files = self::files(&[1]);
    add(&mut files, &[2, 1]);
    // Every second packet of a hundred: 50 of each file are expected.
    assert_eq!(files.held(2), [50 + 25, 25 + 50]);
    files.on_report(1, done(10));
    assert_eq!(files.held(2), [75, 60]);
}

#[test]
fn files_without_packets_are_named_and_not_counted() {
    let mut files = files(&[1]);
    add(&mut files, &[2, 1]);
    for part in 0..2 {
        files.on_report(part, done(10));
    }
    files.on_report(2, Report { is_complete: true, ..done(10) });
    let problem = Problem { line: 1, reason: "not JSON".to_owned() };
    let text = Report { is_complete: true, problems: vec![problem], ..done(0) };
    files.on_report(3, text);
    assert_eq!(files.names(), "of 1 and of 2");
    let error = files.error.clone().unwrap();
    assert!(error.starts_with("“of 1 (2)” is not a capture."), "{error}");
    files.on_report(3, Report { is_complete: true, ..done(0) });
    assert_eq!(files.empty_text(2), "“of 1 (2)” contains no packets.");
}

#[test]
fn files_with_flows_only_are_explained() {
    let flows = |packets| {
        let mut report = Report { flows: 1_200, records: 1_201, ..done(packets) };
        report.is_complete = true;
        report
    };
    let mut files = files(&[1]);
    files.on_report(0, flows(0));
    let error = files.error.clone().unwrap();
    assert!(error.starts_with("“of 1” contains 1,200 flow records and no packets."), "{error}");
    let mut files = self::files(&[1]);
    files.on_report(0, flows(1));
    assert_eq!((files.phase, files.error), (Phase::Ready, None));
}

#[test]
fn progress_covers_only_files_being_loaded() {
    let mut files = files(&[1]);
    files.on_report(0, Report { read_bytes: 300, ..Report::default() });
    assert_eq!(files.progress(), (300, 1_000));
    add(&mut files, &[1]);
    assert_eq!(files.progress(), (300, 2_000));
    files.on_report(0, done(1));
    files.on_report(1, done(1));
    assert_eq!((files.phase, files.progress()), (Phase::Ready, (1_000, 2_000)));
    // The next file starts at zero.
    add(&mut files, &[1]);
    assert_eq!((files.phase, files.progress()), (Phase::Loading, (0, 1_000)));
}

#[test]
fn unreadable_file_does_not_hide_readable_ones() {
    let failed = Report { failure: Some(Failure::Unreadable("gone".to_owned())), ..done(0) };
    let mut files = files(&[1, 1]);
    files.on_report(0, done(5));
    files.on_report(1, failed.clone());
    let error = "“of 1 (2)” could not be read (gone).";
    assert_eq!((files.phase, files.error.as_deref()), (Phase::Ready, Some(error)));
    // An earlier error stays visible.
    let mut files = self::files(&[1]);
    files.error = Some("“x” is empty.".to_owned());
    files.on_report(0, done(5));
    assert_eq!((files.phase, files.error.as_deref()), (Phase::Ready, Some("“x” is empty.")));
    // No record at all is an error.
    let mut files = self::files(&[1]);
    files.on_report(0, failed);
    assert_eq!(files.phase, Phase::Error);
    let mut files = self::files(&[1]);
    let problem = Problem { line: 1, reason: "no".to_owned() };
    files.on_report(0, Report { problems: vec![problem], ..done(0) });
    assert!(files.error.as_ref().is_some_and(|error| error.ends_with("Details: line 1: no.")));
    let mut files = self::files(&[1]);
    files.is_cancelled = true;
    files.on_report(0, done(0));
    assert_eq!((files.phase, files.error), (Phase::Ready, None));
}

#[test]
fn reading_stops_in_a_file_without_records() {
    let mut files = files(&[1]);
    let lines = |lines, records| Report { lines, records, ..Report::default() };
    files.on_report(0, lines(MAX_LINES_WITHOUT_RECORD - 1, 0));
    assert!(!files.has_no_records());
    files.on_report(0, lines(MAX_LINES_WITHOUT_RECORD, 1));
    assert!(!files.has_no_records());
    files.on_report(0, lines(MAX_LINES_WITHOUT_RECORD, 0));
    assert!(files.has_no_records());
}
