//! What a server's answer means, and what to do next.

/// Waiting time after an answer without bytes that came at once, in milliseconds.
const IDLE_MS: i32 = 500;
/// The first and the longest waiting time after an error, in milliseconds.
const RETRY_MS: (i32, i32) = (1_000, 8_000);
/// The longest waiting time that a server may ask for, in milliseconds.
const MAX_RETRY_AFTER_MS: i32 = 60_000;

/// The head of an answer to a request for the bytes from an offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The bytes from an offset on follow.
    Bytes {
        /// The offset.
        first: u64,
        /// The server says that the length of the source is not known yet.
        is_open: bool,
    },
    /// There is nothing new yet, although the server has waited.
    NothingNew,
    /// There is nothing at the offset. The length of the source, if the server says it.
    AtEnd(Option<u64>),
    /// The server ignores ranges.
    NoRanges,
    /// The server refuses, or cannot answer now.
    Failed(u16),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the bytes, which begin at this offset.
    Read(u64),
    /// Repeat the request after this time in milliseconds.
    Wait(i32),
    /// Report an error, and repeat the request later.
    Retry(String),
    /// Stop, for this reason.
    Stop(String),
    /// Stop: the run has ended.
    End,
}

impl Answer {
    /// Interprets the status and the header `Content-Range` of an answer to a request for the bytes from
    /// `offset` on.
    pub fn new(status: u16, content_range: Option<&str>, offset: u64) -> Self {
        let (first, len) = content_range.map(parse_content_range).unwrap_or_default();
        match status {
            206 => {
                let is_open = content_range.is_some_and(|range| range.trim_end().ends_with("/*"));
                Self::Bytes { first: first.unwrap_or(offset), is_open }
            }
            204 => Self::NothingNew,
            416 => Self::AtEnd(len),
            // A range of everything may be answered like a request without one.
            200 if offset == 0 => Self::Bytes { first: 0, is_open: false },
            200 => Self::NoRanges,
            status => Self::Failed(status),
        }
    }

    /// The answer of a file that has this length.
    #[cfg(all(target_arch = "wasm32", feature = "module"))]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length")]
    pub(crate) fn at_end(len: f64) -> Self {
        Self::AtEnd(Some(len as u64))
    }

    /// What to do after this answer to a request for the bytes from `offset` on. `source` is what earlier
    /// answers said.
    pub fn action(&self, offset: u64, source: SourceKind) -> Action {
        match self {
            Self::Bytes { first, .. } if *first < offset => {
                Action::Stop("the server returned other bytes than requested".to_owned())
            }
            Self::Bytes { first, .. } => Action::Read(*first),
            Self::NothingNew => Action::Wait(0),
            Self::AtEnd(Some(len)) if *len == offset && source == SourceKind::Run => Action::End,
            Self::AtEnd(Some(len)) if *len < offset => {
                Action::Stop("the file was truncated or replaced".to_owned())
            }
            Self::AtEnd(_) => Action::Wait(IDLE_MS),
            Self::NoRanges => Action::Stop("the server does not support range requests".to_owned()),
            // The client was too slow, too early, or asks too often.
            Self::Failed(status @ (408 | 425 | 429)) => Action::Retry(format!("status {status}")),
            // Not found, or not allowed: it was never there.
            Self::Failed(status @ 400..500) if offset == 0 => {
                Action::Stop(format!("status {status}"))
            }
            Self::Failed(404 | 410) => Action::Stop(GONE.to_owned()),
            Self::Failed(status) => Action::Retry(format!("status {status}")),
        }
    }

    /// The kind of the source, according to this answer and to earlier ones.
    pub fn source(&self, before: SourceKind) -> SourceKind {
        match self {
            Self::Bytes { is_open: true, .. } | Self::NothingNew => SourceKind::Run,
            _ => before,
        }
    }
}

/// Why a source is not followed any longer that was there before.
const GONE: &str = "the server no longer has this capture. If the sniffer was restarted, open the URL that it \
                    printed last";

/// What the answers so far say about a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// A file, whose server does not know whether it will grow; or nothing is known yet.
    #[default]
    File,
    /// A run: the server says the length once the run has ended, and not before.
    Run,
}

/// The first offset and the total length in `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
fn parse_content_range(text: &str) -> (Option<u64>, Option<u64>) {
    let text = text.trim().strip_prefix("bytes").unwrap_or_default().trim_start();
    let (range, len) = text.split_once('/').unwrap_or_default();
    let first = range.split('-').next().unwrap_or_default();
    (first.trim().parse().ok(), len.trim().parse().ok())
}

/// Waiting times after errors, which double.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    last_ms: Option<i32>,
}

impl Backoff {
    /// The time to wait after one more error, in milliseconds. `retry_after` is the value of this header, of
    /// which only seconds are read.
    pub fn next_ms(&mut self, retry_after: Option<&str>) -> i32 {
        let (first, longest) = RETRY_MS;
        let next = self.last_ms.map_or(first, |last| (2 * last).min(longest));
        let requested: Option<i32> = retry_after.and_then(|seconds| seconds.trim().parse().ok());
        let requested = requested.map_or(0, |seconds| seconds.saturating_mul(1_000));
        (*self.last_ms.insert(next)).max(requested.min(MAX_RETRY_AFTER_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(status: u16, content_range: &str, offset: u64) -> Action {
        Answer::new(status, Some(content_range), offset).action(offset, SourceKind::File)
    }

    #[test]
    fn ranges_are_read_from_where_they_begin() {
        assert_eq!(action(206, "bytes 5-9/10", 5), Action::Read(5));
        assert_eq!(action(206, "bytes 7-9/*", 5), Action::Read(7));
        assert_eq!(action(206, "", 5), Action::Read(5));
        assert!(matches!(action(206, "bytes 4-9/10", 5), Action::Stop(_)));
        assert_eq!(action(200, "", 0), Action::Read(0));
        assert!(
            matches!(action(200, "", 5), Action::Stop(reason) if reason.contains("range requests"))
        );
    }

    #[test]
    fn nothing_new_is_asked_for_again() {
        assert_eq!(action(204, "", 5), Action::Wait(0));
        for range in ["bytes */5", "bytes */6", ""] {
            assert_eq!(action(416, range, 5), Action::Wait(IDLE_MS), "{range}");
        }
        assert!(
            matches!(action(416, "bytes */4", 5), Action::Stop(reason) if reason.contains("truncated"))
        );
    }

    #[test]
    fn runs_end_where_the_server_says_so() {
        let after = |answers: &[(u16, &str)]| {
            let answers =
                answers.iter().map(|(status, range)| Answer::new(*status, Some(range), 0));
            let source = answers.fold(SourceKind::default(), |kind, answer| answer.source(kind));
            Answer::new(416, Some("bytes */9"), 9).action(9, source)
        };
        assert_eq!(after(&[(206, "bytes 0-4/*"), (206, "bytes 5-8/9")]), Action::End);
        assert_eq!(after(&[(204, ""), (206, "bytes 0-8/9")]), Action::End);
        // Nobody knows whether a file will grow.
        assert_eq!(after(&[(206, "bytes 0-8/9")]), Action::Wait(IDLE_MS));
        assert_eq!(after(&[(206, ""), (200, "")]), Action::Wait(IDLE_MS));
        assert_eq!(after(&[]), Action::Wait(IDLE_MS));
    }

    #[test]
    fn failures_that_may_pass_are_retried() {
        let retry = |status: u16| Action::Retry(format!("status {status}"));
        assert_eq!(action(404, "", 0), Action::Stop("status 404".to_owned()));
        for gone in [404, 410] {
            assert_eq!(action(gone, "", 5), Action::Stop(GONE.to_owned()));
        }
        for status in [403, 500, 502, 503] {
            assert_eq!(action(status, "", 5), retry(status));
        }
        for status in [408, 425, 429, 503] {
            assert_eq!(action(status, "", 0), retry(status));
        }
    }

    #[test]
    fn waiting_times_double_up_to_a_limit() {
        let mut backoff = Backoff::default();
        let times: Vec<_> = (0..6).map(|_| backoff.next_ms(None)).collect();
        assert_eq!(times, [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    }

    #[test]
    fn servers_can_ask_for_longer_times() {
        let wait = |text| Backoff::default().next_ms(Some(text));
        let times =
            ["20", " 3 ", "0", "3600", "999999999999", "-5", "Wed, 21 Oct 2026 07:28:00 GMT"];
        assert_eq!(times.map(wait), [20_000, 3_000, 1_000, 60_000, 1_000, 1_000, 1_000]);
    }
}
