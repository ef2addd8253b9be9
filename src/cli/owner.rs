//! One data directory, many processes: the first one in owns it, the others speak through its socket.
//!
//! The lock is the kernel's (`flock`), so it is free again the moment its holder dies. The socket takes two kinds
//! of visitors, told apart by their first line: a *pipe*, whose lines are handed to the protocol as if they came
//! from stdin, and an *order*, which is what a command asks the owner to do.
//!
//! Both sides look who the other is: an owner takes orders of its own user only, and a command gives its orders, which
//! may hold secrets, to a process of its own user only.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use super::{private, show};
use crate::{hub::Filters, id::AgentId};

/// Under which name the owner of a data directory is found.
pub const OWNER: &str = "owner";

/// How often, and with what pause between, an owner is looked for that holds the lock and does not answer.
const TRIES: u32 = 300;
const PAUSE: Duration = Duration::from_millis(50);

/// The longest path that every Unix takes for a socket.
const LONGEST_SOCKET_PATH: usize = 100;
/// The longest first line.
const LONGEST_HELLO: u64 = 64 * 1024;

/// What comes of asking for a data directory.
#[derive(Debug)]
pub enum Claim {
    /// This process owns it now.
    Mine(Ownership),
    /// Another process owns it and answers on its socket.
    Running(Link),
}

/// The right to open the store, held until dropped.
#[derive(Debug)]
pub struct Ownership {
    socket: PathBuf,
    // Dropping the file frees the lock.
    lock: File,
}

/// The way to the owner.
#[derive(Debug)]
pub struct Link(UnixStream);

/// What a visitor says first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The visitor's version.
    pub version: String,
    /// What it wants.
    pub wants: Wants,
}

/// What a visitor wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wants {
    /// To speak the protocol, with these tools.
    Pipe(Filters),
    /// The same as one of the agents of this machine's person.
    AgentPipe {
        /// Its id.
        agent: AgentId,
        /// Which of its tools.
        filters: Filters,
    },
    /// To be the owner instead.
    HandOver,
    /// Something to be done.
    Order(Box<serde_json::value::RawValue>),
}

/// Why a data directory cannot be claimed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be used.
    #[error("{dir} cannot be used: {source}. Name another folder with --data-dir.", dir = dir.display())]
    Unusable {
        /// Which one.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody holds it and does not answer.
    #[error("Another switchboard process holds {dir} and does not answer. Stop it, or name another folder with --data-dir.", dir = dir.display())]
    Silent {
        /// Which one.
        dir: PathBuf,
    },
}

/// Claims the data directory, or finds the way to the process that has it.
pub async fn claim(dir: &Path) -> Result<Claim, Error> {
    claim_as(dir, OWNER).await
}

/// [`claim`] for processes that find each other under another name than [`OWNER`].
pub async fn claim_as(dir: &Path, name: &str) -> Result<Claim, Error> {
    let unusable = |source| Error::Unusable { dir: dir.into(), source };
    if private::make_data_dir(dir).map_err(unusable)? {
        show::aside(&format!("Other users could read {}: it is for you alone now.", dir.display()));
    }
    let socket = socket_path(dir, name).map_err(unusable)?;
    let lock_file = dir.join(format!("{name}.lock"));
    // An owner that is just starting holds the lock before it listens; one that is just ending listens no more
    // before it frees the lock. Both are over soon.
    for _ in 0..TRIES {
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_file).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => return Ok(Claim::Mine(Ownership { socket, lock })),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
            Err(TryLockError::WouldBlock) => {}
        }
        if let Ok(stream) = UnixStream::connect(&socket).await {
            let owner = lock.metadata().map_err(unusable)?.uid();
            return check_owner(&stream, owner).map(|()| Claim::Running(Link(stream))).map_err(unusable);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::Silent { dir: dir.into() })
}

impl Ownership {
    /// The user to whom the directory belongs.
    pub fn user(&self) -> io::Result<u32> {
        Ok(self.lock.metadata()?.uid())
    }

    /// Listens for visitors on a socket that only this user can reach.
    pub fn listen(&self) -> io::Result<UnixListener> {
        match fs::remove_file(&self.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&self.socket)?;
        make_private(&self.socket, 0o600)?;
        Ok(listener)
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        // A socket that is left behind is replaced by the next owner.
        let _ = fs::remove_file(&self.socket);
    }
}

impl Link {
    /// Says what is wanted; the rest of the conversation follows on the stream.
    pub async fn greet(mut self, wants: Wants) -> io::Result<UnixStream> {
        let hello = Hello { version: env!("CARGO_PKG_VERSION").into(), wants };
        let mut line = serde_json::to_vec(&hello)?;
        line.push(b'\n');
        self.0.write_all(&line).await?;
        Ok(self.0)
    }
}

/// Reads what a visitor says first. Visitors of other users are turned away, whatever the socket's mode says.
pub async fn receive(owner: u32, stream: UnixStream) -> io::Result<(Hello, BufReader<UnixStream>)> {
    let visitor = stream.peer_cred()?.uid();
    if visitor != owner && visitor != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "a visitor of another user"));
    }
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    (&mut reader).take(LONGEST_HELLO).read_until(b'\n', &mut line).await?;
    Ok((serde_json::from_slice(&line)?, reader))
}

/// Whether the process behind the socket may have our orders: it is this user's, root's, or that of whose data it is.
fn check_owner(stream: &UnixStream, owner: u32) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if [private::own_user()?, owner, 0].contains(&peer) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "a process of another user answers on its socket"))
}

fn make_private(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// `<name>.sock` in the directory; a short name in the temporary folder where that would be too long for a socket.
fn socket_path(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let beside = dir.join(format!("{name}.sock"));
    if beside.as_os_str().len() <= LONGEST_SOCKET_PATH {
        return Ok(beside);
    }
    let digest = Sha256::digest(fs::canonicalize(dir)?.as_os_str().as_encoded_bytes());
    let folder = std::env::temp_dir().join(format!("switchboard-{}", crate::id::encode_base32hex(&digest[..16])));
    private::make_socket_folder(&folder, fs::metadata(dir)?.uid())?;
    Ok(folder.join(format!("{name}.sock")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_process_finds_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let Claim::Mine(owner) = claim(dir.path()).await.unwrap() else { panic!("nobody was there") };
        let listener = owner.listen().unwrap();
        let user = owner.user().unwrap();
        let visit = tokio::spawn(async move { receive(user, listener.accept().await.unwrap().0).await.unwrap().0 });
        let Claim::Running(link) = claim(dir.path()).await.unwrap() else { panic!("the first one has it") };
        link.greet(Wants::Pipe(Filters { read_only: true, ..Filters::default() })).await.unwrap();
        let hello = visit.await.unwrap();
        assert!(matches!(hello.wants, Wants::Pipe(filters) if filters.read_only));
    }

    #[tokio::test]
    async fn a_directory_is_free_again_when_its_owner_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        drop(claim(dir.path()).await.unwrap());
        assert!(matches!(claim(dir.path()).await.unwrap(), Claim::Mine(_)));
    }

    #[tokio::test]
    async fn a_long_path_still_gets_a_socket() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a".repeat(120));
        let Claim::Mine(owner) = claim(&deep).await.unwrap() else { panic!("nobody was there") };
        let _listener = owner.listen().unwrap();
        assert!(matches!(claim(&deep).await.unwrap(), Claim::Running(_)));
    }
}
