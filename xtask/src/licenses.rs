//! The licences of the crates that are linked into the sniffer, and into the page that it contains. Most
//! demand that their text is handed out with the program.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::ARCH;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use summary::Printable;

use crate::build;

/// Beginnings of the names of files with licences, in capitals.
const FILES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

/// Writes the licences of all crates that the sniffer contains into a file. Each text appears once,
/// after the crates that it applies to.
///
/// # Errors
///
/// If cargo fails, or a file cannot be read or written.
pub(crate) fn write(path: &Path) -> Result<()> {
    let sniffer = metadata(&format!("{ARCH}-unknown-linux-gnu"))?;
    let page = metadata(build::WASM_TARGET)?;
    let mut packages = linked_packages(&sniffer, "sniffer");
    packages.extend(build::module_packages().flat_map(|name| linked_packages(&page, name)));
    let names = packages.into_iter().map(|package| {
        (format!("{} {}", text(&package["name"]), text(&package["version"])), package)
    });
    let mut crates_of_texts = BTreeMap::<String, BTreeSet<String>>::new();
    let mut list = String::new();
    // In the order of their names, each once.
    for (name, package) in names.collect::<BTreeMap<_, _>>() {
        writeln!(list, "{name}: {}", text(&package["license"]))?;
        let manifest = Path::new(text(&package["manifest_path"]));
        for entry in fs::read_dir(manifest.parent().unwrap_or(manifest))? {
            let entry = entry?;
            let file = entry.file_name().to_string_lossy().to_uppercase();
            if entry.path().is_file() && FILES.iter().any(|start| file.starts_with(start)) {
                let text = String::from_utf8_lossy(&fs::read(entry.path())?).trim().to_owned();
                crates_of_texts.entry(text).or_default().insert(name.clone());
            }
        }
    }
    for (text, crates) in crates_of_texts {
        let crates = crates.into_iter().collect::<Vec<_>>().join(", ");
        write!(list, "\n{0}\n{crates}\n{0}\n\n{text}\n", "-".repeat(72))?;
    }
    fs::write(path, list).with_context(|| format!("writing {}", Printable(path.display())))
}

/// What cargo knows about the packages of the workspace and their dependencies on a platform.
fn metadata(platform: &str) -> Result<Value> {
    let mut command = build::cargo(["metadata", "--format-version", "1", "--locked"]);
    command.args(["--all-features", "--filter-platform", platform]);
    serde_json::from_slice(&command.output()?.stdout).context("metadata of cargo")
}

/// The third-party packages that are linked into a package of the workspace, directly or not.
fn linked_packages<'a>(metadata: &'a Value, name: &str) -> Vec<&'a Value> {
    let packages = items(&metadata["packages"]);
    let by_id: BTreeMap<_, _> = packages.map(|package| (text(&package["id"]), package)).collect();
    let nodes = items(&metadata["resolve"]["nodes"]);
    let nodes: BTreeMap<_, _> = nodes.map(|node| (text(&node["id"]), node)).collect();
    let root = by_id.iter().find(|(_, package)| package["name"] == name).map(|(&id, _)| id);
    let mut seen: BTreeSet<_> = root.into_iter().collect();
    let mut pending: Vec<_> = root.into_iter().collect();
    while let Some(id) = pending.pop() {
        for dependency in nodes.get(id).into_iter().flat_map(|node| items(&node["deps"])) {
            // Dependencies of builds and tests have a kind.
            let is_linked = items(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
            let id = text(&dependency["pkg"]);
            if is_linked && seen.insert(id) {
                pending.push(id);
            }
        }
    }
    let mut packages: Vec<_> = seen.into_iter().filter_map(|id| by_id.get(id).copied()).collect();
    packages.retain(|package| !package["source"].is_null());
    packages
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::linked_packages;
    use serde_json::{Value, json};

    #[test]
    fn linked_packages_are_found_through_others() {
        let package = |name: &str, source: Value| json!({"id": name, "name": name, "source": source, "version": "1"});
        let dependency =
            |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let third_party = || json!("registry");
        let metadata = json!({
            "packages": [
                package("sniffer", Value::Null),
                package("filter", Value::Null),
                package("z", third_party()),
                package("a", third_party()),
                package("proc-macro", third_party()),
                package("test", third_party()),
                package("unrelated", third_party()),
            ],
            "resolve": {"nodes": [
                {"id": "sniffer", "deps": [
                    dependency("filter", Value::Null),
                    dependency("proc-macro", json!("build")),
                    dependency("test", json!("dev")),
                ]},
                {"id": "filter", "deps": [dependency("z", Value::Null)]},
                {"id": "z", "deps": [dependency("a", Value::Null), dependency("z", Value::Null)]},
            ]},
        });
        let names: Vec<_> =
            linked_packages(&metadata, "sniffer").iter().map(|package| &package["name"]).collect();
        assert_eq!(names, ["a", "z"]);
    }
}
