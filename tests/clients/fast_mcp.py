"""FastMCP's client, which looks for protocol 2026-07-28 first."""

import anyio
from driver import Person, drive, target
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport


class FastMcp:
    def __init__(self, client):
        self.client = client

    async def list(self):
        page = await self.client.list_tools_mcp()
        return [tool.name for tool in page.tools], page.next_cursor is not None

    async def call(self, tool, arguments):
        result = await self.client.call_tool_mcp(tool, arguments)
        return result.is_error, result.content, result.structured_content


async def main():
    is_there, transport, rest = target()
    person = Person()

    async def elicit(message, _type, params, _context):
        action, content = person.answer(message, params.requested_schema)
        return ElicitResult(action=action, content=content)

    way = StdioTransport(rest[0], rest[1:]) if transport == "stdio" else StreamableHttpTransport(rest[0])
    async with Client(way, elicitation_handler=elicit if is_there else None) as client:
        await drive(FastMcp(client), person, client.protocol_version)


anyio.run(main)
