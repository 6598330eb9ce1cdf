//! What a server's answer means, and what to do next.

/// Waiting time after an answer without bytes that came at once, in milliseconds.
const IDLE_MS: i32 = 500;
/// The first and the longest waiting time after an error, in milliseconds.
const RETRY_MS: (i32, i32) = (1_000, 8_000);

/// The head of an answer to a request for the bytes from an offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The bytes from this offset on follow.
    Bytes(u64),
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
}

impl Answer {
    /// Interprets the status and the header `Content-Range` of an answer to a request for the bytes from
    /// `offset` on.
    pub fn new(status: u16, content_range: Option<&str>, offset: u64) -> Self {
        let (first, len) = content_range.map(parse_content_range).unwrap_or_default();
        match status {
            206 => Self::Bytes(first.unwrap_or(offset)),
            204 => Self::NothingNew,
            416 => Self::AtEnd(len),
            // A range of everything may be answered like a request without one.
            200 if offset == 0 => Self::Bytes(0),
            200 => Self::NoRanges,
            status => Self::Failed(status),
        }
    }

    /// What to do after this answer to a request for the bytes from `offset` on.
    pub fn action(&self, offset: u64) -> Action {
        match self {
            Self::Bytes(first) if *first < offset => {
                Action::Stop("the server returned other bytes than requested".to_owned())
            }
            Self::Bytes(first) => Action::Read(*first),
            Self::NothingNew => Action::Wait(0),
            Self::AtEnd(Some(len)) if *len < offset => {
                Action::Stop("the file was truncated or replaced".to_owned())
            }
            Self::AtEnd(_) => Action::Wait(IDLE_MS),
            Self::NoRanges => Action::Stop("the server does not support range requests".to_owned()),
            // Not found, or not allowed: it was never there.
            Self::Failed(status @ 400..500) if offset == 0 => {
                Action::Stop(format!("status {status}"))
            }
            Self::Failed(status) => Action::Retry(format!("status {status}")),
        }
    }
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
    /// The time to wait after one more error, in milliseconds.
    pub fn next_ms(&mut self) -> i32 {
        let (first, longest) = RETRY_MS;
        let next = self.last_ms.map_or(first, |last| (2 * last).min(longest));
        *self.last_ms.insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(status: u16, content_range: &str, offset: u64) -> Action {
        Answer::new(status, Some(content_range), offset).action(offset)
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
    fn failures_are_final_only_at_the_start() {
        assert_eq!(action(404, "", 0), Action::Stop("status 404".to_owned()));
        assert_eq!(action(404, "", 5), Action::Retry("status 404".to_owned()));
        assert_eq!(action(503, "", 0), Action::Retry("status 503".to_owned()));
    }

    #[test]
    fn waiting_times_double_up_to_a_limit() {
        let mut backoff = Backoff::default();
        let times: Vec<_> = (0..6).map(|_| backoff.next_ms()).collect();
        assert_eq!(times, [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    }
}
