//! A condition as tests that lead to one another, and at last to acceptance or rejection.

use crate::condition::Condition;
use crate::instruction::code::AND;
use crate::tree::{Junction, Relation};
use crate::value::{Slot, Value, ValueId, Values};
use std::collections::HashMap;

/// A node, by its number. What a node leads to has a smaller number than it has itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) const REJECT: Self = Self(0);
    pub(crate) const ACCEPT: Self = Self(1);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Return(bool),
    Test { test: Test, yes: NodeId, no: NodeId },
    Set { slot: Slot, value: ValueId, next: NodeId },
}

/// A comparison. What it is compared with is a constant where either is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Test {
    pub(crate) left: ValueId,
    pub(crate) relation: Relation,
    pub(crate) right: ValueId,
}

impl Relation {
    pub(crate) fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => right < left,
            Self::GreaterOrEqual => right <= left,
            Self::AnyBit => left & right != 0,
        }
    }
}

/// Equal nodes are one.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, NodeId>,
    pub(crate) root: NodeId,
}

impl Graph {
    pub(crate) fn empty() -> Self {
        let mut graph = Self { nodes: Vec::new(), known: HashMap::new(), root: NodeId::REJECT };
        for accepts in [false, true] {
            graph.node(Node::Return(accepts));
        }
        graph
    }

    /// The graph of a condition.
    pub(crate) fn of(condition: &Condition, values: &mut Values) -> Self {
        let mut graph = Self::empty();
        graph.root = graph.branch(condition, NodeId::ACCEPT, NodeId::REJECT, values);
        graph
    }

    pub(crate) fn get(&self, id: NodeId) -> Node {
        self.nodes[id.index()]
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// All numbers of nodes, the last one first: what leads to a node comes before it.
    pub(crate) fn ids_downwards(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..=self.root.0).rev().map(NodeId)
    }

    /// The number of a node.
    pub(crate) fn node(&mut self, node: Node) -> NodeId {
        *self.known.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            NodeId(u32::try_from(self.nodes.len() - 1).expect("an expression is not that long"))
        })
    }

    /// A test that leads on; none where both ways lead to the same.
    pub(crate) fn test(&mut self, test: Test, yes: NodeId, no: NodeId) -> NodeId {
        if yes == no { yes } else { self.node(Node::Test { test, yes, no }) }
    }

    /// The node that begins a condition's tests.
    fn branch(
        &mut self,
        condition: &Condition,
        yes: NodeId,
        no: NodeId,
        values: &mut Values,
    ) -> NodeId {
        match condition {
            Condition::Always(true) => yes,
            Condition::Always(false) => no,
            Condition::Not(inner) => self.branch(inner, no, yes, values),
            Condition::Set(slot, value) => {
                self.node(Node::Set { slot: *slot, value: *value, next: yes })
            }
            Condition::Chain(first, rest) => {
                let (mut yes, mut no) = (yes, no);
                for (junction, next) in rest.iter().rev() {
                    let then = self.branch(next, yes, no, values);
                    match junction {
                        Junction::And => yes = then,
                        Junction::Or => no = then,
                    }
                }
                self.branch(first, yes, no, values)
            }
            Condition::Test(left, relation, right) => {
                self.comparison(*left, *relation, *right, (yes, no), values)
            }
        }
    }

    fn comparison(
        &mut self,
        left: ValueId,
        relation: Relation,
        right: ValueId,
        (yes, no): (NodeId, NodeId),
        values: &mut Values,
    ) -> NodeId {
        let (a, b) = (values.as_constant(left), values.as_constant(right));
        if let (Some(a), Some(b)) = (a, b) {
            return if relation.holds(a, b) { yes } else { no };
        }
        if a.is_some() {
            // The constant goes to the right.
            return match relation {
                Relation::Equal | Relation::AnyBit => {
                    self.comparison(right, relation, left, (yes, no), values)
                }
                Relation::Greater => {
                    self.comparison(right, Relation::GreaterOrEqual, left, (no, yes), values)
                }
                Relation::GreaterOrEqual => {
                    self.comparison(right, Relation::Greater, left, (no, yes), values)
                }
            };
        }
        // Whether bits are set needs no masking.
        if let (Relation::Equal, Some(number), Value::Binary(AND, masked, mask)) =
            (relation, b, values.get(left))
            && let Some(bits) = values.as_constant(mask)
            && (number == 0 || (number == bits && bits.is_power_of_two()))
        {
            let (yes, no) = if number == 0 { (no, yes) } else { (yes, no) };
            return self.test(
                Test { left: masked, relation: Relation::AnyBit, right: mask },
                yes,
                no,
            );
        }
        self.test(Test { left, relation, right }, yes, no)
    }
}
