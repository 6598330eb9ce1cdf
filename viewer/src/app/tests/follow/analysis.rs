//! The analysis of sources that are followed.

use super::*;

#[test]
fn analysis_of_a_followed_source_says_what_it_covers() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    let state = |page: &Page| {
        let view = page.app.view();
        (view.analysis, view.is_analyzed, view.can_repeat_analysis)
    };
    let mut received = 0;
    let mut grow = |page: &mut Page, packets: u64| {
        page.receive(received, usize::try_from(packets * 100 - received).unwrap());
        received = packets * 100;
        page.read(packets, received);
        page.source(FollowEvent::Refresh);
    };
    grow(&mut page, 20);
    assert_eq!(state(&page), (String::new(), false, false));
    assert!(page.app.view().can_analyze);
    page.send(Event::Set("analysis".into(), "1".into()));
    assert_eq!(page.analyzed, [[(0, 2_000)]]);
    assert_eq!(state(&page), ("done".to_owned(), true, false));
    grow(&mut page, 30);
    let partial = "covers the first 20 of 30 packets".to_owned();
    assert_eq!(state(&page), (partial, true, true));
    assert!(page.app.view().is_analysis_partial);
    page.send(Event::RepeatAnalysis);
    assert_eq!(page.analyzed[1..], [[(0, 3_000)]]);
    assert_eq!(state(&page), ("done".to_owned(), true, false));
    // It is repeated by itself when there are twice as many packets, and at the end.
    for (packets, requests) in [(59, 2), (60, 3), (61, 3)] {
        grow(&mut page, packets);
        assert_eq!(page.analyzed.len(), requests, "{packets} packets");
    }
    page.source(FollowEvent::Over(None));
    assert_eq!(page.analyzed[3..], [[(0, 6_100)]]);
    assert_eq!(state(&page), ("done".to_owned(), true, false));
    // Without the analysis, its findings are removed.
    page.send(Event::Set("analysis".into(), "0".into()));
    assert_eq!((page.analyzed.len(), state(&page)), (4, (String::new(), false, false)));
    page.send(Event::Set("analysis".into(), "1".into()));
    assert_eq!(page.analyzed[4..], [[(0, 6_100)]]);
    page.load("b.ndjson", vec![columns(0..10, 0)], true);
    assert_eq!(page.analyzed[5..], [[(1, 0)]], "only the new file");
}

#[test]
fn analysis_of_a_followed_source_may_cover_dropped_packets() {
    let mut page = Page::follow(1);
    page.app.settings.window = Window::Packets(1_600);
    page.source(FollowEvent::Connected);
    fill(&mut page, 0..16);
    page.send(Event::Set("analysis".into(), "1".into()));
    assert_eq!((page.analyzed.len(), page.analyzed[0].len()), (1, 16));
    fill(&mut page, 16..20);
    assert_eq!(page.app.view().analysis, "covers the first 1,200 of 1,600 packets");
    page.send(Event::RepeatAnalysis);
    let parts: Vec<_> = (4..20).map(|part| (part, 10_000)).collect();
    assert_eq!(page.analyzed[1..], [parts]);
    assert_eq!(page.app.view().analysis, "done");
}

#[test]
fn failed_analysis_of_a_followed_source_is_shown() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 2_000);
    page.read(20, 2_000);
    page.source(FollowEvent::Refresh);
    let effects = page.app.update(Event::Set("analysis".into(), "1".into()));
    assert!(effects.contains(&Effect::AnalyzeFollowed(vec![(0, 2_000)])), "{effects:?}");
    let effects = page.app.update(Event::Analyzed(0, Some("no memory".into())));
    // The workers keep nothing any longer.
    assert!(effects.contains(&Effect::AnalyzeFollowed(Vec::new())), "{effects:?}");
    let view = page.app.view();
    assert_eq!((&*view.analysis, view.is_analysis_partial), ("failed: no memory", true));
    // It is not repeated by itself at once.
    let effects = page.app.update(Event::Follow(FollowEvent::Over(None)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::AnalyzeFollowed(_))));
}
