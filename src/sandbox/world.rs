//! Where a world comes from and where it goes: the company of the seed, made-up ids, and the file it is saved in.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::Error;
use crate::id::{SeededEntropy, base32hex};

/// The company whose tools the twins are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Its name.
    pub name: String,
    /// The domain of its addresses.
    pub domain: String,
    /// The IANA zone it works in.
    pub time_zone: String,
    /// The address of the person whose accounts are connected.
    pub me: String,
    /// Who works there.
    pub people: Vec<Person>,
    /// Whom it sells to.
    #[serde(default)]
    pub customers: Vec<Customer>,
}

/// Someone who works there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The full name.
    pub name: String,
    /// The address.
    pub email: String,
    /// What they do.
    pub role: String,
}

/// A company that is sold to. All twins speak of the same ones, so that a conversation across tools makes sense.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Its name.
    pub name: String,
    /// The domain of its addresses.
    pub domain: String,
    /// What it does, such as `Healthcare`.
    pub industry: String,
    /// Where it is.
    pub city: String,
    /// Where it is, in English.
    pub country: String,
    /// The number of its switchboard.
    pub phone: String,
    /// Who is spoken with there.
    pub contacts: Vec<Contact>,
    /// What is sold to it.
    #[serde(default)]
    pub deals: Vec<Deal>,
    /// What it asked for help with.
    #[serde(default)]
    pub tickets: Vec<Ticket>,
}

/// Someone at a customer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The full name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The number.
    pub phone: String,
    /// What they do.
    pub title: String,
}

/// A sale, under way or done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deal {
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub stage: Stage,
    /// Its worth, in whole euros.
    pub amount: u32,
    /// When it is to be closed, or was: working days from today.
    pub close: i64,
    /// Whose it is: an address as [`Scene::address`] reads it.
    pub owner: String,
    /// What comes next; empty when it is over.
    pub next_step: String,
}

/// How far a sale has come. Each vendor has names of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The customer has a need and a budget.
    Qualified,
    /// An offer is out.
    Proposal,
    /// Terms are talked about.
    Negotiation,
    /// It was bought.
    Won,
    /// It was not.
    Lost,
}

/// A customer's question or trouble.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// What it is about.
    pub subject: String,
    /// What the customer wrote.
    pub text: String,
    /// Who wrote it: the address of one of the customer's contacts.
    pub from: String,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: String,
    /// `new`, `open`, `pending` or `solved`.
    pub status: String,
    /// Whose it is: an address as [`Scene::address`] reads it.
    pub owner: String,
    /// When it came: working days from today.
    pub opened: i64,
}

/// What every twin's seed is laid out in: the company and the present moment.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The company.
    pub company: Company,
    /// Its zone.
    pub zone: TimeZone,
    /// The present moment.
    pub now: Timestamp,
    /// The number from which the twins' made-up ids follow.
    pub number: u64,
}

impl Scene {
    /// Reads the company from the seed, or takes the one that is built in.
    pub fn set(file: &SeedFile, now: Timestamp, number: u64) -> Result<Self, Error> {
        let company: Company = file.part("company", include_str!("company.json"))?;
        let zone = TimeZone::get(&company.time_zone)
            .map_err(|_| file.error("company.time_zone", "is not an IANA zone such as Europe/Berlin"))?;
        if !company.people.iter().any(|person| person.email == company.me) {
            return Err(file.error("company.me", "is not the address of one of company.people"));
        }
        let scene = Scene { company, zone, now, number };
        Ok(scene)
    }

    /// Everybody that the company speaks with outside, with the customer they belong to.
    pub fn contacts(&self) -> impl Iterator<Item = (&Customer, &Contact)> {
        self.company
            .customers
            .iter()
            .flat_map(|customer| customer.contacts.iter().map(move |contact| (customer, contact)))
    }

    /// The working day that is `days` working days after today. Day 0 is today, or Monday at a weekend.
    pub fn working_day(&self, days: i64) -> Date {
        let weekend = |date: &Date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let step = if days < 0 { -1.day() } else { 1.day() };
        let mut date = self.now.to_zoned(self.zone.clone()).date();
        while weekend(&date) {
            date = date.saturating_add(1.day());
        }
        for _ in 0..days.unsigned_abs() {
            date = date.saturating_add(step);
            while weekend(&date) {
                date = date.saturating_add(step);
            }
        }
        date
    }

    /// An address of a seed: `{2}` is the third person of the company, counted around, `{me}` the account's own.
    pub fn address(&self, text: &str) -> String {
        let people = &self.company.people;
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some("me") => self.company.me.clone(),
            Some(number) => match number.parse::<usize>() {
                Ok(number) => people[number % people.len()].email.clone(),
                Err(_) => text.to_owned(),
            },
            None => text.to_owned(),
        }
    }

    /// The name of the person with this address.
    pub fn name_of(&self, email: &str) -> Option<&str> {
        let person = self.company.people.iter().find(|person| person.email == email)?;
        Some(&person.name)
    }
}

/// A seed that a person wrote: an object with a part for each of `company` and the vendors, all of them optional.
#[derive(Clone, Debug, Default)]
pub struct SeedFile {
    path: Option<PathBuf>,
    parts: Map<String, Value>,
}

impl SeedFile {
    /// Reads the file, or stands for no file at all. `known` are the parts that may be in it.
    pub fn read(path: Option<&Path>, known: &[&str]) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(SeedFile::default()) };
        let text = fs::read_to_string(path).map_err(|source| Error::file(path, source))?;
        let mut file = SeedFile::default();
        file.path = Some(path.to_owned());
        file.parts = serde_json::from_str(&text).map_err(|error| file.error("(the whole)", &error.to_string()))?;
        match file.parts.keys().find(|part| !known.contains(&part.as_str())) {
            Some(part) => Err(file.error(part, &format!("is not one of {}", known.join(", ")))),
            None => Ok(file),
        }
    }

    /// A part of it; the fields it leaves out come from `built_in`, the JSON of the same part.
    ///
    /// # Panics
    ///
    /// When `built_in` is not a JSON object; it is compiled in.
    pub fn part<T: DeserializeOwned>(&self, name: &str, built_in: &str) -> Result<T, Error> {
        let mut whole: Map<String, Value> = serde_json::from_str(built_in).expect("the built-in seed is JSON");
        match self.parts.get(name) {
            Some(Value::Object(part)) => whole.extend(part.clone()),
            Some(_) => return Err(self.error(name, "must be an object")),
            None => {}
        }
        self.check(name, Value::Object(whole))
    }

    /// Reads a value that stands at `field`, so that an error can say where.
    pub fn check<T: DeserializeOwned>(&self, field: &str, value: Value) -> Result<T, Error> {
        serde_json::from_value(value).map_err(|error| self.error(field, &error.to_string()))
    }

    /// Reads a list item by item, so that an error can say which.
    pub fn check_list<T: DeserializeOwned>(&self, field: &str, items: Vec<Value>) -> Result<Vec<T>, Error> {
        let items = items.into_iter().enumerate();
        items.map(|(index, item)| self.check(&format!("{field}[{index}]"), item)).collect()
    }

    /// An error that names the file and the field.
    pub fn error(&self, field: &str, why: &str) -> Error {
        let file = match &self.path {
            Some(path) => path.display().to_string(),
            None => "the built-in seed".into(),
        };
        let (field, why) = (field.to_owned(), why.to_owned());
        Error::Seed { file, field, why }
    }
}

/// Makes up ids: the same ones in every run, and new ones after a restart because the count is saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mint {
    number: u64,
    made: u64,
}

impl Mint {
    /// Starts from a number; each twin mixes in a name of its own.
    pub fn new(number: u64, name: &str) -> Self {
        let mixed = name.bytes().fold(number, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Mint { number: mixed, made: 0 }
    }

    /// `len` new characters of `0-9a-v`.
    pub fn id(&mut self, len: usize) -> String {
        base32hex(&*self.entropy(), len)
    }

    /// How many ids have been made: a number that only grows.
    pub fn count_on(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// How many have been made so far.
    pub fn made(&self) -> u64 {
        self.made
    }

    fn entropy(&mut self) -> Arc<SeededEntropy> {
        // An odd factor spreads neighbouring counts over all 64 bits, so two twins do not walk into each other.
        let spread = self.count_on().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        SeededEntropy::new(self.number ^ spread)
    }
}

/// Keeps one JSON file up to date, or nothing when there is no directory.
#[derive(Debug)]
pub struct Keeper {
    path: Option<PathBuf>,
    turn: tokio::sync::Mutex<()>,
}

impl Keeper {
    /// A keeper of `<dir>/<name>.json`.
    pub fn new(dir: Option<&Path>, name: &str) -> Self {
        let path = dir.map(|dir| dir.join(format!("{name}.json")));
        let turn = tokio::sync::Mutex::default();
        Keeper { path, turn }
    }

    /// A keeper of a second file with the same beginning: `<dir>/<name>.<what>.json`.
    #[must_use]
    pub fn beside(&self, what: &str) -> Self {
        let path = self.path.as_ref().map(|path| path.with_extension(format!("{what}.json")));
        let turn = tokio::sync::Mutex::default();
        Keeper { path, turn }
    }

    /// Saves something small at once, or removes the file when there is nothing to save. The caller sees to the order.
    pub fn note(&self, value: Option<&impl Serialize>) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        let noted = match value {
            Some(value) => return replace(path, &serde_json::to_vec(value).unwrap_or_default()),
            None => fs::remove_file(path),
        };
        match noted {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file(path, error)),
            _ => Ok(()),
        }
    }

    /// What was saved, if anything was.
    pub fn load<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let Some(path) = &self.path else { return Ok(None) };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::file(path, source)),
        };
        let unreadable = |source| Error::Saved { path: path.clone(), source };
        serde_json::from_slice(&text).map(Some).map_err(unreadable)
    }

    /// Saves what `snapshot` returns when it is this save's turn, so that a later state never loses to an earlier one.
    pub async fn save(&self, snapshot: impl FnOnce() -> Vec<u8>) -> Result<(), Error> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        let _turn = self.turn.lock().await;
        let bytes = snapshot();
        let written = tokio::task::spawn_blocking(move || replace(&path, &bytes)).await;
        written.unwrap_or_else(|stopped| Err(Error::file(Path::new("the sandbox"), io::Error::other(stopped))))
    }
}

/// Puts a new file in the place of the old one in one step: a reader, or a crash, sees one or the other.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = path.with_extension("json.new");
    let moved = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    moved.map_err(|source| Error::file(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(now: &str) -> Scene {
        Scene::set(&SeedFile::default(), now.parse().unwrap(), 1).unwrap()
    }

    #[test]
    fn working_days_step_over_weekends() {
        // 22 November 2026 is a Sunday.
        let sunday = scene("2026-11-22T19:00:00Z");
        assert_eq!(sunday.working_day(0).to_string(), "2026-11-23");
        assert_eq!(sunday.working_day(4).to_string(), "2026-11-27");
        assert_eq!(sunday.working_day(5).to_string(), "2026-11-30");
        assert_eq!(sunday.working_day(-1).to_string(), "2026-11-20");
    }

    #[test]
    fn today_is_the_day_in_the_companys_zone() {
        // Half past eleven on Sunday night in UTC is Monday in Berlin.
        assert_eq!(scene("2026-11-22T23:30:00Z").working_day(0).to_string(), "2026-11-23");
        assert_eq!(scene("2026-11-24T23:30:00Z").working_day(0).to_string(), "2026-11-25");
    }

    #[test]
    fn a_bad_seed_names_its_file_and_field() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seed.json");
        let error = |text: &str| {
            fs::write(&path, text).unwrap();
            let file = SeedFile::read(Some(&path), &["company"]);
            let scene = file.and_then(|file| Scene::set(&file, Timestamp::UNIX_EPOCH, 1));
            let error = scene.unwrap_err().to_string();
            assert!(error.contains("seed.json"), "{error}");
            error
        };
        assert!(error("{").contains("line 1"));
        assert!(error(r#"{"compny": {}}"#).contains("compny"));
        assert!(error(r#"{"company": {"time_zone": "Mars/Base"}}"#).contains("company.time_zone"));
        assert!(error(r#"{"company": {"nmae": "x"}}"#).contains("nmae"));
        assert!(error(r#"{"company": {"me": "x@example.com"}}"#).contains("company.me"));
    }

    #[test]
    fn made_up_ids_repeat_in_a_new_run_and_never_within_one() {
        let mut one = Mint::new(7, "calendar");
        let first = one.id(12);
        assert_eq!(first, Mint::new(7, "calendar").id(12));
        assert_ne!(first, Mint::new(7, "mail").id(12));
        let text = serde_json::to_string(&one).unwrap();
        let mut reloaded: Mint = serde_json::from_str(&text).unwrap();
        assert_ne!(first, reloaded.id(12));
    }

    #[tokio::test]
    async fn what_is_saved_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(Some(dir.path()), "world");
        assert_eq!(keeper.load::<Value>().unwrap(), None);
        keeper.save(|| b"[1]".to_vec()).await.unwrap();
        assert_eq!(keeper.load::<Value>().unwrap(), Some(serde_json::json!([1])));
    }

    #[test]
    fn a_note_lies_beside_the_world_and_goes_again() {
        let dir = tempfile::tempdir().unwrap();
        let notes = Keeper::new(Some(dir.path()), "world").beside("fault");
        notes.note(Some(&"429:3")).unwrap();
        assert!(dir.path().join("world.fault.json").exists());
        assert_eq!(notes.load::<String>().unwrap().as_deref(), Some("429:3"));
        for _ in 0..2 {
            notes.note(None::<&str>.as_ref()).unwrap();
            assert_eq!(notes.load::<String>().unwrap(), None);
        }
    }

    #[test]
    fn a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("world.json"), "{").unwrap();
        let error = Keeper::new(Some(dir.path()), "world").load::<Value>().unwrap_err();
        assert!(error.to_string().contains("world.json"), "{error}");
    }
}
