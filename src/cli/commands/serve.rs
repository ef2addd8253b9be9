//! `serve`: clients over HTTP.

use std::{net::SocketAddr, num::NonZeroUsize, process::ExitCode, sync::Arc, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    agents::Agents,
    api::{self, Api},
    cli::{
        chronicle::Chronicle,
        door::{Door, Sessions},
        house::{self, Home, House},
        janitor,
        options::{Place, Serve, origin},
        order::Failure,
        owner::{Claim, Ownership},
        pages,
        reception::Reception,
        session, show,
        storage::Storage,
        voice::{Around, Voice},
    },
    config,
    console::{self, Console, Visitors},
    hub::Deferred,
    id,
    quota::Quotas,
    sandbox::Sandbox,
    transport::{self, Browsers, Hosts, Proxies, guard, listen, proxy, rest},
};

/// Where `serve` listens when nobody says otherwise. `connect` uses the same port for what vendors send back.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:7411";

/// How long a process that hands the data directory over may take to finish its work.
const PATIENCE: Duration = Duration::from_secs(25);
/// The pause before it is tried again: shorter than that of the processes that only want to be served.
const PAUSE: Duration = Duration::from_millis(10);

/// `switchboard serve`
pub async fn run(place: &Place, options: &Serve) -> Result<ExitCode, Failure> {
    let home = Home::of(place).map_err(Failure::of)?;
    let settings = home.settings().map_err(Failure::of)?.with_store(place.store.clone());
    let address = address(options, settings.file.listen.as_deref())?;
    let trust = options.trust.clone().or_file(&settings.file);
    let proxies = proxies(options, &settings.file.trust_proxy)?;
    let public = options.public_url.clone().or(settings.file.public_url.clone());
    let pages_of = pages_of(options, &settings.file.allow_origin)?;
    // Who names an issuer or a proxy wants tokens, in the sandbox too.
    let is_open =
        is_open(place, options, address, public.as_ref())? && trust.auth_issuer.is_none() && proxies.is_empty();
    let storage = Storage::of(&home, &settings)?;
    let ownership = show::waiting("taking over", own(&storage, &home)).await?.map(Arc::new);
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
    let address = listener.local_addr().map_err(Failure::of)?;
    let visitors = ownership.as_ref().map(|ownership| ownership.listen()).transpose().map_err(Failure::of)?;
    let house = show::waiting("opening", House::open(&home, &settings, ownership.clone())).await?;
    let accounts = house.accounts.clone();
    let (audit, clock, entropy) = (house.audit.clone(), house.clock.clone(), id::os());
    let chronicle = Chronicle { audit, agents: house.agents.clone(), clock, entropy };
    let stand_in = house.sandbox.as_ref().map(Sandbox::model);
    let (agents, key, store) = (house.agents.clone(), house.session_key.clone(), house.vault.store().clone());
    let house = Deferred::ready(house);
    let hub = house::hub(house.map(|house| house.desk.clone()), home.clock.clone());
    let filters = options.narrowing.filters().or_file(&settings.file);
    house::check_filters(&hub, &filters)?;
    accounts.bound_to(filters.clone());
    let limits = limits(options, &proxies);
    let quotas = Quotas::for_connections(limits.connections);
    let server = house::server_with(&hub, key, store, quotas.clone());
    let around = Around { home: &home, stand_in, agents: agents.clone(), metrics: hub.metrics().clone(), address };
    let voice = Voice::open(around)?;

    let local = || format!("http://localhost:{}", address.port()).parse();
    let origin: Url = public.clone().map_or_else(local, Ok).map_err(Failure::of)?;
    let api = Api::new(hub.clone(), origin.clone(), id::os());
    let names = public.iter().filter_map(|url| url.host_str()).map(str::to_owned).chain(own_name(address));
    let door = if is_open {
        Door::open(agents.clone())
    } else {
        Door::guarded(&trust, &origin, filters.read_only, agents.clone())?
    };
    let (browsers, visitors_here) = browsers(is_open, &agents);
    let hosts = Arc::new(hosts(names, pages_of, is_open.then_some(&origin)));
    let transport = transport::Options { browsers, hosts, filters, quotas, ..door.options() };
    let console = Console::new(api.clone(), visitors_here);
    let console = voice.iter().fold(console, |console, voice| console.with_calls(voice.calls()));
    let pages = guard::protect(console::router(console), Arc::clone(&transport.hosts));
    let routes = voice.iter().fold(routes(&server, &api, &transport), |all, voice| all.merge(voice.router(&transport)));
    let router = door.with_metadata(routes.merge(pages), &transport.hosts);
    let router = proxy::believe(chronicle.around(router), proxies);
    let router = if is_open { proxy::only_direct(router) } else { router };
    hub.serve_pages(Arc::new(pages::Fixed(origin.to_string())));

    let listening = voice.clone().map(|voice| tokio::spawn(end_on_alarm(hub.alarms(), voice)));
    greet(&agents, is_open, place, address, voice.is_some()).await?;
    let redirect = Some(api.redirect_uri());
    let reception = Reception { hub, server: server.clone(), house: house.clone(), redirect, leaving: None };
    let closing = CancellationToken::new();
    let visitors = visitors.zip(ownership).map(|(visitors, ownership)| {
        // It is bounded.
        tokio::spawn(reception.run(visitors, ownership, closing.clone()))
    });
    let tidying = tokio::spawn(janitor::keep_tidy(house.clone()));
    let served = listen::serve(listener, router, limits, end_of(server, voice)).await;
    closing.cancel();
    if let Some(visitors) = visitors {
        // How it ends changes nothing any more.
        let _ = visitors.await;
    }
    tidying.abort();
    listening.iter().for_each(tokio::task::JoinHandle::abort);
    if let Ok(house) = house.get().await {
        house.close().await;
    }
    served.map_err(Failure::of)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the data directory this process's own: a `stdio` that has it hands it over and goes on as a visitor. `None`
/// when the store is shared and another process on this machine takes the visitors already.
async fn own(storage: &Storage, home: &Home) -> Result<Option<Ownership>, Failure> {
    let taken = || {
        Failure::new(format!("Another switchboard process already uses {}.", home.dir.display()))
            .next("Stop it first, or name another folder with --data-dir.")
    };
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let link = match storage.claim(home).await? {
            Claim::Mine(ownership) => return Ok(Some(ownership)),
            Claim::Running(_) if storage.is_shared() => return Ok(None),
            Claim::Running(link) => link,
        };
        session::ask_to_hand_over(link).await.map_err(|_| taken())?;
        tokio::time::sleep(PAUSE).await;
    }
    Err(taken())
}

/// Who comes with a browser: everybody where no token is asked for, else those who signed in.
fn browsers(is_open: bool, agents: &Agents) -> (Option<Browsers>, Visitors) {
    if is_open {
        return (None, Visitors::Everybody(house::local_principal()));
    }
    (Some(Browsers(Arc::new(Sessions(agents.clone())))), Visitors::SignedIn(agents.clone()))
}

fn routes(server: &crate::mcp::Server, api: &Api, options: &transport::Options) -> Router {
    transport::http::router(server.clone(), options.clone())
        .merge(transport::ws::router(server.clone(), options.clone()))
        .merge(rest::require(api::router(api.clone()).merge(api::metrics(api)), options.clone()))
        .merge(rest::admit(api::open(api.clone()), Arc::clone(&options.hosts)))
        .merge(api::health(api))
}

/// Says where it is to be found, on stderr; programs wait for this line.
async fn greet(
    agents: &Agents,
    is_open: bool,
    place: &Place,
    address: SocketAddr,
    can_talk: bool,
) -> Result<(), Failure> {
    if !is_open && let Some(token) = agents.administrator_token_if_first().await.map_err(Failure::of)? {
        show::aside(&format!("Your administrator token, shown only this once:\n\n  {}\n", token.expose()));
    }
    show::aside(&format!("listening on http://{address}"));
    if place.sandbox && !is_open {
        show::aside("  others may reach this server, so that the sandbox asks for tokens, too");
    }
    if place.sandbox {
        show::aside(&format!(
            "  the sandbox: offline twins, no account needed. Clients connect to http://{address}/mcp"
        ));
        if can_talk {
            show::aside(&format!("  talk with an agent: http://{address}/call"));
        }
    }
    Ok(())
}

/// Ends all conversations whenever the alarm sounds.
async fn end_on_alarm(mut alarms: tokio::sync::watch::Receiver<u64>, voice: Voice) {
    while alarms.changed().await.is_ok() {
        voice.hang_up().await;
    }
}

/// Ends with Ctrl-C or SIGTERM; conversations end first, because they use the server, and sessions and streams are
/// told.
async fn end_of(server: crate::mcp::Server, voice: Option<Voice>) {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(terminate) => drop(terminate.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    if let Some(voice) = voice {
        voice.close().await;
    }
    server.close();
}

/// The address itself as a name. No other page can be called by it.
fn own_name(address: SocketAddr) -> Option<String> {
    match address {
        _ if address.ip().is_unspecified() => None,
        SocketAddr::V4(address) => Some(address.ip().to_string()),
        SocketAddr::V6(address) => Some(format!("[{}]", address.ip())),
    }
}

fn address(options: &Serve, file: Option<&str>) -> Result<SocketAddr, Failure> {
    if let Some(address) = options.listen {
        return Ok(address);
    }
    let text = file.unwrap_or(DEFAULT_LISTEN);
    text.parse().map_err(|_| {
        Failure::new(format!("`{text}` is no address to listen on.")).next("Write one such as 127.0.0.1:7411.")
    })
}

/// Whose word counts, from the command line or else the settings file.
fn proxies(options: &Serve, file: &[String]) -> Result<Proxies, Failure> {
    if !options.trust_proxy.is_empty() {
        return Ok(Proxies::new(options.trust_proxy.iter().copied()));
    }
    let networks = file.iter().map(|text| text.parse()).collect::<Result<Vec<_>, String>>();
    networks.map(Proxies::new).map_err(|why| Failure::new(format!("`trust_proxy` in the settings file: {why}.")))
}

/// What connections are held to. A proxy brings many clients, and so does this machine.
fn limits(options: &Serve, proxies: &Proxies) -> listen::Limits {
    let usual = listen::Limits::default();
    let connections = options.connections.map_or(usual.connections, NonZeroUsize::get);
    let of_peer = options.connections_per_address.map_or((connections / 4).max(1), NonZeroUsize::get);
    let proxies = proxies.clone();
    let shared = listen::SharedPeers::loopback_and(move |peer| proxies.has(peer));
    listen::Limits { connections, connections_of_peer: of_peer, shared, ..usual }
}

/// The origins whose pages may call, from the command line or else the settings file.
fn pages_of(options: &Serve, file: &[String]) -> Result<Vec<String>, Failure> {
    if !options.allow_origin.is_empty() {
        return Ok(options.allow_origin.clone());
    }
    let origins = file.iter().map(|text| origin(text)).collect::<Result<_, _>>();
    origins.map_err(|why| Failure::new(format!("`allow_origin` in the settings file: {why}.")))
}

/// By which names the server is called, and by whose pages. One that is open, at `open` for browsers, takes no others.
fn hosts(names: impl Iterator<Item = String>, pages_of: Vec<String>, open: Option<&Url>) -> Hosts {
    let hosts = Hosts::new(names).with_pages_of(pages_of);
    match open {
        Some(own) => hosts.with_pages_of([own.origin().ascii_serialization()]).only_own_pages(),
        None => hosts,
    }
}

/// Whether everybody on this machine may come in without a token. Nobody else may ever: a public address means that a
/// proxy brings strangers, who then come from loopback as well.
fn is_open(place: &Place, options: &Serve, address: SocketAddr, public: Option<&Url>) -> Result<bool, Failure> {
    let asked = options.allow_unauthenticated;
    if asked && !address.ip().is_loopback() {
        return Err(Failure::new(format!("--allow-unauthenticated is for loopback only, and {address} is not."))
            .next("Leave it out and give clients a token, or listen on 127.0.0.1."));
    }
    let elsewhere = public.filter(|url| !config::is_loopback(url));
    if let Some(url) = elsewhere.filter(|_| asked) {
        let what = format!("--allow-unauthenticated is for this machine only, and others reach this server at {url}.");
        return Err(Failure::new(what).next("Leave one of the two out: with a public address, clients bring tokens."));
    }
    Ok(asked || (place.sandbox && address.ip().is_loopback() && elsewhere.is_none()))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("{address} cannot be listened on: {error}."));
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            failure.next("Another program has the port. Take another with --listen 127.0.0.1:PORT.")
        }
        _ => failure.next("Name another address with --listen."),
    }
}
