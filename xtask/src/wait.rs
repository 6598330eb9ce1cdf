//! Polls a condition until it holds or time is up.

use anyhow::{Result, bail};
use std::thread;
use std::time::{Duration, Instant};

/// Time between two evaluations of the condition.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Waits until `condition` returns true; `what` names it in the error.
///
/// # Errors
///
/// If the condition fails, or does not hold within `timeout`.
pub fn wait_until(
    what: &str,
    timeout: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + timeout;
    while !condition()? {
        if deadline <= Instant::now() {
            bail!("timed out after {} s: {what}", timeout.as_secs());
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_until_the_condition_holds() {
        let mut calls = 0;
        let third_call = || {
            calls += 1;
            Ok(calls == 3)
        };
        wait_until("third call", Duration::MAX / 4, third_call).unwrap();
        assert_eq!(calls, 3);
    }

    #[test]
    fn names_the_condition_on_timeout() {
        let error = wait_until("a miracle", Duration::ZERO, || Ok(false)).unwrap_err();
        assert_eq!(error.to_string(), "timed out after 0 s: a miracle");
        let error = wait_until("an error", Duration::ZERO, || bail!("broken")).unwrap_err();
        assert_eq!(error.to_string(), "broken");
    }
}
