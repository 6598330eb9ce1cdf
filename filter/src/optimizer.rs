//! Removes tests whose outcome follows from earlier tests, and assignments that are never read.

mod facts;

use crate::graph::{Graph, Node, NodeId};
use crate::value::{Temp, ValueId, Values};
use facts::Facts;

/// Larger graphs exceed the kernel's program size anyway. They get another pass only while each pass
/// removes at least a tenth of the nodes.
const MANY_NODES: usize = 5_000;
const MAX_PASSES: usize = 12;

/// Returns a graph with fewer tests and the same verdicts. One exception: a load beyond the end of a
/// packet rejects it, so removing a test whose outcome does not matter can accept a short packet.
pub(crate) fn optimize(mut graph: Graph, values: &Values) -> Graph {
    for _ in 0..MAX_PASSES {
        let targets = resolve_targets(&graph, values);
        let next = rebuild(&graph, &targets, values);
        let is_done = next.len() == graph.len() && next.root == graph.root;
        let is_worthwhile = next.len() < MANY_NODES || next.len() < graph.len() / 10 * 9;
        graph = next;
        if is_done || !is_worthwhile {
            break;
        }
    }
    graph
}

/// Assigns 0 at the start to temporaries that can be read before they are assigned: the kernel
/// refuses programs that read uninitialized memory.
pub(crate) fn zero_uninitialized(mut graph: Graph, values: &mut Values) -> Graph {
    let mut assigned: Vec<Option<u64>> = vec![None; graph.len()];
    let mut missing = 0;
    assigned[graph.root.index()] = Some(0);
    for id in graph.ids_topological() {
        let Some(before) = assigned[id.index()] else { continue };
        let mut reach = |target: NodeId, after: u64| {
            let at = &mut assigned[target.index()];
            *at = Some(at.map_or(after, |others| others & after));
        };
        match graph.get(id) {
            Node::Return(_) => {}
            Node::Test { test, if_true, if_false } => {
                missing |= (values.temps(test.left) | values.temps(test.right)) & !before;
                reach(if_true, before);
                reach(if_false, before);
            }
            Node::Store { temp, value, next } => {
                missing |= values.temps(value) & !before;
                reach(next, before | temp.bit());
            }
        }
    }
    let zero = values.constant(0);
    for temp in (0..Temp::MAX_COUNT).map(Temp).filter(|temp| missing & temp.bit() != 0) {
        graph.root = graph.node(Node::Store { temp, value: zero, next: graph.root });
    }
    graph
}

/// The successors of each node, past tests whose outcome is known on that edge.
fn resolve_targets(graph: &Graph, values: &Values) -> Vec<[NodeId; 2]> {
    let mut targets = vec![[NodeId::REJECT; 2]; graph.len()];
    let mut facts: Vec<Option<Facts>> = Vec::new();
    facts.resize_with(graph.len(), || None);
    facts[graph.root.index()] = Some(Facts::default());
    for id in graph.ids_topological() {
        let Some(here) = facts[id.index()].take() else { continue };
        let edges: [Option<(NodeId, Facts)>; 2] = match graph.get(id) {
            Node::Return(_) => [None, None],
            Node::Store { temp, next, .. } => {
                let mut after = here;
                after.invalidate(temp, values);
                [Some((next, after)), None]
            }
            Node::Test { test, if_true, if_false } => {
                let mut after_true = here.clone();
                let mut after_false = here;
                after_true.assume(test, true, values);
                after_false.assume(test, false, values);
                [Some((if_true, after_true)), Some((if_false, after_false))]
            }
        };
        for (edge, out) in edges.into_iter().enumerate() {
            let Some((mut target, known)) = out else { continue };
            while let Node::Test { test, if_true, if_false } = graph.get(target) {
                match known.outcome(test, values) {
                    Some(true) => target = if_true,
                    Some(false) => target = if_false,
                    None => break,
                }
            }
            targets[id.index()][edge] = target;
            match &mut facts[target.index()] {
                Some(others) => others.join(&known),
                none => *none = Some(known),
            }
        }
    }
    targets
}

/// A graph of the reachable and useful nodes, with these successors.
fn rebuild(graph: &Graph, targets: &[[NodeId; 2]], values: &Values) -> Graph {
    let mut reached = vec![false; graph.len()];
    let mut read = 0u64;
    reached[graph.root.index()] = true;
    for id in graph.ids_topological() {
        if !reached[id.index()] {
            continue;
        }
        let [first, second] = targets[id.index()];
        let temps_of = |value: ValueId| values.temps(value);
        match graph.get(id) {
            Node::Return(_) => {}
            Node::Test { test, .. } => {
                read |= temps_of(test.left) | temps_of(test.right);
                reached[first.index()] = true;
                reached[second.index()] = true;
            }
            Node::Store { temp, value, .. } => {
                // A temporary that only its own assignment reads is not used.
                read |= temps_of(value) & !temp.bit();
                reached[first.index()] = true;
            }
        }
    }
    let mut next = Graph::empty();
    let mut new_ids = vec![NodeId::REJECT; graph.len()];
    let mut ids: Vec<_> = graph.ids_topological().filter(|id| reached[id.index()]).collect();
    ids.reverse();
    for id in ids {
        let [first, second] = targets[id.index()].map(|target| new_ids[target.index()]);
        new_ids[id.index()] = match graph.get(id) {
            Node::Return(accepts) => next.node(Node::Return(accepts)),
            Node::Test { test, .. } => next.test(test, first, second),
            Node::Store { temp, .. } if read & temp.bit() == 0 => first,
            Node::Store { temp, value, .. } => next.node(Node::Store { temp, value, next: first }),
        };
    }
    next.root = new_ids[graph.root.index()];
    next
}
