//! A graph to instructions. The machine has an accumulator, an index register and sixteen words of
//! memory; what they hold is followed from node to node, so that nothing is loaded twice in a row.

mod registers;

use crate::graph::{Graph, Node, NodeId, Test};
use crate::instruction::code::{JA, JEQ, JGE, JGT, JMP, JSET, K, RET, ST, X};
use crate::instruction::{Instruction, Program};
use crate::tree::Relation;
use crate::value::Values;
use registers::{Memory, Registers};

/// The program of a graph, which accepts with that number. `None` if it needs more memory than there is.
pub(crate) fn program(
    graph: &Graph,
    values: &Values,
    accept: u32,
    remember: bool,
) -> Option<Program> {
    let mut emitter = Emitter {
        graph,
        values,
        accept,
        remember,
        memory: Memory::default(),
        arrivals: vec![Vec::new(); graph.len()],
        blocks: vec![None; graph.len()],
        order: Vec::new(),
    };
    emitter.arrivals[graph.root.index()].push(Registers::default());
    for id in graph.ids_downwards() {
        if !emitter.arrivals[id.index()].is_empty() {
            emitter.block(id)?;
        }
    }
    Some(Program::new(emitter.linked()))
}

struct Emitter<'a> {
    graph: &'a Graph,
    values: &'a Values,
    accept: u32,
    /// Whether to use what registers hold.
    remember: bool,
    memory: Memory,
    /// What the registers hold on each way to a node.
    arrivals: Vec<Vec<Registers>>,
    blocks: Vec<Option<Block>>,
    order: Vec<NodeId>,
}

/// The instructions of a node.
#[derive(Clone, Debug)]
struct Block {
    code: Vec<Instruction>,
    /// How many of them only load what some nodes before leave in the registers anyway.
    loads: usize,
    end: End,
    /// What the registers hold at the end.
    left: Registers,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Return(u32),
    Goto(NodeId),
    /// A jump by its code and its operand.
    Branch {
        code: u16,
        k: u32,
        yes: NodeId,
        no: NodeId,
    },
}

impl Emitter<'_> {
    fn block(&mut self, id: NodeId) -> Option<()> {
        let arrivals = std::mem::take(&mut self.arrivals[id.index()]);
        let mut code = Vec::new();
        let block = match self.graph.get(id) {
            Node::Return(accepts) => {
                let verdict = if accepts { self.accept } else { 0 };
                Block { code, loads: 0, end: End::Return(verdict), left: Registers::default() }
            }
            Node::Set { slot, value, next } => {
                let mut registers = self.meet(arrivals.iter());
                registers.put_in_accumulator(value, self.values, &mut self.memory, &mut code)?;
                code.push(Instruction::new(ST, self.memory.word(slot)?));
                registers.stored(slot, self.values);
                self.arrivals[next.index()].push(registers);
                Block { code, loads: 0, end: End::Goto(next), left: registers }
            }
            Node::Test { test, yes, no } => {
                let is_ready = |registers: &&Registers| self.is_ready(registers, test);
                let (ready, others): (Vec<_>, Vec<_>) = arrivals.iter().partition(is_ready);
                let left = if others.is_empty() {
                    self.meet(ready.into_iter())
                } else {
                    let mut loaded = self.meet(others.into_iter());
                    self.load(test, &mut loaded, &mut code)?;
                    ready.into_iter().fold(loaded, Registers::meet)
                };
                let jump = match test.relation {
                    Relation::Equal => JEQ,
                    Relation::Greater => JGT,
                    Relation::GreaterOrEqual => JGE,
                    Relation::AnyBit => JSET,
                };
                let (mode, k) =
                    self.values.as_constant(test.right).map_or((X, 0), |number| (K, number));
                self.arrivals[yes.index()].push(left);
                self.arrivals[no.index()].push(left);
                let loads = code.len();
                Block {
                    code,
                    loads,
                    end: End::Branch { code: JMP | jump | mode, k, yes, no },
                    left,
                }
            }
        };
        self.blocks[id.index()] = Some(block);
        self.order.push(id);
        Some(())
    }

    /// What registers hold on all of those ways.
    fn meet<'b>(&self, mut ways: impl Iterator<Item = &'b Registers>) -> Registers {
        if !self.remember {
            return Registers::default();
        }
        let first = ways.next().copied().unwrap_or_default();
        ways.fold(first, Registers::meet)
    }

    /// Whether the registers hold what a test compares.
    fn is_ready(&self, registers: &Registers, test: Test) -> bool {
        self.remember
            && registers.accumulator == Some(test.left)
            && (self.values.as_constant(test.right).is_some()
                || registers.index == Some(test.right))
    }

    fn load(
        &mut self,
        test: Test,
        registers: &mut Registers,
        code: &mut Vec<Instruction>,
    ) -> Option<()> {
        if self.values.as_constant(test.right).is_some() {
            return registers.put_in_accumulator(test.left, self.values, &mut self.memory, code);
        }
        registers.put_in_both(test.left, test.right, self.values, &mut self.memory, code)
    }

    /// All blocks one after the other, with their jumps.
    fn linked(&self) -> Vec<Instruction> {
        let block = |id: NodeId| self.blocks[id.index()].as_ref();
        // A conditional jump reaches 255 instructions; beyond, an unconditional one goes on.
        let mut is_far = vec![[false; 2]; self.blocks.len()];
        loop {
            let mut starts = vec![0; self.blocks.len()];
            let mut at = 0;
            for (n, id) in self.order.iter().enumerate() {
                starts[id.index()] = at;
                let Some(block) = block(*id) else { continue };
                let far = is_far[id.index()].iter().filter(|far| **far).count();
                at += block.code.len()
                    + far
                    + match block.end {
                        End::Goto(next) => usize::from(self.order.get(n + 1) != Some(&next)),
                        _ => 1,
                    };
            }
            // Where to enter a block with those registers.
            let entry = |target: NodeId, registers: &Registers| {
                let Some(Block { loads, .. }) = block(target) else {
                    return starts[target.index()];
                };
                match self.graph.get(target) {
                    Node::Test { test, .. } if self.is_ready(registers, test) => {
                        starts[target.index()] + loads
                    }
                    _ => starts[target.index()],
                }
            };
            let mut code = Vec::with_capacity(at);
            let mut is_stable = true;
            for (n, id) in self.order.iter().enumerate() {
                let Some(block) = block(*id) else { continue };
                code.extend_from_slice(&block.code);
                let distance = |from: usize, target| entry(target, &block.left) - from - 1;
                match block.end {
                    End::Return(verdict) => code.push(Instruction::new(RET, verdict)),
                    End::Goto(next) => {
                        // What follows at once needs no jump.
                        if self.order.get(n + 1) != Some(&next) {
                            let jumps = distance(code.len(), next);
                            code.push(Instruction::new(
                                JMP | JA,
                                jumps.try_into().unwrap_or(u32::MAX),
                            ));
                        }
                    }
                    End::Branch { code: jump, k, yes, no } => {
                        let here = code.len();
                        let far = &mut is_far[id.index()];
                        let mut hops = Vec::new();
                        let mut skips = [0; 2];
                        for (way, target) in [yes, no].into_iter().enumerate() {
                            if far[way] {
                                let from = here + 1 + hops.len();
                                let jumps = distance(from, target).try_into().unwrap_or(u32::MAX);
                                skips[way] = u8::try_from(hops.len()).unwrap_or(u8::MAX);
                                hops.push(Instruction::new(JMP | JA, jumps));
                            } else {
                                let near = u8::try_from(distance(here, target));
                                far[way] = near.is_err();
                                is_stable &= near.is_ok();
                                skips[way] = near.unwrap_or(u8::MAX);
                            }
                        }
                        code.push(Instruction { code: jump, jt: skips[0], jf: skips[1], k });
                        code.extend(hops);
                    }
                }
            }
            if is_stable {
                return code;
            }
        }
    }
}
