"""TBEL, ThingsBoard's expression language: a script becomes the JavaScript that does the same.

`translate` makes the body of a JavaScript function of a script. It runs in a context in which `prelude` has been evaluated, and
nothing else is needed there. What a line of a script means is on the same line of the translation, so that the line of a
JavaScript error is the line of the script. A script reaches nothing but its arguments, its own variables and the functions
of the catalog: a name that is none of these becomes an error, never a name of JavaScript. How values are represented, and where
the result differs from ThingsBoard's, is in docs/decisions/0034.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from thingsboard.kernel.script.tbel.emit import emit
from thingsboard.kernel.script.tbel.lexer import fault
from thingsboard.kernel.script.tbel.parser import parse
from thingsboard.kernel.script.tbel.scope import mangled
from thingsboard.kernel.script.tbel.zones import zones

LONGEST = 50_000  # characters of a script, as ThingsBoard's tbel.max_script_body_size has it


def translate(source: str, args: Sequence[str]) -> str:
    """The body of a JavaScript function that has the arguments `args` and does what the TBEL script `source` does.

    Raises ValueError, ending in "(line n)", for what is not TBEL.
    """
    for name in args:
        if not name.isidentifier() or mangled(name) != name:
            raise ValueError(f"{name!r} cannot be the name of a script's argument")
    if len(source) > LONGEST:
        raise fault(f"the script has {len(source)} characters; at most {LONGEST} are accepted", 1)
    try:
        return emit(parse(source), args)
    except RecursionError:
        raise fault("the script is nested too deeply", 1) from None


@cache
def prelude() -> str:
    """The JavaScript to evaluate once in a fresh context, before its primordials are frozen: all that translations call."""
    parts = sorted(
        (part for part in (files(__package__) / "js").iterdir() if part.name.endswith(".js")),
        key=lambda part: part.name,
    )
    lines = (line.strip() for part in parts for line in part.read_text("utf-8").splitlines())
    body = "\n".join(line for line in lines if not line.startswith("//"))  # what is not code would only cost memory
    rules = json.dumps(json.dumps(zones()))
    return f'(() => {{"use strict";const ZONE_RULES={rules};\n{body}}})();\n'
