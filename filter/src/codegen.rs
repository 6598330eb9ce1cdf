//! Generates instructions from a control-flow graph.
//!
//! The BPF machine has an accumulator, an index register and 16 words of memory. The generator tracks
//! which values the registers hold on every path, and loads a value only if it is not there yet.

mod registers;

use crate::ast::CmpOp;
use crate::graph::{Graph, Node, NodeId, Test};
use crate::instruction::code::{JA, JEQ, JGE, JGT, JMP, JSET, K, RET, ST, X};
use crate::instruction::{Instruction, Program};
use crate::value::Values;
use registers::{Memory, Registers};

/// Generates the program of a graph, which returns `accept` for accepted packets. `None` if it needs
/// more than the 16 words of memory.
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
    /// Whether to reuse values in registers.
    track_registers: bool,
    memory: Memory,
    /// For each node, the registers on every edge that leads to it.
    incoming: Vec<Vec<Registers>>,
    blocks: Vec<Option<Block>>,
    order: Vec<NodeId>,
}

/// The instructions of a node.
#[derive(Clone, Debug)]
struct Block {
    code: Vec<Instruction>,
    /// How many of these instructions, at the start, only load the registers. Predecessors that leave
    /// the values there jump past them.
    loads: usize,
    end: End,
    /// The registers at the end of the block.
    registers: Registers,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Return(u32),
    Goto(NodeId),
    /// A conditional jump with its code and operand.
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
                Block { code, loads: 0, end: End::Return(verdict), registers: Registers::default() }
            }
            Node::Store { temp, value, next } => {
                let mut registers = self.meet(incoming.iter());
                registers.load_accumulator(value, self.values, &mut self.memory, &mut code)?;
                code.push(Instruction::new(ST, self.memory.word(temp)?));
                registers.invalidate(temp, self.values);
                self.incoming[next.index()].push(registers);
                Block { code, loads: 0, end: End::Goto(next), registers }
            }
            Node::Test { test, if_true, if_false } => {
                let is_ready = |registers: &&Registers| self.is_ready(registers, test);
                let (ready, others): (Vec<_>, Vec<_>) = incoming.iter().partition(is_ready);
                let registers = if others.is_empty() {
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
                self.incoming[if_true.index()].push(registers);
                self.incoming[if_false.index()].push(registers);
                let loads = code.len();
                Block {
                    code,
                    loads,
                    end: End::Branch { code: JMP | jump | mode, k, if_true, if_false },
                    registers,
                }
            }
        };
        self.blocks[id.index()] = Some(block);
        self.order.push(id);
        Some(())
    }

    /// The register values that all of these paths agree on.
    fn meet<'b>(&self, mut paths: impl Iterator<Item = &'b Registers>) -> Registers {
        if !self.track_registers {
            return Registers::default();
        }
        let first = paths.next().copied().unwrap_or_default();
        paths.fold(first, Registers::meet)
    }

    /// Whether the registers already hold the operands of a test.
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

    /// Concatenates the blocks and resolves their jumps.
    fn link(&self) -> Vec<Instruction> {
        let block = |id: NodeId| self.blocks[id.index()].as_ref();
        // A conditional jump skips at most 255 instructions; a longer one goes to an unconditional jump
        // after it. Such a jump makes the code longer, so that others can become too long: repeat
        // until none does. Edges never become near again, so this ends.
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
            // The entry point of a block, past the loads that these registers make unnecessary.
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
                let distance = |from: usize, target| entry(target, &block.registers) - from - 1;
                match block.end {
                    End::Return(verdict) => code.push(Instruction::new(RET, verdict)),
                    End::Goto(next) => {
                        // The next block needs no jump.
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
                        for (edge, target) in [if_true, if_false].into_iter().enumerate() {
                            if far[edge] {
                                let from = here + 1 + trampolines.len();
                                let jumps = distance(from, target).try_into().unwrap_or(u32::MAX);
                                skips[edge] = u8::try_from(trampolines.len()).unwrap_or(u8::MAX);
                                trampolines.push(Instruction::new(JMP | JA, jumps));
                            } else {
                                let near = u8::try_from(distance(here, target));
                                far[edge] = near.is_err();
                                is_stable &= near.is_ok();
                                skips[edge] = near.unwrap_or(u8::MAX);
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
