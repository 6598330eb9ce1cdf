//! Options that take one of several words, each with its meaning.

use clap::ValueEnum;
use summary::Tunnels;

use crate::capture::DirectionFilter;
use crate::output::Compression;
use crate::sandbox;

/// The values of `--direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Direction {
    /// Received packets
    In,
    /// Sent packets
    Out,
    /// Both
    Inout,
}

impl From<Direction> for DirectionFilter {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::In => Self::In,
            Direction::Out => Self::Out,
            Direction::Inout => Self::InOut,
        }
    }
}

/// The values of `--tunnels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TunnelPacket {
    /// The innermost packet
    Inner,
    /// The outermost packet
    Outer,
}

impl From<TunnelPacket> for Tunnels {
    fn from(packet: TunnelPacket) -> Self {
        match packet {
            TunnelPacket::Inner => Self::Inner,
            TunnelPacket::Outer => Self::Outer,
        }
    }
}

/// The values of `--compress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CompressionFormat {
    /// No compression
    None,
    /// gzip, the most widely supported
    Gzip,
    /// Zstandard, smaller and faster
    Zstd,
}

impl From<CompressionFormat> for Compression {
    fn from(format: CompressionFormat) -> Self {
        match format {
            CompressionFormat::None => Self::None,
            CompressionFormat::Gzip => Self::Gzip,
            CompressionFormat::Zstd => Self::Zstd,
        }
    }
}

/// The values of `--sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SandboxMode {
    /// Exit with an error
    Strict,
    /// Print a message and run with the other parts
    BestEffort,
    /// Run without a sandbox and keep all privileges
    Off,
}

impl From<SandboxMode> for sandbox::Mode {
    fn from(mode: SandboxMode) -> Self {
        match mode {
            SandboxMode::Strict => Self::Strict,
            SandboxMode::BestEffort => Self::BestEffort,
            SandboxMode::Off => Self::Off,
        }
    }
}

/// The values of `--generate`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generate {
    /// Manual page in roff
    Man,
    /// Completions for bash
    Bash,
    /// Completions for fish
    Fish,
    /// Completions for zsh
    Zsh,
}
