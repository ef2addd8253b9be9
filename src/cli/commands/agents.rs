//! `agents`: who may use which tools, and with which tokens.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    agents::{AskSetting, Level},
    cli::{
        ask,
        commands::users,
        options::{AgentAction, AgentSettings, Agents},
        order::{Failure, Order},
        people::{AgentDeed, AgentOrder, NewTokenView, TokenView},
        session::Session,
        show::{self, Cell, FAINT, GOOD, STRONG, WARN},
    },
    hub::{Described, Wish},
};

/// `switchboard agents`
pub async fn run(session: &mut Session, agents: &Agents) -> Result<(), Failure> {
    let user = match &agents.user {
        Some(user) => Some(users::which(session, user).await?),
        None => None,
    };
    let order = |what| Order::Agents(AgentOrder { user: user.clone(), what });
    let json = agents.json;
    match agents.action.as_ref().unwrap_or(&AgentAction::List) {
        AgentAction::List => {
            let all: Vec<Described> = session.ask("looking", order(AgentDeed::List)).await?;
            list(&all, json)
        }
        AgentAction::Show { agent } => {
            shown(&session.ask("looking", order(AgentDeed::Show(agent.clone()))).await?, json)
        }
        AgentAction::Add { name, settings } => {
            let wish = Wish { name: Some(name.clone()), ..wish(settings)? };
            let made: Described = session.ask("making it", order(AgentDeed::Add(Box::new(wish)))).await?;
            shown(&made, json)?;
            show::aside(&format!("Give a client a token: `switchboard agents token {}`.", quoted(&made.name)));
            Ok(())
        }
        AgentAction::Change { agent, name, settings } => {
            let wish = Wish { name: name.clone(), ..wish(settings)? };
            if wish == Wish::default() {
                return Err(Failure::new("There is nothing to change.").next("`switchboard agents change --help`"));
            }
            shown(&session.ask("changing it", order(AgentDeed::Change(agent.clone(), Box::new(wish)))).await?, json)
        }
        AgentAction::Remove { agent, yes } => {
            ask::before(&format!("The agent {agent} is removed, and its tokens end."), *yes).await?;
            let id: String = session.ask("removing it", order(AgentDeed::Remove(agent.clone()))).await?;
            show::line(&format!("The agent {agent} ({id}) is removed, and its tokens with it."));
            Ok(())
        }
        AgentAction::Tokens { agent } => {
            let all: Vec<TokenView> = session.ask("looking", order(AgentDeed::Tokens(agent.clone()))).await?;
            tokens(&all, json)
        }
        AgentAction::Token { agent, name, days } => {
            let what = AgentDeed::Token { agent: agent.clone(), name: name.clone(), days: *days };
            token(&session.ask("making it", order(what)).await?, json)
        }
        AgentAction::Revoke { agent, token, yes } => {
            ask::before(&format!("The token {token} of the agent {agent} ends."), *yes).await?;
            let what = AgentDeed::Revoke { agent: agent.clone(), token: token.clone() };
            session.ask::<()>("revoking it", order(what)).await?;
            show::line(&format!("The token {token} is worth nothing from now on."));
            Ok(())
        }
    }
}

/// What the flags ask for.
fn wish(settings: &AgentSettings) -> Result<Wish, Failure> {
    let named = |names: &[String]| (!names.is_empty()).then(|| names.iter().cloned().collect::<BTreeSet<_>>());
    let integrations = named(&settings.integrations).map(Some);
    let accounts: BTreeMap<String, String> = settings.account.iter().cloned().collect();
    Ok(Wish {
        name: None,
        instructions: instructions(settings)?,
        integrations: if settings.follow_connections { Some(None) } else { integrations },
        tools: named(&settings.tools),
        level: settings.level,
        asking: settings.asking,
        accounts: (!accounts.is_empty()).then_some(accounts),
        voice: None,
    })
}

#[expect(clippy::option_option, reason = "left out is something else than taken away")]
fn instructions(settings: &AgentSettings) -> Result<Option<Option<String>>, Failure> {
    let text = match (&settings.instructions, &settings.instructions_file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| Failure::new(format!("{} cannot be read: {error}.", file.display())))?,
        (None, None) => return Ok(None),
    };
    Ok(Some(Some(text.trim().to_owned()).filter(|text| !text.is_empty())))
}

fn list(agents: &[Described], json: bool) -> Result<(), Failure> {
    if json {
        return show::json(&agents);
    }
    let rows = agents.iter().map(|agent| {
        vec![
            Cell::styled(STRONG, &agent.name),
            Cell::new(level(agent.level)),
            Cell::new(has(agent)),
            Cell::styled(if agent.warnings.is_empty() { FAINT } else { WARN }, cost(agent)),
        ]
    });
    show::line(&show::table(&rows.collect::<Vec<_>>()));
    for warning in agents.iter().flat_map(|agent| agent.warnings.iter().map(move |text| (agent, text))) {
        show::aside(&format!("{}: {}.", warning.0.name, warning.1));
    }
    Ok(())
}

fn shown(agent: &Described, json: bool) -> Result<(), Failure> {
    if json {
        return show::json(agent);
    }
    let row = |name: &str, value: String| vec![Cell::styled(FAINT, format!("  {name}")), Cell::new(value)];
    let mut rows = vec![
        row("may", level(agent.level).to_owned()),
        row("asks before it reaches people", asking(agent.asking).to_owned()),
        row("integrations", has(agent)),
    ];
    rows.extend(agent.accounts.iter().map(|(id, account)| row(&format!("account of {id}"), account.clone())));
    rows.extend(agent.instructions.iter().map(|text| row("instructions", text.replace('\n', " "))));
    rows.push(row("tools", cost(agent)));
    show::line(&format!("{} {}", show::styled(STRONG, &agent.name), show::styled(FAINT, &agent.id)));
    show::line(&show::table(&rows));
    for tool in &agent.tools {
        show::line(&format!("    {tool}"));
    }
    for warning in &agent.warnings {
        show::aside(&show::styled(WARN, &format!("{warning}.")));
    }
    Ok(())
}

/// Shows tokens, without the tokens themselves.
pub fn tokens(tokens: &[TokenView], json: bool) -> Result<(), Failure> {
    if json {
        return show::json(&tokens);
    }
    if tokens.is_empty() {
        show::line("It has no tokens yet.");
        return Ok(());
    }
    let rows = tokens.iter().map(|token| {
        let made = token.created_at.strftime("%Y-%m-%d").to_string();
        let end = token.expires_at.map_or_else(String::new, |end| format!(", until {}", end.strftime("%Y-%m-%d")));
        vec![Cell::styled(STRONG, &token.id), Cell::new(&token.name), Cell::styled(FAINT, format!("of {made}{end}"))]
    });
    show::line(&show::table(&rows.collect::<Vec<_>>()));
    Ok(())
}

/// Shows a new token. It stands alone on stdout, so that it can be piped to where it belongs.
pub fn token(made: &NewTokenView, json: bool) -> Result<(), Failure> {
    if json {
        return show::json(made);
    }
    show::aside(&format!("{} token, shown only this once:\n", show::styled(GOOD, "A new")));
    show::line(made.token.expose());
    show::aside(&format!("\nClients send it as `Authorization: Bearer …`. Its id is {}.", made.about.id));
    Ok(())
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ReadOnly => "look only",
        Level::NoDelete => "do all but what cannot be undone",
        Level::Full => "do everything",
    }
}

fn asking(asking: AskSetting) -> &'static str {
    match asking {
        AskSetting::Never => "never",
        AskSetting::NewRecipients => "when they are new",
        AskSetting::Always => "always",
    }
}

fn has(agent: &Described) -> String {
    let names = agent.integrations.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    match (agent.follows_connections, names.is_empty()) {
        (true, true) => "whatever is connected: nothing yet".into(),
        (true, false) => format!("whatever is connected: {names}"),
        (false, true) => "none".into(),
        (false, false) => names,
    }
}

fn cost(agent: &Described) -> String {
    format!("{} tools, {} tokens", agent.tools.len(), agent.tokens)
}

fn quoted(name: &str) -> String {
    if name.contains(char::is_whitespace) { format!("'{name}'") } else { name.to_owned() }
}
