// The call that goes on, whichever page is open: the line, what is said, and what the browser adds.
import { Conversation } from "./conversation.js";
import { Line } from "./line.js";
import { Listener, Speaker, canListen, canSpeak } from "./browserspeech.js";

const calls = document.querySelector("meta[name='calls']")?.content.split(" ");

// What the server brings along.
export const server = { takesCalls: calls !== undefined, hears: calls?.includes("hears"), speaks: calls?.includes("speaks") };
export const browser = { listens: !server.hears && canListen, speaks: !server.speaks && canSpeak };

let current;
// The call that goes on, if there is one.
export const onCall = () => current;

// Tells `changed` when it begins and ends.
export const calling = new EventTarget();

export class Call extends EventTarget {
  conversation = new Conversation();
  began = Date.now();
  isMuted = false;
  #sound = new Audio();

  constructor(agent, wishes) {
    super();
    this.agent = agent;
    this.wishes = wishes;
    this.line = new Line(agent.name);
    current = this;
    this.line.addEventListener("message", ({ detail }) => this.#take(detail));
    this.line.addEventListener("state", ({ detail }) => this.#changed(detail));
    this.line.addEventListener("sound", ({ detail }) => {
      this.#sound.srcObject = detail;
      this.#sound.play().catch(() => this.conversation.note("The browser plays no sound until you press a key or click on the page."));
    });
    if (wishes.listens) this.#listener = new Listener(agent.voice?.language, (text, isFinal) => this.#heard(text, isFinal), (why) => this.conversation.note(why, "warn"));
    if (wishes.speaks) this.#speaker = new Speaker(agent.voice?.language, (speaks) => this.conversation.take({ type: speaks ? "bot-started-speaking" : "bot-stopped-speaking" }));
    this.conversation.addEventListener("state", () => this.#hush());
  }

  #listener;
  #speaker;

  async dial() {
    calling.dispatchEvent(new Event("changed"));
    try {
      const stream = this.wishes.microphone ? await this.#microphone() : undefined;
      await this.line.open(stream);
    } catch (error) {
      this.line.close(error.message);
    }
  }

  async #microphone() {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
    } catch {
      const why = navigator.mediaDevices ? "There is no microphone that this page may use. Type instead." : "Browsers give pages a microphone only over https, or on this machine. Type instead.";
      this.conversation.note(why, "warn");
      return undefined;
    }
  }

  #take(message) {
    this.conversation.take(message);
    if (message.type === "server-message" && message.data?.kind === "transferred") this.#goesOn(message.data.to);
    if (!this.#speaker) return;
    if (message.type === "bot-llm-text") this.#speaker.add(message.data.text);
    if (["bot-llm-stopped", "metrics"].includes(message.type)) this.#speaker.finish();
    if (message.type === "bot-interrupted") this.#speaker.stop();
  }

  // Another agent goes on, under its own name.
  #goesOn(name) {
    this.agent = { ...this.agent, name };
    this.dispatchEvent(new Event("changed"));
  }

  #heard(text, isFinal) {
    if (!text) return;
    this.conversation.heard(text, isFinal);
    if (isFinal) this.line.send("send-text", { content: text, options: { run_immediately: true, audio_response: true } });
  }

  // The browser's ear is shut while the agent speaks.
  #hush() {
    this.#listener?.listen(this.line.state === "open" && !this.isMuted && this.conversation.state !== "speaks");
  }

  type(text) {
    this.#speaker?.stop();
    this.conversation.typed(text);
    this.line.send("send-text", { content: text, options: { run_immediately: true, audio_response: true } });
  }

  decide(entry, approve) {
    this.line.send("client-message", { t: "approval", d: { call: entry.call, approve } });
    this.conversation.decided(entry, approve);
  }

  resume() {
    this.line.send("client-message", { t: "hold", d: { on: false } });
  }

  get canBeMuted() {
    return this.line.hasMicrophone || this.#listener !== undefined;
  }

  mute(isMuted) {
    this.isMuted = isMuted;
    this.line.mute(isMuted);
    this.#hush();
    this.dispatchEvent(new Event("changed"));
  }

  hangUp() {
    this.line.close();
  }

  #changed({ state, why }) {
    if (state === "closed") {
      this.ended = Date.now();
      this.why = why;
      this.#listener?.listen(false);
      this.#speaker?.stop();
      this.#sound.srcObject = null;
      current = undefined;
      calling.dispatchEvent(new Event("changed"));
    }
    this.#hush();
    this.dispatchEvent(new Event("changed"));
  }
}

addEventListener("beforeunload", (event) => { if (current) event.preventDefault(); });
addEventListener("pagehide", () => current?.hangUp());
