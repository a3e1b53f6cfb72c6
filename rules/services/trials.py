"""Scripts that people try out in the editor: in a jailed process of their own, one at a time, never in the web process."""

import threading
import uuid
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from rules.engine.jails import jail_of_people
from rules.node import Body, Msg
from rules.node.script_results import labels, message, messages, text, truth, value
from rules.node.scripts import Answer, arguments
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.script import Program, Unavailable
from thingsboard.kernel.time import now_ms

MOST_WAITING: Final = 8
LONGEST_WAIT_S: Final = 10.0

_waiting = threading.BoundedSemaphore(MOST_WAITING + 1)
_turn = threading.Lock()


class Trial(NamedTuple):
    """What is tried out: `kind` says what the script is for (`KINDS`), `data` is the text of the message's body."""

    lang: str
    script: str
    kind: str
    args: tuple[str, ...]
    data: str
    metadata: Mapping[str, str]
    type: str


def tried_out(tenant_id: uuid.UUID, trial: Trial) -> tuple[str, str]:
    """What the script of somebody of that tenant made of the message, as text, and what was wrong; one of them is empty."""
    if not _waiting.acquire(blocking=False):
        return "", "Too many scripts are being tried out at the moment; please try again."
    try:
        if not _turn.acquire(timeout=LONGEST_WAIT_S):
            return "", "Other scripts are being tried out at the moment; please try again."
        try:
            return _output(tenant_id, trial), ""
        except (ValueError, Unavailable) as error:
            return "", str(error)
        finally:
            _turn.release()
    finally:
        _waiting.release()


def _output(tenant_id: uuid.UUID, trial: Trial) -> str:
    """Raises ValueError and Unavailable."""
    if trial.kind not in KINDS:
        raise ValueError(f"Unsupported script type: {trial.kind[:40]}")
    program = Program(trial.lang, trial.script, trial.args)
    tenant = EntityId(EntityType.TENANT, tenant_id)
    body = Body(trial.data.encode("utf-8", "replace"))
    msg = Msg(bytes(16), now_ms(), trial.type, tenant, None, trial.metadata, body)
    (answer,) = jail_of_people().call(program, [arguments(msg)], tenant_id.bytes)
    return KINDS[trial.kind](answer, msg, trial.lang)


def _update(answer: Answer, msg: Msg, lang: str) -> str:
    found = messages(answer, msg, lang)
    if not found:
        raise ValueError("The script returned an empty array; expected one message or more.")
    shown = [_shown(each) for each in found]
    return json_bytes(shown if len(shown) > 1 else shown[0]).decode()


def _shown(msg: Msg) -> dict[str, Any]:
    return {"msg": orjson.loads(msg.data.raw), "metadata": dict(msg.metadata), "msgType": msg.type}


def _generate(answer: Answer, msg: Msg, lang: str) -> str:
    return json_bytes(_shown(message(answer, msg, lang))).decode()


def _filter(answer: Answer, msg: Msg, lang: str) -> str:
    return "true" if truth(answer) else "false"


def _switch(answer: Answer, msg: Msg, lang: str) -> str:
    return json_bytes(labels(answer)).decode()


def _json(answer: Answer, msg: Msg, lang: str) -> str:
    return json_bytes(value(answer)).decode()


def _string(answer: Answer, msg: Msg, lang: str) -> str:
    return text(answer, lang)


# What scripts are for, by ThingsBoard's names (compat/rule_engine.md, "Script contract").
KINDS: Final = {
    "update": _update,
    "generate": _generate,
    "filter": _filter,
    "switch": _switch,
    "json": _json,
    "string": _string,
}
