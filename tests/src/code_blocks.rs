//! Finds the code blocks of a Markdown page, and how the tests run them.
//!
//! A comment in front of a block says what happens to it:
//!
//! ```text
//! <!-- run ENGINE -->                  run it
//! <!-- run ENGINE, answer NAME -->     run it, and compare its answer with a count in plain Rust
//! <!-- not run: REASON -->             do not run it
//! ```
//!
//! | Engine | Runs |
//! |---|---|
//! | `sh` | bash; the answer is its standard output with tabs between cells |
//! | `console` | lines after `$ ` in bash, and compares their output with the other lines |
//! | `sqlite` | SQLite's shell, with one database for the page |
//! | `duckdb`, `clickhouse`, `python` | one process for the page; an answer in Python is the variable of that name |
//! | `clickhouse_syntax` | nothing: only parses |
//!
//! Blocks run in the order of the page, in a new directory and a network namespace with the interface
//! `eth0`.
//!
//! Blocks of commands must have such a comment: see [`CodeBlock::is_command`].

use std::fmt;

/// Languages whose blocks are commands.
const COMMAND_LANGUAGES: [&str; 4] = ["sh", "bash", "sql", "python"];

/// Programs that make a block without a language a block of commands.
const PROGRAMS: [&str; 12] = [
    "sniffer",
    "sudo",
    "cargo",
    "jq",
    "duckdb",
    "sqlite3",
    "python3",
    "spark-submit",
    "vector",
    "fluent-bit",
    "docker",
    "tcpdump",
];

/// What the comment in front of a block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// Run it in an engine.
    Run {
        /// Name of the engine.
        engine: String,
        /// What the answer is compared with.
        answer: Option<String>,
    },
    /// It is not run, for this reason.
    NotRun(String),
}

/// A code block, fenced or indented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBlock {
    /// Number of its first line.
    pub line: usize,
    /// Language of a fenced block; empty if there is none.
    pub language: String,
    /// Its text, without fence or indentation.
    pub text: String,
    /// The comment in front of it.
    pub directive: Option<Directive>,
}

impl CodeBlock {
    /// Whether somebody could type it: its language is that of commands, or a line starts with a
    /// program that this documentation is about.
    pub fn is_command(&self) -> bool {
        COMMAND_LANGUAGES.contains(&&*self.language)
            || self.text.lines().any(|line| {
                let line = line.strip_prefix("$ ").unwrap_or(line);
                line.split(' ').next().is_some_and(|word| PROGRAMS.contains(&word))
            })
    }
}

/// A comment that looks like a directive, but is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDirective {
    /// Number of its line.
    pub line: usize,
    /// The comment.
    pub text: String,
}

impl fmt::Display for InvalidDirective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "line {}: invalid directive or no block after it: {}",
            self.line, self.text
        )
    }
}

/// Reads a directive. `None` for other lines, `Some(None)` for an invalid one.
fn parse_directive(line: &str) -> Option<Option<Directive>> {
    let text = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    if let Some(reason) = text.strip_prefix("not run: ") {
        return Some((!reason.trim().is_empty()).then(|| Directive::NotRun(reason.to_owned())));
    }
    let (engine, answer) = match text.strip_prefix("run ")?.split_once(", answer ") {
        Some((engine, answer)) => (engine, Some(answer)),
        None => (text.strip_prefix("run ")?, None),
    };
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let is_valid = is_name(engine) && answer.is_none_or(is_name);
    let (engine, answer) = (engine.to_owned(), answer.map(str::to_owned));
    Some(is_valid.then_some(Directive::Run { engine, answer }))
}

/// The code blocks of a page.
///
/// # Errors
///
/// If a directive is invalid or not followed by a block.
pub fn code_blocks(page: &str) -> Result<Vec<CodeBlock>, InvalidDirective> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate().peekable();
    let mut pending: Option<(usize, &str, Directive)> = None;
    while let Some((index, line)) = lines.next() {
        if let Some(directive) = parse_directive(line) {
            let invalid = || InvalidDirective { line: index + 1, text: line.to_owned() };
            pending = Some((index, line, directive.ok_or_else(invalid)?));
            continue;
        }
        let mut text = String::new();
        let mut push = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        let (first, language);
        if let Some(info) = line.strip_prefix("```") {
            (first, language) = (index + 2, info);
            for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
                push(line);
            }
        } else if let Some(code) = line.strip_prefix("    ") {
            (first, language) = (index + 1, "");
            push(code);
            let is_code = |line: &str| line.starts_with("    ") || line.is_empty();
            while let Some((_, line)) = lines.next_if(|(_, line)| is_code(line)) {
                push(line.get(4..).unwrap_or_default());
            }
        } else if line.is_empty() {
            continue;
        } else if let Some((index, line, _)) = pending {
            return Err(InvalidDirective { line: index + 1, text: line.to_owned() });
        } else {
            continue;
        }
        let text = text.trim_end().to_owned() + "\n";
        let directive = pending.take().map(|(_, _, directive)| directive);
        blocks.push(CodeBlock { line: first, language: language.to_owned(), text, directive });
    }
    match pending {
        Some((index, line, _)) => Err(InvalidDirective { line: index + 1, text: line.to_owned() }),
        None => Ok(blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_language_place_and_directive() {
        let page = "# A\n\n<!-- run duckdb, answer sizes -->\n```sql\nselect 1;\n\nselect 2;\n```\n\
                    \ntext\n\n<!-- not run: needs root -->\n\n    sudo a\n\n    b\n\nend\n";
        let blocks = code_blocks(page).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].line, &*blocks[0].language), (5, "sql"));
        assert_eq!(blocks[0].text, "select 1;\n\nselect 2;\n");
        let engine = "duckdb".to_owned();
        let run = Directive::Run { engine, answer: Some("sizes".to_owned()) };
        assert_eq!(blocks[0].directive, Some(run));
        assert_eq!((blocks[1].line, &*blocks[1].text), (14, "sudo a\n\nb\n"));
        assert_eq!(blocks[1].directive, Some(Directive::NotRun("needs root".to_owned())));
        assert!(blocks.iter().all(CodeBlock::is_command));
    }

    #[test]
    fn text_is_no_command() {
        let blocks =
            code_blocks("    len > 100 and sniffer\n\n```nginx\nlisten 443;\n```\n").unwrap();
        assert_eq!(blocks.iter().filter(|block| block.is_command()).count(), 0);
        assert_eq!(blocks.len(), 2);
        assert!(code_blocks("    $ sniffer -D\n").unwrap()[0].is_command());
    }

    #[test]
    fn invalid_directives_are_errors() {
        for page in [
            "<!-- run -->\n    a\n",
            "<!-- run sh, answer -->\n    a\n",
            "<!-- run SH -->\n    a\n",
            "<!-- not run:  -->\n    a\n",
            "<!-- run sh -->\ntext\n",
            "<!-- run sh -->\n",
        ] {
            let result = code_blocks(page);
            // `run` without an engine is an ordinary comment.
            assert!(result.is_err() || page.starts_with("<!-- run -->"), "{page}: {result:?}");
        }
    }
}
