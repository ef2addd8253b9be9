"""Lets the Rust tests drive a Python client: one JSON command per line on stdin, one JSON answer per line on stdout.

    {"do": "list"}                                  -> {"names": [...], "more": false}
    {"do": "call", "tool": ..., "arguments": ...}   -> {"is_error": false, "text": ..., "structured": ...}
    {"do": "say", "approve": true}                  -> {}         what the person says from now on
    {"do": "asked"}                                 -> {"questions": [...]}

The first answer comes unasked: {"version": ...}. An exception is answered with {"failed": ...}.
The command line is `stdio PROGRAM ARGUMENT...` or `http URL`, after `--nobody` when there is no person to ask.
"""

import json
import sys
import traceback

import anyio


class Person:
    """Answers the server's questions; fills each form's yes-or-no fields with what they were told to say."""

    def __init__(self):
        self.approve = False
        self.questions = []

    def answer(self, message, schema):
        """The action and the content of the answer."""
        self.questions.append(message)
        if not self.approve:
            return "decline", None
        properties = schema.get("properties", {})
        return "accept", {name: True for name, field in properties.items() if field.get("type") == "boolean"}


def target():
    """What the command line names: (is there a person, "stdio" or "http", the rest)."""
    arguments = sys.argv[1:]
    nobody = arguments[:1] == ["--nobody"]
    arguments = arguments[nobody:]
    return not nobody, arguments[0], arguments[1:]


def text_of(content):
    """The text blocks of a result, one under the other."""
    return "\n".join(block.text for block in content if block.type == "text")


def tell(answer):
    print(json.dumps(answer), flush=True)


async def drive(client, person, version):
    """Carries out commands until stdin ends. `client` has `list()` and `call(tool, arguments)`."""
    tell({"version": version})
    while line := await anyio.to_thread.run_sync(sys.stdin.readline):
        command = json.loads(line)
        try:
            tell(await carry_out(client, person, command))
        except Exception as error:
            traceback.print_exc()
            tell({"failed": f"{type(error).__name__}: {error}"})


async def carry_out(client, person, command):
    match command["do"]:
        case "list":
            names, more = await client.list()
            return {"names": names, "more": more}
        case "call":
            is_error, content, structured = await client.call(command["tool"], command["arguments"])
            return {"is_error": is_error, "text": text_of(content), "structured": structured}
        case "say":
            person.approve = command["approve"]
            return {}
        case "asked":
            return {"questions": person.questions}
