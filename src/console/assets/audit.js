// Who did what: calls and refusals, the newest first.
import { get, isAdministrator, query as queried } from "./api.js";
import { button, chip, h, pageHead, select } from "./dom.js";
import { dialog } from "./ask.js";
import { agentName } from "./approvals.js";
import { moment, number, since, spoken } from "./words.js";

const OUTCOMES = { ok: ["done", "good"], error: ["failed", "bad"], refused: ["refused", "warn"], begun: ["begun", "warn"] };

export async function show(main, { query }) {
  const filter = { outcome: query.get("outcome") ?? "", integration: query.get("integration") ?? "", tool: query.get("tool") ?? "", agent: query.get("agent") ?? "", user: query.get("user") ?? "" };
  const [{ integrations }, { agents }, people] = await Promise.all([get("/integrations"), get("/agents"), everybody()]);
  const ours = new Map(agents.map((agent) => [agent.id, agent.name]));
  const named = { agent: (entry) => ours.get(entry.agent) ?? agentName(entry.user, entry.agent), user: (entry) => people.find(([id]) => id === entry.user)?.[1] ?? entry.user };

  const rows = h("tbody");
  const more = h("div", { class: "row" });
  const load = async (cursor) => {
    const page = await get("/audit" + queried({ ...filter, cursor }));
    rows.append(...page.entries.map((entry) => row(entry, named)));
    if (!rows.firstChild) rows.append(h("tr", {}, h("td", { colSpan: 6, class: "soft" }, "Nothing yet.")));
    more.replaceChildren(page.cursor ? button("Show more", () => load(page.cursor)) : "");
  };
  const again = async () => {
    rows.replaceChildren();
    history.replaceState(null, "", "/audit" + queried(filter));
    await load();
  };
  const by = (name, label, options) => select(label, [["", label], ...options], filter[name], (value) => { filter[name] = value; again(); });
  const tool = h("input", { type: "search", placeholder: "Tool, such as gmail_send_email", "aria-label": "Tool", value: filter.tool, class: "grow first-search" });
  tool.addEventListener("change", () => { filter.tool = tool.value.trim(); again(); });
  await load();

  main.append(
    pageHead("Audit", "Every call and every refusal, without what was in them.", button("Refresh", again)),
    h("div", { class: "filters" },
      by("outcome", "Any outcome", Object.entries(OUTCOMES).map(([id, [says]]) => [id, says])),
      by("integration", "Any integration", integrations.map((one) => [one.id, one.name])),
      by("agent", "Any agent", agents.map((agent) => [agent.id, agent.name])),
      people.length > 0 && by("user", "Anybody", people),
      tool),
    h("table", { class: "table" },
      h("thead", {}, h("tr", {}, ["When", "Tool", "On what", "Who", "Outcome"].map((text) => h("th", { scope: "col" }, text)), h("th", { scope: "col", class: "number" }, "Took"))),
      rows),
    more);
}

async function everybody() {
  if (!(await isAdministrator())) return [];
  const { users } = await get("/users");
  return users.map((user) => [user.id, user.name]);
}

function row(entry, named) {
  const [says, kind] = OUTCOMES[entry.outcome];
  const open = h("button", { type: "button", class: "plain", on: { click: () => details(entry, named) } }, spoken(entry.tool));
  return h("tr", { data: { outcome: entry.outcome } },
    h("td", { class: "when soft", title: moment(entry.at) }, since(entry.at)),
    h("td", { class: "tool" }, open),
    h("td", { class: "target soft" }, entry.target ?? ""),
    h("td", { class: "who" }, named.agent(entry)),
    h("td", { class: "outcome" }, chip(entry.times ? says + " ×" + number(entry.times) : says, kind)),
    h("td", { class: "took number soft" }, number(entry.millis) + " ms"));
}

function details(entry, named) {
  const [says] = OUTCOMES[entry.outcome];
  const facts = [
    ["When", moment(entry.at)], ["Tool", entry.tool], ["Integration", entry.integration], ["Account", entry.account], ["On what", entry.target],
    ["Person", named.user(entry)], ["Agent", named.agent(entry) + " (" + entry.agent + ")"], ["Outcome", says + (entry.code ? ": " + entry.code : "")],
    ["How often", entry.times && number(entry.times) + " times"], ["Until", entry.until && moment(entry.until)], ["By way of", entry.via], ["From", entry.address],
    ["Kept", entry.taken_over ? "from before lines were chained, or out of an export" : ""],
    ["Took", number(entry.millis) + " ms"], ["Reference", entry.call],
  ];
  const shown = facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  dialog("One call", () => [h("dl", { class: "facts" }, shown), h("div", { class: "row end" }, h("button", { class: "main", value: "done" }, "Close"))]);
}
