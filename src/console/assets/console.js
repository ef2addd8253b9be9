// The console: what is connected, and what waits for a yes. All texts are set as text, never as markup.
"use strict";

const at = (id) => document.getElementById(id);
let integrations = [];

function made(tag, text, kind) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function tell(text) {
  at("news").textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { at("news").textContent = ""; }, 8000);
}

async function ask(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const response = await fetch("/api/v1" + path, init);
  if (response.status === 401) {
    location.assign("/login");
    throw new Error("Sign in again.");
  }
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Error([answer.detail, answer.next].filter(Boolean).join(" "));
  return answer;
}

// A button that is busy while it works, and tells when it fails.
function button(text, work, kind) {
  const element = made("button", text, kind);
  element.type = "button";
  element.addEventListener("click", async () => {
    element.disabled = true;
    try {
      await work();
    } catch (error) {
      tell(error.message);
    } finally {
      element.disabled = false;
    }
  });
  return element;
}

async function connect(one) {
  if (!one.auth.includes("oauth")) return connectWithKey(one);
  const started = await ask("POST", "/integrations/oauth/start", { integration: one.id, return_to: "/" });
  location.assign(started.authorize_url);
}

async function connectWithKey(one) {
  const { fields } = await ask("GET", "/integrations/" + one.id);
  at("key-title").textContent = "Connect " + one.name;
  at("key-fields").replaceChildren(...fields.flatMap((field) => {
    const label = made("label", field.label);
    const input = made("input");
    input.name = field.name;
    input.type = field.secret ? "password" : "text";
    input.required = field.required;
    input.autocomplete = "off";
    label.append(input);
    return [label, made("p", field.help, "help")];
  }));
  const dialog = at("key");
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  const credentials = Object.fromEntries([...new FormData(at("key-form"))].filter(([, value]) => value));
  at("key-form").reset();
  if (dialog.returnValue !== "connect") return;
  await ask("POST", "/integrations/" + one.id + "/connect", { credentials });
  tell(one.name + " is connected.");
  await refresh();
}

async function test(one, account) {
  const found = await ask("POST", "/integrations/" + one.id + "/test?account=" + encodeURIComponent(account));
  tell(found.ok ? one.name + " works: " + found.detail : [one.name + ": " + found.detail, found.next].filter(Boolean).join(" "));
}

async function disconnect(one, account) {
  if (!confirm("Disconnect " + one.name + " (" + account + ")?")) return;
  await ask("DELETE", "/integrations/" + one.id + "/disconnect?account=" + encodeURIComponent(account));
  tell(one.name + " is disconnected.");
  await refresh();
}

const STATES = { connected: "connected", disconnected: "not connected", needs_reconnect: "has to be connected again" };

function card(one) {
  const item = made("li");
  item.dataset.integration = one.id;
  const state = made("span", STATES[one.status], one.status);
  const line = made("p", one.category + " · " + one.tools + " tools · ", "soft");
  line.append(state);
  item.append(made("h3", one.name), line);
  for (const connection of one.connections) {
    const name = connection.name && connection.name !== connection.account ? connection.account + ", " + connection.name : connection.account;
    item.append(made("p", connection.reason ? name + ": " + connection.reason : name));
    const row = made("div", "", "row");
    row.append(button("Test", () => test(one, connection.account)));
    row.append(button("Disconnect", () => disconnect(one, connection.account)));
    item.append(row);
  }
  if (one.status !== "connected") {
    const row = made("div", "", "row");
    row.append(button(one.status === "disconnected" ? "Connect" : "Connect again", () => connect(one), "main"));
    item.append(row);
  }
  return item;
}

function show() {
  const words = at("search").value.trim().toLowerCase();
  const category = at("category").value;
  const fits = (one) => (!category || one.category === category) && (one.name + " " + one.id).toLowerCase().includes(words);
  const cards = integrations.filter(fits).map(card);
  at("list").replaceChildren(...(cards.length ? cards : [made("li", "Nothing fits.", "nothing")]));
}

function approval(one) {
  const item = made("li");
  item.append(made("h3", one.question), made("p", one.agent + " wants to use " + one.tool, "soft"));
  const decide = (decision) => async () => {
    await ask("POST", "/approvals/" + encodeURIComponent(one.id), { decision });
    tell(decision === "approve" ? "Approved. The assistant can go on." : "Refused.");
    await refreshApprovals();
  };
  const row = made("div", "", "row");
  row.append(button("Approve", decide("approve"), "main"), button("Refuse", decide("refuse")));
  item.append(row);
  return item;
}

async function refreshApprovals() {
  const { approvals } = await ask("GET", "/approvals");
  const open = approvals.filter((one) => !one.decision).map(approval);
  at("approvals").replaceChildren(...(open.length ? open : [made("li", "Nothing waits.", "nothing")]));
}

async function refresh() {
  ({ integrations } = await ask("GET", "/integrations"));
  const categories = [...new Set(integrations.map((one) => one.category))].sort();
  const chosen = at("category").value;
  at("category").replaceChildren(new Option("All", ""), ...categories.map((name) => new Option(name, name)));
  at("category").value = categories.includes(chosen) ? chosen : "";
  show();
}

// Approvals come while the page is open; a page that nobody looks at does not ask.
async function look() {
  if (!document.hidden) await refreshApprovals().catch(() => {});
}

at("search").addEventListener("input", show);
at("category").addEventListener("change", show);
document.addEventListener("visibilitychange", look);
setInterval(look, 5000);
Promise.all([refresh(), refreshApprovals()]).catch((error) => tell(error.message));
