use super::*;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::time::Duration;

use super::super::file_namer::Rotation;

const BY_SIZE: Rotation = Rotation { size: Some(1), interval: None, count: None };
const META: &str = "{\"type\":\"meta\",\"v\":1}\n";

const PACKET: &str = "{\"type\":\"pkt\"}\n";

/// Recovers the files in `directory` of a run with `-w a`. `None` if no run was interrupted.
fn recover_in(directory: &Path, rotation: Rotation) -> Result<Option<Vec<PathBuf>>, Error> {
    let mut namer = FileNamer::new(&directory.join("a"), rotation, false);
    namer.find_ring_files()?;
    let parts = find(&namer, &[])?.parts;
    let was_interrupted = !parts.is_empty();
    let completed = parts.into_iter().map(|part| part.complete(&mut namer, None));
    let completed = completed.collect::<Result<Vec<_>, _>>()?;
    Ok(was_interrupted.then(|| completed.into_iter().flatten().collect()))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn whole_lines_are_kept_under_the_final_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("a-3.part"), format!("{META}{{\"type\":\"pkt\"}}\n{{\"ty")).unwrap();
    fs::write(path("a-4.part"), "{\"type\":\"me").unwrap();
    fs::write(path("a-5.part"), "").unwrap();
    assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), Some(vec![path("a-3")]));
    assert_eq!(names(directory.path()), ["a-3"]);
    let expected = format!("{META}{PACKET}");
    assert_eq!(fs::read_to_string(path("a-3")).unwrap(), expected);
    // A run was interrupted even if it left no packet.
    for text in ["", META] {
        fs::write(path("a-4.part"), text).unwrap();
        assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), Some(Vec::new()));
        assert_eq!(names(directory.path()), ["a-3"]);
    }
}

#[test]
fn compressed_files_end_properly() {
    let line = "{\"type\":\"pkt\",\"n\":1}\n";
    let text = format!("{META}{}", line.repeat(50_000));
    for compression in [Compression::Gzip, Compression::Zstd] {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let mut encoder = Encoder::new(Vec::new(), compression).unwrap();
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.flush().unwrap();
        encoder.write_all(&line.as_bytes()[..5]).unwrap();
        encoder.flush().unwrap();
        // The end is missing, and the rest of an interrupted recovery is in the way.
        fs::write(path("a.part"), encoder.inner()).unwrap();
        fs::write(path("a.part.part"), "rest").unwrap();
        assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), Some(vec![path("a")]));
        assert_eq!(names(directory.path()), ["a"]);
        let bytes = fs::read(path("a")).unwrap();
        let mut plain = Vec::new();
        match compression {
            Compression::Zstd => plain = zstd::decode_all(&bytes[..]).unwrap(),
            _ => drop(MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap()),
        }
        assert!(plain == text.as_bytes(), "{compression:?}: {} bytes", plain.len());
    }
}

#[test]
fn a_ring_replaces_its_oldest_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let ring = Rotation { count: Some(2), ..BY_SIZE };
    let new = format!("{META}{PACKET}");
    fs::write(path("a-1"), META).unwrap();
    fs::write(path("a-1.part"), &new).unwrap();
    assert_eq!(recover_in(directory.path(), ring).unwrap(), Some(vec![path("a-1")]));
    assert_eq!(fs::read_to_string(path("a-1")).unwrap(), new);
    // No other file is replaced.
    for (name, text, rotation) in [("a-0", "old", ring), ("a", META, BY_SIZE)] {
        let part = path(&format!("{name}.part"));
        fs::write(path(name), text).unwrap();
        fs::write(&part, &new).unwrap();
        assert_eq!(recover_in(directory.path(), rotation).unwrap(), None);
        assert_eq!(fs::read_to_string(path(name)).unwrap(), text);
        assert_eq!(fs::read_to_string(&part).unwrap(), new);
        fs::remove_file(part).unwrap();
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("victim"), META).unwrap();
    symlink(path("victim"), path("a.part")).unwrap();
    fs::write(path("a-1.part"), "notes\n").unwrap();
    fs::write(path("a-2.part"), META).unwrap();
    fs::hard_link(path("a-2.part"), path("other")).unwrap();
    fs::write(path("b.part"), META).unwrap();
    let before = names(directory.path());
    assert_eq!(recover_in(directory.path(), BY_SIZE).unwrap(), None);
    assert_eq!(names(directory.path()), before);
}

#[test]
fn a_file_being_written_is_an_error_unless_names_contain_the_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.part");
    fs::write(&path, META).unwrap();
    let file = File::open(&path).unwrap();
    file.try_lock().unwrap();
    let refused = recover_in(directory.path(), BY_SIZE).unwrap_err();
    assert!(matches!(refused, Error::OutputInUse { .. }), "{refused}");
    let by_time = Rotation { interval: Some(Duration::from_secs(1)), ..Rotation::default() };
    assert_eq!(recover_in(directory.path(), by_time).unwrap(), None);
    assert!(path.exists());
}
