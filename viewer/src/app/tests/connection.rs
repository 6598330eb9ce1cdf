//! The connection that is shown.

use super::*;
use crate::load::ConnectionRead;
use viewer_connection::Limits;

/// The 5-tuples and their protocols, in the visible rows.
fn open_first_connection(page: &mut Page) -> String {
    page.send(Event::Set("conversations".into(), "5-tuples".into()));
    let text = page.app.cell_value(Panel::Conversations, 0, 0).unwrap().connection.unwrap();
    page.send(Event::OpenConnection(text.clone()));
    text
}

fn read(page: &mut Page, part: usize, read: ConnectionRead) {
    page.send(Event::ConnectionRead { id: page.connection_id, part, read });
}

#[test]
fn parts_are_read_one_after_the_other() {
    let mut page = Page::open();
    let pairs = page.app.cell_value(Panel::Conversations, 0, 0).unwrap();
    assert_eq!(pairs.connection, None, "address pairs have no ports");
    let text = open_first_connection(&mut page);
    assert!(text.contains("sport") && text.contains("proto"), "{text}");
    assert_eq!(page.connection, [Some((0, Limits::MAX))]);
    let progress = (250, 500);
    read(&mut page, 0, ConnectionRead { packets: 3, progress, ..ConnectionRead::default() });
    let view = page.app.view();
    assert_eq!((view.has_connection, &*view.connection), (true, "Reading… 25.0 %"));
    let done =
        ConnectionRead { packets: 7, bytes: 100, is_done: true, ..ConnectionRead::default() };
    read(&mut page, 0, done.clone());
    assert_eq!(page.connection[1..], [Some((1, Limits::MAX.without(7, 100)))]);
    // What an earlier part still sends does not count.
    read(&mut page, 0, done.clone());
    assert_eq!(page.connection.len(), 2);
    read(&mut page, 1, done);
    assert_eq!(
        (page.connection[2..].to_vec(), page.app.view().connection),
        (vec![None], String::new())
    );
    page.send(Event::Close);
    assert!(!page.app.view().has_connection);
}

#[test]
fn limits_and_errors_are_reported() {
    let mut page = Page::open();
    open_first_connection(&mut page);
    let done = ConnectionRead { is_done: true, ..ConnectionRead::default() };
    read(&mut page, 0, ConnectionRead { is_limited: true, ..done.clone() });
    assert_eq!(page.connection[1..], [None]);
    let text = page.app.view().connection;
    assert_eq!(text, "Incomplete: only the first packets are shown, at most 100,000 with 64.0 MB.");
    open_first_connection(&mut page);
    read(&mut page, 0, ConnectionRead { error: Some("gone".into()), ..done });
    assert_eq!(page.connection[1..], [None]);
    let text = page.app.view().connection;
    assert_eq!(text, "Incomplete: the file could not be read (gone).");
}

/// A click on a packet of the connection shows its details, whatever is selected.
#[test]
fn packets_of_the_connection_have_details() {
    let mut page = Page::open();
    page.send(Event::VisibilityChanged(Panel::Packets, true));
    page.send(Event::ActivateRow(Panel::Packets, 1));
    let text = page.app.connection_of_detail().unwrap();
    assert!(text.ends_with("proto == udp"), "{text}");
    let packet = page.app.packet_rows()[2].clone();
    page.send(Event::SetFilter("len > 1000000".into(), 0));
    page.send(Event::ShowPacket(Box::new(packet)));
    assert!(page.app.view().detail.unwrap().title.starts_with("Packet 3,"));
    assert_eq!(page.read.last(), Some(&(0, 2)));
}

#[test]
fn selected_time_is_marked_while_a_connection_is_shown() {
    let mut page = Page::open();
    let select = |page: &mut Page, from| page.send(Event::SelectTime(from, 5));
    select(&mut page, 1);
    page.send(Event::Clear(None));
    assert_eq!(page.connection_times, [], "no connection is shown");
    open_first_connection(&mut page);
    select(&mut page, 1);
    select(&mut page, 2);
    page.send(Event::SetFilter("tcp".into(), 0));
    page.send(Event::Clear(None));
    assert_eq!(page.connection_times, [Some((1, 5)), Some((2, 5)), None]);
}
