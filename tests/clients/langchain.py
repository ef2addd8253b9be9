"""LangChain's adapters, which open a session of their own for each call."""

import anyio
from driver import Person, drive, target
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import TextContent


class LangChain:
    def __init__(self, client):
        self.client = client

    async def list(self):
        return [tool.name for tool in await self.client.get_tools()], False

    async def call(self, name, arguments):
        tool = next(tool for tool in await self.client.get_tools() if tool.name == name)
        call = {"type": "tool_call", "id": "1", "name": name, "args": arguments}
        message = await tool.ainvoke(call)
        texts = [TextContent(type="text", text=block["text"]) for block in message.content if block["type"] == "text"]
        return message.status == "error", texts, (message.artifact or {}).get("structured_content")


async def main():
    _, transport, rest = target()
    if transport == "stdio":
        connection = {"transport": "stdio", "command": rest[0], "args": rest[1:]}
    else:
        connection = {"transport": "http", "url": rest[0]}
    client = MultiServerMCPClient({"switchboard": connection})
    async with client.session("switchboard", auto_initialize=False) as session:
        version = (await session.initialize()).protocolVersion
    await drive(LangChain(client), Person(), version)


anyio.run(main)
