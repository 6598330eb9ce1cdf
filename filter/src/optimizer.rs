//! Leaves tests out whose outcome is known from those before them, and what is not used.

mod facts;

use crate::graph::{Graph, Node, NodeId};
use crate::value::{Temp, ValueId, Values};
use facts::Facts;

/// A graph larger than that is not for the kernel anyway: it is looked through while that helps much.
const MANY_NODES: usize = 5_000;
const MAX_PASSES: usize = 12;

/// The same graph with fewer tests. No packet is accepted otherwise, except that one may be that is
/// shorter than a test needs whose outcome does not matter.
pub(crate) fn optimize(mut graph: Graph, values: &Values) -> Graph {
    for _ in 0..MAX_PASSES {
        let targets = follow(&graph, values);
        let next = rebuilt(&graph, &targets, values);
        let is_done = next.len() == graph.len() && next.root == graph.root;
        let is_worthwhile = next.len() < MANY_NODES || next.len() < graph.len() / 10 * 9;
        graph = next;
        if is_done || !is_worthwhile {
            break;
        }
    }
    graph
}

/// The graph, with words of memory set to 0 that may be read before they are set.
pub(crate) fn zero_uninitialized(mut graph: Graph, values: &mut Values) -> Graph {
    let mut set: Vec<Option<u64>> = vec![None; graph.len()];
    let mut missing = 0;
    set[graph.root.index()] = Some(0);
    for id in graph.ids_topological() {
        let Some(known) = set[id.index()] else { continue };
        let mut reach = |target: NodeId, known: u64| {
            let at = &mut set[target.index()];
            *at = Some(at.map_or(known, |others| others & known));
        };
        match graph.get(id) {
            Node::Return(_) => {}
            Node::Test { test, if_true, if_false } => {
                missing |= (values.temps(test.left) | values.temps(test.right)) & !known;
                reach(if_true, known);
                reach(if_false, known);
            }
            Node::Store { temp, value, next } => {
                missing |= values.temps(value) & !known;
                reach(next, known | temp.bit());
            }
        }
    }
    let zero = values.constant(0);
    for temp in (0..Temp::MAX_COUNT).map(Temp).filter(|temp| missing & temp.bit() != 0) {
        graph.root = graph.node(Node::Store { temp, value: zero, next: graph.root });
    }
    graph
}

/// Where the ways out of each node lead, past the tests that are decided then.
fn follow(graph: &Graph, values: &Values) -> Vec<[NodeId; 2]> {
    let mut targets = vec![[NodeId::REJECT; 2]; graph.len()];
    let mut facts: Vec<Option<Facts>> = Vec::new();
    facts.resize_with(graph.len(), || None);
    facts[graph.root.index()] = Some(Facts::default());
    for id in graph.ids_topological() {
        let Some(known) = facts[id.index()].take() else { continue };
        let ways: [Option<(NodeId, Facts)>; 2] = match graph.get(id) {
            Node::Return(_) => [None, None],
            Node::Store { temp, next, .. } => {
                let mut after = known;
                after.forget(temp, values);
                [Some((next, after)), None]
            }
            Node::Test { test, if_true, if_false } => {
                let mut after_true = known.clone();
                let mut after_false = known;
                after_true.learn(test, true, values);
                after_false.learn(test, false, values);
                [Some((if_true, after_true)), Some((if_false, after_false))]
            }
        };
        for (way, out) in ways.into_iter().enumerate() {
            let Some((mut target, known)) = out else { continue };
            while let Node::Test { test, if_true, if_false } = graph.get(target) {
                match known.outcome(test, values) {
                    Some(true) => target = if_true,
                    Some(false) => target = if_false,
                    None => break,
                }
            }
            targets[id.index()][way] = target;
            match &mut facts[target.index()] {
                Some(others) => others.join(&known),
                none => *none = Some(known),
            }
        }
    }
    targets
}

/// The nodes that are reached and used, with those ways out.
fn rebuilt(graph: &Graph, targets: &[[NodeId; 2]], values: &Values) -> Graph {
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
                // That a word is set by itself is no use of it.
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
