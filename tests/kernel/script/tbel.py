"""Runs TBEL in one QuickJS context, as the jailed process does."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import quickjs

from thingsboard.kernel.script.tbel import prelude, translate

PRELUDE_LINE = 100_000  # lines of the prelude are above, lines of scripts below


class Context:
    """A context with the prelude in it. A call gives what the script returned, as JSON has it."""

    def __init__(self) -> None:
        self._context = quickjs.Context()
        self._context.eval(PRELUDE_LINE * "\n" + prelude())
        self._context.eval(
            "for (const name of ['Object', 'Array', 'String', 'Number', 'Set', 'Map', 'RegExp', 'Date', 'Math', 'JSON'])"
            "{ Object.freeze(globalThis[name]); if (globalThis[name].prototype) Object.freeze(globalThis[name].prototype); }"
        )
        self._context.set_time_limit(5)

    def __call__(self, source: str, msg: Any = None, metadata: Any = None, type: str = "POST_TELEMETRY_REQUEST") -> Any:
        """Run a script with the arguments of a rule node."""
        return self.run(source, ("msg", "metadata", "msgType"), [{} if msg is None else msg, metadata or {}, type])

    def run(self, source: str, names: Sequence[str], values: Sequence[Any]) -> Any:
        """Run a script with other arguments."""
        return json.loads(self.text(source, names, values))

    def text(self, source: str, names: Sequence[str] = (), values: Sequence[Any] = ()) -> str:
        """The JSON text of what a script returns."""
        function = f"(function({','.join(names)}){{{translate(source, names)}\n}})"
        text = self._context.eval(f"JSON.stringify({function}(...{json.dumps(list(values))}))")
        assert isinstance(text, str), f"a script gave {text!r}, which is no JSON"
        return text

    def javascript(self, expression: str) -> Any:
        """What an expression of JavaScript gives in the context."""
        return json.loads(self._context.eval(f"JSON.stringify({expression})"))


def started() -> Context:
    """A context; test modules make it their fixture."""
    return Context()


def facts(name: str) -> list[tuple[str, Any]]:
    """Lines of a file beside this one: what is run, and what it gives as JSON."""
    lines = (Path(__file__).parent / "facts" / f"{name}.txt").read_text("utf-8").splitlines()
    pairs = (line.split(" => ") for line in lines if line and not line.startswith("#"))
    return [(script, json.loads(value)) for script, value in pairs]
