//! The names of addresses: rereads the parts for the answers in DNS messages.

use wasm_bindgen_futures::spawn_local;

use super::extra::read_fields;
use super::parts::Worker;
use crate::address_names::AddressNames;
use crate::message::FromWorker;

/// Sends the names in each of this worker's parts from `first` on to the page, and from now on those in lines
/// that are appended to these parts.
pub(super) fn start(worker: &Worker, first: usize) {
    let (worker, epoch) = (worker.clone(), worker.epoch());
    spawn_local(async move {
        let numbers: Vec<_> = worker.with_state(|state| {
            let numbers = state.parts.iter().map(|part| part.number);
            numbers.filter(|number| first <= *number).collect()
        });
        for number in numbers {
            worker.with_part(epoch, number, |part| part.loader.collect_appended_names());
            let fields = &AddressNames::FIELDS;
            let values = read_fields(&worker, epoch, number, fields, &mut |_| true).await;
            let mut names = AddressNames::default();
            let has_added = worker.with_part(epoch, number, |part| {
                let values = values.ok().flatten()?;
                names.add_answers(part.loader.columns(), 0, &values);
                Some(())
            });
            // A part that was dropped meanwhile has no names.
            let is_dropped = has_added.is_none();
            let names = (is_dropped || has_added.flatten().is_some()).then(|| names.into_list());
            worker.post(&FromWorker::Names { epoch, names }, None);
        }
    });
}
