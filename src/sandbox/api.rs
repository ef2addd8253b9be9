//! The checks between a request and a twin: its path, its credential, its parameters and its body.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Error, Options,
    oauth::Accounts,
    pace::{Limit, Paces},
    server::{Answered, Desk, Host, Incoming},
    shape::{Field, check_object, check_pairs},
    twin::{Body, Call, Mail, Object, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Keeper, Scene, SeedFile},
};
use crate::clock::SharedClock;

/// A twin that is served, whatever its world is.
pub(super) trait Api: Host {
    fn profile(&self) -> Profile;
    fn specs(&self) -> Vec<Spec>;
    /// The things of the world now.
    fn objects(&self) -> Vec<Object>;
    /// The things of the world at its beginning.
    fn seeded(&self) -> Vec<Object>;
    /// What it would have sent since.
    fn mails(&self) -> Vec<Mail>;
    /// The world, as it is saved.
    fn world(&self) -> Value;
    /// Makes the world of another seed; the returned function puts it in place.
    fn reseed<'a>(&'a self, scene: &Scene, file: &SeedFile) -> Result<Box<dyn FnOnce() + Send + 'a>, Error>;
}

/// A twin with its world, its beginning and its OAuth server.
pub(super) struct ApiHost<T: Twin> {
    desk: Desk,
    clock: SharedClock,
    accounts: Arc<Accounts>,
    state: Mutex<State<T>>,
    /// None where everybody may ask as often as they like.
    paces: Option<Mutex<Paces>>,
}

/// What is saved of a twin.
#[derive(Serialize, Deserialize)]
struct State<T> {
    seed: T,
    world: T,
}

impl<T: Twin> ApiHost<T> {
    /// Opens a twin: the world that was saved, or a new one.
    pub fn open(
        keeper: Keeper,
        options: &Options,
        accounts: Arc<Accounts>,
        scene: &Scene,
        file: &SeedFile,
    ) -> Result<Self, Error> {
        let state = match keeper.load()? {
            Some(state) => state,
            None => State::begin(T::seed(scene, file)?),
        };
        let desk = Desk::open(T::PROFILE.id, keeper, options.record)?;
        let (state, clock) = (Mutex::new(state), options.clock.clone());
        let paces = options.limits.then(Mutex::default);
        Ok(ApiHost { desk, clock, accounts, state, paces })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks a request from the outside in and runs it.
    fn run(&self, route: &Route<T>, incoming: &Incoming, path: BTreeMap<&'static str, String>) -> Answered {
        let spec = &route.spec;
        let operation = spec.operation;
        let checked = self
            .admit(spec, incoming)
            .and_then(|()| check_query(spec, incoming))
            .and_then(|()| read_body(spec, incoming, T::PROFILE.accepts_null));
        let body = match checked {
            Ok(body) => body,
            Err(trouble) => return Answered::refused(Some(operation), T::refuse(&trouble)),
        };
        let (query, headers) = (incoming.query.as_slice(), &incoming.headers);
        let call = Call { now: self.clock.now(), operation, path, query, headers, body };
        if let Err((limit, seconds)) = self.keeps_pace(&call) {
            let refused = limit.refuse.map(|refuse| refuse(seconds));
            let refused = refused.unwrap_or_else(|| T::refuse(&Trouble::RateLimited(seconds)));
            return Answered::refused(Some(operation), refused);
        }
        self.perform(&route.run, &call)
    }

    /// Whether the call comes no sooner than the vendor lets it.
    fn keeps_pace(&self, call: &Call) -> Result<(), (&'static Limit, u32)> {
        let Some(paces) = &self.paces else { return Ok(()) };
        paces.lock().unwrap_or_else(PoisonError::into_inner).pass(T::LIMITS, call)
    }

    /// Runs a write on a copy, so that one that is refused half-way leaves nothing behind.
    fn perform(&self, run: &Run<T>, call: &Call<'_>) -> Answered {
        let operation = Some(call.operation);
        let mut state = self.state();
        let answer = match run {
            Run::Read(read) => {
                let outcome = read(&state.world, call).and_then(|answer| T::finish(answer, call));
                outcome.unwrap_or_else(|refused| refused)
            }
            Run::Write(write) => {
                let mut next = state.world.clone();
                match write(&mut next, call).and_then(|answer| T::finish(answer, call)) {
                    Ok(answer) => {
                        state.world = next;
                        return Answered { operation, answer, changed: true };
                    }
                    Err(refused) => refused,
                }
            }
        };
        Answered::refused(operation, answer)
    }

    fn admit(&self, spec: &Spec, incoming: &Incoming) -> Result<(), Trouble> {
        if let Body::Upload = spec.body {
            return if incoming.bearer().is_some() { Err(Trouble::BadToken) } else { Ok(()) };
        }
        let token = incoming.bearer().ok_or(Trouble::NoToken)?;
        let granted = self.accounts.check(token).map_err(|_| Trouble::BadToken)?;
        let opens = |scope: &&str| granted.iter().any(|granted| granted == scope);
        if spec.scopes.is_empty() || spec.scopes.iter().any(opens) {
            return Ok(());
        }
        Err(Trouble::MissingScope(spec.scopes))
    }
}

impl<T: Twin> State<T> {
    fn begin(seed: T) -> Self {
        let world = seed.clone();
        State { seed, world }
    }
}

impl<T: Twin> Host for ApiHost<T> {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn answer(&self, incoming: &Incoming, ordered: Option<Trouble>) -> Answered {
        let found = find(T::ROUTES, incoming);
        let operation = found.as_ref().ok().map(|(route, _)| route.spec.operation);
        match (found, ordered) {
            (_, Some(trouble)) => Answered::refused(operation, T::refuse(&trouble)),
            (Err(trouble), None) => Answered::refused(None, T::refuse(&trouble)),
            (Ok((route, path)), None) => self.run(route, incoming, path),
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&*self.state()).expect("a world is plain JSON")
    }
}

impl<T: Twin> Api for ApiHost<T> {
    fn profile(&self) -> Profile {
        T::PROFILE
    }

    fn specs(&self) -> Vec<Spec> {
        T::ROUTES.iter().map(|route| route.spec).collect()
    }

    fn objects(&self) -> Vec<Object> {
        self.state().world.objects()
    }

    fn seeded(&self) -> Vec<Object> {
        self.state().seed.objects()
    }

    fn mails(&self) -> Vec<Mail> {
        self.state().world.mails().to_vec()
    }

    fn world(&self) -> Value {
        serde_json::to_value(&self.state().world).expect("a world is plain JSON")
    }

    fn reseed<'a>(&'a self, scene: &Scene, file: &SeedFile) -> Result<Box<dyn FnOnce() + Send + 'a>, Error> {
        let state = State::begin(T::seed(scene, file)?);
        Ok(Box::new(move || *self.state() = state))
    }
}

/// The route of a request. A literal segment wins over an open one: `events/quickAdd` is no event's id.
fn find<'a, T>(
    routes: &'a [Route<T>],
    incoming: &Incoming,
) -> Result<(&'a Route<T>, BTreeMap<&'static str, String>), Trouble> {
    let fitting = routes.iter().filter_map(|route| Some((route, fit(route.spec.path, &incoming.path)?)));
    let fitting: Vec<_> = fitting.collect();
    if fitting.is_empty() {
        return Err(Trouble::UnknownPath);
    }
    let right = fitting.into_iter().filter(|(route, _)| route.spec.method == incoming.method);
    right.min_by_key(|(_, open)| open.len()).ok_or(Trouble::UnknownMethod)
}

/// The open segments of a path, if it has the template's shape. An open segment may end with a verb: `{range}:append`.
fn fit(template: &'static str, path: &str) -> Option<BTreeMap<&'static str, String>> {
    let (mut wanted, mut sent) = (template.split('/'), path.split('/'));
    let mut open = BTreeMap::new();
    loop {
        let (wanted, sent) = match (wanted.next(), sent.next()) {
            (None, None) => return Some(open),
            (Some(wanted), Some(sent)) => (wanted, sent),
            _ => return None,
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned);
        match wanted.strip_prefix('{').and_then(|wanted| wanted.split_once('}')) {
            Some((name, verb)) => {
                let sent = sent.strip_suffix(verb).filter(|sent| !sent.is_empty())?;
                drop(open.insert(name, decoded(sent)?));
            }
            None if decoded(sent)? == wanted => {}
            None => return None,
        }
    }
}

fn check_query(spec: &Spec, incoming: &Incoming) -> Result<(), Trouble> {
    let known: Vec<Field> = spec.query.iter().flat_map(|group| group.iter()).copied().collect();
    check_pairs(&incoming.query, &known).map_err(Trouble::Query)
}

fn read_body(spec: &Spec, incoming: &Incoming, nulls: bool) -> Result<Value, Trouble> {
    match spec.body {
        Body::None if incoming.body.is_empty() => Ok(Value::Null),
        Body::None => Err(Trouble::UnexpectedBody),
        Body::Json(fields) => read_json(fields, incoming, nulls),
        Body::Open => read_object(incoming).map(Value::Object),
        Body::Form(fields) => read_form(fields, incoming),
        Body::Upload => Ok(String::from_utf8_lossy(&incoming.body).into()),
    }
}

fn read_json(fields: &[Field], incoming: &Incoming, nulls: bool) -> Result<Value, Trouble> {
    let object = read_object(incoming)?;
    check_object(&object, fields, nulls).map_err(Trouble::Body)?;
    Ok(Value::Object(object))
}

fn read_object(incoming: &Incoming) -> Result<Map<String, Value>, Trouble> {
    if !incoming.is_of_type("application/json") {
        return Err(Trouble::Unreadable("the content type must be application/json".into()));
    }
    serde_json::from_slice(&incoming.body).map_err(|error| Trouble::Unreadable(error.to_string()))
}

fn read_form(fields: &[Field], incoming: &Incoming) -> Result<Value, Trouble> {
    if !incoming.is_of_type("application/x-www-form-urlencoded") {
        return Err(Trouble::Unreadable("the content type must be application/x-www-form-urlencoded".into()));
    }
    let pairs = incoming.form();
    check_pairs(&pairs, fields).map_err(Trouble::Body)?;
    let pair = |(name, value)| (name, Value::String(value));
    Ok(Value::Object(pairs.into_iter().map(pair).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_segment_by_segment() {
        let template = "/calendars/{id}/events";
        let fitted = fit(template, "/calendars/a%2Fb%40c/events").unwrap();
        assert_eq!(fitted["id"], "a/b@c");
        assert_eq!(fit("/values/{range}:append", "/values/A1%3AB2:append").unwrap()["range"], "A1:B2");
        assert!(fit("/values/{range}:append", "/values/A1%3AB2:clear").is_none());
        for path in ["/calendars/a/b/events", "/calendars//events", "/calendars/a", "/calendars/a/events/"] {
            assert!(fit(template, path).is_none(), "{path}");
        }
    }
}
