// The agents of a person: named sets of tools.
import { get, post, query as queried } from "./api.js";
import { button, chip, field, h, icon, nothing, pageHead, tile } from "./dom.js";
import { filled } from "./ask.js";
import { LEVELS, number, plural } from "./words.js";

// What an agent's tools should cost at most, in tokens; the server warns above it.
export const BUDGET = 8000;

export async function show(main, { go, query }) {
  const user = query.get("user");
  const { agents } = await get("/agents" + queried({ user }));
  const list = h("ul", { class: "cards", id: "agents" }, agents.map((agent) => card(agent, user)));
  if (agents.length === 0) list.append(nothing("There is no agent yet."));
  main.append(
    pageHead("Agents", user ? "The agents of somebody else." : "Each is a set of tools, with a bound on what it may do. Give every model its own.",
      button("New agent", () => create(go, user), "main")),
    list,
  );
}

async function create(go, user) {
  const name = h("input", { name: "name", required: true, maxLength: 100, autocomplete: "off", placeholder: "desk" });
  const given = await filled("New agent", "It begins with the usual tools of whatever is connected; you choose on the next page.", [field("What is it called?", name)], "Make it");
  if (!given) return;
  const agent = await post("/agents" + queried({ user }), { name: given.name.trim() });
  await go("/agents/" + encodeURIComponent(agent.id) + queried({ user }));
}

function card(agent, user) {
  const [, level] = LEVELS.find(([id]) => id === agent.level);
  const names = [...agent.integrations];
  const tiles = names.slice(0, 6).map((name) => tile(name, "small"));
  const address = "/agents/" + encodeURIComponent(agent.id) + queried({ user });
  return h("li", { data: { agent: agent.name } },
    h("div", { class: "titled" }, tile(agent.name), h("div", {},
      h("h3", {}, h("a", { class: "whole", href: address }, agent.name)),
      h("span", { class: "soft" }, agent.follows_connections ? "Whatever is connected" : plural(names.length, "integration")))),
    h("div", { class: "row" }, tiles, names.length > 6 && chip("+" + (names.length - 6))),
    meter(agent.tokens),
    h("p", { class: "soft number" }, plural(agent.tools.length, "tool") + " · " + plural(agent.tokens, "token")),
    h("div", { class: "row" }, chip(level), agent.warnings.length > 0 && h("span", { class: "chip warn" }, icon("warn"), plural(agent.warnings.length, "warning"))));
}

// How much of what a model should be told is used up.
export function meter(tokens) {
  const bar = h("i");
  bar.style.width = Math.min(100, (100 * tokens) / BUDGET) + "%";
  const label = number(tokens) + " of " + number(BUDGET) + " tokens";
  return h("div", { class: tokens > BUDGET ? "meter full" : "meter", role: "img", "aria-label": label }, bar);
}
