// Calling an agent: what is said, what it does, and how fast it is.
import { get } from "./api.js";
import { button, choices, h, icon, pageHead } from "./dom.js";
import { Call, browser, onCall, server } from "./oncall.js";
import { Chart } from "./latency.js";
import { captions } from "./captions.js";
import { spoken } from "./words.js";

const STATES = { waits: "Listening", listens: "Hears you", thinks: "Thinking", works: "Working", speaks: "Speaking" };

export async function show(main, context) {
  if (onCall()) during(main, onCall(), context);
  else await before(main, context);
}

async function before(main, context) {
  const { agents } = await get("/agents");
  const wanted = context.query.get("agent");
  let chosen = agents.find((agent) => agent.name === wanted) ?? agents[0];
  const options = agents.map((agent) => [agent.name, agent.name, agent.instructions?.slice(0, 90) ?? (agent.follows_connections ? "Whatever is connected" : [...agent.integrations].map((id) => spoken(id.replaceAll("-", "_"))).join(", "))]);
  const microphone = h("input", { type: "checkbox", name: "microphone", checked: true });
  const listens = browser.listens && h("input", { type: "checkbox", name: "listens", checked: false });
  const speaks = browser.speaks && h("input", { type: "checkbox", name: "speaks", checked: true });
  const box = (input, label, help) => input && h("label", { class: "check" }, input, h("span", {}, label, help && h("small", { class: "help" }, h("br"), help)));
  const dial = () => {
    const wishes = { microphone: server.hears && microphone.checked, listens: listens && listens.checked, speaks: speaks && speaks.checked };
    const call = new Call(chosen, wishes);
    during(main, call, context);
    call.dial();
  };
  main.replaceChildren(
    pageHead("Call", "Speak with an agent, or type. It has the tools that you gave it, and asks before what cannot be undone."),
    h("div", { class: "panel stack ready" },
      choices("Whom do you call?", "agent", options, chosen.name, (name) => { chosen = agents.find((agent) => agent.name === name); }),
      server.hears
        ? box(microphone, "Use the microphone", "Without it you type.")
        : h("p", { class: "note calm" }, "This server has no service that recognises speech: you type" + (browser.listens ? ", or let your browser listen." : ".")),
      box(listens, "Let the browser listen", "Some browsers send what they hear to their maker to recognise it."),
      box(speaks, "Let the browser speak", "This server has no voice of its own."),
      h("div", { class: "row" }, h("button", { type: "button", class: "main dial", on: { click: dial } }, icon("phone"), "Call"))),
  );
  main.querySelector(".dial").focus({ preventScroll: true });
}

function during(main, call, context) {
  const { conversation } = call;
  const orb = h("div", { class: "orb", "aria-hidden": "true" }, h("i"));
  const state = h("p", { class: "state", role: "status" });
  const clock = h("p", { class: "soft number" });
  const name = h("h1");
  const chart = new Chart();
  const mute = button("", () => call.mute(!call.isMuted));
  const hangUp = button(h("span", {}, "Hang up"), () => call.hangUp(), "danger main", "hangup");
  hangUp.setAttribute("aria-label", "Hang up");
  const resume = button("Resume", () => call.resume(), "main");
  const again = button("Call again", () => before(main, context), "main", "phone");
  const input = h("input", { name: "words", autocomplete: "off", placeholder: "Type to the agent", "aria-label": "Type to the agent", enterKeyHint: "send" });
  const composer = h("form", { class: "composer", on: { submit: (event) => send(event) } }, input, h("button", { class: "main", "aria-label": "Send" }, icon("send")));
  const said = captions(call, context.signal);

  function send(event) {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || call.line.state !== "open") return;
    input.value = "";
    call.type(text);
  }
  const redraw = () => {
    const isOver = call.line.state === "closed";
    const shown = isOver ? "over" : call.line.state !== "open" ? call.line.state : conversation.isHeld ? "held" : conversation.state;
    orb.dataset.state = shown;
    name.textContent = call.agent.name;
    state.textContent = { over: "The call is over", connecting: "Connecting", lost: "Connecting again", held: "On hold" }[shown] ?? (call.isMuted && shown === "waits" ? "Muted" : STATES[shown]);
    mute.hidden = isOver || !call.canBeMuted;
    const does = call.isMuted ? "Unmute" : "Mute";
    mute.replaceChildren(icon(call.isMuted ? "mic-off" : "mic"), h("span", {}, does));
    mute.setAttribute("aria-label", does);
    mute.setAttribute("aria-pressed", call.isMuted);
    resume.hidden = isOver || !conversation.isHeld;
    hangUp.hidden = isOver;
    again.hidden = !isOver;
    composer.hidden = isOver;
    input.disabled = call.line.state !== "open";
    if (isOver && call.why && !conversation.entries.some((entry) => entry.text === call.why)) conversation.note(call.why, "bad");
  };
  const tick = () => {
    const seconds = Math.floor(((call.ended ?? Date.now()) - call.began) / 1000);
    clock.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
  };
  const { signal } = context;
  call.addEventListener("changed", redraw, { signal });
  conversation.addEventListener("state", redraw, { signal });
  conversation.addEventListener("turn", () => chart.show(conversation.turns), { signal });
  const timer = setInterval(tick, 500);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("keydown", (event) => press(event, call, input, said), { signal });

  main.replaceChildren(h("div", { class: "call" },
    h("section", { class: "talk", "aria-label": "What is said" }, said, composer),
    h("aside", { class: "panel" },
      h("div", { class: "standing" }, orb, h("div", {}, name, state, clock)),
      h("div", { class: "row controls" }, mute, resume, hangUp, again),
      chart.element,
      h("p", { class: "help keys" }, h("code", {}, "M"), " mute · ", h("code", {}, "T"), " type · ", h("code", {}, "A"), " answer · ", h("code", {}, "X"), " hang up"))));
  chart.show(conversation.turns);
  redraw();
  tick();
}

function press(event, call, input, said) {
  if (event.key === "Escape" && event.target === input) return input.blur();
  const isTyping = event.target.closest("input, textarea, select, dialog");
  if (isTyping || event.metaKey || event.ctrlKey || event.altKey || call.line.state === "closed") return;
  const does = {
    m: () => call.canBeMuted && call.mute(!call.isMuted),
    t: () => input.focus(),
    a: () => said.querySelector(".ask button")?.focus(),
    x: () => call.hangUp(),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}
