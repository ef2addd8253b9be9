//! The voice agent, put together: who understands, answers and speaks, the exchange for calls, and the conversations.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::Router;
use url::Url;

use super::{house::Home, order::Failure};
use crate::{
    agents::Agents,
    config::{self, Environment, Remote, Settings, VoiceSettings},
    console::Calls,
    id,
    secret::Secret,
    telemetry::metrics::Metrics,
    transport::{self, rest},
    voice::{
        conversation::{Conversations, HostParts},
        peer,
        services::Services,
        signalling::{self, Signalling},
    },
};

/// Calls, and who answers them. Clones share them.
#[derive(Clone, Debug)]
pub struct Voice {
    signalling: Signalling,
    conversations: Conversations,
    calls: Calls,
}

/// What it is put together from.
#[derive(Debug)]
pub struct Around<'a> {
    /// Where the server keeps its things.
    pub home: &'a Home,
    /// In the sandbox: the address and the name of what stands in for a language model.
    pub stand_in: Option<(String, &'static str)>,
    /// Who there is.
    pub agents: Agents,
    /// Where conversations are counted.
    pub metrics: Metrics,
    /// Where the server listens.
    pub address: SocketAddr,
}

impl Voice {
    /// The voice agent of a server. `None` where nobody could answer, and nobody asked for one either.
    pub fn open(around: Around<'_>) -> Result<Option<Voice>, Failure> {
        let Some(settings) = settings(&around)? else { return Ok(None) };
        let services = Services::of(&settings).map_err(Failure::of)?;
        let calls = Calls { hears: services.recogniser.is_some(), speaks: services.speaker.is_some() };
        let conversations = Conversations::new(HostParts {
            services,
            agents: around.agents,
            tools: own_socket(around.address).map_err(Failure::of)?,
            metrics: around.metrics,
            dir: around.home.dir.clone(),
            clock: around.home.clock.clone(),
            entropy: id::os(),
        });
        let answering = Arc::new(conversations.clone());
        let signalling = Signalling::new(answering, exchange(&settings, around.address), id::os());
        Ok(Some(Voice { signalling, conversations, calls }))
    }

    /// Where calls come in, for those whom the door lets in.
    pub fn router(&self, options: &transport::Options) -> Router {
        rest::require(signalling::router(self.signalling.clone()), options.clone())
    }

    /// What callers can do.
    pub fn calls(&self) -> Calls {
        self.calls
    }

    /// Ends the calls that there are now. New ones are welcome.
    pub async fn hang_up(&self) {
        self.signalling.hang_up().await;
    }

    /// Ends all conversations.
    pub async fn close(&self) {
        self.conversations.close().await;
        self.signalling.hang_up().await;
    }
}

/// The settings for conversations. Where no model is set, the sandbox brings a scripted one.
fn settings(around: &Around<'_>) -> Result<Option<VoiceSettings>, Failure> {
    // The sandbox reads no settings of vendors, but who has a model may use it there.
    let all = Settings::load(&around.home.dir, Environment::of_this_process()).map_err(Failure::of)?;
    let mut settings = all.voice().map_err(Failure::of)?;
    if let Some((url, model)) = &around.stand_in {
        let url = url.parse().map_err(Failure::of)?;
        settings.llm.get_or_insert(Remote { url, model: Some((*model).to_owned()), key: None, voice: None });
    }
    let asks_for_none = settings.llm.is_none() && settings.stt.is_none() && settings.tts.is_none();
    Ok(Some(settings).filter(|_| !asks_for_none))
}

/// Our own `/ws` as it is reached from this machine: the conversations are clients like others.
fn own_socket(address: SocketAddr) -> Result<Url, url::ParseError> {
    let mut near = address;
    if address.ip().is_unspecified() {
        near.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    format!("ws://{near}/ws").parse()
}

/// How sound comes in and goes out.
fn exchange(settings: &VoiceSettings, address: SocketAddr) -> peer::Settings {
    let mut exchange = peer::Settings::beside(address.ip());
    exchange.ports = settings.udp_ports.as_ref().map(|ports| peer::Ports { first: *ports.start(), last: *ports.end() });
    exchange.public.clone_from(&settings.nat_addresses);
    exchange.most_calls = settings.calls.unwrap_or(exchange.most_calls);
    exchange.most_calls_each = settings.calls_per_person.unwrap_or(exchange.most_calls_each);
    exchange.starts_per_minute = settings.call_starts_per_minute.unwrap_or(exchange.starts_per_minute);
    exchange.ice_servers = settings.ice_servers.iter().flat_map(servers).collect();
    exchange
}

fn servers(server: &config::IceServer) -> impl Iterator<Item = peer::IceServer> {
    server.urls.iter().map(|url| peer::IceServer {
        url: url.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_else(|| Secret::new("")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_socket_is_reached_from_this_machine() {
        for (listen, socket) in [
            ("127.0.0.1:7411", "ws://127.0.0.1:7411/ws"),
            ("0.0.0.0:80", "ws://127.0.0.1/ws"),
            ("[::]:7411", "ws://[::1]:7411/ws"),
            ("192.0.2.7:7411", "ws://192.0.2.7:7411/ws"),
        ] {
            assert_eq!(own_socket(listen.parse().unwrap()).unwrap().as_str(), socket);
        }
    }
}
