use super::*;
use std::time::Duration;

/// The names of the first four files; `existing` files are created before.
fn names(template: &str, rotation: Rotation, overwrite: bool, existing: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for name in existing {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let mut names = FileNamer::new(&directory.path().join(template), rotation, overwrite);
    let mut next = || {
        let output_path = names.next().unwrap();
        fs::write(&output_path.final_path, "").unwrap();
        names.add_ring_file(&output_path.final_path);
        output_path.final_path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    (0..4).map(|_| next()).collect()
}

const BY_SIZE: Rotation = Rotation { size: Some(1), interval: None, count: None };

#[test]
fn files_by_size_are_numbered_from_the_second() {
    assert_eq!(names("a", BY_SIZE, false, &[]), ["a", "a-1", "a-2", "a-3"]);
    assert_eq!(names("a", BY_SIZE, false, &["a-2"]), ["a", "a-1", "a-3", "a-4"]);
    assert_eq!(names("a", BY_SIZE, true, &["a", "a-2"]), ["a", "a-1", "a-2", "a-3"]);
}

#[test]
fn numbers_precede_extensions() {
    assert_eq!(names("a.x.gz", BY_SIZE, false, &[])[..2], ["a.x.gz", "a-1.x.gz"]);
}

#[test]
fn ring_numbers_have_equal_digits_and_wrap() {
    let ring = |count| Rotation { count: Some(count), ..BY_SIZE };
    assert_eq!(names("a", ring(3), false, &[]), ["a-0", "a-1", "a-2", "a-0"]);
    assert_eq!(names("a", ring(11), false, &[])[..2], ["a-00", "a-01"]);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in ["a-2", "a-0"] {
        fs::write(path(name), "").unwrap();
    }
    let newest = SystemTime::now() + Duration::from_secs(1);
    fs::File::options().write(true).open(path("a-0")).unwrap().set_modified(newest).unwrap();
    let start = |overwrite, parts: &[&Path]| {
        let mut names = FileNamer::new(&path("a"), ring(3), overwrite);
        names.find_ring_files()?;
        names.start(parts)?;
        names.next().map(|next| next.final_path)
    };
    assert!(matches!(start(false, &[]), Err(Error::OutputExists { .. })));
    assert_eq!(start(true, &[]).unwrap(), path("a-1"));
    // A run that was interrupted continues without --force.
    let part = path("a-2.part");
    fs::write(&part, "").unwrap();
    let newest = newest + Duration::from_secs(1);
    fs::File::options().write(true).open(&part).unwrap().set_modified(newest).unwrap();
    assert_eq!(start(false, &[&part]).unwrap(), path("a-0"));
}

#[test]
fn ring_skips_files_that_are_not_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let ring = Rotation { count: Some(4), ..BY_SIZE };
    fs::write(path("a-0"), "{\"type\":\"meta\",\"v\":1}\n").unwrap();
    fs::write(path("a-1"), "notes").unwrap();
    std::os::unix::fs::symlink("/nowhere", path("a-2.part")).unwrap();
    let start = |overwrite| {
        let mut namer = FileNamer::new(&path("a"), ring, overwrite);
        namer.find_ring_files().unwrap();
        namer
    };
    let next = |namer: &mut FileNamer| namer.next().map(|next| next.final_path);
    let mut namer = start(false);
    for expected in ["a-0", "a-3", "a-0"] {
        assert_eq!(next(&mut namer).unwrap(), path(expected));
    }
    // A file of the ring that has been changed belongs to whoever changed it.
    fs::write(path("a-0"), "{\"type\":\"meta\",\"v\":1,\"note\":1}\n").unwrap();
    fs::write(path("a-3"), "mine").unwrap();
    fs::write(path("a-0.part"), "").unwrap();
    assert!(matches!(next(&mut namer), Err(Error::OutputExists { .. })));
    // A file that the ring completed is its own.
    namer.add_ring_file(&path("a-3"));
    assert_eq!(next(&mut namer).unwrap(), path("a-3"));
    let mut namer = start(true);
    for expected in ["a-0", "a-1", "a-2", "a-3", "a-0"] {
        assert_eq!(next(&mut namer).unwrap(), path(expected));
    }
}

#[test]
fn part_files_count_as_existing_files() {
    for rotation in [BY_SIZE, Rotation { count: Some(3), ..BY_SIZE }] {
        let directory = tempfile::tempdir().unwrap();
        let namer = |overwrite| FileNamer::new(&directory.path().join("a"), rotation, overwrite);
        let part = namer(false).next().unwrap().path;
        std::os::unix::fs::symlink("/nowhere", &part).unwrap();
        let refused = namer(false).start(&[]).unwrap_err();
        assert!(matches!(&refused, Error::UnfinishedOutput { path } if *path == part), "{refused}");
        namer(true).start(&[]).unwrap();
    }
    assert_eq!(names("a", BY_SIZE, false, &["a-1.part"]), ["a", "a-2", "a-3", "a-4"]);
    assert_eq!(names("a", BY_SIZE, true, &["a-1.part"]), ["a", "a-1", "a-2", "a-3"]);
}

#[test]
fn names_of_earlier_runs_are_recognized() {
    let ring = Rotation { count: Some(20), ..BY_SIZE };
    let by_time = Rotation { size: None, interval: Some(Duration::from_secs(1)), count: None };
    for (template, rotation, names, others) in [
        ("a", BY_SIZE, &["a", "a-1", "a-10"][..], &["a-01", "b", "a+1", "a1", "a-1.gz"][..]),
        ("a.gz", BY_SIZE, &["a.gz", "a-7.gz"], &["a", "a-7", "a7.gz"]),
        ("a.b.gz", BY_SIZE, &["a.b.gz", "a-7.b.gz"], &["a.b7.gz", "a.b-7.gz"]),
        ("a", ring, &["a-00", "a-19"], &["a", "a-0", "a-1", "a-001"]),
        ("a-%H", by_time, &["a-07", "a-1"], &["b-07", "a"]),
        ("%H.b.gz", by_time, &["07.b.gz", "07-1.b.gz"], &["07.c.gz", "07.b"]),
        ("%H.b%M", by_time, &["07.b59", "07.c"], &[]),
    ] {
        let namer = FileNamer::new(&Path::new("/nowhere").join(template), rotation, false);
        for name in names {
            assert!(namer.may_generate(OsStr::new(name)), "{template}: {name}");
        }
        for name in others {
            assert!(!namer.may_generate(OsStr::new(name)), "{template}: {name}");
        }
    }
}

#[test]
fn files_by_time_are_named_after_the_time_or_numbered() {
    let by_time = Rotation { size: None, interval: Some(Duration::from_secs(1)), count: None };
    let seen = names("a-%Y", by_time, false, &[]);
    let year = jiff::Zoned::now().year().to_string();
    assert_eq!(seen[..2], [format!("a-{year}"), format!("a-{year}-1")]);
}

#[test]
fn without_rotation_options_a_moved_file_frees_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let mut names = FileNamer::new(&path, Rotation::default(), false);
    assert_eq!(names.next().unwrap().path, path);
    fs::write(&path, "").unwrap();
    fs::rename(&path, directory.path().join("b")).unwrap();
    assert_eq!(names.next().unwrap().path, path);
    fs::write(&path, "").unwrap();
    assert_eq!(names.next().unwrap().path, directory.path().join("a-1"));
}

#[test]
fn incomplete_files_have_the_part_suffix() {
    let output_path = FileNamer::new(Path::new("/nowhere/a"), BY_SIZE, false).next().unwrap();
    assert_eq!(output_path.path, Path::new("/nowhere/a.part"));
    assert_eq!(output_path.final_path, Path::new("/nowhere/a"));
}
