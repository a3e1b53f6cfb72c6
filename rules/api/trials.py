"""The body of POST /api/ruleChain/testScript."""

from collections.abc import Mapping
from typing import Any, Final

from rules.node.scripts import ARGUMENTS
from rules.services.trials import Trial
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.script import JS, TBEL

MOST_METADATA: Final = 1000


def trial_of(body: Mapping[str, Any], lang: str) -> Trial:
    """Raises BadRequest where the request is wrong; what is wrong with the script is told in the answer."""
    if lang not in ("", JS, TBEL):
        raise BadRequest(f"scriptLang: expected {JS} or {TBEL}")
    args = body.get("argNames")
    if not isinstance(args, list) or not all(isinstance(each, str) for each in args):
        raise BadRequest("argNames: expected an array of strings")
    metadata = body.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict) or not all(isinstance(each, str) for each in metadata.values()):
        raise BadRequest("metadata: expected an object whose members are strings")
    if len(metadata) > MOST_METADATA:
        raise BadRequest(f"metadata: at most {MOST_METADATA} members are accepted")
    return Trial(
        lang or JS,
        _text(body, "script"),
        _text(body, "scriptType"),
        tuple(args) or ARGUMENTS,
        _text(body, "msg"),
        metadata,
        _text(body, "msgType"),
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str):
        raise BadRequest(f"{name}: expected a string")
    return found
