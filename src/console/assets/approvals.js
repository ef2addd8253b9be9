// Questions that wait for a person's yes.
import { get, isAdministrator, part, post, query } from "./api.js";
import { button, chip, h, nothing, pageHead, tell } from "./dom.js";
import { since, spoken } from "./words.js";

// What waits now.
export async function waiting() {
  const { approvals } = await get("/approvals");
  return approvals.filter((one) => !one.decision);
}

// The names of people and agents, asked for once.
const names = new Map();

async function learn(user) {
  if (names.has(user)) return;
  names.set(user, { agents: new Map(), name: "" });
  const { agents } = await get("/agents" + query({ user: (await isAdministrator()) && user }));
  agents.forEach((agent) => names.get(user).agents.set(agent.id, agent.name));
}

async function learnPeople() {
  if (!(await isAdministrator())) return;
  const { users } = await get("/users");
  users.forEach((user) => { if (names.has(user.id)) names.get(user.id).name = user.name; });
}

async function known(all) {
  const strangers = [...new Set(all.map((one) => one.user))].filter((user) => !names.has(user));
  if (strangers.length === 0) return;
  await Promise.allSettled(strangers.map(learn));
  await learnPeople().catch(() => {});
}

export const agentName = (user, agent) => names.get(user)?.agents.get(agent) ?? agent;
const personName = (user) => names.get(user)?.name || user;

export async function show(main, { signal }) {
  const list = h("ul", { class: "cards wide", id: "approvals" });
  const shownAlready = new Map();
  const redraw = (all) => {
    // Cards that stay are left alone: somebody may be about to press their button.
    for (const [id, item] of shownAlready) {
      if (!all.some((one) => one.id === id)) { item.remove(); shownAlready.delete(id); }
    }
    list.querySelector(".nothing")?.remove();
    for (const one of all.filter((one) => !shownAlready.has(one.id))) {
      const item = card(one);
      shownAlready.set(one.id, item);
      list.append(item);
    }
    list.querySelectorAll("[data-expires]").forEach((time) => { time.textContent = "Runs out " + since(time.dataset.expires) + "."; });
    if (all.length === 0) list.append(nothing("Nothing waits. Questions of your assistants appear here by themselves."));
  };
  const fresh = async (all) => {
    await known(all);
    if (!signal.aborted) redraw(all);
  };
  await fresh(await waiting());
  document.addEventListener("waiting", (event) => fresh(event.detail), { signal });
  main.append(pageHead("Approvals", "What cannot be undone waits here for a yes. It counts once, for exactly this."), list);
}

// Everything that would leave, fetched when somebody wants to read it.
function all(one) {
  const text = h("pre", { class: "whole", tabindex: "0" });
  text.hidden = true;
  const show = button("Show all", async () => {
    if (text.hidden && !text.textContent) text.textContent = (await get("/approvals/" + part(one.id))).whole;
    text.hidden = !text.hidden;
    show.textContent = text.hidden ? "Show all" : "Show less";
  });
  return h("div", { class: "all" }, h("p", { class: "soft" }, "This is shortened."), show, text);
}

function card(one) {
  const decide = (decision) => async () => {
    await post("/approvals/" + part(one.id), { decision });
    tell(decision === "approve" ? "Approved. The assistant can go on: it makes the same call again." : "Refused.");
    document.dispatchEvent(new CustomEvent("decided"));
  };
  const agent = agentName(one.user, one.agent);
  const who = one.user === "local" && agent === "local" ? ["Your assistant"] : ["The agent ", h("b", {}, agent), " of ", h("b", {}, personName(one.user))];
  return h("li", { class: "waiting", data: { approval: one.id } },
    h("h3", { class: "question" }, one.question),
    one.is_shortened && all(one),
    h("p", { class: "soft" }, who, " asked " + since(one.asked_at) + ". ", h("span", { data: { expires: one.expires_at } }, "Runs out " + since(one.expires_at) + ".")),
    h("div", {}, chip(spoken(one.tool))),
    h("div", { class: "row" }, button("Approve", decide("approve"), "main"), button("Refuse", decide("refuse"))));
}
