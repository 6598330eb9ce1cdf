//! Takes out of a wasm module where in the source its panics are: nobody is told, for the page ends a
//! worker that fails and has no place for it, and no two of them are alike, which packs badly.

use anyhow::Result;
use std::ops::Range;
use wasmparser::{DataKind, Operator, Parser, Payload};

/// Length of what the compiler keeps for a panic (`core::panic::Location`): address and length of the
/// file's name, line and column, four little-endian bytes each.
const LOCATION_LEN: usize = 16;

/// A data segment: where it is in memory, and in the module.
struct Segment {
    address: usize,
    bytes: Range<usize>,
}

/// Sets the lines, columns and files' names of all panics to 0, in place; says how many panics.
///
/// # Errors
///
/// Where the module cannot be read.
pub(crate) fn forget(module: &mut [u8]) -> Result<usize> {
    let segments = segments(module)?;
    let mut names = Vec::new();
    let mut lines = Vec::new();
    for segment in &segments {
        // What the compiler keeps begins at a multiple of its words' length.
        let first = segment.bytes.start + segment.address.next_multiple_of(4) - segment.address;
        for at in (first..segment.bytes.end.saturating_sub(LOCATION_LEN - 1)).step_by(4) {
            let words: [usize; 4] = std::array::from_fn(|word| {
                let bytes: [u8; 4] = std::array::from_fn(|byte| module[at + 4 * word + byte]);
                u32::from_le_bytes(bytes) as usize
            });
            if let Some(name) = name(module, &segments, words) {
                names.push(name);
                lines.push(at + 8..at + LOCATION_LEN);
            }
        }
    }
    let count = lines.len();
    lines.into_iter().chain(names).for_each(|range| module[range].fill(0));
    Ok(count)
}

/// Where in the module the file's name is, where the words are those of a panic's place.
fn name(module: &[u8], segments: &[Segment], words: [usize; 4]) -> Option<Range<usize>> {
    /// No name is longer, no file and no line.
    const MAX_NAME_LEN: usize = 300;
    const MAX_LINE: usize = 100_000;
    const MAX_COLUMN: usize = 1_000;
    let [address, len, line, column] = words;
    let is_place = (1..MAX_LINE).contains(&line) && (1..MAX_COLUMN).contains(&column);
    if !is_place || !(".rs".len()..MAX_NAME_LEN).contains(&len) {
        return None;
    }
    let mut found = segments.iter().filter_map(|segment| {
        let start = segment.bytes.start + address.checked_sub(segment.address)?;
        (start + len <= segment.bytes.end).then_some(start..start + len)
    });
    let range = found.next()?;
    let is_name = |byte: &u8| byte.is_ascii_graphic();
    let name = &module[range.clone()];
    (name.ends_with(b".rs") && name.iter().all(is_name)).then_some(range)
}

fn segments(module: &[u8]) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::DataSection(data) = payload? else { continue };
        for data in data {
            let data = data?;
            let DataKind::Active { memory_index: 0, offset_expr } = data.kind else { continue };
            if let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? {
                let bytes = data.range.end - data.data.len()..data.range.end;
                segments.push(Segment { address: value.cast_unsigned() as usize, bytes });
            }
        }
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{ConstExpr, DataSection, MemorySection, MemoryType, Module};

    #[test]
    fn places_are_forgotten_and_all_else_stays() {
        let name = b"viewer/src/app/mod.rs";
        let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let place = |address, len, line, column| [address, len, line, column].map(word).concat();
        // From address 1,001 on: the name, then what looks like a place and what does not.
        let (base, text) = (1_001, [&name[..], b"lib.rs is a word"].concat());
        let mut data = text.clone();
        data.resize((base + data.len()).next_multiple_of(4) - base, 0);
        let others = [
            place(base, name.len(), 0, 5),
            place(base, name.len() - 1, 7, 5),
            place(base + 90_000, name.len(), 7, 5),
            place(base + name.len(), 16, 7, 5),
        ]
        .concat();
        let start = data.len();
        data.extend(place(base, name.len(), 1_234, 56));
        data.extend(&others);
        let mut module = Module::new();
        let memory_type = MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        module.section(MemorySection::new().memory(memory_type));
        let offset = ConstExpr::i32_const(i32::try_from(base).unwrap());
        module.section(DataSection::new().active(0, &offset, data.iter().copied()));
        let mut module = module.finish();
        assert_eq!(forget(&mut module).unwrap(), 1);
        let mut expected = data;
        expected[..name.len()].fill(0);
        expected[start + 8..start + 16].fill(0);
        let segment = &segments(&module).unwrap()[0];
        assert_eq!(module[segment.bytes.clone()], expected);
        assert_eq!(forget(&mut module).unwrap(), 0);
    }
}
