//! Effects of the app: requests to the workers, and to the modules that are loaded on first use.

use js_sys::Date;

use super::State;
use crate::app::{Append, Effect, PartAssignment, Phase};
use crate::load::Limits;
use crate::message::ToWorker;

impl State {
    /// Carries out an effect.
    pub(super) fn run(&mut self, effect: Effect) {
        match effect {
            Effect::RunQueries { queries, selection } => {
                let (preceding, selection) = (self.app.preceding(), *selection);
                self.workers.post_all(&ToWorker::RunQueries { preceding, selection, queries });
            }
            // Workers without this part give up on the previous packet.
            Effect::ReadRecord { part, index } => {
                self.workers.post_all(&ToWorker::ReadRecord { part, index });
            }
            Effect::ReadOtherFields(rows) => {
                self.workers.post_all(&ToWorker::ReadOtherFields { rows });
            }
            Effect::Analyze(parts) => {
                let worker = parts.first().map_or(0, |(part, _)| self.app.worker_of(*part));
                self.workers.post(worker, &ToWorker::Analyze { parts }, None);
            }
            // The worker with the first part analyzes the lines, all others supply theirs.
            Effect::AnalyzeFollowed(parts) => {
                self.workers.post_all(&ToWorker::AnalyzeAppended { parts });
            }
            Effect::BeginConnection => self.connection.begin(),
            // Workers without this part give up on the previous connection.
            Effect::ReadConnection { id, part, selection, limits } => {
                let selection = *selection;
                let message = ToWorker::ReadConnection { id, part, selection, limits };
                self.workers.post_all(&message);
            }
            Effect::ShowConnection => self.connection.show(),
            Effect::MarkConnectionTime(time) => self.connection.mark_time(time),
            Effect::ReadNames(first) => self.workers.post_all(&ToWorker::ReadNames { first }),
            Effect::Load(assignments, limits) => self.load(assignments, limits),
            Effect::Cancel => self.workers.post_all(&ToWorker::Cancel),
            Effect::Append(append) => self.append(append),
            Effect::ResendFlows => self.workers.post_all(&ToWorker::ResendFlows),
            Effect::DropBefore(part) => self.workers.post_all(&ToWorker::DropBefore { part }),
            Effect::StopFollowing(_) if self.app.phase() == Phase::Error => self.following = None,
            Effect::StopFollowing(reason) => {
                self.following.iter().for_each(|following| following.stop(reason));
            }
        }
    }

    /// Sends bytes of the followed source to a worker.
    fn append(&mut self, Append { part, worker, file, range, is_last, limits }: Append) {
        let Some(following) = &self.following else { return };
        let message = ToWorker::Append { epoch: self.epoch, part, file, is_last, limits };
        self.workers.post_bytes(worker, &message, &following.bytes(&range));
    }

    /// Sends the parts of the probed files to the workers.
    fn load(&mut self, assignments: Vec<PartAssignment>, limits: Limits) {
        let files = self.queue.take_probed();
        self.load_started_ms.get_or_insert_with(Date::now);
        for PartAssignment { file, name, part, worker, range, is_whole, sampling } in assignments {
            let Some(blob) = files.get(file) else { continue };
            let message = ToWorker::Load {
                epoch: self.epoch,
                part,
                file: name,
                start: range.start,
                end: range.end,
                is_whole,
                sampling,
                limits,
            };
            self.workers.post(worker, &message, Some(blob));
        }
    }
}
