// What belongs into the settings of a client, with a token in it.
import { copyButton, h } from "./dom.js";

const json = (value) => JSON.stringify(value, null, 2);

// Name, where it belongs, and the text, given the address of this server and a token. Forms after the clients' own
// documentation, November 2026.
const CLIENTS = [
  ["Claude Code", "In a terminal:", (base, token) => "claude mcp add --transport http switchboard " + base + "/mcp \\\n  --header \"Authorization: Bearer " + token + "\""],
  ["Cursor", "In ~/.cursor/mcp.json:", (base, token) => json({ mcpServers: { switchboard: { url: base + "/mcp", headers: bearer(token) } } })],
  ["VS Code", "In .vscode/mcp.json, or the settings of the person:", (base, token) => json({ servers: { switchboard: { type: "http", url: base + "/mcp", headers: bearer(token) } } })],
  ["Codex", "In ~/.codex/config.toml; the token stands in the environment:", (base, token) => "[mcp_servers.switchboard]\nurl = \"" + base + "/mcp\"\nbearer_token_env_var = \"SWITCHBOARD_TOKEN\"\n\n# export SWITCHBOARD_TOKEN=" + token],
  ["Gemini CLI", "In ~/.gemini/settings.json:", (base, token) => json({ mcpServers: { switchboard: { httpUrl: base + "/mcp", headers: bearer(token) } } })],
  ["Windsurf", "In ~/.codeium/windsurf/mcp_config.json:", (base, token) => json({ mcpServers: { switchboard: { serverUrl: base + "/mcp", headers: bearer(token) } } })],
  ["Another client", "Streamable HTTP, with a header; or a WebSocket with the same header:", (base, token) => base + "/mcp\n" + base.replace("http", "ws") + "/ws\n\nAuthorization: Bearer " + token],
  ["REST", "In a terminal:", (base, token) => "curl " + base + "/api/v1/tools -H \"Authorization: Bearer " + token + "\""],
];

function bearer(token) {
  return { Authorization: "Bearer " + token };
}

export function snippets(token) {
  const pre = h("pre", { tabIndex: 0, id: "snippet" }, h("code"));
  const where = h("p", { class: "soft" });
  const choose = ([, place, text]) => {
    where.textContent = place;
    pre.firstChild.textContent = text(location.origin, token);
  };
  const kind = (client, index) => h("label", {}, h("input", { type: "radio", name: "client", checked: index === 0, on: { change: () => choose(client) } }), client[0]);
  choose(CLIENTS[0]);
  return h("div", { class: "stack tight" },
    h("div", { class: "kinds", role: "radiogroup", "aria-label": "Client" }, CLIENTS.map(kind)),
    where, pre, h("div", { class: "row" }, copyButton(() => pre.textContent, "Copy what is above")));
}
