#!/usr/bin/env python3
"""What many clients at once cost a server: memory for each connection, and how long answers take.

    cargo build --release
    scripts/connections.py [--program target/release/switchboard] [--idle 1000] [--active 100] [--calls 10000]

Starts `serve --sandbox` on a directory of its own, opens `--idle` connections each over /mcp and /ws, lets `--active`
of them call tools while the others stay open, then lets 64 clients make `--calls` calls, and prints figures. It fails
when an answer is wrong or goes to another request. Needs Python 3.9 and Linux.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ZONES = ["Europe/Berlin", "Asia/Tokyo", "America/New_York", "Africa/Nairobi", "Pacific/Auckland", "UTC"]
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "connections", "version": "1"},
}
CLIENTS = 64


def request(number, method, params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": META}}).encode()


class Http:
    """A client that keeps its connection."""

    async def open(self, host, port):
        self.host = f"{host}:{port}"
        self.reader, self.writer = await asyncio.open_connection(host, port)
        return self

    async def ask(self, number, method, params):
        body = request(number, method, params)
        name = f"Mcp-Name: {params['name']}\r\n" if "name" in params else ""
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
            f"Mcp-Method: {method}\r\n{name}Content-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        if not answer.startswith("HTTP/1.1 200"):
            raise RuntimeError(answer)
        fields = dict(line.lower().split(": ", 1) for line in answer.strip().split("\r\n")[1:])
        return json.loads(await self.reader.readexactly(int(fields["content-length"])))

    def close(self):
        self.writer.close()


class WebSocket:
    """A client that answers pings, as every one does."""

    async def open(self, host, port):
        self.reader, self.writer = await asyncio.open_connection(host, port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mcp\r\n\r\n".encode()
        )
        answer = await self.reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(answer)
        self.answers = asyncio.Queue()
        self.reading = asyncio.create_task(self.read())
        return self

    def send(self, kind, payload):
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.writer.write(bytes([0x80 | kind]) + length + mask + masked)

    async def read(self):
        try:
            while True:
                kind, size = await self.reader.readexactly(2)
                if size == 126:
                    size = int.from_bytes(await self.reader.readexactly(2), "big")
                elif size == 127:
                    size = int.from_bytes(await self.reader.readexactly(8), "big")
                payload = await self.reader.readexactly(size)
                if kind & 15 == 9:
                    self.send(10, payload)
                elif kind & 15 == 1:
                    self.answers.put_nowait(json.loads(payload))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.answers.put_nowait(None)

    async def ask(self, number, method, params):
        self.send(1, request(number, method, params))
        answer = await self.answers.get()
        if answer is None:
            raise RuntimeError("the server hung up")
        return answer

    def close(self):
        self.reading.cancel()
        self.writer.close()


def resident(pid):
    """Resident memory in KB."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


async def calls(client, first, count, times, zone):
    """Makes calls one after the other; each answer must be the one to its own request."""
    for number in range(first, first + count):
        began = time.perf_counter()
        answer = await client.ask(number, "tools/call", {"name": "switchboard_now", "arguments": {"time_zone": zone}})
        times.append(time.perf_counter() - began)
        if answer.get("id") != number or answer["result"]["structuredContent"]["time_zone"] != zone:
            raise RuntimeError(f"a wrong answer to {number} in {zone}: {answer}")


def told(times):
    times = sorted(times)
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000
    return f"median {statistics.median(times) * 1000:.1f} ms, p99 {at(0.99):.1f} ms, worst {times[-1] * 1000:.1f} ms"


async def measure(pid, host, port, options):
    warm = await Http().open(host, port)
    await calls(warm, 1, 200, [], "UTC")
    base = resident(pid)
    print(f"one client, after 200 calls: {base / 1024:.0f} MB")

    clients = {Http: [], WebSocket: []}
    for kind, name in [(Http, "/mcp, kept alive"), (WebSocket, "/ws")]:
        before = resident(pid)
        for number in range(options.idle):
            client = await kind().open(host, port)
            answer = await client.ask(number, "server/discover", {})
            assert answer["id"] == number, answer
            clients[kind].append(client)
        grown = resident(pid) - before
        print(f"{options.idle} connections to {name}: {grown / 1024:.1f} MB, {grown / options.idle:.1f} KB each")

    active = [client for kind in clients.values() for client in kind[: options.active // 2]]
    times = []
    await asyncio.gather(*(calls(c, 1000 * n, 50, times, ZONES[n % 6]) for n, c in enumerate(active, 1)))
    print(f"{len(active)} of them at work, {len(times)} calls: {told(times)}; {resident(pid) / 1024:.0f} MB in all")
    for client in [client for kind in clients.values() for client in kind]:
        client.close()

    steady = [await (Http if number % 2 else WebSocket)().open(host, port) for number in range(CLIENTS)]
    await asyncio.gather(*(calls(c, 1, 20, [], ZONES[n % 6]) for n, c in enumerate(steady)))
    warm_memory, times, began = resident(pid), [], time.perf_counter()
    each = options.calls // CLIENTS
    await asyncio.gather(*(calls(c, 100_000 * n, each, times, ZONES[n % 6]) for n, c in enumerate(steady, 1)))
    rate = len(times) / (time.perf_counter() - began)
    growth = 100 * (resident(pid) - warm_memory) / warm_memory
    print(f"{CLIENTS} clients, {len(times)} calls: {told(times)}; {rate:.0f} a second; memory {growth:+.1f} %")
    for client in [warm, *steady]:
        client.close()
    await asyncio.sleep(5)
    print(f"5 s after all have left: {resident(pid) / 1024:.0f} MB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="target/release/switchboard")
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--active", type=int, default=100)
    parser.add_argument("--calls", type=int, default=10_000)
    options = parser.parse_args()
    # Each connection is a file here and one at the server, which inherits the bound.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as home:
        arguments = ["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data-dir", home]
        server = subprocess.Popen([options.program, *arguments], stderr=subprocess.PIPE, text=True)
        try:
            ready = next(line for line in server.stderr if "listening on http://" in line)
            host, port = ready.split("http://")[1].strip().split(":")
            asyncio.run(measure(server.pid, host, int(port), options))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
