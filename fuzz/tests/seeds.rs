//! Each law holds for its seeds.

use std::fs;
use std::path::PathBuf;

#[test]
fn laws_hold_for_their_seeds() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, law) in fuzz::LAWS {
        let entries =
            fs::read_dir(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut count = 0;
        for entry in entries {
            let path = entry.unwrap().path();
            law(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(0 < count, "{name} has no seeds");
    }
}

#[test]
fn every_law_has_a_target() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("targets/fuzz_targets");
    let entries = fs::read_dir(root).unwrap();
    let mut targets: Vec<_> =
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned()).collect();
    let mut laws: Vec<_> = fuzz::LAWS.iter().map(|law| law.0).collect();
    targets.sort();
    laws.sort_unstable();
    assert_eq!(targets, laws);
}
