//! `users` and `agents`: what they take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::agents::{AskSetting, Level};

/// `switchboard users`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard users add Ana
  switchboard users remove Ana
  switchboard users tokens
  switchboard users renew 0123456789abcdef --days 90")]
pub struct Users {
    /// What to do; lists everybody when left out.
    #[command(subcommand)]
    pub action: Option<UserAction>,
    /// Write JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with people.
#[derive(Clone, Debug, Subcommand)]
pub enum UserAction {
    /// Show everybody who was added.
    List,
    /// Add somebody, and print an invitation that is good once.
    Add {
        /// The person's name.
        name: String,
        /// Let the person administer this server.
        #[arg(long)]
        admin: bool,
    },
    /// Print a new invitation; the one before is worth nothing any more.
    Invite {
        /// The person, by name or id.
        user: String,
    },
    /// Let somebody administer this server.
    Promote {
        /// The person, by name or id.
        user: String,
    },
    /// Let somebody not administer this server any more.
    Demote {
        /// The person, by name or id.
        user: String,
    },
    /// Remove somebody with all connections, agents and tokens.
    Remove {
        /// The person, by name or id.
        user: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Show the tokens with which somebody speaks, without the tokens themselves.
    Tokens {
        /// The person, by name or id [default: this machine's own, with the token of the first start].
        user: Option<String>,
    },
    /// Make a further administrator token for this machine's own person, and print it this once.
    Token {
        /// What it is for.
        #[arg(long, default_value = "token")]
        name: String,
        /// For how many days it is good [default: without an end].
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
    /// Put a new token in the place of one of this machine's own, and print it this once.
    Renew {
        /// The token's id.
        token: String,
        /// For how many days it is good [default: as long as the one before].
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
    /// Make a token worthless, and end the sessions that it opened.
    Revoke {
        /// The token's id.
        token: String,
        /// Whose it is, by name or id [default: this machine's own].
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

/// `switchboard agents`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard agents add desk --integrations google-calendar --level no-delete
  switchboard agents change desk --tools google_calendar_list_meetings,google_calendar_get_meeting
  switchboard agents token desk --name laptop")]
pub struct Agents {
    /// What to do; lists the agents when left out.
    #[command(subcommand)]
    pub action: Option<AgentAction>,
    /// Whose agents, by name or id [default: this machine's own].
    #[arg(long, global = true, value_name = "USER")]
    pub user: Option<String>,
    /// Write JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with agents.
#[derive(Clone, Debug, Subcommand)]
pub enum AgentAction {
    /// Show all of them, with what their tools cost a model to know.
    List,
    /// Show one, with its tools.
    Show {
        /// Its name or id.
        agent: String,
    },
    /// Make one.
    Add {
        /// What it is called.
        name: String,
        /// What it is to be like.
        #[command(flatten)]
        settings: AgentSettings,
    },
    /// Change what is named, and leave the rest.
    Change {
        /// Its name or id.
        agent: String,
        /// A new name.
        #[arg(long)]
        name: Option<String>,
        /// What it is to be like.
        #[command(flatten)]
        settings: AgentSettings,
    },
    /// Remove one, and its tokens.
    Remove {
        /// Its name or id.
        agent: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Show the tokens of one, without the tokens themselves.
    Tokens {
        /// Its name or id.
        agent: String,
    },
    /// Make a token for one, and print it this once.
    Token {
        /// The agent's name or id.
        agent: String,
        /// What it is for.
        #[arg(long, default_value = "token")]
        name: String,
        /// For how many days it is good [default: without an end].
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
    /// Make a token worthless.
    Revoke {
        /// The agent's name or id.
        agent: String,
        /// The token's id.
        token: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

/// What an agent is to be like.
#[derive(Clone, Debug, Default, Args)]
pub struct AgentSettings {
    /// The integrations whose core tools it gets.
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with = "follow_connections")]
    pub integrations: Vec<String>,
    /// Give it the core tools of whatever is connected.
    #[arg(long)]
    pub follow_connections: bool,
    /// Exactly these tools, in place of the core.
    #[arg(long, value_name = "X,Y", value_delimiter = ',')]
    pub tools: Vec<String>,
    /// How far it may go: read-only, no-delete or full.
    #[arg(long, value_parser = named::<Level>)]
    pub level: Option<Level>,
    /// When it asks before it reaches people: never, new-recipients or always.
    #[arg(long, value_parser = named::<AskSetting>)]
    pub asking: Option<AskSetting>,
    /// The account to take, for an integration with several.
    #[arg(long, value_name = "INTEGRATION=ACCOUNT", value_parser = pair)]
    pub account: Vec<(String, String)>,
    /// What the model is told about its job; empty for nothing.
    #[arg(long, value_name = "TEXT")]
    pub instructions: Option<String>,
    /// The same, from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "instructions")]
    pub instructions_file: Option<PathBuf>,
}

/// A value as the settings and REST write it.
fn named<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error: serde_json::Error| error.to_string())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (integration, account) = text.split_once('=').ok_or("write INTEGRATION=ACCOUNT, such as gmail=work")?;
    Ok((integration.to_owned(), account.to_owned()))
}
