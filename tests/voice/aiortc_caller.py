"""Calls the exchange with aiortc: plays a clip, records what it hears at 16 kHz, waits for a message, and hangs up."""

import asyncio
import json
import sys
import time
import urllib.request
import wave

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError
from av import AudioResampler


def post(url, body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


async def record(track, samples):
    resampler = AudioResampler(format="s16", layout="mono", rate=16000)
    try:
        while True:
            for frame in resampler.resample(await track.recv()):
                samples.extend(bytes(frame.planes[0])[: 2 * frame.samples])
    except MediaStreamError:
        pass


async def main(server, clip, recording):
    connection = RTCPeerConnection()
    channel = connection.createDataChannel("chat")
    samples, ready = bytearray(), asyncio.Event()
    connection.on("track", lambda track: asyncio.ensure_future(record(track, samples)))
    channel.on("message", lambda message: message == "ready" and ready.set())
    connection.addTrack(MediaPlayer(clip).audio)
    await connection.setLocalDescription(await connection.createOffer())
    offer = {"sdp": connection.localDescription.sdp, "type": "offer", "pc_id": None, "restart_pc": False}
    answer = await asyncio.to_thread(post, server + "/api/offer", offer)
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
    await asyncio.wait_for(ready.wait(), 20)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        channel.send(f"ping: {int(time.time() * 1000)}")
        await asyncio.sleep(1)
    await connection.close()
    with wave.open(recording, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(samples))


asyncio.run(main(*sys.argv[1:]))
