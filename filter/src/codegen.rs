//! A graph to instructions. The machine has an accumulator, an index register and sixteen words of
//! memory; what they hold is followed from node to node, so that nothing is loaded twice in a row.

mod registers;

use crate::ast::CmpOp;
use crate::graph::{Graph, Node, NodeId, Test};
use crate::instruction::code::{JA, JEQ, JGE, JGT, JMP, JSET, K, RET, ST, X};
use crate::instruction::{Instruction, Program};
use crate::value::Values;
use registers::{Memory, Registers};

/// The program of a graph, which accepts with that number. `None` if it needs more memory than there is.
pub(crate) fn program(
    graph: &Graph,
    values: &Values,
    accept: u32,
    track_registers: bool,
) -> Option<Program> {
    let mut codegen = Codegen {
        graph,
        values,
        accept,
        track_registers,
        memory: Memory::default(),
        incoming: vec![Vec::new(); graph.len()],
        blocks: vec![None; graph.len()],
        order: Vec::new(),
    };
    codegen.incoming[graph.root.index()].push(Registers::default());
    for id in graph.ids_topological() {
        if !codegen.incoming[id.index()].is_empty() {
            codegen.block(id)?;
        }
    }
    Some(Program::new(codegen.link()))
}

struct Codegen<'a> {
    graph: &'a Graph,
    values: &'a Values,
    accept: u32,
    /// Whether to use what registers hold.
    track_registers: bool,
    memory: Memory,
    /// What the registers hold on each way to a node.
    incoming: Vec<Vec<Registers>>,
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
        if_true: NodeId,
        if_false: NodeId,
    },
}

impl Codegen<'_> {
    fn block(&mut self, id: NodeId) -> Option<()> {
        let incoming = std::mem::take(&mut self.incoming[id.index()]);
        let mut code = Vec::new();
        let block = match self.graph.get(id) {
            Node::Return(accepts) => {
                let verdict = if accepts { self.accept } else { 0 };
                Block { code, loads: 0, end: End::Return(verdict), left: Registers::default() }
            }
            Node::Store { temp, value, next } => {
                let mut registers = self.meet(incoming.iter());
                registers.load_accumulator(value, self.values, &mut self.memory, &mut code)?;
                code.push(Instruction::new(ST, self.memory.word(temp)?));
                registers.stored(temp, self.values);
                self.incoming[next.index()].push(registers);
                Block { code, loads: 0, end: End::Goto(next), left: registers }
            }
            Node::Test { test, if_true, if_false } => {
                let is_ready = |registers: &&Registers| self.is_ready(registers, test);
                let (ready, others): (Vec<_>, Vec<_>) = incoming.iter().partition(is_ready);
                let left = if others.is_empty() {
                    self.meet(ready.into_iter())
                } else {
                    let mut loaded = self.meet(others.into_iter());
                    self.load(test, &mut loaded, &mut code)?;
                    ready.into_iter().fold(loaded, Registers::meet)
                };
                let jump = match test.op {
                    CmpOp::Equal => JEQ,
                    CmpOp::Greater => JGT,
                    CmpOp::GreaterOrEqual => JGE,
                    CmpOp::AnyBit => JSET,
                };
                let (mode, k) =
                    self.values.as_constant(test.right).map_or((X, 0), |number| (K, number));
                self.incoming[if_true.index()].push(left);
                self.incoming[if_false.index()].push(left);
                let loads = code.len();
                Block {
                    code,
                    loads,
                    end: End::Branch { code: JMP | jump | mode, k, if_true, if_false },
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
        if !self.track_registers {
            return Registers::default();
        }
        let first = ways.next().copied().unwrap_or_default();
        ways.fold(first, Registers::meet)
    }

    /// Whether the registers hold what a test compares.
    fn is_ready(&self, registers: &Registers, test: Test) -> bool {
        self.track_registers
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
            return registers.load_accumulator(test.left, self.values, &mut self.memory, code);
        }
        registers.load_both(test.left, test.right, self.values, &mut self.memory, code)
    }

    /// All blocks one after the other, with their jumps.
    fn link(&self) -> Vec<Instruction> {
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
                    End::Branch { code: jump, k, if_true, if_false } => {
                        let here = code.len();
                        let far = &mut is_far[id.index()];
                        let mut trampolines = Vec::new();
                        let mut skips = [0; 2];
                        for (way, target) in [if_true, if_false].into_iter().enumerate() {
                            if far[way] {
                                let from = here + 1 + trampolines.len();
                                let jumps = distance(from, target).try_into().unwrap_or(u32::MAX);
                                skips[way] = u8::try_from(trampolines.len()).unwrap_or(u8::MAX);
                                trampolines.push(Instruction::new(JMP | JA, jumps));
                            } else {
                                let near = u8::try_from(distance(here, target));
                                far[way] = near.is_err();
                                is_stable &= near.is_ok();
                                skips[way] = near.unwrap_or(u8::MAX);
                            }
                        }
                        code.push(Instruction { code: jump, jt: skips[0], jf: skips[1], k });
                        code.extend(trampolines);
                    }
                }
            }
            if is_stable {
                return code;
            }
        }
    }
}
