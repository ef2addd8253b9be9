//! Folders that one user alone can reach: what lies there decides who is who, and what stands on a socket there is
//! believed.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, Metadata},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::Path,
};

use tokio::net::UnixStream;

/// Everything that others than the owner may do.
const OTHERS: u32 = 0o077;
/// What everybody may do, whatever group they belong to.
const EVERYBODY: u32 = 0o007;
/// Marks folders that many share, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// What may lie in a data directory; where there is something else, the folder is not ours alone.
const OURS: [&str; 6] = ["store", "sandbox", "world", "switchboard.toml", "clock.json", "lost+found"];

/// The user as whom this process runs. A socket tells it without unsafe code.
pub fn own_user() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

/// Makes a directory, and what leads to it, for this user only. One that is there stays as it is.
pub fn create(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Makes a data directory for this user only. One that is there already and that others can reach is closed to them
/// where it is ours alone, and refused where it is not. Whether it was closed just now.
///
/// # Errors
/// It cannot be made, or others can read it and this process may not or should not change that.
pub fn make_data_dir(dir: &Path) -> io::Result<bool> {
    create(dir)?;
    let about = fs::metadata(dir)?;
    if about.mode() & OTHERS == 0 {
        return Ok(false);
    }
    let me = own_user()?;
    if about.uid() != me && me != 0 {
        // A volume that an orchestrator hands out belongs to root and to a group of this process's own.
        let is_for_a_group = about.mode() & EVERYBODY == 0;
        return if is_for_a_group { Ok(false) } else { Err(open("it belongs to another user")) };
    }
    if about.mode() & STICKY != 0 || !is_ours_alone(dir)? {
        return Err(open("there are other things in it"));
    }
    close(dir, &about)?;
    Ok(true)
}

/// Makes a folder for a socket in a place where everybody may make folders. One that is there already must belong to
/// this user, to root, or to `owner`, and be closed to others: on the socket of anybody else nobody may be believed.
///
/// # Errors
/// It cannot be made, or is somebody else's.
pub fn make_socket_folder(folder: &Path, owner: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // A link would lead to a folder that somebody may exchange.
    let about = fs::symlink_metadata(folder)?;
    let me = own_user()?;
    if !about.is_dir() || ![me, 0, owner].contains(&about.uid()) {
        let why = format!("{} for its socket is not a folder of this user", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    if about.mode() & OTHERS != 0 {
        close(folder, &about)?;
    }
    Ok(())
}

fn open(why: &str) -> io::Error {
    let text = format!("other users can read it, and {why}: close it with `chmod 700`, or take a folder of its own");
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

fn close(dir: &Path, about: &Metadata) -> io::Result<()> {
    fs::set_permissions(dir, fs::Permissions::from_mode(about.mode() & 0o7777 & !OTHERS))
}

fn is_ours_alone(dir: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        if !is_ours(&entry?.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let is_lock = [".lock", ".sock"].iter().any(|end| name.ends_with(end));
    let is_sealed = Path::new(name).extension().is_some_and(|end| end == "age");
    OURS.contains(&name)
        || is_lock
        || is_sealed
        || ["identity", "backup", "export"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn folder(parent: &Path, name: &str, mode: u32) -> std::path::PathBuf {
        let path = parent.join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[tokio::test]
    async fn a_new_directory_and_what_leads_to_it_are_for_this_user_only() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("switchboard/sandbox");
        assert!(!make_data_dir(&dir).unwrap());
        assert_eq!((mode(&dir), mode(dir.parent().unwrap())), (0o700, 0o700));
    }

    #[tokio::test]
    async fn an_open_directory_of_ours_is_closed() {
        let place = tempfile::tempdir().unwrap();
        let dir = folder(place.path(), "data", 0o755);
        fs::create_dir(dir.join("store")).unwrap();
        fs::write(dir.join("owner.lock"), "").unwrap();
        assert!(make_data_dir(&dir).unwrap());
        assert_eq!(mode(&dir), 0o700);
        assert!(!make_data_dir(&dir).unwrap(), "it is closed already");
    }

    #[tokio::test]
    async fn an_open_directory_with_other_things_is_refused_and_left_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let dir = folder(place.path(), "home", 0o755);
        fs::write(dir.join("letter.txt"), "").unwrap();
        let shared = folder(place.path(), "tmp", 0o1777);
        for (dir, before) in [(dir, 0o755), (shared, 0o1777)] {
            let error = make_data_dir(&dir).unwrap_err().to_string();
            assert!(error.contains("chmod 700"), "{error}");
            assert_eq!(mode(&dir), before);
        }
    }

    #[tokio::test]
    async fn a_folder_for_a_socket_is_nobody_elses() {
        let place = tempfile::tempdir().unwrap();
        let me = own_user().unwrap();
        let path = place.path().join("socket");
        make_socket_folder(&path, me).unwrap();
        make_socket_folder(&path, me).unwrap();
        assert_eq!(mode(&path), 0o700);
        let open = folder(place.path(), "open", 0o777);
        make_socket_folder(&open, me).unwrap();
        assert_eq!(mode(&open), 0o700);

        let link = place.path().join("link");
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(make_socket_folder(&link, me).is_err(), "a link may be led elsewhere");
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(make_socket_folder(&file, me).is_err());
        // Only root can give a folder away.
        let foreign = folder(place.path(), "foreign", 0o700);
        if std::os::unix::fs::chown(&foreign, Some(12_345), None).is_ok() {
            assert!(make_socket_folder(&foreign, me).is_err());
            assert!(make_socket_folder(&foreign, 12_345).is_ok(), "whose data it is may have the socket, too");
        }
    }
}
