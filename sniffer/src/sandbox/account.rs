//! The user that a run changes to if it was started as root.

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{
    AccessFlags, Gid, Uid, User, faccessat, getgrouplist, getgroups, setegid, seteuid, setgroups,
    setresgid, setresuid,
};
use std::ffi::CString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{env, fs};
use summary::Printable;

use super::FileAccess;
use crate::Error;

/// The user without `-Z` and without sudo(8).
const DEFAULT_USER: &str = "nobody";

/// The conventional id of [`DEFAULT_USER`] and its group, for systems that do not define it.
const DEFAULT_ID: u32 = 65_534;

/// A user with its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// Its name, or its id if it has none.
    name: String,
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
    /// Whether `-Z` names it.
    is_explicit: bool,
}

impl Account {
    /// The user to change to: `option`, or else the one who called sudo(8), or else `nobody`.
    /// `Ok(Ok(None))` if the process was not started as root, or as root of a user namespace that
    /// has no other user: outside it is an ordinary user already.
    ///
    /// The inner error says why the process cannot change to the user of `option`, or that it stays
    /// root because `option` says so.
    ///
    /// # Errors
    ///
    /// If `option` names no user.
    pub(super) fn choose(option: Option<&str>) -> Result<Result<Option<Self>, String>, Error> {
        let chosen = match option {
            Some(name) => {
                let account = Self::named(name);
                let account = account.ok_or_else(|| Error::NoSuchUser { name: name.to_owned() })?;
                Self { is_explicit: true, ..account }
            }
            None => Self::caller_of_sudo().unwrap_or_else(Self::nobody),
        };
        let current = Uid::effective();
        let is_possible = current.is_root() && chosen.is_mapped();
        Ok(match option {
            Some(_) if chosen.uid.is_root() && current.is_root() && Self::nobody().is_mapped() => {
                Err("running as root, as -Z requests".to_owned())
            }
            _ if chosen.uid == current => Ok(None),
            _ if is_possible => Ok(Some(chosen)),
            None => Ok(None),
            Some(name) if current.is_root() => {
                Err(format!("user `{}` does not exist in this user namespace", Printable(name)))
            }
            Some(name) => Err(format!("only root can change to user `{}`", Printable(name))),
        })
    }

    /// The user with a name or an id. An id needs no name, as in containers; its group is then the
    /// one with the same id.
    fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok().flatten();
        let by_id = || {
            let id = name.parse().ok()?;
            Some(Self::from_ids(Uid::from_raw(id), None))
        };
        user.map(|user| Self::of(&user)).or_else(by_id)
    }

    fn of(user: &User) -> Self {
        let name = CString::new(user.name.as_str()).unwrap_or_default();
        let groups = getgrouplist(&name, user.gid).unwrap_or_else(|_| vec![user.gid]);
        let (uid, gid) = (user.uid, user.gid);
        Self { name: user.name.clone(), uid, gid, groups, is_explicit: false }
    }

    /// A user and a group, which need not have names. Without `gid`, the group is the user's.
    fn from_ids(uid: Uid, gid: Option<Gid>) -> Self {
        match User::from_uid(uid) {
            Ok(Some(user)) => {
                let user = Self::of(&user);
                Self { gid: gid.unwrap_or(user.gid), ..user }
            }
            _ => {
                let gid = gid.unwrap_or(Gid::from_raw(uid.as_raw()));
                let name = uid.to_string();
                Self { name, uid, gid, groups: vec![gid], is_explicit: false }
            }
        }
    }

    fn caller_of_sudo() -> Option<Self> {
        let id = |name| env::var(name).ok()?.parse::<u32>().ok().filter(|&id| id != 0);
        let (uid, gid) = (id("SUDO_UID")?, id("SUDO_GID")?);
        Some(Self::from_ids(Uid::from_raw(uid), Some(Gid::from_raw(gid))))
    }

    fn nobody() -> Self {
        Self::named(DEFAULT_USER).unwrap_or_else(|| Self::from_ids(Uid::from_raw(DEFAULT_ID), None))
    }

    /// Whether the user and its group exist in this user namespace (user_namespaces(7)).
    fn is_mapped(&self) -> bool {
        let maps = |file: &str, id: u32| {
            let map = fs::read_to_string(file);
            // Without /proc or user namespaces: assume that it exists. Changing to it fails if not.
            map.map_or(true, |map| is_in_map(&map, id))
        };
        maps("/proc/self/uid_map", self.uid.as_raw())
            && maps("/proc/self/gid_map", self.gid.as_raw())
    }

    /// Changes to the user, for good. The process must be root.
    ///
    /// If the user cannot write to all output directories, the process changes to the owner of one that
    /// the user cannot write to: preferably to an owner who can write to all. That is often root, without
    /// its capabilities.
    ///
    /// # Errors
    ///
    /// If the process did not change to the user, with the reason.
    pub(super) fn change_to(&self, files: &FileAccess) -> Result<(), String> {
        let paths: Vec<&Path> =
            files.directories.iter().map(|directory| &*directory.path).collect();
        let is_unwritable = |path: &&Path| !self.can_write_to(path);
        let unwritable: Vec<&Path> = paths.iter().copied().filter(is_unwritable).collect();
        let Some(&path) = unwritable.first() else { return self.become_user() };
        let owners = unwritable.into_iter().map(Self::owner_of).collect::<Result<Vec<_>, _>>()?;
        let writes_all = |owner: &&Self| paths.iter().all(|path| owner.can_write_to(path));
        let chosen = owners.iter().find(writes_all).unwrap_or(&owners[0]);
        chosen.become_user()?;
        if chosen == self || !self.is_explicit && !chosen.uid.is_root() {
            return Ok(());
        }
        Err(format!(
            "running as user `{}`, because `{}` cannot write to `{}` (choose another directory, or a \
             user with -Z)",
            Printable(&chosen.name),
            Printable(&self.name),
            Printable(path.display())
        ))
    }

    /// The user who owns a directory.
    fn owner_of(path: &Path) -> Result<Self, String> {
        let owner = fs::metadata(path)
            .map_err(|error| format!("`{}`: {error}", Printable(path.display())))?;
        Ok(Self::from_ids(Uid::from_raw(owner.uid()), Some(Gid::from_raw(owner.gid()))))
    }

    fn become_user(&self) -> Result<(), String> {
        let change = || {
            setgroups(&self.groups)?;
            setresgid(self.gid, self.gid, self.gid)?;
            setresuid(self.uid, self.uid, self.uid)
        };
        change().map_err(|errno| self.failed(errno))
    }

    fn failed(&self, errno: Errno) -> String {
        match errno {
            Errno::EPERM => {
                format!(
                    "changing to user `{}` needs CAP_SETUID and CAP_SETGID",
                    Printable(&self.name)
                )
            }
            _ => format!("cannot change to user `{}`: {errno}", Printable(&self.name)),
        }
    }

    /// Whether the user can create files in a directory. The process must be root.
    fn can_write_to(&self, path: &Path) -> bool {
        let access = AccessFlags::W_OK | AccessFlags::X_OK;
        let Ok(groups) = getgroups() else { return false };
        let (uid, gid) = (Uid::effective(), Gid::effective());
        let as_user = || {
            setgroups(&self.groups)?;
            setegid(self.gid)?;
            seteuid(self.uid)?;
            faccessat(AT_FDCWD, path, access, AtFlags::AT_EACCESS)
        };
        let result = as_user();
        // The real and saved ids are still those of root, so these calls cannot fail.
        let restored = seteuid(uid).and_then(|()| setegid(gid)).and_then(|()| setgroups(&groups));
        result.and(restored).is_ok()
    }
}

/// Whether a map of ids contains an id. Each line has the first id inside, the first id outside,
/// and their number.
fn is_in_map(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(|number| number.parse().unwrap_or(0));
        let (first, count) = (numbers.next().unwrap_or(0), numbers.nth(1).unwrap_or(0));
        (first..first + count).contains(&u64::from(id))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_namespaces_map_ranges_of_ids() {
        let rootless = "         0       1000          1\n         1     100000      65536\n";
        for (map, id, is_mapped) in [
            ("         0          0 4294967295\n", DEFAULT_ID, true),
            ("         0       1000          1\n", 0, true),
            ("         0       1000          1\n", DEFAULT_ID, false),
            (rootless, DEFAULT_ID, true),
            (rootless, 65_537, false),
            ("", 0, false),
        ] {
            assert_eq!(is_in_map(map, id), is_mapped, "{id} in {map:?}");
        }
    }

    #[test]
    fn ids_need_no_name() {
        let id = 1_234_567;
        let account = Account::named(&id.to_string()).unwrap();
        assert_eq!((account.uid.as_raw(), account.gid.as_raw()), (id, id));
        assert_eq!(account.name, "1234567");
        let root = Account::named("0").unwrap();
        assert_eq!((root.name.as_str(), root.gid.as_raw()), ("root", 0));
    }

    #[test]
    fn unknown_users_are_an_error() {
        let error = Account::choose(Some("no such user")).unwrap_err();
        assert_eq!(error.to_string(), "no user named `no such user`");
    }
}
