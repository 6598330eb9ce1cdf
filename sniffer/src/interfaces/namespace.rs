//! `--netns`: enters another network namespace, such as that of a container (setns(2),
//! network_namespaces(7)).

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::Error;

/// Where `ip netns add` creates namespaces (ip-netns(8)).
const NAMED: &str = "/run/netns";

/// A network namespace: a name that `ip netns` lists, the path of a namespace file, or the ID of a
/// process in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamespaceName(pub(crate) String);

impl NamespaceName {
    /// Moves the calling thread to the namespace. Call it before starting threads and before opening
    /// sockets, which stay in the namespace in which they were opened.
    ///
    /// # Errors
    ///
    /// If there is no such namespace, or without the capability CAP_SYS_ADMIN.
    pub(crate) fn enter(&self) -> Result<NamespaceWatch, Error> {
        let file =
            File::open(self.path(Path::new(NAMED))).map_err(|source| match source.kind() {
                // Processes of other users: proc_pid_ns(5).
                io::ErrorKind::PermissionDenied => {
                    self.refused(source, "CAP_SYS_ADMIN and CAP_SYS_PTRACE")
                }
                _ => self.not_found(source),
            })?;
        setns(file, CloneFlags::CLONE_NEWNET).map_err(|errno| match errno {
            Errno::EINVAL => self.not_found(io::Error::other("not a network namespace")),
            errno => self.refused(errno.into(), "CAP_SYS_ADMIN"),
        })?;
        Ok(NamespaceWatch::new(self.0.clone(), self.path(Path::new(NAMED))))
    }

    fn not_found(&self, source: io::Error) -> Error {
        let source = match self.0.parse::<u32>() {
            Ok(_) => io::Error::other("no process has this ID"),
            Err(_) => source,
        };
        Error::NoSuchNamespace { name: self.0.clone(), source, available: names() }
    }

    fn refused(&self, source: io::Error, needed: &'static str) -> Error {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("sniffer"));
        Error::EnterNamespace { name: self.0.clone(), source, needed, program }
    }

    /// The file of the namespace. A name takes precedence over a process ID.
    fn path(&self, named: &Path) -> PathBuf {
        if self.0.contains('/') {
            return PathBuf::from(&self.0);
        }
        let path = named.join(&self.0);
        match self.0.parse::<u32>() {
            Ok(pid) if !path.exists() => PathBuf::from(format!("/proc/{pid}/ns/net")),
            _ => path,
        }
    }
}

/// Notices that a name does not stand for a namespace any more. The sockets of a capture keep the namespace
/// alive, but what takes its place has other interfaces.
#[derive(Debug)]
pub(crate) struct NamespaceWatch {
    name: String,
    path: PathBuf,
    /// Device and inode of the namespace's file; `None` for the directory of a process, which has no lasting
    /// inode.
    id: Option<(u64, u64)>,
}

impl NamespaceWatch {
    fn new(name: String, path: PathBuf) -> Self {
        // After the privileges are dropped, the namespace of another user's process cannot be looked up.
        let process = path.strip_prefix("/proc").ok().and_then(|rest| rest.components().next());
        if let Some(process) = process {
            return Self { name, path: Path::new("/proc").join(process), id: None };
        }
        let id = file_id(&path).ok();
        Self { name, path, id }
    }

    /// The name, path or process ID, as given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the namespace was deleted or replaced, or its process has ended.
    pub(crate) fn is_gone(&self) -> bool {
        match file_id(&self.path) {
            Ok(id) => self.id.is_some_and(|expected| expected != id),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// Device and inode of a file.
fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The names of the namespaces that `ip netns add` created.
pub(crate) fn names() -> Vec<String> {
    let entries = fs::read_dir(NAMED).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_precedence_over_process_ids() {
        let named = tempfile::tempdir().unwrap();
        fs::write(named.path().join("7"), "").unwrap();
        let path = |text: &str| NamespaceName(text.into()).path(named.path());
        assert_eq!(path("7"), named.path().join("7"));
        assert_eq!(path("8"), Path::new("/proc/8/ns/net"));
        assert_eq!(path("blue"), named.path().join("blue"));
        assert_eq!(path("./blue"), Path::new("./blue"));
    }

    #[test]
    fn deleted_and_replaced_namespaces_are_gone() {
        let named = tempfile::tempdir().unwrap();
        let path = named.path().join("blue");
        fs::write(&path, "").unwrap();
        let watch = NamespaceWatch::new("blue".into(), path.clone());
        assert!(!watch.is_gone());
        let other = named.path().join("other");
        fs::write(&other, "").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(watch.is_gone());
        fs::remove_file(&path).unwrap();
        assert!(watch.is_gone());
        let process = |path: &str| NamespaceWatch::new("7".into(), path.into()).is_gone();
        assert!(!process("/proc/self/ns/net") && process("/proc/4294967295/ns/net"));
    }

    #[test]
    fn other_files_are_no_namespaces() {
        let error = NamespaceName("/proc/self/ns/mnt".into()).enter().unwrap_err().to_string();
        assert!(
            error.starts_with("no network namespace `/proc/self/ns/mnt`: not a net"),
            "{error}"
        );
        let error = NamespaceName("no-such".into()).enter().unwrap_err().to_string();
        assert!(error.starts_with("no network namespace `no-such`: No such file"), "{error}");
    }
}
