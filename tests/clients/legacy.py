"""The official Python client, `mcp` 1.30, in protocol 2025-11-25."""

from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from driver import Person, drive, target
from mcp import ClientSession, StdioServerParameters, stdio_client, types
from mcp.client.streamable_http import streamable_http_client


class Legacy:
    def __init__(self, session):
        self.session = session

    async def list(self):
        page = await self.session.list_tools()
        return [tool.name for tool in page.tools], page.nextCursor is not None

    async def call(self, tool, arguments):
        result = await self.session.call_tool(tool, arguments)
        return result.isError, result.content, result.structuredContent


@asynccontextmanager
async def streams(transport, rest):
    if transport == "stdio":
        async with stdio_client(StdioServerParameters(command=rest[0], args=rest[1:])) as (read, write):
            yield read, write
    else:
        async with streamable_http_client(rest[0]) as (read, write, _session_id):
            yield read, write


async def main():
    is_there, transport, rest = target()
    person = Person()

    async def elicit(_context, params):
        action, content = person.answer(params.message, params.requestedSchema)
        return types.ElicitResult(action=action, content=content)

    async with streams(transport, rest) as (read, write):
        callback = elicit if is_there else None
        async with ClientSession(read, write, timedelta(seconds=60), elicitation_callback=callback) as session:
            agreed = await session.initialize()
            await drive(Legacy(session), person, agreed.protocolVersion)


anyio.run(main)
