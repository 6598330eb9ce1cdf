//! Layers and fields of packets.

use tests::corpus;

/// The law of decoding holds for each frame of the corpus: layers are in order, fields lie within them
/// and have the values of the line.
#[test]
fn layers_of_the_corpus_have_the_values_of_the_lines() {
    let Some(frames) = corpus::frames().unwrap() else { return };
    for frame in &frames {
        let missing = frame.wire_len.saturating_sub(u32::try_from(frame.bytes.len()).unwrap());
        let missing = u16::try_from(missing).unwrap_or(u16::MAX);
        let start = [frame.link.0.to_le_bytes(), missing.to_le_bytes()].concat();
        fuzz::check("decode", &[start, frame.bytes.clone()].concat());
    }
    assert!(!frames.is_empty());
}
