//! The control-flow graph of a condition: tests that branch to other tests, and in the end accept or
//! reject the packet. `optimizer` makes it smaller, `codegen` turns it into instructions.

use crate::ast::{BoolOp, CmpOp};
use crate::condition::Condition;
use crate::instruction::code::AND;
use crate::value::{Temp, Value, ValueId, Values};
use std::collections::HashMap;

/// Index of a node. The successors of a node have smaller indices than the node itself, so that the
/// graph has no cycles.
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
    Test { test: Test, if_true: NodeId, if_false: NodeId },
    Store { temp: Temp, value: ValueId, next: NodeId },
}

/// A comparison. If one side is a constant, it is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Test {
    pub(crate) left: ValueId,
    pub(crate) op: CmpOp,
    pub(crate) right: ValueId,
}

impl CmpOp {
    pub(crate) fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => right < left,
            Self::GreaterOrEqual => right <= left,
            Self::AnyBit => left & right != 0,
        }
    }
}

/// The graph. Nodes are interned: equal nodes exist once.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    ids: HashMap<Node, NodeId>,
    pub(crate) root: NodeId,
}

impl Graph {
    pub(crate) fn empty() -> Self {
        let mut graph = Self { nodes: Vec::new(), ids: HashMap::new(), root: NodeId::REJECT };
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

    /// All ids from the root downwards: predecessors come before their successors.
    pub(crate) fn ids_topological(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..=self.root.0).rev().map(NodeId)
    }

    /// The id of a node, which is added if it is new.
    pub(crate) fn node(&mut self, node: Node) -> NodeId {
        *self.ids.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            NodeId(u32::try_from(self.nodes.len() - 1).expect("an expression is not that long"))
        })
    }

    /// A test node, or the successor if both branches lead to the same one.
    pub(crate) fn test(&mut self, test: Test, if_true: NodeId, if_false: NodeId) -> NodeId {
        if if_true == if_false {
            if_true
        } else {
            self.node(Node::Test { test, if_true, if_false })
        }
    }

    /// The entry node of a condition's tests.
    fn branch(
        &mut self,
        condition: &Condition,
        if_true: NodeId,
        if_false: NodeId,
        values: &mut Values,
    ) -> NodeId {
        match condition {
            Condition::Always(true) => if_true,
            Condition::Always(false) => if_false,
            Condition::Not(inner) => self.branch(inner, if_false, if_true, values),
            Condition::Store(temp, value) => {
                self.node(Node::Store { temp: *temp, value: *value, next: if_true })
            }
            Condition::Chain(first, rest) => {
                let (mut if_true, mut if_false) = (if_true, if_false);
                for (op, next) in rest.iter().rev() {
                    let then = self.branch(next, if_true, if_false, values);
                    match op {
                        BoolOp::And => if_true = then,
                        BoolOp::Or => if_false = then,
                    }
                }
                self.branch(first, if_true, if_false, values)
            }
            Condition::Test(left, op, right) => {
                self.comparison(*left, *op, *right, (if_true, if_false), values)
            }
        }
    }

    fn comparison(
        &mut self,
        left: ValueId,
        op: CmpOp,
        right: ValueId,
        (if_true, if_false): (NodeId, NodeId),
        values: &mut Values,
    ) -> NodeId {
        let (a, b) = (values.as_constant(left), values.as_constant(right));
        if let (Some(a), Some(b)) = (a, b) {
            return if op.holds(a, b) { if_true } else { if_false };
        }
        if a.is_some() {
            // Swap the sides: the constant belongs on the right.
            return match op {
                CmpOp::Equal | CmpOp::AnyBit => {
                    self.comparison(right, op, left, (if_true, if_false), values)
                }
                CmpOp::Greater => {
                    self.comparison(right, CmpOp::GreaterOrEqual, left, (if_false, if_true), values)
                }
                CmpOp::GreaterOrEqual => {
                    self.comparison(right, CmpOp::Greater, left, (if_false, if_true), values)
                }
            };
        }
        // Testing for set bits needs no separate masking.
        if let (CmpOp::Equal, Some(number), Value::Binary(AND, masked, mask)) =
            (op, b, values.get(left))
            && let Some(bits) = values.as_constant(mask)
            && (number == 0 || (number == bits && bits.is_power_of_two()))
        {
            let (if_true, if_false) =
                if number == 0 { (if_false, if_true) } else { (if_true, if_false) };
            return self.test(
                Test { left: masked, op: CmpOp::AnyBit, right: mask },
                if_true,
                if_false,
            );
        }
        self.test(Test { left, op, right }, if_true, if_false)
    }
}
