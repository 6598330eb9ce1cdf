//! Names of the functions that WebAssembly imports from the generated JavaScript.
//!
//! They contain hashes, in both files: random digits, which gzip cannot compress. Numbers in their place
//! save 4 kB of the first load.

use anyhow::{Result, ensure};
use std::collections::BTreeMap;

/// The start of the names.
const PREFIX: &str = "__wbg_";
/// Hexadecimal digits at their end.
const HASH_LEN: usize = 16;

/// Replaces the hashes in the names of imports by numbers, in the JavaScript and in the module. No name
/// changes its length: lengths and offsets in the module stay the same.
///
/// # Errors
///
/// If a name of the JavaScript is missing in the module: the module could not be started.
pub(crate) fn number(script: &str, module: &[u8]) -> Result<(String, Vec<u8>)> {
    let mut numbers: BTreeMap<&str, String> = BTreeMap::new();
    names(script.as_bytes()).for_each(|(_, name)| drop(numbers.insert(name, String::new())));
    for (number, (name, numbered)) in numbers.iter_mut().enumerate() {
        let stem = &name[..name.len() - HASH_LEN];
        *numbered = format!("{stem}{number:0HASH_LEN$}");
    }
    let replace = |bytes: &[u8]| {
        let (mut replaced, mut count) = (bytes.to_vec(), 0);
        for (at, name) in names(bytes) {
            if let Some(numbered) = numbers.get(name) {
                replaced[at..at + name.len()].copy_from_slice(numbered.as_bytes());
                count += 1;
            }
        }
        (replaced, count)
    };
    let (module, count) = replace(module);
    ensure!(numbers.len() <= count, "imports of the JavaScript are missing in the module");
    Ok((String::from_utf8(replace(script.as_bytes()).0)?, module))
}

/// The names with a hash, with their offsets.
fn names(bytes: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let starts = bytes.windows(PREFIX.len()).enumerate();
    let starts = starts.filter(|(_, window)| *window == PREFIX.as_bytes());
    starts.filter_map(move |(at, _)| {
        let rest = &bytes[at..];
        // The hash ends the name. In the module, the next byte can be a letter, too.
        let len = rest.iter().position(|byte| !is_letter(byte)).unwrap_or(rest.len());
        let end = (PREFIX.len() + HASH_LEN..=len).find(|end| {
            let hash = &rest[end - HASH_LEN..*end];
            rest[end - HASH_LEN - 1] == b'_' && hash.iter().all(u8::is_ascii_hexdigit)
        })?;
        Some((at, str::from_utf8(&rest[..end]).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_become_numbers_of_the_same_length() {
        let script = "__wbg_set_00ff00ff00ff00ff: f, __wbg_get_0123456789abcdef: g(__wbg_short), \
                      __wbg_set_a0ff00ff00ff00ff: h";
        let module = b"\x1a__wbg_set_a0ff00ff00ff00ff\x00\x1a__wbg_get_0123456789abcdefA\x1a__wbg_set_00ff00ff00ff00ff";
        let (script, module) = number(script, module).unwrap();
        assert_eq!(
            script,
            "__wbg_set_0000000000000001: f, __wbg_get_0000000000000000: g(__wbg_short), \
             __wbg_set_0000000000000002: h"
        );
        assert_eq!(
            module,
            b"\x1a__wbg_set_0000000000000002\x00\x1a__wbg_get_0000000000000000A\x1a__wbg_set_0000000000000001"
        );
        assert!(number("__wbg_set_00ff00ff00ff00ff", b"\0asm").is_err());
    }
}
