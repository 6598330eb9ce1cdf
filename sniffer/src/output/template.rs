//! The template of `-w` with `-G`: directives of strftime(3), and `%{host}`.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::Error;

/// Stands for the name of this machine.
const HOST: &str = "%{host}";

/// The path that a template gives at a time; like tcpdump, in the time zone of `time`.
///
/// # Errors
///
/// If the template has an unknown directive or is not UTF-8.
pub(crate) fn expand(template: &Path, time: &jiff::Zoned) -> Result<PathBuf, Error> {
    let failed = |reason| Error::TimeFormat { template: template.to_owned(), reason };
    let text = template.to_str().ok_or_else(|| failed("not UTF-8"))?;
    let path = jiff::fmt::strtime::format(with_host(text, &host_name()), time)
        .map_err(|_| failed("unknown or incomplete directive; write %% for a percent sign"))?;
    Ok(OsString::from(path).into())
}

/// A path without an interval: only `%{host}` has a meaning.
pub(crate) fn expand_host(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) if text.contains(HOST) => {
            text.replace(HOST, &host_name().replace('/', "_")).into()
        }
        _ => path.to_owned(),
    }
}

/// How all names start that a template, or a component of it, gives.
pub(super) fn prefix(template: &OsStr) -> Cow<'_, OsStr> {
    let Some(text) = template.to_str().filter(|text| text.contains('%')) else {
        return template.into();
    };
    let format = with_host(text, &host_name());
    let prefix = format.split('%').next().unwrap_or_default();
    OsString::from(prefix).into()
}

fn host_name() -> String {
    nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned()
}

/// A strftime(3) template with the name of the machine in place of `%{host}`.
fn with_host(template: &str, host: &str) -> String {
    let host = host.replace('/', "_").replace('%', "%%");
    let mut format = String::with_capacity(template.len() + host.len());
    let mut rest = template;
    while let Some(index) = rest.find('%') {
        format.push_str(&rest[..index]);
        let directive = &rest[index..];
        rest = if let Some(after) = directive.strip_prefix(HOST) {
            format.push_str(&host);
            after
        } else {
            // Two characters, because `%%{host}` is a percent sign and `{host}`.
            let len = directive.chars().take(2).map(char::len_utf8).sum();
            format.push_str(&directive[..len]);
            &directive[len..]
        };
    }
    format + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_replaced_unless_escaped() {
        for (template, expected) in [
            ("a", "a"),
            ("%{host}", "h"),
            ("host=%{host}/%Y-%{host}.gz", "host=h/%Y-h.gz"),
            ("%%{host}", "%%{host}"),
            ("%%%{host}", "%%h"),
            ("%é%{host}", "%éh"),
            ("%", "%"),
        ] {
            assert_eq!(with_host(template, "h"), expected, "{template}");
        }
        // A host name can be any text.
        assert_eq!(with_host("%{host}/a", "../%Y"), ".._%%Y/a");
    }

    #[test]
    fn prefix_ends_before_the_first_directive() {
        let prefix = |template| prefix(OsStr::new(template)).into_owned();
        assert_eq!(prefix("hour=%H-a"), "hour=");
        assert_eq!(prefix("a"), "a");
        assert_eq!(prefix("x%{host}"), OsString::from(format!("x{}", host_name())));
    }

    #[test]
    fn unknown_directives_are_errors() {
        let time = jiff::Zoned::now();
        let expanded = expand(Path::new("a-%Y%%"), &time).unwrap();
        assert_eq!(expanded, PathBuf::from(format!("a-{}%", time.year())));
        for template in ["a-%!", "a-%", "%{name}"] {
            assert!(expand(Path::new(template), &time).is_err(), "{template}");
        }
    }
}
