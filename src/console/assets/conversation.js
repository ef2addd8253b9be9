// What is said and done in a call, as the messages of RTVI tell it.

// After so long without another word an answer that is not spoken counts as whole, in milliseconds.
const SETTLES = 1200;

// Tells `entry` (one was added or has changed), `state`, and `turn` (new figures).
export class Conversation extends EventTarget {
  entries = [];
  turns = [];
  // `waits`, `listens`, `thinks`, `works`, `speaks`
  state = "waits";
  isReady = false;
  isHeld = false;

  take({ type, data }) {
    this.#handlers[type]?.(data ?? {});
  }

  #handlers = {
    "bot-ready": () => { this.isReady = true; this.#become("waits"); },
    "user-started-speaking": () => this.#become("listens"),
    "user-stopped-speaking": () => this.#become("thinks"),
    "user-transcription": ({ text, final }) => this.heard(text, final),
    "bot-llm-started": () => this.#become("thinks"),
    "bot-llm-text": ({ text }) => {
      this.#agent((entry) => { entry.written += text; });
      this.#settle();
    },
    "bot-tts-text": ({ text }) => this.#agent((entry) => { entry.spoken += spaced(entry.spoken, text); }),
    "bot-llm-stopped": () => this.#settle(),
    // What is not going to be spoken counts as said once it is written.
    "bot-output": ({ text, will_be_spoken: isSpoken }) => { if (isSpoken === false && text) this.#unspoken(text); },
    "bot-started-speaking": () => this.#become("speaks"),
    "bot-stopped-speaking": () => this.#become("waits"),
    "bot-interrupted": () => this.#interrupted(),
    "llm-function-call-in-progress": (call) => this.#calls(call),
    "llm-function-call-stopped": (call) => this.#called(call),
    "metrics": ({ ttfb }) => this.#measured(ttfb ?? []),
    "server-message": (message) => this.#told(message),
    "error": ({ error, fatal }) => this.note(error ?? "Something went wrong.", fatal ? "bad" : "warn"),
  };

  // Words of the caller, which may still change.
  heard(text, isFinal) {
    const last = this.entries.findLast((entry) => entry.who === "you");
    const entry = last?.isOpen ? last : this.#add({ who: "you", text: "", isOpen: true });
    entry.text = text;
    entry.isOpen = !isFinal;
    this.#say("entry", entry);
    if (isFinal) this.#turn();
  }

  typed(text) {
    this.#add({ who: "you", text, isOpen: false, isTyped: true });
    this.#turn();
    this.#become("thinks");
  }

  // The same trouble twice is one.
  note(text, kind = "") {
    const last = this.entries.findLast((entry) => entry.who === "note");
    if (kind && last?.text === text) return;
    this.#add({ who: "note", text, kind });
  }

  #turn() {
    this.turns.push({ stages: new Map(), began: performance.now() });
    this.#closeAgent();
  }

  // What the agent says next is something else.
  #closeAgent() {
    const entry = this.entries.findLast((entry) => entry.who === "agent");
    if (entry) entry.isOpen = false;
  }

  #agent(change) {
    const last = this.entries.at(-1);
    const entry = last?.who === "agent" && last.isOpen ? last : this.#add({ who: "agent", written: "", spoken: "", isOpen: true });
    change(entry);
    this.#say("entry", entry);
    this.#answered();
  }

  // What is only written has no end that anybody tells.
  #settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => { if (this.state === "thinks") this.#become("waits"); }, SETTLES);
  }

  // What is seen here counts until the server says how long it took.
  #answered() {
    const turn = this.turns.at(-1);
    if (!turn?.began || turn.stages.size > 0) return;
    turn.stages.set("answer", performance.now() - turn.began);
    this.#say("turn", turn);
  }

  #unspoken(text) {
    const entry = this.entries.findLast((entry) => entry.who === "agent" && entry.written.includes(text.trim()));
    if (!entry) return this.#agent((fresh) => { fresh.spoken += spaced(fresh.spoken, text); });
    entry.spoken = entry.written;
    this.#say("entry", entry);
  }

  #interrupted() {
    const entry = this.entries.findLast((entry) => entry.who === "agent");
    if (entry?.isOpen) {
      entry.isOpen = false;
      entry.isInterrupted = true;
      this.#say("entry", entry);
    }
    this.#become("listens");
  }

  #calls({ tool_call_id: call, function_name: tool, arguments: given }) {
    this.#add({ who: "tool", call, tool, given, state: "runs", began: performance.now() });
    this.#become("works");
  }

  #called({ tool_call_id: call, cancelled, result }) {
    const entry = this.entries.findLast((entry) => entry.who === "tool" && entry.call === call);
    if (!entry) return;
    Object.assign(entry, { state: cancelled ? "cancelled" : "done", result, took: performance.now() - entry.began });
    this.#say("entry", entry);
    this.#closeQuestions(call);
    if (this.state === "works") this.#become("thinks");
  }

  #told({ kind, ...rest }) {
    if (kind === "approval") this.#add({ who: "approval", ...rest, isOpen: true });
    else if (kind === "approval-settled") this.#closeQuestions(rest.call, rest.approved);
    else if (kind === "hold") this.#hold(rest.on === true);
    else if (typeof rest.text === "string") this.note(rest.text);
  }

  #hold(isOn) {
    this.isHeld = isOn;
    this.note(isOn ? "The call is on hold." : "The call goes on.");
    this.#become(this.state);
  }

  // Somebody answered, here or with words.
  #closeQuestions(call, isApproved) {
    for (const entry of this.entries.filter((entry) => entry.who === "approval" && entry.isOpen && entry.call === call)) {
      entry.isOpen = false;
      entry.isApproved ??= isApproved;
      this.#say("entry", entry);
      this.#closeAgent();
    }
  }

  decided(entry, isApproved) {
    Object.assign(entry, { isOpen: false, isApproved, isByButton: true });
    this.#say("entry", entry);
    this.#closeAgent();
  }

  #measured(stages) {
    const turn = this.turns.at(-1) ?? this.turns[this.turns.push({ stages: new Map(), began: 0 }) - 1];
    turn.stages.delete("answer");
    // What ran side by side took as long as the longest.
    stages.forEach(({ processor, value }) => turn.stages.set(processor, Math.max(1000 * value, turn.stages.get(processor) ?? 0)));
    this.#say("turn", turn);
  }

  #add(entry) {
    this.entries.push(entry);
    this.#say("entry", entry);
    return entry;
  }

  #become(state) {
    this.state = state;
    this.#say("state", state);
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// Words come one by one or in sentences, with their spaces or without.
const spaced = (before, text) => (before === "" || /\s$/.test(before) || /^[\s,.;:!?]/.test(text) ? text : " " + text);
