//! README and docs/ agree with the programs: options, fields, and links between pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tests::code_blocks::code_blocks;
use tests::process::run;
use xtask::build::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The long options that begin a word of `text`.
fn long_options(text: &str) -> BTreeSet<String> {
    let is_end = |c: char| !(c.is_ascii_lowercase() || c == '-');
    let words = text.split([' ', '`', ',', '\n']).filter(|word| word.starts_with("--"));
    words
        .map(|word| word[2..].split(is_end).next().unwrap_or_default().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The first column of the table rows of a Markdown text.
fn first_cells(text: &str) -> String {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" | ").next()).collect::<Vec<_>>().join("\n")
}

#[test]
fn options_page_lists_the_options_of_help_and_manual() {
    let page = long_options(&first_cells(&read("docs/options.md")));
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    let listed = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let help = long_options(&listed.collect::<Vec<_>>().join("\n"));
    assert!(help.contains("interface") && help.contains("version"), "{help:?}");
    assert_eq!(help.difference(&page).next(), None);
    // The manual page also has the options for users of tcpdump.
    let manual = String::from_utf8(run(&["--generate", "man"]).stdout).unwrap();
    let manual = manual.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
    // `.TP` precedes a line with the names of an option.
    let terms = manual.split("\n.TP\n").skip(1).map(|text| text.lines().next().unwrap_or_default());
    assert_eq!(long_options(&terms.collect::<Vec<_>>().join("\n")), page);
}

#[test]
fn format_page_lists_the_fields_of_the_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(&read("schema/stream.schema.json")).unwrap();
    let page = read("docs/format.md");
    for record in ["pkt", "meta", "stats", "event", "flow", "end"] {
        let fields = schema["$defs"][record]["properties"].as_object().unwrap();
        let fields: BTreeSet<&str> =
            fields.keys().map(String::as_str).filter(|name| *name != "type").collect();
        let section = page.split("\n## ").find(|section| section.starts_with(record)).unwrap();
        // The table of fields comes first; `event` has a second one, of its kinds.
        let table = first_cells(section.split("\n\n|").nth(1).unwrap());
        let listed: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
        assert_eq!(listed, fields, "{record}");
    }
}

/// The pages of `docs/`.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect()
}

#[test]
fn commands_are_run_or_say_why_not() {
    let mut count = 0;
    for page in pages() {
        let blocks = code_blocks(&read(&page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        for block in blocks.iter().filter(|block| block.is_command()) {
            assert!(
                block.directive.is_some(),
                "{page}:{}: a comment must say how tests run this: see tests/src/code_blocks.rs",
                block.line
            );
            count += 1;
        }
    }
    assert!(20 < count, "{count} blocks");
}

#[test]
fn links_between_pages_lead_to_files_and_headings() {
    let pages =
        [&["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(str::to_owned)[..], &pages()];
    let pages = pages.concat();
    let mut count = 0;
    for page in &pages {
        for target in read(page).split("](").skip(1) {
            let target = target.split(')').next().unwrap();
            if target.starts_with("https://") {
                continue;
            }
            count += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => root().join(page),
                file => root().join(page).parent().unwrap().join(file),
            };
            assert!(path.exists(), "{page}: {target}");
            assert!(heading.is_empty() || has_heading(&path, heading), "{page}: {target}");
        }
    }
    assert!(pages.len() < count, "{count} links in {} pages", pages.len());
}

/// True if a page has a heading with that anchor.
fn has_heading(page: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(page).unwrap();
    text.lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-") == anchor)
}
