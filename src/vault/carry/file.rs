//! The file itself: an age file that only its owner can read, for a passphrase or a recipient.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Write},
    iter,
    path::{Path, PathBuf},
    str::FromStr,
};

use age::{secrecy::SecretString, stream::StreamReader, stream::StreamWriter, x25519};

use super::{super::Result, unfit};
use crate::secret::Secret;

/// The shortest passphrase that is taken.
const SHORTEST: usize = 12;

/// The most work that a passphrase may cost, as a power of two: about a quarter of a minute.
const MAX_WORK: u8 = 22;

/// Who can open an export.
#[derive(Clone, Debug)]
pub enum Lock {
    /// Whoever knows this.
    Passphrase(Secret),
    /// Whoever has the identity of this age recipient (`age1…`).
    Recipient(String),
}

/// What opens an export.
#[derive(Clone, Debug)]
pub enum Opener {
    /// The passphrase.
    Passphrase(Secret),
    /// Age identities (`AGE-SECRET-KEY-1…`), one a line.
    Identities(Secret),
}

/// A file that is being written. Dropping it without [`Draft::finish`] leaves nothing behind.
pub(super) struct Draft {
    output: Option<StreamWriter<BufWriter<File>>>,
    unfinished: PathBuf,
    file: PathBuf,
}

impl Draft {
    /// Begins the file. A passphrase costs a second of work on purpose.
    pub(super) fn begin(file: &Path, lock: &Lock) -> Result<Draft> {
        if file.try_exists().map_err(|error| unfit(file, error))? {
            return Err(unfit(file, "it is there already; name a file that is not"));
        }
        let encryptor = encryptor(file, lock)?;
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let unfinished = file.with_file_name(name);
        // One from a run that was cut off.
        let _ = fs::remove_file(&unfinished);
        let output = private().open(&unfinished).map_err(|error| unfit(file, error))?;
        let output = encryptor.wrap_output(BufWriter::new(output)).map_err(|error| unfit(file, error))?;
        Ok(Draft { output: Some(output), unfinished, file: file.to_owned() })
    }

    /// Seals one line.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<()> {
        let output = self.output.as_mut().expect("only `finish` takes the output away");
        let written = output.write_all(line).and_then(|()| output.write_all(b"\n"));
        written.map_err(|error| unfit(&self.file, error))
    }

    /// Ends the file, has the disk write it down, and gives it its name.
    pub(super) fn finish(mut self) -> Result<()> {
        let output = self.output.take().expect("only `finish` takes the output away");
        let finish = || {
            let output = output.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            output.sync_all()?;
            // A link, unlike a rename, replaces nothing.
            fs::hard_link(&self.unfinished, &self.file)
        };
        finish().map_err(|error| unfit(&self.file, error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.unfinished);
    }
}

fn encryptor(file: &Path, lock: &Lock) -> Result<age::Encryptor> {
    match lock {
        Lock::Passphrase(passphrase) if passphrase.expose().chars().count() < SHORTEST => Err(unfit(
            file,
            format!("a passphrase of fewer than {SHORTEST} characters would not protect it; take a longer one"),
        )),
        Lock::Passphrase(passphrase) => {
            Ok(age::Encryptor::with_user_passphrase(SecretString::from(passphrase.expose())))
        }
        Lock::Recipient(recipient) => {
            let recipient = x25519::Recipient::from_str(recipient.trim())
                .map_err(|_| unfit(file, "the recipient must be one of age's, such as `age1…`"))?;
            age::Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
                .map_err(|error| unfit(file, error))
        }
    }
}

/// Opens a file for reading what is in it.
pub(super) fn open(file: &Path, opener: &Opener) -> Result<BufReader<StreamReader<BufReader<File>>>> {
    let input = File::open(file).map_err(|error| unfit(file, error))?;
    let decryptor = age::Decryptor::new_buffered(BufReader::new(input))
        .map_err(|_| unfit(file, "it is no export of switchboard, or its beginning is damaged"))?;
    let opened = match opener {
        Opener::Passphrase(passphrase) => {
            let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.expose()));
            identity.set_max_work_factor(MAX_WORK);
            decryptor.decrypt(iter::once(&identity as &dyn age::Identity))
        }
        Opener::Identities(text) => {
            let identities = identities(file, text)?;
            decryptor.decrypt(identities.iter().map(|identity| identity as &dyn age::Identity))
        }
    };
    opened.map(BufReader::new).map_err(|_| unfit(file, "what was given does not open it"))
}

fn identities(file: &Path, text: &Secret) -> Result<Vec<x25519::Identity>> {
    let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(x25519::Identity::from_str)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| unfit(file, "each line of the identity must be `AGE-SECRET-KEY-1…`, as `age-keygen` prints it"))
}

/// Options for a new file that only its owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
