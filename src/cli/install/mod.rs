//! `install`: puts Switchboard into the settings of a client, and leaves everything else in them as it is.

mod clients;
mod merge;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub use clients::{CLIENTS, Client};
use clients::{Form, Places};

use super::{
    options::{Install, Place},
    order::Failure,
    show::{self, GOOD, STRONG},
};

/// What clients call the server. Short and without an underscore, because some put it before every tool's name.
const NAME: &str = "switchboard";

/// How a client starts the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub command: String,
    /// What comes behind it.
    pub args: Vec<String>,
}

/// `switchboard install`
pub fn run(place: &Place, install: &Install) -> Result<ExitCode, Failure> {
    let client = clients::find(&install.client).ok_or_else(|| unknown(&install.client))?;
    let launch = launch(place, std::env::current_exe().map_err(Failure::of)?)?;
    let file = (client.file)(&Places::of_this_machine()?);
    let text = read(&file)?;
    let (before, after) = match &text {
        Some(text) => (text.as_str(), merge::into(text, &client.form, &launch)),
        None => ("", merge::into("", &client.form, &launch)),
    };
    let after = after.map_err(|why| unreadable(client, &file, &why))?;
    if install.print {
        show::aside(&format!("{} keeps its servers in {}; this belongs there:", client.title, file.display()));
        show::line(merge::into("", &client.form, &launch).unwrap_or_default().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if before == after {
        show::line(&format!("{} has Switchboard already, in {}.", client.title, file.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let backup = text.as_ref().map(|_| keep(&file)).transpose().map_err(|error| unwritable(&file, &error))?;
    write(&file, &after).map_err(|error| unwritable(&file, &error))?;
    show::line(&format!(
        "{} {} has Switchboard now: {}.",
        show::styled(GOOD, "✓"),
        client.title,
        show::styled(STRONG, &file.display().to_string())
    ));
    if let Some(backup) = backup {
        show::aside(&format!("As it was before: {}.", backup.display()));
    }
    show::aside(client.next);
    Ok(ExitCode::SUCCESS)
}

/// The same program and the same place as now.
fn launch(place: &Place, program: PathBuf) -> Result<Launch, Failure> {
    let text = |text: OsString| {
        text.into_string().map_err(|_| Failure::new("The program lies in a folder whose name is no UTF-8 text."))
    };
    let mut args = vec!["stdio".to_owned()];
    if place.sandbox {
        args.push("--sandbox".to_owned());
    }
    if let Some(dir) = &place.data_dir {
        let dir = std::path::absolute(dir).map_err(Failure::of)?;
        args.extend(["--data-dir".to_owned(), text(dir.into_os_string())?]);
    }
    Ok(Launch { command: text(program.into_os_string())?, args })
}

fn read(file: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("{} cannot be read: {error}.", file.display()))),
    }
}

/// Copies the file beside itself, under the first name of its kind that is free.
fn keep(file: &Path) -> io::Result<PathBuf> {
    let named = |number: u32| {
        let mut name = file.as_os_str().to_owned();
        name.push(if number == 0 { ".bak".to_owned() } else { format!(".bak.{number}") });
        PathBuf::from(name)
    };
    let backup = (0..=u32::MAX).map(named).find(|path| !path.exists()).expect("some number is free");
    fs::copy(file, &backup)?;
    Ok(backup)
}

/// Writes the whole file or nothing of it. A link stays a link, and the rights stay what they are.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".switchboard-new");
    let fresh = folder.join(name);
    fs::write(&fresh, text)?;
    if let Ok(known) = fs::metadata(&target) {
        fs::set_permissions(&fresh, known.permissions())?;
    }
    fs::rename(&fresh, &target)
}

fn unknown(client: &str) -> Failure {
    let known: Vec<&str> = CLIENTS.iter().map(|client| client.id).collect();
    let near = crate::text::nearest(client, known.iter().copied());
    let next =
        near.map_or_else(|| format!("There are: {}.", known.join(", ")), |near| format!("Did you mean `{near}`?"));
    Failure::new(format!("There is no client `{client}` here.")).next(next)
}

fn unreadable(client: &Client, file: &Path, why: &str) -> Failure {
    let what = format!("{} cannot be changed: {why}. It was left as it is.", file.display());
    Failure::new(what)
        .next(format!("Mend it, or put in by hand what `switchboard install {} --print` shows.", client.id))
}

fn unwritable(file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}.", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_kept_under_a_free_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mcp.json");
        fs::write(&file, "one").unwrap();
        assert_eq!(keep(&file).unwrap(), dir.path().join("mcp.json.bak"));
        write(&file, "two").unwrap();
        assert_eq!(keep(&file).unwrap(), dir.path().join("mcp.json.bak.1"));
        assert_eq!(fs::read_to_string(dir.path().join("mcp.json.bak")).unwrap(), "one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "nothing else is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_rights_stay() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.json"), dir.path().join("link.json"));
        fs::write(&real, "{}").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, "{\"a\":1}").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "{\"a\":1}");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
