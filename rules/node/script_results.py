"""What scripts of nodes may return, and what it means (compat/rule_engine.md, "Script contract"). Every function raises
ValueError with a sentence for something else.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from rules.node.message import Body, Msg
from rules.node.scripts import TBEL, Answer

LONGEST_LABEL: Final = 255
LONGEST_TYPE: Final = 255


class _Changed(msgspec.Struct):
    msg: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    metadata: Any = msgspec.UNSET
    msgType: Any = msgspec.UNSET


_one: Final = msgspec.json.Decoder(_Changed)
_many: Final = msgspec.json.Decoder(list[_Changed])


def value(answer: Answer) -> Any:
    """The JSON value."""
    if answer.error:
        raise ValueError(answer.error)
    return orjson.loads(answer.value)


def truth(answer: Answer) -> bool:
    """Of a filter: true or false."""
    if answer.error:
        raise ValueError(answer.error)
    if answer.value == b"true":
        return True
    if answer.value == b"false":
        return False
    raise _wrong(answer, "true or false")


def labels(answer: Answer) -> list[str]:
    """Of a switch: a label or an array of labels, each named once."""
    found = value(answer)
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list):
        raise _wrong(answer, "a label or an array of labels")
    for label in found:
        if not isinstance(label, str):
            raise ValueError(f"Wrong result type: the array holds {_kind(label)}; expected labels, which are strings.")
        if len(label) > LONGEST_LABEL:
            raise ValueError(f"A label has {len(label)} characters; at most {LONGEST_LABEL} are accepted.")
    return list(dict.fromkeys(found))


def text(answer: Answer, lang: str) -> str:
    """Of a log: a string; in TBEL anything, as JSON."""
    found = value(answer)
    if isinstance(found, str):
        return found
    if lang == TBEL:
        return answer.value.decode(errors="replace")
    raise _wrong(answer, "a string")


def messages(answer: Answer, msg: Msg, lang: str) -> list[Msg]:
    """Of a transformation: an object whose members msg, metadata and msgType replace those of the message, or an array of such
    objects. The body's text is taken as it is.
    """
    if answer.error:
        raise ValueError(answer.error)
    raw = answer.value
    try:
        if raw[:1] == b"{":
            return [_changed(_one.decode(raw), msg, lang)]
        if raw[:1] == b"[":
            return [_changed(each, msg, lang) for each in _many.decode(raw)]
    except msgspec.ValidationError:
        raise ValueError("Wrong result type: the array holds something else than objects.") from None
    except msgspec.DecodeError:
        raise ValueError("The result of the script cannot be read: it holds text that is not valid Unicode.") from None
    raise _wrong(answer, "an object with msg, metadata and msgType, or an array of such objects")


def message(answer: Answer, msg: Msg, lang: str) -> Msg:
    """Of a generator: one such object, which replaces parts of the previous message."""
    if not answer.error and answer.value[:1] != b"{":
        raise _wrong(answer, "an object with msg, metadata and msgType")
    return messages(answer, msg, lang)[0]


def _changed(said: _Changed, msg: Msg, lang: str) -> Msg:
    data = msg.data if isinstance(said.msg, msgspec.UnsetType) else Body(bytes(said.msg))
    metadata = msg.metadata
    if said.metadata is not msgspec.UNSET and said.metadata is not None:
        metadata = _metadata(said.metadata, lang)
    type = msg.type
    if said.msgType is not msgspec.UNSET and said.msgType is not None:
        type = said.msgType if isinstance(said.msgType, str) else _scalar(said.msgType, "msgType", lang)
        if len(type) > LONGEST_TYPE:
            raise ValueError(f"msgType has {len(type)} characters; at most {LONGEST_TYPE} are accepted.")
    return msg.with_data(data, type=type or msg.type, metadata=metadata)


def _metadata(found: Any, lang: str) -> Mapping[str, str]:
    """Values that are no strings become strings, null is left out."""
    if not isinstance(found, dict):
        raise ValueError(f"Wrong result type: metadata is {_kind(found)}; expected an object.")
    return {
        key: each if each.__class__ is str else _scalar(each, f"metadata.{key[:80]}", lang)
        for key, each in found.items()
        if each is not None
    }


def _scalar(found: Any, where: str, lang: str) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, dict | list) and lang != TBEL:
        raise ValueError(f"Wrong result type: {where} is {_kind(found)}; expected a string, a number or a boolean.")
    return orjson.dumps(found).decode()


def _wrong(answer: Answer, expected: str) -> ValueError:
    return ValueError(f"Wrong result type: the script returned {_kind(value(answer))}; expected {expected}.")


def _kind(found: Any) -> str:
    if found is None:
        return "null"
    if isinstance(found, bool):
        return "a boolean"
    if isinstance(found, int | float):
        return "a number"
    return "a string" if isinstance(found, str) else "an array" if isinstance(found, list) else "an object"
