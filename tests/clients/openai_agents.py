"""OpenAI Agents: the tools as its models get them, in strict form, and calls through its servers."""

import anyio
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp, MCPUtil
from driver import Person, drive, target


class Agents:
    def __init__(self, server):
        self.server = server

    async def list(self):
        tools = await self.server.list_tools()
        for tool in tools:
            function = MCPUtil.to_function_tool(tool, self.server, convert_schemas_to_strict=True)
            # It leaves a tool that takes nothing as it is.
            takes_something = bool(tool.input_schema["properties"])
            assert function.strict_json_schema == takes_something, f"{tool.name} has no strict form"
        return [tool.name for tool in tools], False

    async def call(self, tool, arguments):
        result = await self.server.call_tool(tool, arguments)
        return result.is_error, result.content, result.structured_content


async def main():
    _, transport, rest = target()
    if transport == "stdio":
        server = MCPServerStdio({"command": rest[0], "args": rest[1:]}, client_session_timeout_seconds=60)
    else:
        server = MCPServerStreamableHttp({"url": rest[0]}, client_session_timeout_seconds=60)
    async with server:
        await drive(Agents(server), Person(), server.session.protocol_version)


anyio.run(main)
