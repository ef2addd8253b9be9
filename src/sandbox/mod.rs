//! Offline, stateful twins of the vendors' APIs.
//!
//! Each twin is a real HTTP server on loopback, as strict as its vendor, with a world that is seeded, changed by
//! calls, saved, compared with its beginning and broken on demand. A family of vendors shares an OAuth server.
//! A twin shares no type with the integration it is there for: the wire is all they have in common.

pub mod airtable;
mod api;
mod days;
pub mod diff;
pub mod fault;
pub mod gmail;
pub mod google_calendar;
pub mod google_sheets;
pub mod hubspot;
mod model;
pub mod notion;
pub mod oauth;
pub mod pace;
pub mod record;
pub mod salesforce;
mod server;
pub mod shape;
pub mod slack;
pub mod twin;
pub mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::{
    airtable::Airtable,
    api::{Api, ApiHost},
    diff::Diff,
    gmail::Gmail,
    google_calendar::GoogleCalendar,
    google_sheets::GoogleSheets,
    hubspot::HubSpot,
    model::Model,
    notion::Notion,
    oauth::{Accounts, Grant, Quirks},
    record::Exchange,
    salesforce::Salesforce,
    server::Host,
    slack::Slack,
    twin::{Spec, Twin},
    world::{Keeper, Scene, SeedFile},
};
use crate::{clock::SharedClock, secret::Secret, text::Transformation};

/// What the twins make of texts of callers, for the tests that hold it to its bounds.
#[doc(hidden)]
pub fn transformations() -> impl Iterator<Item = &'static Transformation> {
    let all = [
        salesforce::TRANSFORMATIONS,
        airtable::TRANSFORMATIONS,
        gmail::TRANSFORMATIONS,
        google_calendar::TRANSFORMATIONS,
        slack::TRANSFORMATIONS,
        google_sheets::TRANSFORMATIONS,
    ];
    all.into_iter().flatten()
}

/// Every twin, with what is needed before its world is there.
const CATALOG: &[Entry] = &[
    Entry::of::<GoogleCalendar>(),
    Entry::of::<Gmail>(),
    Entry::of::<Slack>(),
    Entry::of::<Airtable>(),
    Entry::of::<GoogleSheets>(),
    Entry::of::<Notion>(),
    Entry::of::<Salesforce>(),
    Entry::of::<HubSpot>(),
];

/// How a sandbox is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the worlds are saved; without it they live as long as the sandbox.
    pub dir: Option<PathBuf>,
    /// A seed instead of the one that is built in; a world that was saved goes before both.
    pub seed: Option<PathBuf>,
    /// What time it is.
    pub clock: SharedClock,
    /// The number from which all made-up ids follow.
    pub number: u64,
    /// How many exchanges each twin remembers.
    pub record: usize,
    /// Whether twins refuse who asks more often than their vendors allow.
    pub limits: bool,
}

impl Options {
    /// A sandbox in memory with the built-in seed.
    pub fn new(clock: SharedClock) -> Self {
        let (dir, seed) = (None, None);
        Options { dir, seed, clock, number: 7, record: 1000, limits: true }
    }
}

/// Running twins. They stop when it is dropped.
pub struct Sandbox {
    options: Options,
    twins: Vec<Arc<dyn Api>>,
    families: BTreeMap<&'static str, Arc<Accounts>>,
    model: Arc<Model>,
    #[expect(dead_code, reason = "dropping it stops the servers")]
    stop: DropGuard,
}

/// Where a twin and its OAuth server are.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The integration's id.
    pub vendor: &'static str,
    /// The family whose OAuth server it uses.
    pub family: &'static str,
    /// The base URL, with the version.
    pub base_url: String,
    /// The consent page.
    pub authorize_url: String,
    /// Where codes and refresh tokens are traded.
    pub token_url: String,
    /// Where a grant is ended.
    pub revoke_url: Option<String>,
    /// Where devices without a browser get their codes.
    pub device_url: Option<String>,
    /// What the redirect gives as `iss`, where the family does.
    pub issuer: Option<String>,
    /// The OAuth client that is registered.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// Whose account it is: an e-mail address.
    pub account: String,
}

/// How a twin is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The integration's id.
    pub vendor: &'static str,
    /// Where it listens.
    pub base_url: String,
    /// Whose account it is.
    pub account: String,
    /// How many things of each kind are in it.
    pub objects: BTreeMap<&'static str, usize>,
    /// How often each operation was called since the start.
    pub calls: BTreeMap<&'static str, u64>,
    /// The fault in force.
    pub fault: Option<String>,
    /// How many tokens of its family would be accepted.
    pub live_tokens: usize,
}

/// Why a sandbox does not start or does not do as told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The seed does not fit.
    #[error("the seed {file} does not fit at `{field}`: {why}. Correct the file and start again")]
    Seed {
        /// The file.
        file: String,
        /// The way to the field.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file could not be read or written.
    #[error("the sandbox cannot use {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A saved world is damaged or of another version.
    #[error("the saved world {} cannot be read: {source}. Delete the file to begin anew", path.display())]
    Saved {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// No port could be opened on loopback.
    #[error("the sandbox cannot listen on 127.0.0.1: {0}")]
    Listen(io::Error),
    /// There is no such twin.
    #[error("the sandbox has no twin of `{vendor}`; it has {known}")]
    UnknownVendor {
        /// What was asked for.
        vendor: String,
        /// What there is.
        known: String,
    },
    /// There is no such fault.
    #[error(transparent)]
    UnknownFault(#[from] fault::UnknownFault),
    /// The consent page refused.
    #[error("the consent page refuses: {0}")]
    Refused(String),
}

impl Error {
    fn file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Error::File { path, source }
    }
}

impl Sandbox {
    /// Starts all twins, each on a free port of 127.0.0.1, with the worlds that were saved or with a seed.
    pub async fn start(options: Options) -> Result<Sandbox, Error> {
        if let Some(dir) = &options.dir {
            fs::create_dir_all(dir).map_err(|source| Error::file(dir, source))?;
        }
        let (scene, file) = set_scene(&options, options.seed.as_deref())?;
        let families = open_families(&options, &scene)?;
        let mut twins = vec![];
        for entry in CATALOG {
            let accounts = families[entry.oauth.family].clone();
            twins.push((entry.open)(&options, accounts, &scene, &file)?);
        }
        let model = Arc::new(Model::open(options.dir.as_deref(), options.record, options.clock.clone(), &scene)?);
        let stop = CancellationToken::new();
        server::open(model.clone(), stop.clone()).await?;
        for host in hosts(&twins, &families) {
            server::save(&*host).await?;
            server::open(host, stop.clone()).await?;
        }
        for twin in &twins {
            families[twin.profile().oauth.family].serves(twin.desk().origin());
        }
        let stop = stop.drop_guard();
        Ok(Sandbox { options, twins, families, model, stop })
    }

    /// Where everything is, in the order of the catalog.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.twins.iter().map(|twin| self.endpoint_of(&**twin)).collect()
    }

    /// Where one twin is.
    pub fn endpoint(&self, vendor: &str) -> Result<Endpoint, Error> {
        Ok(self.endpoint_of(&**self.twin(vendor)?))
    }

    /// Where the scripted stand-in for a language model is: the base address of OpenAI's protocol, and its model's
    /// name.
    pub fn model(&self) -> (String, &'static str) {
        (self.model.base_url(), model::MODEL)
    }

    /// Where a twin has a second host of its vendor: the path of the vendor's `base_url`, on the twin's own server.
    pub fn second_host(&self, vendor: &str, base_url: &str) -> Result<String, Error> {
        let path = base_url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
        Ok(format!("{}/{path}", self.twin(vendor)?.desk().origin()))
    }

    /// How everything is.
    pub fn status(&self) -> Vec<Status> {
        self.twins.iter().map(|twin| self.status_of(&**twin)).collect()
    }

    /// Begins all worlds anew, from a seed of one's own or the one of the start. Grants stay good; faults and
    /// records are forgotten. A seed that does not fit changes nothing.
    pub async fn reset(&self, seed: Option<&Path>) -> Result<(), Error> {
        let (scene, file) = set_scene(&self.options, seed.or(self.options.seed.as_deref()))?;
        {
            let worlds: Result<Vec<_>, _> = self.twins.iter().map(|twin| twin.reseed(&scene, &file)).collect();
            worlds?.into_iter().for_each(|put| put());
        }
        for accounts in self.families.values() {
            accounts.belongs_to(&scene.company.me);
        }
        for host in hosts(&self.twins, &self.families) {
            host.desk().set_fault(None)?;
            host.desk().log().clear();
        }
        self.model.desk().set_fault(None)?;
        self.model.desk().log().clear();
        self.save().await
    }

    /// Saves everything. Each change is saved as it happens; this is for the end of a process that wants to be sure.
    pub async fn save(&self) -> Result<(), Error> {
        for host in hosts(&self.twins, &self.families) {
            server::save(&*host).await?;
        }
        Ok(())
    }

    /// What has changed since the seed.
    pub fn diff(&self) -> Diff {
        let compared =
            self.twins.iter().map(|twin| diff::compare(twin.profile().id, twin.seeded(), twin.objects(), twin.mails()));
        let vendors = compared.filter(|vendor| !vendor.is_empty()).collect();
        Diff { vendors }
    }

    /// Makes a twin, or the OAuth server of a family, fail: `429`, `500:3`, `slow:2s`, `malformed`, `reset`, `off`.
    /// It stays in force until it has struck as often as ordered, is switched off, or the world is reset.
    pub fn fault(&self, name: &str, what: &str) -> Result<(), Error> {
        let order = fault::parse(what)?;
        self.host(name)?.desk().set_fault(order)
    }

    /// Ends the access tokens of a vendor's family; refresh tokens stay good.
    pub async fn expire(&self, vendor: &str) -> Result<(), Error> {
        let accounts = self.accounts(vendor)?;
        accounts.expire();
        server::save(&**accounts).await
    }

    /// Ends all grants of a vendor's family, as a person does in the settings of the account.
    pub async fn revoke(&self, vendor: &str) -> Result<(), Error> {
        let accounts = self.accounts(vendor)?;
        accounts.revoke();
        server::save(&**accounts).await
    }

    /// Connects the account without a browser. No scopes means all that the family has.
    pub async fn grant(&self, vendor: &str, scopes: &[&str]) -> Result<Grant, Error> {
        let accounts = self.accounts(vendor)?;
        let grant = accounts.grant(scopes);
        server::save(&**accounts).await?;
        Ok(grant)
    }

    /// Says yes to an authorize URL, as a person in a browser would. Returns the redirect that follows.
    pub async fn approve(&self, vendor: &str, authorize_url: &str) -> Result<String, Error> {
        let accounts = self.accounts(vendor)?;
        let redirect = accounts.approve(authorize_url).map_err(Error::Refused)?;
        server::save(&**accounts).await?;
        Ok(redirect)
    }

    /// Says yes to the code that a device shows, as a person would on the vendor's page.
    pub async fn approve_device(&self, vendor: &str, user_code: &str) -> Result<(), Error> {
        let accounts = self.accounts(vendor)?;
        if !accounts.decided_device(user_code, oauth::Decision::Yes) {
            return Err(Error::Refused(format!("there is no code {user_code}")));
        }
        server::save(&**accounts).await
    }

    /// The latest exchanges of a twin, or of the OAuth server of a family, oldest first.
    pub fn exchanges(&self, name: &str) -> Result<Vec<Exchange>, Error> {
        Ok(self.host(name)?.desk().log().exchanges())
    }

    /// How often an operation of a twin, or of the OAuth server of a family, was called.
    pub fn count(&self, name: &str, operation: &str) -> Result<u64, Error> {
        let host = self.host(name)?;
        let count = host.desk().log().counts().get(operation).copied();
        Ok(count.unwrap_or_default())
    }

    /// A twin's world, as it is saved.
    pub fn world(&self, vendor: &str) -> Result<Value, Error> {
        Ok(self.twin(vendor)?.world())
    }

    /// The tables of what a twin accepts.
    pub fn tables(&self, vendor: &str) -> Result<Vec<Spec>, Error> {
        Ok(self.twin(vendor)?.specs())
    }

    fn twin(&self, vendor: &str) -> Result<&Arc<dyn Api>, Error> {
        let found = self.twins.iter().find(|twin| twin.profile().id == vendor);
        found.ok_or_else(|| self.unknown(vendor))
    }

    fn accounts(&self, vendor: &str) -> Result<&Arc<Accounts>, Error> {
        let family = match self.twin(vendor) {
            Ok(twin) => twin.profile().oauth.family,
            Err(_) => vendor,
        };
        self.families.get(family).ok_or_else(|| self.unknown(vendor))
    }

    fn host(&self, name: &str) -> Result<Arc<dyn Host>, Error> {
        // Many vendors are a family of their own; then the name is the twin's, and `oauth-` leads to the server.
        let family = name.strip_prefix("oauth-").unwrap_or(name);
        if name == model::NAME {
            return Ok(self.model.clone());
        }
        match (self.twin(name), self.families.get(family)) {
            (Ok(twin), _) => Ok(twin.clone()),
            (Err(_), Some(accounts)) => Ok(accounts.clone()),
            (Err(unknown), None) => Err(unknown),
        }
    }

    fn unknown(&self, vendor: &str) -> Error {
        let known = self.twins.iter().map(|twin| twin.profile().id);
        let known: Vec<_> = known.chain(self.families.keys().copied()).collect();
        let (vendor, known) = (vendor.to_owned(), known.join(", "));
        Error::UnknownVendor { vendor, known }
    }

    fn endpoint_of(&self, twin: &dyn Api) -> Endpoint {
        let profile = twin.profile();
        let accounts = &self.families[profile.oauth.family];
        let (quirks, origin) = (accounts.quirks, accounts.issuer());
        Endpoint {
            vendor: profile.id,
            family: quirks.family,
            base_url: format!("{}{}", twin.desk().origin(), profile.base_path),
            authorize_url: format!("{origin}{}", quirks.authorize_path),
            token_url: format!("{origin}{}", quirks.token_path),
            revoke_url: quirks.revoke_path.map(|path| format!("{origin}{path}")),
            device_url: quirks.device_path.map(|path| format!("{origin}{path}")),
            issuer: quirks.says_issuer.then_some(origin),
            client_id: accounts.client_id.clone(),
            client_secret: accounts.client_secret.clone(),
            account: accounts.account(),
        }
    }

    fn status_of(&self, twin: &dyn Api) -> Status {
        let mut objects = BTreeMap::new();
        for object in twin.objects() {
            *objects.entry(object.kind).or_default() += 1;
        }
        let endpoint = self.endpoint_of(twin);
        Status {
            vendor: endpoint.vendor,
            base_url: endpoint.base_url,
            account: endpoint.account,
            objects,
            calls: twin.desk().log().counts().clone(),
            fault: twin.desk().fault(),
            live_tokens: self.families[endpoint.family].live(),
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.endpoints()).finish()
    }
}

/// Opens a twin with the world that was saved or with the one of a seed.
type Open = fn(&Options, Arc<Accounts>, &Scene, &SeedFile) -> Result<Arc<dyn Api>, Error>;

/// A row of the catalog.
struct Entry {
    id: &'static str,
    oauth: &'static Quirks,
    scopes: fn() -> BTreeSet<&'static str>,
    open: Open,
}

impl Entry {
    const fn of<T: Twin>() -> Self {
        Entry {
            id: T::PROFILE.id,
            oauth: T::PROFILE.oauth,
            scopes: || T::ROUTES.iter().flat_map(|route| route.spec.scopes).copied().collect(),
            open: open_twin::<T>,
        }
    }
}

fn open_twin<T: Twin>(
    options: &Options,
    accounts: Arc<Accounts>,
    scene: &Scene,
    file: &SeedFile,
) -> Result<Arc<dyn Api>, Error> {
    let keeper = Keeper::new(options.dir.as_deref(), T::PROFILE.id);
    let host = ApiHost::<T>::open(keeper, options, accounts, scene, file)?;
    Ok(Arc::new(host))
}

fn open_families(options: &Options, scene: &Scene) -> Result<BTreeMap<&'static str, Arc<Accounts>>, Error> {
    let mut members: BTreeMap<_, (&Quirks, BTreeSet<_>)> = BTreeMap::new();
    for entry in CATALOG {
        let (_, scopes) = members.entry(entry.oauth.family).or_insert((entry.oauth, BTreeSet::new()));
        scopes.extend((entry.scopes)());
    }
    let open = |(family, (quirks, scopes))| {
        let (dir, clock) = (options.dir.as_deref(), options.clock.clone());
        let accounts = Accounts::open(quirks, scopes, dir, options.record, clock, scene)?;
        Ok((family, Arc::new(accounts)))
    };
    members.into_iter().map(open).collect()
}

fn set_scene(options: &Options, seed: Option<&Path>) -> Result<(Scene, SeedFile), Error> {
    let known: Vec<_> = ["company"].into_iter().chain(CATALOG.iter().map(|entry| entry.id)).collect();
    let file = SeedFile::read(seed, &known)?;
    let scene = Scene::set(&file, options.clock.now(), options.number)?;
    Ok((scene, file))
}

fn hosts(twins: &[Arc<dyn Api>], families: &BTreeMap<&'static str, Arc<Accounts>>) -> Vec<Arc<dyn Host>> {
    let twins = twins.iter().map(|twin| Arc::clone(twin) as Arc<dyn Host>);
    let families = families.values().map(|accounts| Arc::clone(accounts) as Arc<dyn Host>);
    twins.chain(families).collect()
}

#[cfg(test)]
mod tests;
