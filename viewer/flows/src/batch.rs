//! Batches of lines, in the form in which they are passed from one WebAssembly module to another: the
//! offset of each line in the decompressed file, its length, and its bytes.

/// Appends a line to a batch.
pub fn push_line(line: &[u8], offset: u64, batch: &mut Vec<u8>) {
    // Lines have at most 1 MiB.
    let len = u32::try_from(line.len()).unwrap_or(u32::MAX);
    batch.extend(offset.to_le_bytes());
    batch.extend(len.to_le_bytes());
    batch.extend_from_slice(line);
}

/// The lines of a batch with their offsets.
pub(crate) fn lines(mut batch: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let (offset, rest) = batch.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let (line, rest) = rest.split_at_checked(len)?;
        batch = rest;
        Some((u64::from_le_bytes(*offset), line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept() {
        let mut batch = Vec::new();
        push_line(b"{}", 7, &mut batch);
        push_line(b"", u64::MAX, &mut batch);
        assert_eq!(lines(&batch).collect::<Vec<_>>(), [(7, &b"{}"[..]), (u64::MAX, b"")]);
        batch.pop();
        assert_eq!(lines(&batch).count(), 1);
    }
}
