// A line to an agent: WebRTC, and messages beside it on a data channel, as Pipecat's SmallWebRTC does it.

// How long the way there may be interrupted before another one is tried, in milliseconds.
const PATIENCE = 5000;
// How long found ways are gathered before they are told, in milliseconds.
const BATCH = 200;

// Tells `state` (`connecting`, `open`, `lost`, `closed`), `message` ({ type, data }), and `sound` (a stream).
export class Line extends EventTarget {
  #peer;
  #channel;
  #session;
  #peerId = null;
  #pings;
  #losing;
  #track = null;
  state = "connecting";

  constructor(agent) {
    super();
    this.agent = agent;
  }

  // Calls. `stream` is the caller's microphone, if there is one.
  async open(stream) {
    this.#track = stream?.getAudioTracks()[0] ?? null;
    const wish = { transport: "webrtc", enableDefaultIceServers: true, body: { agent: this.agent } };
    const { sessionId, iceConfig } = await asked("POST", "/start", wish);
    this.#session = { place: "/sessions/" + encodeURIComponent(sessionId) + "/api/offer", iceServers: iceConfig?.iceServers ?? [] };
    await this.#connect(false);
  }

  async #connect(isAgain) {
    const peer = (this.#peer = new RTCPeerConnection({ iceServers: this.#session.iceServers }));
    const found = [];
    let mayTell = false;
    const tell = () => {
      if (!mayTell || found.length === 0 || peer !== this.#peer) return;
      const candidates = found.splice(0).map(({ candidate, sdpMid, sdpMLineIndex }) => ({ candidate, sdp_mid: sdpMid, sdp_mline_index: sdpMLineIndex }));
      asked("PATCH", this.#session.place, { pc_id: this.#peerId, candidates }).catch(() => {});
    };
    peer.addEventListener("icecandidate", ({ candidate }) => {
      if (!candidate) return;
      found.push(candidate);
      setTimeout(tell, BATCH);
    });
    peer.addEventListener("track", ({ streams, track }) => this.#say("sound", streams[0] ?? new MediaStream([track])));
    peer.addEventListener("connectionstatechange", () => this.#watch(peer));
    const sound = peer.addTransceiver("audio", { direction: "sendrecv" });
    if (this.#track) await sound.sender.replaceTrack(this.#track);
    this.#listen(peer.createDataChannel("chat", { ordered: true }));

    await peer.setLocalDescription();
    const { sdp, type } = peer.localDescription;
    const offer = { sdp, type, pc_id: this.#peerId, restart_pc: isAgain, request_data: { agent: this.agent } };
    const answer = await asked("POST", this.#session.place, offer);
    this.#peerId = answer.pc_id;
    if (peer !== this.#peer) return;
    await peer.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
    mayTell = true;
    tell();
  }

  #listen(channel) {
    this.#channel = channel;
    channel.addEventListener("open", () => {
      clearInterval(this.#pings);
      this.#pings = setInterval(() => channel.readyState === "open" && channel.send("ping: " + Date.now()), 1000);
      this.#become("open");
      this.send("client-ready", { version: "2.2.0", about: { library: "switchboard-console", library_version: "1" } });
      this.#microphone();
    });
    channel.addEventListener("message", ({ data }) => this.#hear(data));
    channel.addEventListener("close", () => { if (channel === this.#channel) this.#maybeLost(0); });
  }

  #hear(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.type === "signalling") {
      if (message.message?.type === "peerLeft") this.close();
      return;
    }
    if (message.label === "rtvi-ai") this.#say("message", message);
  }

  // Waits a moment for a way that is interrupted; then takes the conversation over to another.
  #watch(peer) {
    if (peer !== this.#peer) return;
    if (peer.connectionState === "connected") {
      clearTimeout(this.#losing);
      this.#losing = undefined;
      if (this.#channel.readyState === "open") this.#become("open");
    } else if (peer.connectionState === "disconnected") this.#maybeLost(PATIENCE);
    else if (peer.connectionState === "failed") this.#maybeLost(0);
  }

  #maybeLost(pause) {
    if (this.state === "closed" || this.#losing) return;
    this.#become("lost");
    this.#losing = setTimeout(() => this.#again(1), pause);
  }

  async #again(attempt) {
    if (this.state === "closed") return;
    this.#peer.close();
    try {
      await this.#connect(true);
      this.#losing = undefined;
    } catch (error) {
      if (error.isFinal || attempt >= 5) return this.close(error.isFinal ? "" : "The connection was lost.");
      this.#losing = setTimeout(() => this.#again(attempt + 1), 2000);
    }
  }

  get isMuted() {
    return !this.#track?.enabled;
  }

  get hasMicrophone() {
    return this.#track !== null;
  }

  mute(isMuted) {
    if (this.#track) this.#track.enabled = !isMuted;
    this.#microphone();
  }

  #microphone() {
    this.#write({ type: "signalling", message: { type: "trackStatus", receiver_index: 0, enabled: !this.isMuted } });
  }

  // Says something beside the sound, and returns the message's id.
  send(type, data) {
    const id = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    this.#write({ label: "rtvi-ai", type, id, data });
    return id;
  }

  #write(message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  close(why = "") {
    if (this.state === "closed") return;
    this.send("disconnect-bot", {});
    clearInterval(this.#pings);
    clearTimeout(this.#losing);
    this.#track?.stop();
    // What was written last is still to go out.
    const peer = this.#peer;
    setTimeout(() => peer?.close(), 200);
    this.#become("closed", why);
  }

  #become(state, why = "") {
    if (this.state === state && state !== "open") return;
    this.state = state;
    this.#say("state", { state, why });
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

async function asked(method, path, body) {
  const response = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const error = new Error([answer.detail, answer.next].filter(Boolean).join(" ") || "The server answered " + response.status + ".");
  // The server knows that it will not do; a fault of the moment may pass.
  error.isFinal = response.status < 500;
  throw error;
}
