// What can be connected, and what is.
import { api, get, part, post } from "./api.js";
import { button, chip, field, h, nothing, pageHead, search, select, tell, tile } from "./dom.js";
import { filled, sure } from "./ask.js";
import { plural } from "./words.js";

const STATES = {
  connected: ["connected", "good connected"],
  disconnected: ["not connected", "disconnected"],
  needs_reconnect: ["connect again", "bad needs_reconnect"],
};
const CATEGORIES = { crm: "Customers", calendar: "Calendar", communication: "Communication", database: "Tables", productivity: "Productivity", payments: "Payments", support: "Support", development: "Development" };

export async function show(main, { query }) {
  const list = h("ul", { class: "cards", id: "list" });
  const state = { all: [], words: "", category: query.get("category") ?? "" };
  const redraw = () => {
    const fits = (one) => (!state.category || one.category === state.category) && (one.name + " " + one.id).toLowerCase().includes(state.words);
    const cards = state.all.filter(fits).map((one) => card(one, refresh));
    list.replaceChildren(...(cards.length > 0 ? cards : [nothing("Nothing fits.")]));
  };
  const refresh = async () => {
    ({ integrations: state.all } = await get("/integrations"));
    redraw();
  };
  await refresh();
  const categories = [...new Set(state.all.map((one) => one.category))].sort();
  const options = [["", "All categories"], ...categories.map((name) => [name, CATEGORIES[name] ?? name])];
  main.append(
    pageHead("Integrations", "Accounts of yours that assistants can work with."),
    h("div", { class: "filters" },
      search("Search integrations", (words) => { state.words = words; redraw(); }),
      select("Category", options, state.category, (category) => { state.category = category; redraw(); })),
    list,
  );
}

function card(one, refresh) {
  const [says, kind] = STATES[one.status];
  const about = (CATEGORIES[one.category] ?? one.category) + " · " + plural(one.tools, "tool");
  const head = h("div", { class: "titled" }, tile(one.id), h("div", {}, h("h3", {}, one.name), h("span", { class: "soft" }, about)), chip(says, kind));
  const action = {
    disconnected: () => button("Connect", () => connect(one, undefined, refresh), "main"),
    needs_reconnect: () => button("Connect again", () => connect(one, ill(one), refresh), "main"),
    connected: () => button("Add an account", () => another(one, refresh), "plain"),
  };
  return h("li", { data: { integration: one.id } }, head,
    one.connections.map((connection) => account(one, connection, refresh)),
    h("div", { class: "row" }, action[one.status]()));
}

// The account that has to be connected again.
const ill = (one) => one.connections.find((connection) => connection.status === "needs_reconnect")?.account;

function account(one, connection, refresh) {
  const { account, name, reason } = connection;
  const isNamed = account !== "default";
  const words = [isNamed && account, name && name !== account && name].filter(Boolean).join(" · ") || account;
  return h("div", { class: "account", data: { account } },
    h("p", {}, words, reason && h("small", { class: "bad" }, h("br"), reason)),
    h("div", { class: "row" },
      button("Test", () => test(one, account)),
      button("Disconnect", () => disconnect(one, account, refresh), "danger plain")));
}

// A second account of the same vendor has a name of its own.
async function another(one, refresh) {
  const input = h("input", { name: "account", required: true, maxLength: 40, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*", placeholder: "work", autocomplete: "off" });
  const given = await filled("Another account of " + one.name, "Assistants will see both and have to say which one they mean.",
    [field("What do you call it?", input, "Letters, digits, dots and dashes.")], "Go on");
  if (given) await connect(one, given.account.trim(), refresh);
}

async function connect(one, account, refresh) {
  const { fields, asks } = await get("/integrations/" + one.id);
  const names = await asked(one, asks ?? []);
  if (!names) return;
  if (!one.auth.includes("oauth")) return connectWithKey(one, account, fields, refresh);
  const wish = { integration: one.id, account, names, return_to: "/" };
  try {
    const started = await post("/integrations/oauth/start", wish);
    location.assign(started.authorize_url);
  } catch (error) {
    if (fields.length === 0) throw error;
    await connectWithKey(one, account, fields, refresh, error.message);
  }
}

// What an address at the vendor depends on.
async function asked(one, asks) {
  if (asks.length === 0) return {};
  const inputs = asks.map((ask) => field(ask.label, h("input", { name: ask.name, required: true, autocomplete: "off" }), ask.help));
  return filled("Connect " + one.name, "", inputs, "Go on");
}

async function connectWithKey(one, account, fields, refresh, why = "") {
  const inputs = fields.map(({ name, label, secret, required, help }) =>
    field(label, h("input", { name, type: secret ? "password" : "text", required, autocomplete: "off" }), help));
  const about = [why, why && "You can connect with a key instead."].filter(Boolean).join(" ");
  const given = await filled("Connect " + one.name, about, inputs, "Connect");
  if (!given) return;
  const credentials = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
  await post("/integrations/" + one.id + "/connect", { account, credentials });
  tell(one.name + " is connected.");
  await refresh();
}

async function test(one, account) {
  const found = await post("/integrations/" + one.id + "/test?account=" + part(account));
  tell(found.ok ? one.name + " works: " + found.detail : [one.name + ": " + found.detail, found.next].filter(Boolean).join(" "));
}

async function disconnect(one, account, refresh) {
  const text = "Assistants cannot reach " + account + " any more. Where that is possible, the grant ends at " + one.name + " too.";
  if (!(await sure("Disconnect " + one.name + "?", text, "Disconnect"))) return;
  await api("DELETE", "/integrations/" + one.id + "/disconnect?account=" + part(account));
  tell(one.name + " is disconnected.");
  await refresh();
}
