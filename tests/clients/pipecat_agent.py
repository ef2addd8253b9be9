"""Pipecat: the tools are registered with a language model's service, which then calls them in a running pipeline.

The service speaks with no model; what it is told to call stands for what a model would have asked for.
"""

import anyio
from anyio import Event, create_task_group
from driver import Person, drive, target
from mcp import StdioServerParameters
from mcp.client.session_group import StreamableHttpParameters
from mcp.types import TextContent
from pipecat.frames.frames import EndFrame, FunctionCallResultFrame, StartFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.llm_service import FunctionCallFromLLM, LLMService
from pipecat.services.mcp_service import MCPClient
from pipecat.workers.runner import WorkerRunner


class Model(LLMService):
    """A service without a model: it passes everything on."""

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


class Ear(FrameProcessor):
    """Hears when the pipeline runs, and what a function call came to."""

    def __init__(self):
        super().__init__()
        self.runs, self.done, self.result = Event(), Event(), None

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, StartFrame):
            self.runs.set()
        if isinstance(frame, FunctionCallResultFrame):
            self.result = frame.result
            self.done.set()
        await self.push_frame(frame, direction)


class Pipecat:
    def __init__(self, llm, ear, tools):
        self.llm, self.ear, self.tools = llm, ear, tools

    async def list(self):
        return [tool.name for tool in self.tools.standard_tools], False

    async def call(self, tool, arguments):
        self.ear.done = Event()
        call = FunctionCallFromLLM(
            function_name=tool, tool_call_id="1", arguments=arguments, context=LLMContext()
        )
        await self.llm.run_function_calls([call])
        await self.ear.done.wait()
        # Pipecat hands a model the text alone.
        return False, [TextContent(type="text", text=str(self.ear.result))], None


async def main():
    _, transport, rest = target()
    if transport == "stdio":
        server = StdioServerParameters(command=rest[0], args=rest[1:])
    else:
        server = StreamableHttpParameters(url=rest[0])
    llm, ear = Model(), Ear()
    worker = PipelineWorker(Pipeline([llm, ear]), idle_timeout_secs=None)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    async with MCPClient(server) as mcp, create_task_group() as group:
        tools = await mcp.register_tools(llm)
        group.start_soon(runner.run)
        await ear.runs.wait()
        version = mcp._get_active_session().protocol_version
        await drive(Pipecat(llm, ear, tools), Person(), version)
        await worker.queue_frame(EndFrame())


anyio.run(main)
