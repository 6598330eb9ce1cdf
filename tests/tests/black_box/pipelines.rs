//! The Dockerfile and the workflows, which cannot run here: a linter checks the syntax, and the paths
//! are compared with what the commands build.

use std::fs;
use std::process::Command;
use xtask::build::{root, site_path, target};
use xtask::dist::{Linkage, program_path};
use xtask::python::hadolint_path;

#[test]
fn dockerfile_has_no_lint_and_copies_the_static_program() {
    let output = Command::new(hadolint_path()).arg(root().join("Dockerfile")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let program = program_path(Linkage::Static);
    let program = program.strip_prefix(target()).unwrap().display().to_string();
    assert!(text.contains(&format!("/target/{program} /sniffer\n")), "{program}");
    assert!(text.contains("cargo xtask dist --static"));
}

#[test]
fn workflows_pin_actions_and_limit_permissions() {
    let mut count = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\npermissions: {}\n"), "{}", path.display());
        for (_, action) in text.lines().filter_map(|line| line.split_once("uses: ")) {
            count += 1;
            let (commit, version) = action.split_once('@').unwrap().1.split_once(" # v").unwrap();
            let is_commit =
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit && !version.is_empty(), "{action}");
        }
    }
    assert!(3 <= count, "{count} actions");
}

#[test]
fn pages_workflow_publishes_the_site() {
    let text = fs::read_to_string(root().join(".github/workflows/pages.yml")).unwrap();
    let site = site_path();
    let site = site.strip_prefix(target()).unwrap().display().to_string();
    assert!(text.contains(&format!("path: target/{site}\n")));
}
