// Listening and speaking with what the browser brings, where the server has no service for it.

const Recognition = globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition;

export const canListen = Recognition !== undefined;
export const canSpeak = "speechSynthesis" in globalThis;

// Hears words: `heard(text, isFinal)`. It pauses while the agent speaks, since it would hear that too.
export class Listener {
  #recognition = new Recognition();
  #isWanted = false;

  constructor(language, heard, failed) {
    const recognition = this.#recognition;
    recognition.continuous = true;
    recognition.interimResults = true;
    if (language) recognition.lang = language;
    recognition.addEventListener("result", ({ results, resultIndex }) => {
      for (const result of [...results].slice(resultIndex)) heard(result[0].transcript.trim(), result.isFinal);
    });
    recognition.addEventListener("error", ({ error }) => {
      if (error === "no-speech" || error === "aborted") return;
      this.#isWanted = false;
      failed(error === "not-allowed" ? "The browser does not let this page listen." : "The browser cannot recognise speech now (" + error + "). Type instead.");
    });
    // Browsers end by themselves after a silence.
    recognition.addEventListener("end", () => { if (this.#isWanted) this.#start(); });
  }

  listen(isWanted) {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    if (isWanted) this.#start();
    else this.#recognition.abort();
  }

  #start() {
    try {
      this.#recognition.start();
    } catch {
      // It still runs.
    }
  }
}

// Speaks sentence by sentence as they are written.
export class Speaker {
  #rest = "";

  constructor(language, changed) {
    this.language = language;
    this.changed = changed;
  }

  add(text) {
    this.#rest += text;
    const sentences = this.#rest.split(/(?<=[.!?])\s+/);
    this.#rest = sentences.pop();
    sentences.forEach((sentence) => this.#speak(sentence));
  }

  // Says what has no full stop.
  finish() {
    this.#speak(this.#rest);
    this.#rest = "";
  }

  stop() {
    this.#rest = "";
    speechSynthesis.cancel();
    this.changed(false);
  }

  #speak(text) {
    if (!text.trim()) return;
    const utterance = new SpeechSynthesisUtterance(text);
    if (this.language) utterance.lang = this.language;
    utterance.addEventListener("start", () => this.changed(true));
    utterance.addEventListener("end", () => this.changed(speechSynthesis.pending || speechSynthesis.speaking));
    speechSynthesis.speak(utterance);
  }
}
