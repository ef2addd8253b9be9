//! The clients that `install` knows: where each keeps its servers, and in which form.

use std::path::PathBuf;

use directories::BaseDirs;

use crate::cli::order::Failure;

/// One client.
#[derive(Debug)]
pub struct Client {
    /// What is typed.
    pub id: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Where it keeps its servers.
    pub file: fn(&Places) -> PathBuf,
    /// In which form.
    pub form: Form,
    /// What the person does afterwards.
    pub next: &'static str,
}

/// The form in which a client keeps a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON: `{"<servers>": {"<name>": {"command", "args"}}}`, with `"type": "stdio"` where `typed`.
    Json {
        /// The member that holds the servers.
        servers: &'static str,
        /// Whether the kind of the server is said.
        typed: bool,
    },
    /// JSON: `{"mcp": {"<name>": {"type": "local", "command": [program, args…], "enabled": true}}}`.
    CommandList,
    /// TOML: `[mcp_servers.<name>]` with `command` and `args`.
    Toml,
}

/// The folders of a person.
#[derive(Clone, Debug)]
pub struct Places {
    home: PathBuf,
    /// `~/.config` on Linux, `~/Library/Application Support` on macOS.
    settings: PathBuf,
    /// `~/.config` also on macOS, for programs that keep to it there.
    dot_config: PathBuf,
}

impl Places {
    /// Those of whoever runs this.
    pub fn of_this_machine() -> Result<Places, Failure> {
        let dirs = BaseDirs::new().ok_or_else(|| Failure::new("This account has no home directory."))?;
        let home = dirs.home_dir().to_owned();
        let named = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let dot_config = named.unwrap_or_else(|| home.join(".config"));
        Ok(Places { settings: dirs.config_dir().to_owned(), dot_config, home })
    }
}

const MCP_SERVERS: Form = Form::Json { servers: "mcpServers", typed: false };

/// All of them. Forms and places after the clients' own documentation, November 2026.
pub const CLIENTS: &[Client] = &[
    Client {
        id: "claude-code",
        title: "Claude Code",
        file: |places| places.home.join(".claude.json"),
        form: Form::Json { servers: "mcpServers", typed: true },
        next: "Start a new session; `/mcp` shows the server.",
    },
    Client {
        id: "claude-desktop",
        title: "Claude Desktop",
        file: |places| places.settings.join("Claude/claude_desktop_config.json"),
        form: MCP_SERVERS,
        next: "Quit Claude Desktop and start it again.",
    },
    Client {
        id: "cursor",
        title: "Cursor",
        file: |places| places.home.join(".cursor/mcp.json"),
        form: MCP_SERVERS,
        next: "Switch it on under Settings, Tools & MCP.",
    },
    Client {
        id: "vscode",
        title: "VS Code",
        file: |places| places.settings.join("Code/User/mcp.json"),
        form: Form::Json { servers: "servers", typed: true },
        next: "Run \"MCP: List Servers\" in the command palette and start it.",
    },
    Client {
        id: "zed",
        title: "Zed",
        file: |places| places.dot_config.join("zed/settings.json"),
        form: Form::Json { servers: "context_servers", typed: false },
        next: "The agent panel's settings show the server.",
    },
    Client {
        id: "codex",
        title: "Codex",
        file: |places| places.home.join(".codex/config.toml"),
        form: Form::Toml,
        next: "Start a new session; `/mcp` shows the server.",
    },
    Client {
        id: "gemini-cli",
        title: "Gemini CLI",
        file: |places| places.home.join(".gemini/settings.json"),
        form: MCP_SERVERS,
        next: "Start a new session; `/mcp` shows the server.",
    },
    Client {
        id: "windsurf",
        title: "Windsurf",
        file: |places| places.home.join(".codeium/windsurf/mcp_config.json"),
        form: MCP_SERVERS,
        next: "Refresh the servers in Cascade's settings.",
    },
    Client {
        id: "cline",
        title: "Cline",
        file: |places| {
            places.settings.join("Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json")
        },
        form: MCP_SERVERS,
        next: "Cline's list of MCP servers shows it.",
    },
    Client {
        id: "opencode",
        title: "OpenCode",
        file: |places| places.dot_config.join("opencode/opencode.json"),
        form: Form::CommandList,
        next: "Start a new session.",
    },
];

/// The client of that name.
pub fn find(id: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.id == id)
}
