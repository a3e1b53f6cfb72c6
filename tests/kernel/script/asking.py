"""Calls of scripts, written shortly."""

from typing import Any

import orjson

from thingsboard.kernel.script import JS, Answer, Jail, Program


def call(msg: Any, metadata: dict[str, str] | None = None, type: str = "T") -> bytes:
    return orjson.dumps([msg, metadata or {}, type])


def run(jail: Jail, source: str, *messages: Any) -> list[Any]:
    """What a script makes of messages: values, and errors as they are."""
    return shown(jail.call(Program(JS, source), [call(msg) for msg in messages or ({},)]))


def shown(answers: Any) -> list[Any]:
    return [one(answer) for answer in answers]


def one(answer: Answer) -> Any:
    return answer if answer.error else orjson.loads(answer.value)


def error(jail: Jail, source: str, msg: Any = None) -> str:
    """Why a script fails."""
    (answer,) = jail.call(Program(JS, source), [call({} if msg is None else msg)])
    assert answer.error, answer
    return answer.error
