// Pipecat's client, unchanged, as one script for a page.
export { PipecatClient } from "@pipecat-ai/client-js";
export { SmallWebRTCTransport, WavMediaManager } from "@pipecat-ai/small-webrtc-transport";
