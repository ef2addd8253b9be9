// The console: which page belongs to the address, and what waits for a yes.
import { isAdministrator, isSignedIn, me } from "./api.js";
import { at, h, icon, pageHead, tell } from "./dom.js";
import { dialog } from "./ask.js";
import * as agent from "./agent.js";
import * as agents from "./agents.js";
import * as approvals from "./approvals.js";
import * as audit from "./audit.js";
import * as call from "./call.js";
import * as integrations from "./integrations.js";
import * as people from "./people.js";
import * as welcome from "./welcome.js";
import { calling, onCall, server } from "./oncall.js";

const PAGES = [
  [/^\/$/, "Integrations", integrations],
  [/^\/agents$/, "Agents", agents],
  [/^\/agents\/([^/]+)$/, "Agent", agent],
  [/^\/approvals$/, "Approvals", approvals],
  [/^\/audit$/, "Audit", audit],
  [/^\/people$/, "People", people],
  [/^\/welcome$/, "Welcome", welcome],
  ...(server.takesCalls ? [[/^\/call$/, "Call", call]] : []),
];

// Ends what the page before has going on.
let leaving = new AbortController();
// Asks whether changes may be lost; set by a page that has some.
let mayLeave = () => true;

function found(path) {
  for (const [pattern, title, page] of PAGES) {
    const match = pattern.exec(path);
    if (match) return { title, page, parts: match.slice(1).map(decodeURIComponent) };
  }
  return undefined;
}

function mark(path) {
  for (const link of at("nav").querySelectorAll("li a")) {
    const own = link.getAttribute("href");
    const isHere = own === path || (own !== "/" && path.startsWith(own + "/"));
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function show(isFirst) {
  leaving.abort();
  leaving = new AbortController();
  mayLeave = () => true;
  const { title, page, parts } = found(location.pathname) ?? found("/");
  const { signal } = leaving;
  mark(location.pathname);
  named.title = title;
  rename();
  const main = h("main", { id: "main", tabIndex: -1 });
  const context = { signal, go, parts, query: new URLSearchParams(location.search), guard: (question) => { mayLeave = question; } };
  try {
    await page.show(main, context);
  } catch (error) {
    main.replaceChildren(pageHead(title), h("p", { class: "nothing" }, error.message));
  }
  if (signal.aborted) return;
  at("main").replaceWith(main);
  wayBack();
  if (!isFirst) main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// Goes to another page of the console.
export async function go(address) {
  if (!(await mayLeave())) return;
  history.pushState(null, "", address);
  await show(false);
}

function follow(event) {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !isPlain || link.target || link.origin !== location.origin || !found(link.pathname)) return;
  event.preventDefault();
  // The way past the navigation is no other page.
  if (link.hash === "#main") return at("main").focus();
  go(link.pathname + link.search);
}

// A call goes on while other pages are looked at.
const back = h("a", { id: "return", class: "button main", href: "/call", hidden: true }, icon("phone"), "Back to the call");
document.body.append(back);
function wayBack() {
  back.hidden = !onCall() || location.pathname === "/call";
}

// The title of the window says how many questions wait.
const named = { title: "Switchboard", waiting: 0 };
function rename() {
  document.title = (named.waiting > 0 ? "(" + named.waiting + ") " : "") + named.title + " · Switchboard";
}

async function look() {
  if (document.hidden) return;
  const waiting = await approvals.waiting().catch(() => undefined);
  if (!waiting) return;
  named.waiting = waiting.length;
  at("waiting").hidden = waiting.length === 0;
  at("waiting").textContent = waiting.length;
  at("waiting").setAttribute("aria-label", waiting.length + " waiting");
  rename();
  document.dispatchEvent(new CustomEvent("waiting", { detail: waiting }));
}

const KEYS = { i: "/", a: "/agents", p: "/approvals", u: "/audit", o: "/people", c: "/call" };
let wasG = false;

function press(event) {
  const isTyping = event.target.closest("input, textarea, select, dialog, [contenteditable]");
  if (isTyping || event.metaKey || event.ctrlKey || event.altKey) return;
  const goesTo = wasG && KEYS[event.key];
  wasG = event.key === "g";
  if (goesTo && found(goesTo)) go(goesTo);
  else if (event.key === "?") help();
  else if (event.key === "/") {
    const input = document.querySelector(".first-search");
    if (!input) return;
    event.preventDefault();
    input.focus();
  }
}

function help() {
  const keys = [["/", "Search"], ["g i", "Integrations"], ["g a", "Agents"], ["g p", "Approvals"], ["g u", "Audit"], ["g o", "People"], ["g c", "Call"], ["Ctrl S", "Save an agent"], ["?", "This list"]];
  const rows = keys.flatMap(([key, does]) => [h("dt", {}, h("code", {}, key)), h("dd", {}, does)]);
  dialog("Keys", () => [h("dl", { class: "facts" }, rows), h("div", { class: "row end" }, h("button", { class: "main" }, "Close"))]);
}

async function greet() {
  const who = await me();
  const leave = h("form", { method: "post", action: "/logout" }, h("button", {}, "Sign out"));
  const name = who.name ?? (isSignedIn ? "The administrator" : "This machine");
  const role = isSignedIn ? who.name && who.role : "Nobody has to sign in here";
  at("who").replaceChildren(h("div", {}, name, role && h("span", { class: "soft" }, role)), isSignedIn ? leave : "");
  const isAdmin = await isAdministrator();
  const people = at("nav").querySelector("a[href='/people'] span");
  people.textContent = isAdmin ? "People" : "You";
}

// An invitation that somebody opened who is signed in already.
if (location.hash.startsWith("#swi_")) {
  history.replaceState(null, "", location.pathname);
  tell("You are signed in already. Sign out first to use this invitation, or leave it for whom it is meant.");
}

document.addEventListener("click", follow);
document.addEventListener("keydown", press);
document.addEventListener("visibilitychange", look);
document.addEventListener("decided", look);
calling.addEventListener("changed", wayBack);
at("to-call").hidden = !server.takesCalls;
window.addEventListener("popstate", () => show(false));
setInterval(look, 3000);
greet().catch((error) => tell(error.message));
look();
show(true);
