//! Makes the wasm and its glue smaller when they are packed, without another meaning: gzip looks back
//! 32 KiB only, so functions that are alike are put side by side, and the long names by which the two
//! know each other become short.

use anyhow::{Context, Result, anyhow, bail};
use minifier::{css, js};
use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::Path;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, ExportSection, FunctionSection, ImportSection, Module};
use wasmparser::{
    CodeSectionReader, Export, FunctionSectionReader, Import, ImportSectionReader, Parser, Payload,
    TypeRef,
};

/// Packs the module and its glue in place.
///
/// # Errors
///
/// Where they cannot be read, are none, or cannot be written.
pub(crate) fn pack(wasm: &Path, glue: &Path) -> Result<()> {
    let module = fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?;
    let script = fs::read_to_string(glue).with_context(|| format!("reading {}", glue.display()))?;
    let (mut module, names) = packed(&module)?;
    crate::locations::forget(&mut module)?;
    fs::write(wasm, module)?;
    fs::write(glue, renamed(&script, &names))?;
    Ok(())
}

/// Leaves out of a script or a style sheet what is for people, in place; other files stay.
///
/// # Errors
///
/// Where it cannot be read, is none, or cannot be written.
pub(crate) fn minify(path: &Path) -> Result<()> {
    let text = || fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
    let minified = match path.extension().and_then(|extension| extension.to_str()) {
        Some("js") => js::minify(&text()?).to_string(),
        Some("css") => match css::minify(&text()?) {
            Ok(minified) => minified.to_string(),
            Err(reason) => bail!("{}: {reason}", path.display()),
        },
        _ => return Ok(()),
    };
    Ok(fs::write(path, minified)?)
}

/// The module with its functions in another order and shorter names, and which names those are.
fn packed(module: &[u8]) -> Result<(Vec<u8>, HashMap<String, String>)> {
    let mut packing = Packing::new(module)?;
    let mut packed = Module::new();
    packing
        .parse_core_module(&mut packed, Parser::new(0), module)
        .map_err(|error| anyhow!("packing the wasm: {error}"))?;
    Ok((packed.finish(), packing.names))
}

/// Words of a script that are among the names, replaced.
fn renamed(script: &str, names: &HashMap<String, String>) -> String {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut renamed = String::new();
    let mut rest = script;
    while let Some(from) = rest.find(is_of_word) {
        let len = rest[from..].find(|c| !is_of_word(c)).unwrap_or(rest.len() - from);
        let (before, after) = rest.split_at(from + len);
        let word = &before[from..];
        renamed += &before[..from];
        renamed += names.get(word).map_or(word, String::as_str);
        rest = after;
    }
    renamed + rest
}

/// How a module is to be written anew.
#[derive(Debug, Default)]
struct Packing {
    /// Functions that are imported: their numbers come first, and stay.
    imported_count: u32,
    /// The other functions' old numbers in their new order, from 0.
    order: Vec<u32>,
    /// The inverse of `order`.
    places: Vec<u32>,
    /// Old and new names of imports and exports.
    names: HashMap<String, String>,
}

impl Packing {
    fn new(module: &[u8]) -> Result<Self> {
        let mut packing = Self::default();
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        packing.imported_count += u32::from(matches!(import.ty, TypeRef::Func(_)));
                        packing.shorten(import.name);
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        packing.shorten(export?.name);
                    }
                }
                Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes().to_owned()),
                _ => {}
            }
        }
        packing.order = order(&bodies);
        packing.places = vec![0; bodies.len()];
        for (place, number) in (0..).zip(&packing.order) {
            packing.places[*number as usize] = place;
        }
        Ok(packing)
    }

    /// Gives wasm-bindgen's own names shorter ones; other names are known to others.
    fn shorten(&mut self, name: &str) {
        if name.starts_with("__wbg_") || name.starts_with("wasm_bindgen__") {
            let number = self.names.len();
            self.names.entry(name.to_owned()).or_insert_with(|| format!("_{number}"));
        }
    }

    fn name<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }
}

impl Reencode for Packing {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, number: u32) -> Result<u32, Error> {
        Ok(match number.checked_sub(self.imported_count) {
            Some(local) => self.imported_count + self.places[local as usize],
            None => number,
        })
    }

    fn parse_import_section(
        &mut self,
        to: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error> {
        for import in section.into_imports() {
            let Import { module, name, ty } = import?;
            let kind = self.entity_type(ty)?;
            to.import(module, self.name(name), kind);
        }
        Ok(())
    }

    fn parse_export(&mut self, to: &mut ExportSection, export: Export<'_>) -> Result<(), Error> {
        let (kind, index) =
            (self.export_kind(export.kind)?, self.external_index(export.kind, export.index)?);
        to.export(self.name(export.name), kind, index);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        to: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for number in self.order.clone() {
            to.function(self.type_index(types[number as usize])?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        to: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for number in self.order.clone() {
            utils::parse_function_body(self, to, bodies[number as usize].clone())?;
        }
        Ok(())
    }
}

/// Bytes of a piece by which functions are compared.
const PIECE_LEN: usize = 5;
/// Pieces that so many functions have tell nothing.
const TOO_COMMON: usize = 200;
/// Bytes of the functions before, to which the next one is to be alike.
const WINDOW_LEN: usize = 1_000;

/// An order in which each function is followed by the one that has most in common with those just
/// before it, for its length.
fn order(bodies: &[Vec<u8>]) -> Vec<u32> {
    let pieces: Vec<Vec<u64>> = bodies.iter().map(|body| pieces(body)).collect();
    let mut owners: HashMap<u64, Vec<u32>> = HashMap::new();
    for (number, pieces) in (0..).zip(&pieces) {
        pieces.iter().for_each(|piece| owners.entry(*piece).or_default().push(number));
    }
    owners.retain(|_, owners| owners.len() < TOO_COMMON);
    let mut window = VecDeque::new();
    let mut window_len = 0;
    // In how many functions of the window each piece is, and how many of those each function has.
    let mut counts: HashMap<u64, usize> = HashMap::new();
    let mut common = vec![0isize; bodies.len()];
    let mut change = |number: u32, by: isize, common: &mut Vec<isize>| {
        for piece in &pieces[number as usize] {
            let count = counts.entry(*piece).or_default();
            let before = *count;
            *count = count.saturating_add_signed(by);
            if (before == 0) != (*count == 0) {
                let owners = owners.get(piece).into_iter().flatten();
                owners.for_each(|owner| common[*owner as usize] += by);
            }
        }
    };
    let mut left: Vec<u32> = (0..).take(bodies.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let len = |number: u32| bodies[number as usize].len();
        let share = |number: u32| common[number as usize] as f64 / (len(number) + 40) as f64;
        let next = (0..left.len()).max_by(|a, b| {
            let (a, b) = (left[*a], left[*b]);
            share(a).total_cmp(&share(b)).then(len(a).cmp(&len(b)))
        });
        let number = left.remove(next.unwrap_or_default());
        order.push(number);
        change(number, 1, &mut common);
        window.push_back(number);
        window_len += bodies[number as usize].len();
        while WINDOW_LEN < window_len && 1 < window.len() {
            let Some(first) = window.pop_front() else { break };
            window_len -= bodies[first as usize].len();
            change(first, -1, &mut common);
        }
    }
    order
}

/// The different pieces of a function.
fn pieces(body: &[u8]) -> Vec<u64> {
    let piece = |bytes: &[u8]| bytes.iter().fold(0, |piece, byte| piece << 8 | u64::from(*byte));
    let mut pieces: Vec<u64> = body.windows(PIECE_LEN).map(piece).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use wasm_encoder::{EntityType, ExportKind, Function, TypeSection, ValType};
    use wasmparser::Operator;

    const COUNT: u32 = 50;

    /// Function `n` says so and calls the one after it; the last one calls the import.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        types.ty().function([ValType::I32], []);
        let mut imports = ImportSection::new();
        imports.import("./glue.js", "__wbg_log_0123456789abcdef", EntityType::Function(0));
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for n in 0..COUNT {
            functions.function(n % 2);
            let mut body = Function::new([]);
            let mut instructions = body.instructions();
            instructions.i32_const(n.cast_signed()).drop();
            if (n + 1) % 2 == 1 {
                instructions.i32_const(7);
            }
            instructions.call((n + 2) % (COUNT + 1)).end();
            code.function(&body);
        }
        let mut exports = ExportSection::new();
        exports.export("start", ExportKind::Func, 1).export("memory_of", ExportKind::Func, 6);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&exports);
        module.section(&code);
        module.finish()
    }

    /// Number and type of a function by what it says, and what it calls.
    fn functions(module: &[u8]) -> (BTreeMap<i32, (u32, u32)>, BTreeMap<i32, u32>) {
        let (mut types, mut found, mut calls) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut number = 1;
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::FunctionSection(section) => {
                    types = section.into_iter().map(Result::unwrap).collect();
                }
                Payload::CodeSectionEntry(body) => {
                    let operators = body.get_operators_reader().unwrap().into_iter();
                    let operators: Vec<_> = operators.map(Result::unwrap).collect();
                    let Operator::I32Const { value } = operators[0] else { panic!() };
                    found.insert(value, (number, types[number as usize - 1]));
                    let call = operators.iter().find_map(|operator| match operator {
                        Operator::Call { function_index } => Some(*function_index),
                        _ => None,
                    });
                    calls.insert(value, call.unwrap());
                    number += 1;
                }
                _ => {}
            }
        }
        (found, calls)
    }

    #[test]
    fn packed_functions_are_the_same_and_call_the_same() {
        let module = module();
        let (packed, names) = packed(&module).unwrap();
        let (found, calls) = functions(&packed);
        for n in 0..COUNT {
            let said = n.cast_signed();
            let called = found.get(&(said + 1)).map_or(0, |(number, _)| *number);
            assert_eq!((calls[&said], found[&said].1), (called, n % 2), "{n}");
        }
        let exports =
            Parser::new(0).parse_all(&packed).find_map(|payload| match payload.unwrap() {
                Payload::ExportSection(section) => Some(section),
                _ => None,
            });
        let exports: Vec<_> = exports.unwrap().into_iter().map(Result::unwrap).collect();
        let exports: Vec<_> = exports.iter().map(|export| (export.name, export.index)).collect();
        assert_eq!(exports, [("start", found[&0].0), ("memory_of", found[&5].0)]);
        let script = "import_.__wbg_log_0123456789abcdef = () => my__wbg_log_0123456789abcdef;";
        assert_eq!(renamed(script, &names), "import_._0 = () => my__wbg_log_0123456789abcdef;");
        assert_eq!(packed.len() + "__wbg_log_0123456789abcdef".len() - "_0".len(), module.len());
    }

    #[test]
    fn functions_that_are_alike_are_neighbours() {
        let body = |seed: u8, last| {
            [vec![seed; 9], (0..40u8).map(|n| n.wrapping_mul(seed)).collect(), vec![last]]
        };
        let bodies = [(1, 1), (7, 1), (1, 2), (7, 2), (1, 3), (7, 3)];
        let bodies = bodies.map(|(seed, last)| body(seed, last).concat());
        let order = order(&bodies);
        let kinds: Vec<_> = order.iter().map(|number| number % 2).collect();
        assert!(kinds == [0, 0, 0, 1, 1, 1] || kinds == [1, 1, 1, 0, 0, 0], "{order:?}");
    }
}
