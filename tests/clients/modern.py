"""The official Python client, `mcp` 2.x, in protocol 2026-07-28."""

import anyio
import mcp_types
from driver import Person, drive, target
from mcp import Client, StdioServerParameters


class Modern:
    def __init__(self, client):
        self.client = client

    async def list(self):
        page = await self.client.list_tools()
        return [tool.name for tool in page.tools], page.next_cursor is not None

    async def call(self, tool, arguments):
        result = await self.client.call_tool(tool, arguments)
        return result.is_error, result.content, result.structured_content


async def main():
    is_there, transport, rest = target()
    person = Person()

    async def elicit(_context, params):
        action, content = person.answer(params.message, params.requested_schema)
        return mcp_types.ElicitResult(action=action, content=content)

    server = StdioServerParameters(command=rest[0], args=rest[1:]) if transport == "stdio" else rest[0]
    async with Client(server, elicitation_callback=elicit if is_there else None, read_timeout_seconds=60) as client:
        await drive(Modern(client), person, client.protocol_version)


anyio.run(main)
