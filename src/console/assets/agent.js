// One agent: what it is told, which tools it has, how far it may go, and the tokens with which models are it.
import { api, get, post, query as queried } from "./api.js";
import { at, button, h, icon, pageHead, tell } from "./dom.js";
import { sure } from "./ask.js";
import { BUDGET, meter } from "./agents.js";
import { accounts, basics, limits, voice } from "./settings.js";
import { selector } from "./selector.js";
import { tokens } from "./tokens.js";
import { number, plural } from "./words.js";

export async function show(main, { parts: [id], query, go, guard, signal }) {
  const user = query.get("user");
  const place = "/agents/" + encodeURIComponent(id);
  const of = queried({ user });
  const [agent, { tools: catalog }, { integrations }] = await Promise.all([get(place + of), get("/catalog"), get("/integrations")]);
  const editor = new Editor(agent, place, of);
  const isAlways = agent.created_at === undefined || agent.id === "local";

  const draw = () => {
    const settings = h("div", { class: "stack" },
      basics(editor), selector(editor, catalog, integrations), limits(editor), accounts(editor, integrations), voice(editor));
    body.replaceChildren(settings, side);
  };
  const aside = h("aside", { class: "panel figure", id: "figure", "aria-label": "What its tools cost", "aria-live": "polite" });
  const save = h("div", { class: "save", hidden: true },
    h("span", {}, "Not saved yet."),
    h("div", { class: "row" },
      button("Discard", () => { editor.reset(); draw(); }),
      button("Save", () => editor.save().then(draw), "main")));
  const side = h("div", { class: "side" }, aside, save);
  const body = h("div", { class: "beside" });
  editor.changed = () => {
    save.hidden = !editor.isDirty();
    figure(aside, editor);
  };
  draw();
  editor.changed();

  const back = h("a", { class: "back", href: "/agents" + of }, "← All agents");
  const head = pageHead(agent.name, isAlways ? "The agent that is always there." : "", button(isAlways ? "Reset" : "Delete", () => remove(agent, isAlways, place + of, go, editor), "danger"));
  head.firstChild.prepend(back);
  main.append(head, h("div", { class: "stack" }, body, user ? "" : await tokens(agent, place)));

  guard(() => !editor.isDirty() || sure("Leave without saving?", "What you changed here would be lost.", "Leave"));
  addEventListener("beforeunload", (event) => { if (editor.isDirty()) event.preventDefault(); }, { signal });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (editor.isDirty()) editor.save().then(draw).catch((error) => tell(error.message));
  }, { signal });
}

// What is wished for, and what the server says would come of it.
class Editor {
  constructor(agent, place, of) {
    this.place = place;
    this.of = of;
    this.changed = () => {};
    this.listeners = [];
    this.took(agent);
  }

  took(agent) {
    this.saved = agent;
    this.seen = agent;
    this.wish = {};
    this.error = "";
    this.listeners = [];
  }

  // A setting as it would be.
  value(name) {
    return name in this.wish ? this.wish[name] : this.saved[name];
  }

  isDirty() {
    return Object.keys(this.wish).length > 0;
  }

  set(change) {
    Object.assign(this.wish, change);
    for (const [name, value] of Object.entries(change)) {
      if (value === undefined) delete this.wish[name];
    }
    this.changed();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.preview(), 150);
  }

  // Asks what would come of it. An answer to an older question does not count.
  async preview() {
    const asked = (this.asked = {});
    try {
      const seen = await post(this.place + "/preview" + this.of, this.wish);
      if (asked !== this.asked) return;
      this.seen = seen;
      this.error = "";
    } catch (error) {
      if (asked !== this.asked) return;
      this.error = error.message;
    }
    this.changed();
    this.listeners.forEach((listener) => listener());
  }

  // Hears when the server has said what would come of it.
  onSeen(listener) {
    this.listeners.push(listener);
  }

  async save() {
    clearTimeout(this.timer);
    this.asked = undefined;
    const agent = await api("PATCH", this.place + this.of, this.wish);
    this.took(agent);
    at("main").querySelector("h1").textContent = agent.name;
    this.changed();
    tell("Saved. Clients that are connected see it at once.");
  }

  reset() {
    clearTimeout(this.timer);
    this.asked = undefined;
    this.took(this.saved);
    this.changed();
  }
}

function figure(aside, { seen, error }) {
  const note = (text) => h("p", { class: "note" }, icon("warn"), h("span", {}, text));
  aside.replaceChildren(
    h("div", {}, h("div", { class: "big number", data: { tokens: seen.tokens } }, number(seen.tokens)), h("span", { class: "soft" }, "tokens that its model reads first")),
    meter(seen.tokens),
    h("p", { class: "soft number" }, plural(seen.tools.length, "tool") + ". Up to " + number(BUDGET) + " tokens are fine."),
    ...seen.warnings.map(note),
    error ? note(error) : "",
  );
}

async function remove(agent, isAlways, address, go, editor) {
  const text = isAlways
    ? "It falls back to the usual tools of whatever is connected, and its tokens end."
    : "Its tokens end with it: clients that use them are shut out.";
  if (!(await sure((isAlways ? "Reset " : "Delete ") + agent.name + "?", text, isAlways ? "Reset" : "Delete"))) return;
  await api("DELETE", address);
  editor.reset();
  tell(agent.name + (isAlways ? " is as it was at first." : " is gone."));
  await go("/agents" + editor.of);
}
