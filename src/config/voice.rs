//! Settings of the voice agent: the services that it uses, and how the sound of calls reaches it.

use std::{
    net::IpAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Deserializer};
use url::Url;

use super::{Environment, Error, Result, Settings, is_loopback, read_secret};
use crate::secret::Secret;

/// Everything that is set for conversations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VoiceSettings {
    /// Who understands speech.
    pub stt: Option<Stt>,
    /// Who answers.
    pub llm: Option<Remote>,
    /// Who speaks.
    pub tts: Option<Tts>,
    /// Servers that tell a caller and us our addresses, or carry the sound between us.
    pub ice_servers: Vec<IceServer>,
    /// The UDP ports that calls may use; any unless set.
    pub udp_ports: Option<RangeInclusive<u16>>,
    /// The addresses under which this machine is seen from outside.
    pub nat_addresses: Vec<IpAddr>,
    /// How many calls there may be at once.
    pub calls: Option<usize>,
    /// How many of them may be one person's.
    pub calls_per_person: Option<usize>,
    /// How many calls one person may begin within a minute.
    pub call_starts_per_minute: Option<u32>,
}

/// Who understands speech.
#[derive(Clone, Debug, PartialEq)]
pub enum Stt {
    /// Transcriptions of OpenAI's shape.
    OpenAi(Remote),
    /// A socket of Deepgram's shape.
    Deepgram(Remote),
    /// A model file on this machine.
    Whisper(PathBuf),
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq)]
pub enum Tts {
    /// Speech of OpenAI's shape.
    OpenAi(Remote),
    /// A socket of the shape that `ElevenLabs` has.
    ElevenLabs(Remote),
    /// The program `espeak-ng` on this machine, with one of its voices.
    Espeak(Option<String>),
}

/// A service somewhere else.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote {
    /// Where it is: `https` or `wss`, or `http` and `ws` on this machine.
    pub url: Url,
    /// The name of the model.
    pub model: Option<String>,
    /// The key.
    pub key: Option<Secret>,
    /// The name of the voice.
    pub voice: Option<String>,
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    /// Its addresses, such as `stun:stun.example.com:3478`.
    #[serde(deserialize_with = "one_or_several")]
    pub urls: Vec<String>,
    /// The user of a TURN server.
    #[serde(default)]
    pub username: Option<String>,
    /// The password of a TURN server.
    #[serde(default)]
    pub credential: Option<Secret>,
}

/// The `[voice]` table of the settings file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceFile {
    /// Who understands speech.
    #[serde(default)]
    pub stt: ServiceFile,
    /// Who answers.
    #[serde(default)]
    pub llm: ServiceFile,
    /// Who speaks.
    #[serde(default)]
    pub tts: ServiceFile,
    /// STUN and TURN servers.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
    /// The UDP ports that calls may use.
    pub udp_ports: Option<String>,
    /// The addresses under which this machine is seen from outside.
    #[serde(default)]
    pub nat_addresses: Vec<IpAddr>,
    /// How many calls there may be at once.
    pub calls: Option<usize>,
    /// How many of them may be one person's.
    pub calls_per_person: Option<usize>,
    /// How many calls one person may begin within a minute.
    pub call_starts_per_minute: Option<u32>,
}

/// One of the tables `[voice.stt]`, `[voice.llm]` and `[voice.tts]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// Which protocol it speaks; guessed from the address unless set.
    pub kind: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// The name of the model.
    pub model: Option<String>,
    /// The name of the voice.
    pub voice: Option<String>,
    /// The key; better kept in a file of its own.
    pub api_key: Option<Secret>,
    /// A file that holds the key.
    pub api_key_file: Option<PathBuf>,
}

impl Settings {
    /// What is set for conversations.
    pub fn voice(&self) -> Result<VoiceSettings> {
        let file = self.file.voice.clone().unwrap_or_default();
        let set = |name| Set { environment: self.environment(), name };
        Ok(VoiceSettings {
            stt: stt(&Service::read(&set("STT"), file.stt)?)?,
            llm: llm(&Service::read(&set("LLM"), file.llm)?)?,
            tts: tts(&Service::read(&set("TTS"), file.tts)?)?,
            ice_servers: self.ice_servers(file.ice_servers)?,
            udp_ports: self.udp_ports(file.udp_ports)?,
            nat_addresses: self.nat_addresses(file.nat_addresses)?,
            calls: self.at_least_one("SWITCHBOARD_CALLS", file.calls)?,
            calls_per_person: self.at_least_one("SWITCHBOARD_CALLS_PER_PERSON", file.calls_per_person)?,
            call_starts_per_minute: self
                .at_least_one("SWITCHBOARD_CALL_STARTS_PER_MINUTE", file.call_starts_per_minute)?,
        })
    }

    fn at_least_one<T>(&self, name: &str, file: Option<T>) -> Result<Option<T>>
    where
        T: FromStr + ToString + PartialOrd + From<u8>,
    {
        let told = self.environment().get(name).map(str::to_owned).or(file.map(|count| count.to_string()));
        let Some(text) = told else { return Ok(None) };
        let count = text.trim().parse::<T>().ok().filter(|count| *count >= T::from(1));
        count.map(Some).ok_or_else(|| wrong(name, &text, "a whole number of 1 and more"))
    }

    fn ice_servers(&self, file: Vec<IceServer>) -> Result<Vec<IceServer>> {
        let name = "SWITCHBOARD_ICE_SERVERS";
        let servers = match self.environment().secret(name)? {
            Some(text) => read_ice_servers(text.expose()).ok_or_else(|| wrong_ice_server(name))?,
            None => file,
        };
        if servers.iter().all(IceServer::is_usable) { Ok(servers) } else { Err(wrong_ice_server(name)) }
    }

    fn udp_ports(&self, file: Option<String>) -> Result<Option<RangeInclusive<u16>>> {
        let name = "SWITCHBOARD_UDP_PORTS";
        let Some(text) = self.environment().get(name).map(str::to_owned).or(file) else { return Ok(None) };
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
            (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(Some(first..=last)),
            _ => Err(wrong(name, &text, "a port or a range of ports, such as 50000-50100")),
        }
    }

    fn nat_addresses(&self, file: Vec<IpAddr>) -> Result<Vec<IpAddr>> {
        let name = "SWITCHBOARD_NAT_ADDRESSES";
        let Some(text) = self.environment().get(name) else { return Ok(file) };
        let addresses = super::words(text).iter().map(|word| word.parse()).collect::<Result<_, _>>();
        addresses.map_err(|_| wrong(name, text, "IP addresses with commas between them, such as 203.0.113.7"))
    }
}

impl IceServer {
    /// Whether its addresses are of a known kind, and a TURN server has a user and a password.
    fn is_usable(&self) -> bool {
        let is = |url: &String, schemes: [&str; 2]| schemes.iter().any(|scheme| url.starts_with(scheme));
        let has_user = self.username.is_some() && self.credential.is_some();
        !self.urls.is_empty()
            && self.urls.iter().all(|url| is(url, ["stun:", "stuns:"]) || (has_user && is(url, ["turn:", "turns:"])))
    }
}

/// JSON as browsers take it, or addresses with commas between them.
fn read_ice_servers(text: &str) -> Option<Vec<IceServer>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let plain = |url| IceServer { urls: vec![url], username: None, credential: None };
    Some(super::words(text).into_iter().map(plain).collect())
}

/// The text may hold a password, so it is not shown.
fn wrong_ice_server(name: &str) -> Error {
    let expected = "addresses such as stun:stun.example.com:3478, or JSON such as \
                    [{\"urls\":\"turn:turn.example.com\",\"username\":\"…\",\"credential\":\"…\"}]";
    wrong(name, "…", expected)
}

fn wrong(name: &str, value: &str, expected: &'static str) -> Error {
    Error::Value { name: name.into(), value: value.into(), expected }
}

fn missing(name: &str, reason: &'static str) -> Error {
    Error::Missing { name: name.into(), reason }
}

fn one_or_several<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Urls {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Urls::deserialize(input)? {
        Urls::One(url) => vec![url],
        Urls::Several(urls) => urls,
    })
}

/// The variables `SWITCHBOARD_<name>_…`.
struct Set<'a> {
    environment: &'a Environment,
    name: &'static str,
}

impl Set<'_> {
    fn variable(&self, end: &str) -> String {
        format!("SWITCHBOARD_{}_{end}", self.name)
    }

    fn text(&self, end: &str) -> Option<String> {
        self.environment.get(&self.variable(end)).map(str::to_owned)
    }
}

/// What is set for one service, not yet made sense of.
struct Service {
    name: &'static str,
    kind: Option<String>,
    url: Option<Url>,
    model: Option<String>,
    voice: Option<String>,
    key: Option<Secret>,
}

impl Service {
    fn read(set: &Set<'_>, file: ServiceFile) -> Result<Service> {
        let key = match (set.environment.secret(&set.variable("API_KEY"))?.or(file.api_key), &file.api_key_file) {
            (None, Some(path)) => Some(read_secret(path, "api_key_file")?),
            (key, _) => key,
        };
        let url = set.text("URL").or(file.url);
        Ok(Service {
            name: set.name,
            kind: set.text("KIND").or(file.kind).map(|kind| kind.to_lowercase()),
            url: url.map(|url| service_url(&set.variable("URL"), &url)).transpose()?,
            model: set.text("MODEL").or(file.model),
            voice: set.text("VOICE").or(file.voice),
            key,
        })
    }

    fn variable(&self, end: &str) -> String {
        format!("SWITCHBOARD_{}_{end}", self.name)
    }

    /// Which kind it is: as set, or guessed. `None` when nothing at all is set.
    fn kind(&self, socket: &'static str) -> Result<Option<&str>> {
        let is_of = |vendor: &str| self.url.as_ref().and_then(Url::host_str).is_some_and(|host| host.contains(vendor));
        match (&self.kind, &self.url) {
            (Some(kind), _) => Ok(Some(kind)),
            (None, Some(url)) if is_of(socket) || matches!(url.scheme(), "ws" | "wss") => Ok(Some(socket)),
            (None, Some(_)) => Ok(Some("openai")),
            (None, None) if self.model.is_none() && self.key.is_none() && self.voice.is_none() => Ok(None),
            (None, None) => Err(missing(&self.variable("URL"), "other settings of this service are there")),
        }
    }

    fn remote(&self, usual: &str) -> Result<Remote> {
        let usual = || usual.parse().map_err(|_| missing(&self.variable("URL"), "the service has no usual address"));
        Ok(Remote {
            url: self.url.clone().map_or_else(usual, Ok)?,
            model: self.model.clone(),
            key: self.key.clone(),
            voice: self.voice.clone(),
        })
    }

    fn is_of_unknown_kind(&self, kind: &str, expected: &'static str) -> Error {
        wrong(&self.variable("KIND"), kind, expected)
    }
}

/// Where OpenAI's own services are, for who names the kind and no address.
const OPENAI: &str = "https://api.openai.com/v1";

fn stt(service: &Service) -> Result<Option<Stt>> {
    let Some(kind) = service.kind("deepgram")? else { return Ok(None) };
    Ok(Some(match kind {
        "openai" => Stt::OpenAi(service.remote(OPENAI)?),
        "deepgram" => Stt::Deepgram(service.remote("wss://api.deepgram.com/v1/listen")?),
        "whisper" => {
            let no_file = || missing(&service.variable("MODEL"), "`whisper` needs the path of a model file");
            Stt::Whisper(Path::new(service.model.as_deref().ok_or_else(no_file)?).to_owned())
        }
        other => return Err(service.is_of_unknown_kind(other, "openai, deepgram or whisper")),
    }))
}

fn llm(service: &Service) -> Result<Option<Remote>> {
    let Some(kind) = service.kind("none")? else { return Ok(None) };
    if kind != "openai" {
        return Err(wrong(&service.variable("URL"), kind, "an http address whose service speaks OpenAI's protocol"));
    }
    if service.model.is_none() {
        let reason = "a language model is asked by its name, such as `gpt-4.1-mini`";
        return Err(missing(&service.variable("MODEL"), reason));
    }
    service.remote(OPENAI).map(Some)
}

fn tts(service: &Service) -> Result<Option<Tts>> {
    let Some(kind) = service.kind("elevenlabs")? else { return Ok(None) };
    Ok(Some(match kind {
        "openai" => Tts::OpenAi(service.remote(OPENAI)?),
        "elevenlabs" if service.voice.is_none() => {
            return Err(missing(&service.variable("VOICE"), "ElevenLabs speaks by the id of a voice"));
        }
        "elevenlabs" => Tts::ElevenLabs(service.remote("wss://api.elevenlabs.io/v1")?),
        "espeak" => Tts::Espeak(service.voice.clone()),
        other => return Err(service.is_of_unknown_kind(other, "openai, elevenlabs or espeak")),
    }))
}

/// The address of a service; without encryption only for this machine itself.
fn service_url(name: &str, value: &str) -> Result<Url> {
    let url: Url = value.parse().map_err(|_| wrong(name, value, "an address such as https://api.example.com/v1"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(name, "…", "an address without user and password; keys have a setting of their own"));
    }
    match url.scheme() {
        "https" | "wss" => Ok(url),
        "http" | "ws" if is_loopback(&url) => Ok(url),
        "http" | "ws" => Err(wrong(name, value, "an https or wss address; http and ws are for loopback only")),
        _ => Err(wrong(name, value, "an http, https, ws or wss address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(pairs: &[(&str, &str)], file: &str) -> Result<VoiceSettings> {
        let pairs = pairs.iter().map(|(name, value)| (format!("SWITCHBOARD_{name}"), (*value).to_owned()));
        let environment = Environment::from_pairs(pairs);
        Settings { file: toml::from_str(file).unwrap(), environment, store: None }.voice()
    }

    #[track_caller]
    fn refuses(pairs: &[(&str, &str)], parts: &[&str]) {
        let error = voice(pairs, "").unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn nothing_set_is_nothing_wanted() {
        assert_eq!(voice(&[], "").unwrap(), VoiceSettings::default());
    }

    #[test]
    fn the_kind_is_guessed_from_the_address() {
        let stt = |url: &str| voice(&[("STT_URL", url)], "").unwrap().stt.unwrap();
        assert!(matches!(stt("wss://api.deepgram.com/v1/listen"), Stt::Deepgram(_)));
        assert!(matches!(stt("https://api.deepgram.com"), Stt::Deepgram(_)));
        assert!(matches!(stt("ws://127.0.0.1:9"), Stt::Deepgram(_)));
        assert!(matches!(stt("http://localhost:8000/v1"), Stt::OpenAi(_)));
        let tts = |url: &str| voice(&[("TTS_URL", url), ("TTS_VOICE", "v")], "").unwrap().tts.unwrap();
        assert!(matches!(tts("https://api.elevenlabs.io/v1"), Tts::ElevenLabs(_)));
        assert!(matches!(tts("wss://speech.example"), Tts::ElevenLabs(_)));
        assert!(matches!(tts("https://api.openai.com/v1"), Tts::OpenAi(_)));
    }

    #[test]
    fn a_kind_alone_has_the_usual_address() {
        let set = voice(&[("STT_KIND", "deepgram"), ("STT_API_KEY", "k"), ("TTS_KIND", "espeak")], "").unwrap();
        let Some(Stt::Deepgram(remote)) = set.stt else { panic!("{set:?}") };
        assert_eq!(remote.url.as_str(), "wss://api.deepgram.com/v1/listen");
        assert_eq!(remote.key, Some(Secret::new("k")));
        assert_eq!(set.tts, Some(Tts::Espeak(None)));
    }

    #[test]
    fn the_environment_comes_before_the_file_and_keys_stay_secret() {
        let file = "[voice.llm]\nurl = 'https://llm.example/v1'\nmodel = 'one'\napi_key = 'hush'\n";
        let set = voice(&[("LLM_MODEL", "two")], file).unwrap();
        let llm = set.llm.clone().unwrap();
        assert_eq!((llm.url.as_str(), llm.model.as_deref()), ("https://llm.example/v1", Some("two")));
        assert!(!format!("{set:?}").contains("hush"));
    }

    #[test]
    fn a_key_may_stand_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "hush\n").unwrap();
        let path = path.to_str().unwrap();
        let set = [("LLM_URL", "https://x.example"), ("LLM_MODEL", "m"), ("LLM_API_KEY_FILE", path)];
        assert_eq!(voice(&set, "").unwrap().llm.unwrap().key, Some(Secret::new("hush")));
    }

    #[test]
    fn what_cannot_work_is_named() {
        refuses(&[("LLM_URL", "http://llm.example/v1"), ("LLM_MODEL", "m")], &["SWITCHBOARD_LLM_URL", "loopback"]);
        refuses(&[("LLM_URL", "wss://llm.example/v1"), ("LLM_MODEL", "m")], &["SWITCHBOARD_LLM_URL", "OpenAI"]);
        refuses(&[("LLM_URL", "https://llm.example/v1")], &["SWITCHBOARD_LLM_MODEL", "gpt-4.1-mini"]);
        refuses(&[("LLM_API_KEY", "hush")], &["SWITCHBOARD_LLM_URL"]);
        refuses(&[("STT_KIND", "siri")], &["SWITCHBOARD_STT_KIND", "siri", "deepgram"]);
        refuses(&[("STT_KIND", "whisper")], &["SWITCHBOARD_STT_MODEL", "model file"]);
        refuses(&[("TTS_KIND", "elevenlabs")], &["SWITCHBOARD_TTS_VOICE"]);
        refuses(&[("TTS_URL", "ftp://x")], &["SWITCHBOARD_TTS_URL"]);
        refuses(&[("TTS_URL", "https://u:hush@x")], &["SWITCHBOARD_TTS_URL", "…"]);
        refuses(&[("UDP_PORTS", "9-1")], &["SWITCHBOARD_UDP_PORTS", "9-1"]);
        refuses(&[("NAT_ADDRESSES", "here")], &["SWITCHBOARD_NAT_ADDRESSES", "here"]);
        refuses(&[("CALLS_PER_PERSON", "0")], &["SWITCHBOARD_CALLS_PER_PERSON", "1 and more"]);
    }

    #[test]
    fn the_way_of_the_sound_is_set() {
        let turn = r#"[{"urls": ["turn:t.example"], "username": "u", "credential": "hush"}]"#;
        let set = [("ICE_SERVERS", turn), ("UDP_PORTS", "50000-50100"), ("NAT_ADDRESSES", "203.0.113.7, ::1")];
        let set = voice(&set, "").unwrap();
        assert_eq!((set.ice_servers.len(), set.udp_ports), (1, Some(50000..=50100)));
        assert_eq!(set.nat_addresses.len(), 2);
        let set = voice(&[("ICE_SERVERS", "stun:a.example:3478,stun:b.example")], "").unwrap();
        assert_eq!(set.ice_servers[1].urls, ["stun:b.example"]);
        let file = "[[voice.ice_servers]]\nurls = 'stun:c.example'\n";
        assert_eq!(voice(&[], file).unwrap().ice_servers[0].urls, ["stun:c.example"]);
        let error = voice(&[("ICE_SERVERS", "turn:hush@t.example")], "").unwrap_err().to_string();
        assert!(error.contains("SWITCHBOARD_ICE_SERVERS") && !error.contains("hush"), "{error}");
    }
}
