//! What the command line takes: commands, flags, and what the environment says where a flag is silent.

mod people;
mod serving;

use std::{collections::BTreeMap, convert::Infallible, path::PathBuf};

use clap::{Args, Parser, Subcommand, builder::styling};

use super::sandbox_time::SandboxTime;
use crate::{secret::Secret, vault::Clash};
pub use people::{AgentAction, AgentSettings, Agents, UserAction, Users};
pub use serving::{Narrowing, Serve, Stdio, Trust, origin};

/// Headings and names in colour, on terminals that want it.
const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::AnsiColor::Green.on_default().bold())
    .usage(styling::AnsiColor::Green.on_default().bold())
    .literal(styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(styling::AnsiColor::Cyan.on_default());

/// Your company's tools, in reach of every language model.
///
/// Switchboard is an MCP server: it offers the functions of your SaaS tools to Claude, ChatGPT, VS Code, Cursor
/// and every other client, and keeps the accounts behind them safe.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, styles = STYLES, max_term_width = 100, after_help = FIRST_STEPS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where everything is.
    #[command(flatten)]
    pub place: Place,
}

const FIRST_STEPS: &str = "\
First steps, without any account:
  switchboard call google_calendar_list_meetings --sandbox
  switchboard serve --sandbox

With your own Google Calendar:
  switchboard connect google-calendar
  switchboard call google_calendar_list_meetings";

/// Where everything is, and how much is said.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Use the sandbox: offline twins of the vendors, no account needed.
    #[arg(long, global = true, env = "SWITCHBOARD_SANDBOX", hide_env_values = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub sandbox: bool,
    /// Let it be TIME in the sandbox, such as `2028-02-29T09:00:00Z`; its clock goes on from there until it is set to
    /// another time, or to `now`.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "SWITCHBOARD_SANDBOX_TIME",
        hide_env_values = true,
        hide_short_help = true
    )]
    pub sandbox_time: Option<SandboxTime>,
    /// Keep everything in DIR [default: the platform's data directory].
    #[arg(long, global = true, value_name = "DIR", env = "SWITCHBOARD_DATA_DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,
    /// Keep everything in a PostgreSQL database that several nodes share, such as `postgres://user@host/database`.
    ///
    /// Arguments can be seen by others on this machine: a password belongs into `SWITCHBOARD_STORE`, or into the
    /// file that `SWITCHBOARD_STORE_FILE` names.
    #[arg(long, global = true, value_name = "URL", value_parser = secret)]
    pub store: Option<Secret>,
    /// Say more; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say only what went wrong.
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// A value that is not shown again.
#[expect(clippy::unnecessary_wraps, reason = "the form that clap wants")]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

/// Everything that can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve clients over HTTP: Streamable HTTP at /mcp, WebSocket at /ws.
    Serve(Serve),
    /// Serve one client over stdin and stdout.
    Stdio(Stdio),
    /// Connect an account: opens the browser, or takes a key.
    Connect(Connect),
    /// Show the connected accounts and whether they work.
    Connections(Output),
    /// Ask a vendor whether a connection works.
    Test(Which),
    /// End a connection, at the vendor too where that is possible.
    Disconnect(Which),
    /// Show the tools, or what one of them takes.
    Tools(Tools),
    /// Call a tool.
    Call(Call),
    /// Find tools by what they do.
    Search(Search),
    /// Show what waits for a person's yes, and decide it.
    Approvals(Approvals),
    /// Keep the OAuth client of a vendor in the vault.
    App(App),
    /// Show the people who use this server, add and remove them.
    Users(Users),
    /// Show the agents: which tools each may use; make them, change them, give them tokens.
    Agents(Agents),
    /// Show which calls were made and refused, the newest first.
    Audit(Audit),
    /// Replace the master identity that seals every stored credential.
    Key(Key),
    /// End everything after a theft: every grant at its vendor, every token, every session.
    Panic(Panic),
    /// Write everything that lasts into one sealed file.
    Export(Export),
    /// Take everything over from a file that `export` made.
    Import(Import),
    /// Look at the sandbox, reset it, or break it on purpose.
    Sandbox(Sandbox),
    /// Put Switchboard into the settings of a client, such as `claude-code` or `cursor`.
    Install(Install),
    /// Check this installation and say what to do.
    Doctor(Output),
}

/// `switchboard install`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Clients: claude-code, claude-desktop, cursor, vscode, zed, codex, gemini-cli, windsurf, cline, opencode.

Examples:
  switchboard install claude-code
  switchboard install cursor --sandbox --print"
)]
pub struct Install {
    /// The client, such as `claude-code`.
    pub client: String,
    /// Show what belongs into its settings, and change nothing.
    #[arg(long)]
    pub print: bool,
}

/// `switchboard connect`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard connect google-calendar
  switchboard connect google-calendar --account work --print-url")]
pub struct Connect {
    /// The integration, such as `google-calendar`.
    pub integration: String,
    /// A name for this account, when there are several.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub account: String,
    /// Take a key or token from stdin instead of signing in.
    #[arg(long, conflicts_with_all = ["open", "print_url"])]
    pub api_key_stdin: bool,
    /// Show a code to type in on another device, where the vendor has that.
    #[arg(long, conflicts_with_all = ["open", "print_url", "api_key_stdin"])]
    pub device: bool,
    /// Ask for the rights of this tool, too, beside those of your agents' tools.
    #[arg(long = "tool", value_name = "NAME")]
    pub tools: Vec<String>,
    /// What the vendor's address depends on, such as `--set subdomain=acme`; asked for when it is missing.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Open the browser without asking.
    #[arg(long)]
    pub open: bool,
    /// Print the address to visit, and wait for the answer to be pasted; for machines without a browser.
    #[arg(long, conflicts_with = "open")]
    pub print_url: bool,
}

impl Connect {
    /// What was named with `--set`.
    pub fn names(&self) -> BTreeMap<String, String> {
        self.set.iter().cloned().collect()
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// How an answer is written.
#[derive(Clone, Debug, Default, Args)]
pub struct Output {
    /// Write JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

/// One connection.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// The integration, such as `google-calendar`.
    pub integration: String,
    /// Which account, when there are several.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

/// `switchboard tools`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard tools
  switchboard tools google_calendar_schedule_meeting")]
pub struct Tools {
    /// Show what this tool takes.
    #[arg(conflicts_with_all = ["tokens", "integration"])]
    pub tool: Option<String>,
    /// Write the definitions as clients get them.
    #[arg(long)]
    pub json: bool,
    /// Show what each tool costs a model to know, in tokens.
    #[arg(long, conflicts_with = "json")]
    pub tokens: bool,
    /// Only those of one integration.
    #[arg(long, value_name = "ID")]
    pub integration: Option<String>,
}

/// `switchboard call`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  switchboard call google_calendar_schedule_meeting title='Design review' \\
    start=2026-11-24T10:00 duration_minutes=30 attendees='[\"ana@example.com\"]' --sandbox")]
pub struct Call {
    /// The tool, such as `google_calendar_list_meetings`.
    pub tool: String,
    /// Arguments as `name=value`; a value that is a list or an object is written as JSON.
    #[arg(value_name = "NAME=VALUE")]
    pub pairs: Vec<String>,
    /// All arguments as one JSON object; `-` reads it from stdin.
    #[arg(long, value_name = "JSON")]
    pub args: Option<String>,
    /// Write the structured result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `switchboard search`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  switchboard search free time")]
pub struct Search {
    /// What the tool should do, such as `free time`.
    #[arg(required = true)]
    pub words: Vec<String>,
}

/// `switchboard approvals`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Without a command it lists what waits, with the ids. A yes counts for one call.")]
pub struct Approvals {
    /// What to do; lists what waits when left out.
    #[command(subcommand)]
    pub action: Option<ApprovalAction>,
}

/// What can be done with what waits.
#[derive(Clone, Debug, Subcommand)]
pub enum ApprovalAction {
    /// Show everything that would leave after a yes to one.
    Show {
        /// Its id.
        id: String,
    },
    /// Say yes to one.
    Approve {
        /// Its id.
        id: String,
    },
    /// Say no to one.
    Refuse {
        /// Its id.
        id: String,
    },
}

/// `switchboard app`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  switchboard app set google --client-id ID --client-secret-stdin < secret.txt")]
pub struct App {
    /// What to do.
    #[command(subcommand)]
    pub action: AppAction,
}

/// What can be done with OAuth clients.
#[derive(Clone, Debug, Subcommand)]
pub enum AppAction {
    /// Keep an OAuth client in the vault.
    Set {
        /// The vendor family, such as `google`.
        family: String,
        /// The client id that the vendor gave you.
        #[arg(long, value_name = "ID")]
        client_id: String,
        /// Take the client secret from stdin.
        #[arg(long)]
        client_secret_stdin: bool,
    },
}

/// `switchboard audit`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard audit
  switchboard audit --outcome refused --agent desk
  switchboard audit --limit 200 --json
  switchboard audit verify")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Audit {
    /// Something else than reading it.
    #[command(subcommand)]
    pub action: Option<AuditAction>,
    /// How many lines, at most 200.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=200))]
    pub limit: u8,
    /// Only the lines of this person, by id or name.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Only those of this agent, by id or name.
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// Only those at this vendor.
    #[arg(long, value_name = "ID")]
    pub integration: Option<String>,
    /// Only those of this tool.
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,
    /// Only those that ended so.
    #[arg(long, value_parser = ["ok", "error", "refused", "begun"])]
    pub outcome: Option<String>,
    /// Go on where the last page ended.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// Write JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

/// `switchboard panic`
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  switchboard panic
  switchboard panic --yes --out /media/stick/ended.json
  switchboard panic verify ended.json

What was cut off goes on where it was: run it again."
)]
pub struct Panic {
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Write the list of what ended to FILE [default: a new file in the data directory].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What else to do.
    #[command(subcommand)]
    pub action: Option<PanicAction>,
}

/// What can be done with the list of an emergency.
#[derive(Clone, Debug, Subcommand)]
pub enum PanicAction {
    /// Check that a list is as it was signed here.
    Verify {
        /// The list.
        file: PathBuf,
    },
}

/// What else can be done with the audit.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditAction {
    /// Check that every line is as it was written, and that none is missing or was put in.
    #[command(
        after_help = "The head that it prints stands for all lines up to now. Keep it elsewhere: with it, a later check
also finds that the whole audit was set back to an earlier state.

Examples:
  switchboard audit verify
  switchboard audit verify --head 1204:mC0y…"
    )]
    Verify {
        /// A head that an earlier check printed: whether it lies on the chain.
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
        /// Write JSON, for programs.
        #[arg(long)]
        json: bool,
    },
}

/// `switchboard key`
#[derive(Clone, Debug, Args)]
pub struct Key {
    /// What to do.
    #[command(subcommand)]
    pub action: KeyAction,
}

/// What can be done with the master identity.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyAction {
    /// Make a new identity and seal every record with it. Nothing has to stop, and nobody has to connect again.
    Rotate,
}

/// `switchboard export`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Connections, OAuth clients, people, agents, tokens and the audit are in it.

Examples:
  switchboard export backup.age --recipient age1…
  switchboard export backup.age --passphrase-stdin < passphrase.txt")]
pub struct Export {
    /// The file, which must not be there yet.
    pub file: PathBuf,
    /// Seal it for this recipient, as `age-keygen` prints it.
    #[arg(long, value_name = "AGE1…", conflicts_with = "passphrase_stdin")]
    pub recipient: Option<String>,
    /// Seal it with the passphrase that comes on stdin.
    #[arg(long)]
    pub passphrase_stdin: bool,
}

/// `switchboard import`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard import backup.age --identity key.txt
  switchboard import backup.age --passphrase-stdin --on-conflict keep < passphrase.txt")]
pub struct Import {
    /// The file.
    pub file: PathBuf,
    /// Open it with the identities in this file, as `age-keygen` makes it.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_stdin")]
    pub identity: Option<PathBuf>,
    /// Open it with the passphrase that comes on stdin.
    #[arg(long)]
    pub passphrase_stdin: bool,
    /// What to do with records that are here already and say something else.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_conflict: OnConflict,
}

/// What to do with records that are here already and say something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnConflict {
    /// Import nothing.
    #[default]
    Refuse,
    /// Keep those that are here.
    Keep,
    /// Take those of the file.
    Replace,
}

impl From<OnConflict> for Clash {
    fn from(wish: OnConflict) -> Self {
        match wish {
            OnConflict::Refuse => Clash::Refuse,
            OnConflict::Keep => Clash::Keep,
            OnConflict::Replace => Clash::Replace,
        }
    }
}

/// `switchboard sandbox`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard sandbox diff
  switchboard sandbox fault google-calendar 429:3")]
pub struct Sandbox {
    /// What to do.
    #[command(subcommand)]
    pub action: SandboxAction,
}

/// What can be done with the sandbox.
#[derive(Clone, Debug, Subcommand)]
pub enum SandboxAction {
    /// Show the twins, how full they are, and which faults are set.
    Status,
    /// Put the world back to its seed, and mend what is broken.
    Reset {
        /// A seed of your own.
        #[arg(long, value_name = "FILE")]
        seed: Option<PathBuf>,
    },
    /// Show what has changed since the seed.
    Diff {
        /// Write JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Break a twin on purpose, until it is mended or the sandbox is reset.
    Fault {
        /// The vendor, such as `google-calendar`.
        vendor: String,
        /// What goes wrong: 429, 429-silent, quota, 500, 401, slow:2s, malformed, reset or mixed:10 (a bad day); `429:3` for the next three requests;
        /// `off` mends it.
        what: String,
    },
    /// Let the access tokens of a vendor run out; the next call fetches a new one.
    Expire {
        /// The vendor, such as `google-calendar`.
        vendor: String,
    },
    /// End all grants of a vendor, as a person does in the settings of the account.
    Revoke {
        /// The vendor, such as `google-calendar`.
        vendor: String,
    },
}
