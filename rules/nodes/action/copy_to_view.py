"""Copy to view."""

from collections.abc import Mapping, Sequence
from typing import Final

from rules.node import CONSUMED, SUCCESS, Category, Context, Emit, Msg, Node, Outcome
from rules.node.base import ATTRIBUTES
from rules.node.deeds import ViewKeys
from rules.node.message_types import POST_ATTRIBUTES
from telemetry.json import attributes_from_json
from telemetry.points import Scope, Value
from thingsboard.kernel.ids import EntityId

_DELETED: Final = "ATTRIBUTES_DELETED"
_TYPES: Final = frozenset({"ATTRIBUTES_UPDATED", _DELETED, "ACTIVITY_EVENT", "INACTIVITY_EVENT", POST_ATTRIBUTES})


class CopyToView(Node):
    """Copies attributes of a device or an asset to its entity views.

    Expects messages about attributes (POST_ATTRIBUTES_REQUEST, ATTRIBUTES_UPDATED, ATTRIBUTES_DELETED, ACTIVITY_EVENT,
    INACTIVITY_EVENT); others leave by Failure. Each view that shows attributes at present gets those that its keys allow, or
    has them deleted, in the scope that the metadata names; those that a device posts are client attributes.

    For each of these views the message goes on, with the view as its originator. Where there is no view it is done.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbCopyAttributesToEntityViewNode"
    NAME = "copy to view"
    CATEGORY = Category.ACTION
    CONFIG_DIRECTIVE = "tbNodeEmptyConfig"
    ICON = "content_copy"
    READS = frozenset({ATTRIBUTES})
    WRITES = frozenset({ATTRIBUTES})

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """The views of all originators are asked for at once."""
        views = ctx.deeds.views({msg.originator for msg in messages if msg.type in _TYPES})
        return [self._outcome(ctx, msg, views) for msg in messages]

    def _outcome(self, ctx: Context, msg: Msg, views: Mapping[EntityId, Sequence[ViewKeys]]) -> Outcome:
        if msg.type not in _TYPES:
            return Emit.failure(msg, f"Unsupported msg type [{msg.type}]")
        if not msg.metadata:
            return Emit.failure(msg, "Message metadata is empty")
        now = ctx.now()
        try:
            scope = Scope.CLIENT if msg.type == POST_ATTRIBUTES else Scope.of(msg.metadata.get("scope", ""))
            shown = [each for each in views.get(msg.originator, ()) if _shows(each, now)]
            if not shown:
                return CONSUMED
            found: Mapping[str, Value] | Sequence[str] = (
                _deletions(msg) if msg.type == _DELETED else attributes_from_json(msg.data.raw, ctx.json_rules)
            )
        except ValueError as error:
            return Emit.failure(msg, str(error))
        return tuple(each for view in shown for each in self._copied(ctx, msg, view, scope, found))

    def _copied(
        self, ctx: Context, msg: Msg, view: ViewKeys, scope: Scope, found: Mapping[str, Value] | Sequence[str]
    ) -> list[Emit]:
        """The message of a view; where there was nothing to delete there is none, as in ThingsBoard."""
        keys = view.keys.get(scope, frozenset())
        names = [name for name in found if name in keys]
        try:
            if isinstance(found, Mapping):
                if names:
                    ctx.save_attributes(view.view, scope, {name: found[name] for name in names})
            elif names:
                ctx.deeds.delete_attributes(view.view, scope, names)
            else:
                return []
        except ValueError as error:
            return [Emit.failure(msg, str(error))]
        return [Emit(SUCCESS, msg.with_originator(view.view, msg.customer_id))]


def _shows(view: ViewKeys, now: int) -> bool:
    """Whether the view's times include now (ms)."""
    return view.start_ts < now and (not view.end_ts or now < view.end_ts)


def _deletions(msg: Msg) -> list[str]:
    """The names of what was deleted. Raises ValueError where the body does not say it."""
    names = msg.data.members.get("attributes")
    if not isinstance(names, list):
        raise ValueError('The message body has no "attributes"; expected an array of names.')
    return [name for name in names if isinstance(name, str)]
