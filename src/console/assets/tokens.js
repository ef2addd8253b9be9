// Tokens: made, shown once, and revoked.
import { api, get, part, post } from "./api.js";
import { button, field, h, secret, tell } from "./dom.js";
import { filled, shown, sure } from "./ask.js";
import { snippets } from "./snippets.js";
import { day, since } from "./words.js";

const LIFETIMES = [["", "Until it is revoked"], ["1", "A day"], ["30", "30 days"], ["90", "90 days"], ["365", "A year"]];

// The tokens at `place`, such as `/agents/ID`, as a part of a page.
export async function tokens(agent, place) {
  const list = h("ul", { class: "lines" });
  const refresh = async () => {
    const all = (await get(place + "/tokens")).tokens;
    list.replaceChildren(...all.map((token) => line(token, place, refresh)));
    if (all.length === 0) list.append(h("li", { class: "soft" }, "None yet."));
  };
  await refresh();
  return h("section", { class: "panel", id: "tokens", "aria-label": "Tokens" },
    h("div", { class: "row apart" }, h("h2", {}, "Tokens"), button("New token", () => make(place, "the agent " + agent.name, refresh), "main")),
    h("p", { class: "help" }, "A client that brings one is this agent of yours, and can do nothing else."),
    list);
}

export async function make(place, whose, done = () => {}) {
  const name = h("input", { name: "name", required: true, maxLength: 100, autocomplete: "off", placeholder: "laptop" });
  const days = h("select", { name: "days" }, LIFETIMES.map(([value, text]) => new Option(text, value)));
  const given = await filled("New token for " + whose, "", [field("What is it for?", name), field("How long is it good?", days)], "Make it");
  if (!given) return;
  const ends = given.days ? new Date(Date.now() + given.days * 86400000).toISOString() : undefined;
  const made = await post(place + "/tokens", { name: given.name.trim(), expires_at: ends });
  await Promise.all([reveal(made), done()]);
}

function reveal(made) {
  return shown("Your token",
    h("p", { class: "note calm" }, "It is shown this once and kept nowhere: copy it now."),
    h("div", { id: "token" }, secret(made.token)),
    h("h3", {}, "Give it to a client"),
    snippets(made.token));
}

export function line(token, place, refresh) {
  const ends = token.expires_at ? "ends " + since(token.expires_at) : "until it is revoked";
  return h("li", { data: { token: token.id } },
    h("span", { class: "grow" }, h("b", {}, token.name), h("small", { class: "help" }, h("br"), "made on " + day(token.created_at) + " · " + ends)),
    button("Revoke", () => revoke(token, place, refresh), "danger plain"));
}

async function revoke(token, place, refresh) {
  if (!(await sure("Revoke " + token.name + "?", "Whoever uses it is shut out at once.", "Revoke"))) return;
  await api("DELETE", place + "/tokens/" + part(token.id));
  tell(token.name + " is worth nothing any more.");
  await refresh();
}
