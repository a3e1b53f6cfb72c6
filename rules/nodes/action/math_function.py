"""Math function."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import ATTRIBUTES, TELEMETRY
from rules.node.expression import Expression
from rules.node.math_arguments import MathArgument, MathResult, Place, number, scope_of
from rules.node.math_operations import CUSTOM, MOST_ARGUMENTS, OPERATIONS, rounded
from rules.node.template import Template, java_text
from telemetry.points import Scope
from thingsboard.kernel.ids import EntityId

_STATES = {Place.ATTRIBUTE: ATTRIBUTES, Place.TIME_SERIES: TELEMETRY}


class MathFunctionConfig(Config, frozen=True):
    """What is computed of which arguments, and where the result goes."""

    operation: str = CUSTOM
    arguments: tuple[MathArgument, ...] = (MathArgument("x", Place.MESSAGE_BODY, "temperature"),)
    custom_function: str = "(x - 32) / 1.8"
    result: MathResult = MathResult(Place.MESSAGE_BODY, "temperatureCelsius", 2)


class _Stored(NamedTuple):
    """The attributes (by scope) and the latest values of originators that arguments ask for."""

    attributes: Mapping[Scope, Mapping[EntityId, Mapping[str, Any]]]
    latest: Mapping[EntityId, Mapping[str, Any]]


class MathFunction(Node):
    """Computes a value of values of the message, of attributes and of latest telemetry.

    The result becomes a member of the body or the metadata, or an attribute or a point of telemetry of the originator, with
    the present as its time. It is rounded to so many decimal places; 0 makes it a whole number. Keys may have templates. An
    argument that is not there has its default; one without a default leaves by Failure, and so does a result that is no number.

    CUSTOM computes an expression such as `(x - 32) / 1.8`: numbers, arguments, `+ - * / % ^`, parentheses, the constants pi and
    e, and sin, cos, tan, cot, sec, csc, asin, acos, atan, sinh, cosh, tanh, abs, log and ln (to the base e), lg and log10,
    log2, log1p, logab(base, x), ceil, floor, sqrt, cbrt, pow(x, y), exp, expm1, signum, toradian, todegree.

    Messages of one originator are computed one after the other: each sees what the one before has saved. Points that are
    computed in the same moment have the same time, and the last one stays.
    """

    TYPE = "org.thingsboard.rule.engine.math.TbMathNode"
    NAME = "math function"
    CATEGORY = Category.ACTION
    CONFIG = MathFunctionConfig
    CONFIG_DIRECTIVE = "tbActionNodeMathFunctionConfig"
    ICON = "calculate"
    READS = frozenset({ATTRIBUTES, TELEMETRY})
    WRITES = frozenset({ATTRIBUTES, TELEMETRY})

    def __init__(self, config: MathFunctionConfig, name: str = "") -> None:
        super().__init__(config, name)
        arguments, result = config.arguments, config.result
        self._operation = OPERATIONS.get(config.operation)
        self._expression: Expression | None = None
        if self._operation is None and config.operation != CUSTOM:
            known = ", ".join((*OPERATIONS, CUSTOM))
            raise ValueError(f"Unknown operation {config.operation[:40]!r}; expected one of {known}.")
        fewest, most = (self._operation.takes,) * 2 if self._operation is not None else (0, MOST_ARGUMENTS)
        if not fewest <= len(arguments) <= most:
            raise ValueError(f"Args count: {len(arguments)} does not match operation: {config.operation}")
        if self._operation is None:
            self._expression = Expression(config.custom_function, [argument.name or "" for argument in arguments])
        if result.type is Place.CONSTANT:
            raise ValueError("Result type is not supported: CONSTANT!")
        self._scope = scope_of(result.attribute_scope)
        self._scopes = {each: each.scope() for each in arguments if each.type is Place.ATTRIBUTE}
        self._keys = [Template(each.key or "") for each in arguments]
        self._constants = [number(each.key or "") if each.type is Place.CONSTANT else 0.0 for each in arguments]
        self._result_key = Template(result.key or "")
        self._places = result.result_value_precision or 0
        self._whole = self._operation is not None and self._operation.whole
        self.READS = frozenset(_STATES[each.type] for each in arguments if each.type in _STATES)
        self.WRITES = frozenset({_STATES[result.type]} if result.type in _STATES else ())
        into_body = result.type is Place.MESSAGE_BODY or (bool(result.add_to_body) and bool(self.WRITES))
        self._needs_body = into_body or any(each.type is Place.MESSAGE_BODY for each in arguments)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All that is stored is read at once; it is read again, from what the batch knows, where a message changed it."""
        stored = self._read(ctx, messages) if self.READS else None
        changed: set[EntityId] = set()
        outcomes: list[Outcome] = []
        for msg in messages:
            if stored is not None and msg.originator in changed:
                outcomes.append(self._computed(ctx, msg, self._read(ctx, [msg])))
            else:
                outcomes.append(self._computed(ctx, msg, stored))
            if self.WRITES:
                changed.add(msg.originator)
        return outcomes

    def _read(self, ctx: Context, messages: Sequence[Msg]) -> _Stored:
        originators = {msg.originator for msg in messages}
        attributes = {}
        for scope in sorted(set(self._scopes.values())):
            keys = self._filled(messages, [each for each, its in self._scopes.items() if its is scope])
            attributes[scope] = ctx.attributes(scope, keys, originators)
        latest = self._filled(messages, [each for each in self.config.arguments if each.type is Place.TIME_SERIES])
        return _Stored(attributes, ctx.latest(latest, originators) if latest else {})

    def _filled(self, messages: Sequence[Msg], arguments: Iterable[MathArgument]) -> set[str]:
        """The keys of all messages; those that cannot be filled fail when their message's turn comes."""
        keys = set()
        for argument in arguments:
            template = Template(argument.key or "")
            for msg in messages[:1] if template.constant else messages:
                try:
                    keys.add(template.fill(msg))
                except ValueError:
                    continue
        return keys

    def _computed(self, ctx: Context, msg: Msg, stored: _Stored | None) -> Emit:
        try:
            body = msg.data.members if self._needs_body else {}
            values = [
                self._argument(msg, argument, index, body, stored)
                for index, argument in enumerate(self.config.arguments)
            ]
            return self._done(ctx, msg, body, self._value(values))
        except ValueError as error:
            return Emit.failure(msg, str(error))

    def _argument(
        self, msg: Msg, argument: MathArgument, index: int, body: Mapping[str, Any], stored: _Stored | None
    ) -> float:
        """The value of one argument. Raises ValueError."""
        if argument.type is Place.CONSTANT:
            return self._constants[index]
        key = self._keys[index].fill(msg)
        if argument.type is Place.MESSAGE_BODY:
            value, missing = body.get(key), f"Message body has {'null' if key in body else 'no'} '{key}'!"
            if isinstance(value, str) and not value.strip():
                value, missing = None, f"Message value is empty for '{key}'!"
        elif argument.type is Place.MESSAGE_METADATA:
            value, missing = msg.metadata.get(key) or None, f"Message metadata has no '{key}'!"
        elif argument.type is Place.ATTRIBUTE:
            scope = self._scopes[argument]
            value = _value_of(stored.attributes[scope] if stored else {}, msg.originator, key)
            missing = f"Attribute: {key} with scope: {scope.json} not found for entity: {msg.originator.id}"
        else:
            value = _value_of(stored.latest if stored else {}, msg.originator, key)
            missing = f"Time-series: {key} not found for entity: {msg.originator.id}"
        return argument.absent(missing) if value is None else number(value)

    def _value(self, values: list[float]) -> float:
        if self._operation is not None:
            return self._operation.apply(*values)
        names = [argument.name or "" for argument in self.config.arguments]
        return self._expression.value(dict(zip(names, values, strict=True))) if self._expression else 0.0

    def _done(self, ctx: Context, msg: Msg, body: Mapping[str, Any], value: float) -> Emit:
        """With the result where it belongs. Telemetry is not rounded, as in ThingsBoard."""
        result = self.config.result
        key = self._result_key.fill(msg)
        shown = rounded(value, self._places, self._whole)
        if result.type is Place.TIME_SERIES:
            rounded(value, 1, whole=False)  # what is no number cannot be stored
            ctx.save_points(msg.originator, [(ctx.now(), {key: value})])
        elif result.type is Place.ATTRIBUTE:
            shared = self._scope is Scope.SHARED
            ctx.save_attributes(msg.originator, self._scope, {key: shown}, notify_device=shared)
        stores = bool(self.WRITES)
        if result.type is Place.MESSAGE_BODY or (stores and result.add_to_body):
            msg = msg.with_data({**body, key: shown})
        if result.type is Place.MESSAGE_METADATA or (stores and result.add_to_metadata):
            msg = msg.with_metadata(**{key: java_text(shown) or ""})
        return Emit(SUCCESS, msg)


def _value_of(found: Mapping[EntityId, Mapping[str, Any]], originator: EntityId, key: str) -> Any:
    known = found.get(originator, {}).get(key)
    return None if known is None else known.value
