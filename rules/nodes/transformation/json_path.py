"""JSON path."""

from typing import Final

from rules.node import SUCCESS, Category, Config, Context, EachNode, Emit, Msg, Outcome
from rules.node.json_path import JsonPath

_WHOLE: Final = "$"


class JsonPathConfig(Config, frozen=True):
    """The path; `$` is the body as it is."""

    NEW = {"jsonPath": _WHOLE}

    json_path: str = ""


class JsonPathNode(EachNode):
    """Replaces the body by what a JSONPath finds in it.

    A path that leads to one place, such as `$.sensors[0].t`, gives what is there. One that may lead to many, with `*`, `..`, a
    slice or a filter, gives an array, which may be empty. `['a', 'b']` picks members of an object. `.length()`, `.keys()`,
    `.first()`, `.last()`, `.index(n)`, `.min()`, `.max()`, `.avg()`, `.sum()` and `.stddev()` may stand at the end.

    Filters compare members with values: `$.sensors[?(@.t > 20 && @.place == 'hall')]`, and `=~ /regex/`. A path in a filter
    leads to one place. What is not there leaves by Failure, with the message as it was.
    """

    TYPE = "org.thingsboard.rule.engine.transform.TbJsonPathNode"
    NAME = "json path"
    CATEGORY = Category.TRANSFORMATION
    CONFIG = JsonPathConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeJsonPathConfig"
    ICON = "functions"

    def __init__(self, config: JsonPathConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._path = None if config.json_path == _WHOLE else JsonPath(config.json_path)

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """What was found is shared with the message it was found in."""
        if self._path is None:
            return Emit(SUCCESS, msg)
        try:
            return Emit(SUCCESS, msg.with_data(self._path.find(msg.data.value)))
        except ValueError as error:
            return Emit.failure(msg, str(error))
