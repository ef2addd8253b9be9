// People and invitations, for administrators; and the own tokens, for everybody.
import { api, get, isAdministrator, isSignedIn, me, part, post } from "./api.js";
import { button, check, chip, field, h, pageHead, secret, tell, tile } from "./dom.js";
import { filled, shown, sure } from "./ask.js";
import { line, make } from "./tokens.js";
import { day } from "./words.js";

export async function show(main) {
  const [who, isAdmin] = await Promise.all([me(), isAdministrator()]);
  main.append(pageHead(isAdmin ? "People" : "You", isAdmin ? "Everybody has accounts, agents and tokens of their own." : who.name ?? who.user));
  const parts = h("div", { class: "stack" });
  if (isAdmin) parts.append(await people(who));
  parts.append(await own(who));
  // On a phone there is no other place for it.
  if (isSignedIn) parts.append(h("form", { method: "post", action: "/logout" }, h("button", {}, "Sign out")));
  main.append(parts);
}

async function people(who) {
  const list = h("ul", { class: "lines", id: "people" });
  const refresh = async () => {
    const { users } = await get("/users");
    list.replaceChildren(...users.map((user) => person(user, who, refresh)));
    if (users.length === 0) list.append(h("li", { class: "soft" }, "Nobody was added yet."));
  };
  await refresh();
  return h("section", { class: "panel", "aria-label": "Who there is" },
    h("div", { class: "row apart" }, h("h2", {}, "Who there is"), button("Invite somebody", () => invite(refresh), "main")),
    h("p", { class: "help" }, "An administrator adds people and answers everybody's questions, and still never calls a tool with somebody else's account."),
    list);
}

function person(user, who, refresh) {
  const isOneself = user.id === who.user;
  const actions = h("span", { class: "row" },
    h("a", { class: "button", href: "/agents?user=" + part(user.id) }, "Agents"),
    button("Invite again", () => again(user), "plain"),
    !isOneself && button(user.admin ? "No administrator" : "Make administrator", () => promote(user, refresh), "plain"),
    !isOneself && button("Remove", () => remove(user, refresh), "danger plain"));
  return h("li", { data: { person: user.name } }, tile(user.name, "small"),
    h("span", { class: "grow" }, h("b", {}, user.name), " ", user.admin && chip("administrator", "main"), isOneself && chip("you"),
      h("small", { class: "help" }, h("br"), "since " + day(user.created_at))),
    actions);
}

async function invite(refresh) {
  const name = h("input", { name: "name", required: true, maxLength: 100, autocomplete: "off", placeholder: "Ana" });
  const given = await filled("Invite somebody", "They get a link that is good once, for a week.",
    [field("Name", name), check({ name: "admin" }, "Administrator", "Adds and removes people, and answers everybody's questions.")], "Invite");
  if (!given) return;
  const added = await post("/users", { name: given.name.trim(), admin: given.admin === "on" });
  await Promise.all([reveal(added.name, added.invitation), refresh()]);
}

async function again(user) {
  if (!(await sure("Invite " + user.name + " again?", "The invitation before is worth nothing from then on. Sessions and tokens stay.", "Invite"))) return;
  await reveal(user.name, await post("/users/" + part(user.id) + "/invitation"));
}

function reveal(name, invitation) {
  return shown("An invitation for " + name,
    h("p", { class: "note calm" }, "Send " + name + " this link. It is shown this once, and good once, until " + day(invitation.expires_at) + "."),
    h("div", { id: "invitation" }, secret(invitation.link)),
    h("p", { class: "soft" }, "Who opens it is signed in as " + name + ". Send it in a way that only " + name + " reads."));
}

async function promote(user, refresh) {
  const title = user.admin ? "Take the rights of an administrator from " + user.name + "?" : "Make " + user.name + " an administrator?";
  const text = user.admin ? "They keep their own accounts, agents and tokens." : "Administrators add and remove people, answer everybody's questions and read the whole audit.";
  if (!(await sure(title, text, user.admin ? "Take them" : "Make administrator"))) return;
  await api("PATCH", "/users/" + part(user.id), { admin: !user.admin });
  await refresh();
}

async function remove(user, refresh) {
  const text = "Their connections end at the vendors, and their agents, tokens and questions go. This cannot be undone.";
  if (!(await sure("Remove " + user.name + "?", text, "Remove"))) return;
  await api("DELETE", "/users/" + part(user.id));
  tell(user.name + " is removed.");
  await refresh();
}

// A person's own tokens. The one of a machine where nobody was added has none of this kind.
async function own(who) {
  if (who.user === "local") return "";
  const list = h("ul", { class: "lines", id: "own-tokens" });
  const place = "/users/me";
  const refresh = async () => {
    const { tokens } = await get(place + "/tokens");
    list.replaceChildren(...tokens.map((token) => line(token, place, refresh)));
    if (tokens.length === 0) list.append(h("li", { class: "soft" }, "None."));
  };
  await refresh();
  return h("section", { class: "panel", "aria-label": "Your own tokens" },
    h("div", { class: "row apart" }, h("h2", {}, "Your own tokens"), button("New token", () => make(place, "yourself", refresh))),
    h("p", { class: "help" }, "For scripts of yours and for signing in here. Never give one to a model: whoever has it can say yes to what an agent asks. Agents have tokens of their own."),
    list);
}
