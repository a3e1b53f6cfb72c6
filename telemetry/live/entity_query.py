"""The query of ENTITY_DATA: which entities, which of their fields, in which order (compat/websocket.md 6).

Served are single entities and lists of them; everything is found through the entity door, and only what the user may see.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from telemetry.live import reads
from telemetry.live.commands import entity_of, flag, text, whole
from telemetry.live.conflation import GONE, Sample
from telemetry.live.frames import ALLOWED_ENTITIES
from telemetry.points import Scope
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType

FIELD, SERIES_KEY = "ENTITY_FIELD", "TIME_SERIES"
SCOPES = {
    "ATTRIBUTE": (Scope.CLIENT, Scope.SERVER, Scope.SHARED),
    "CLIENT_ATTRIBUTE": (Scope.CLIENT,),
    "SERVER_ATTRIBUTE": (Scope.SERVER,),
    "SHARED_ATTRIBUTE": (Scope.SHARED,),
}
MOST_KEYS = 1000

Key = tuple[str, str]  # type and key


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks for. `ids` are of one kind; the page counts from 0."""

    kind: EntityType
    ids: tuple[uuid.UUID, ...]
    fields: tuple[Key, ...]
    latest: tuple[Key, ...]
    page_size: int
    page: int
    search: str
    sort: Key | None
    descending: bool


@dataclass(frozen=True, slots=True)
class Row:
    """An entity of the page, with its fields as ThingsBoard's texts."""

    entity: EntityId
    fields: Mapping[str, Sample]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and how many entities there are in all."""

    rows: Sequence[Row]
    total: int


def keys_of(listed: Any) -> tuple[Key, ...]:
    """Entity keys [{"type", "key"}], each once. Raises BadRequest."""
    if not isinstance(listed or [], list) or len(listed or []) > MOST_KEYS:
        raise BadRequest(f"Expected keys as an array of at most {MOST_KEYS}")
    found = []
    for each in listed or []:
        if not isinstance(each, dict) or not isinstance(each.get("key"), str):
            raise BadRequest('Expected a key as {"type": ..., "key": ...}')
        kind = each.get("type")
        if kind not in (FIELD, SERIES_KEY, *SCOPES):
            raise BadRequest(f"Unknown type of key '{str(kind)[:40]}'")
        found.append((kind, each["key"]))
    return tuple(dict.fromkeys(found))


def query_of(body: Any, user: Any) -> Query:
    """The query of a command. Raises BadRequest with what was expected, or what is not available yet."""
    if not isinstance(body, dict):
        raise BadRequest("Expected 'query' as an object")
    link = body.get("pageLink") or {}
    if not isinstance(link, dict):
        raise BadRequest("Expected 'pageLink' as an object")
    if body.get("keyFilters"):
        raise BadRequest("'keyFilters' are not available yet")
    order = link.get("sortOrder") or {}
    sort = keys_of([order["key"]]) if isinstance(order, dict) and order.get("key") else ()
    page_size, page = whole(link, "pageSize"), whole(link, "page")
    if page_size < 1 or page < 0:
        raise BadRequest("Expected a 'pageLink' with a 'pageSize' from 1 and a 'page' from 0")
    flag(link, "dynamic")
    kind, ids = _entities(body.get("entityFilter"), user)
    return Query(
        kind,
        ids,
        keys_of(body.get("entityFields")),
        keys_of(body.get("latestValues")),
        min(page_size, ALLOWED_ENTITIES),
        page,
        text(link, "textSearch").strip().lower(),
        sort[0] if sort else None,
        order.get("direction") == "DESC" if sort else True,
    )


def run(query: Query, user: Any) -> Page:
    """The entities of the page, as the user may see them. In a database thread."""
    rows = []
    for found in reads.visible_objects(query.kind, query.ids, user):
        values = {name: Sample(0, field(found, query.kind, name)) for kind, name in query.fields if kind == FIELD}
        rows.append((Row(EntityId(query.kind, found.pk), values), found))
    latest: Mapping[tuple[bytes, Key], Sample] = {}
    if rows and (query.search or (query.sort is not None and query.sort[0] != FIELD)):
        wanted = [*query.latest, *([query.sort] if query.sort else [])]
        latest = values_of([row.entity.id for row, _ in rows], wanted)
    if query.search:
        rows = [each for each in rows if _matches(query, each[0], latest)]
    rows.sort(key=lambda each: _rank(query, each[0], each[1], latest), reverse=query.descending)
    start = query.page * query.page_size
    return Page([row for row, _ in rows[start : start + query.page_size]], len(rows))


def values_of(entities: Sequence[uuid.UUID], keys: Iterable[Key]) -> dict[tuple[bytes, Key], Sample]:
    """The latest values and attributes of entities by entity and key; what there is not is missing."""
    by_type: dict[str, list[str]] = {}
    for kind, name in keys:
        by_type.setdefault(kind, []).append(name)
    found: dict[tuple[bytes, Key], Sample] = {}
    for kind, names in by_type.items():
        if kind == SERIES_KEY:
            found |= {(entity, (kind, name)): each for (entity, name), each in reads.latest(entities, names).items()}
        elif kind in SCOPES:
            for (entity, _, name), each in reads.attributes(entities, SCOPES[kind], names).items():
                known = found.get((entity, (kind, name)))
                if known is None or known.ts <= each.ts:
                    found[entity, (kind, name)] = each
    return found


def field(found: Any, kind: EntityType, name: str) -> str:
    """A field of an entity as text; one that it does not have is ""."""
    match name:
        case "createdTime":
            return str(found.created_time)
        case "entityType":
            return kind.value
        case "name" | "title" | "displayName":
            label = getattr(found, "label", "") if name == "displayName" else ""
            own = next((each for each in ("name", "title", "email") if hasattr(found, each)), None)
            return str(label or (getattr(found, own) if own else ""))
        case "additionalInfo":
            info = getattr(found, "additional_info", None)
            return "" if info is None else orjson.dumps(info).decode()
        case "ownerType":
            return EntityType.CUSTOMER.value if getattr(found, "customer_id", None) else EntityType.TENANT.value
        case "ownerName":
            owner = getattr(found, "customer", None) or getattr(found, "tenant", None)
            return "" if owner is None else str(owner.title)
        case _:
            names = {"firstName": "first_name", "lastName": "last_name"}
            if name not in ("type", "label", "email", "phone", "country", "state", "city", "address", "address2", "zip",
                            "region", *names):  # fmt: skip
                return ""
            return str(getattr(found, names.get(name, name), "") or "")


def _entities(body: Any, user: Any) -> tuple[EntityType, tuple[uuid.UUID, ...]]:
    if not isinstance(body, dict):
        raise BadRequest("Expected 'entityFilter' as an object")
    match body.get("type"):
        case "singleEntity":
            single = body.get("singleEntity")
            if not isinstance(single, dict):
                raise BadRequest("Expected 'singleEntity' as an entity id")
            entity = _alias(text(single, "entityType"), user) or entity_of(text(single, "entityType"), single.get("id"))
            return entity.type, (entity.id,)
        case "entityList":
            listed = body.get("entityList")
            if not isinstance(listed, list):
                raise BadRequest("Expected 'entityList' as an array of ids")
            kind = text(body, "entityType")
            found = [entity_of(kind, each) for each in listed]
            return entity_of(kind, str(NULL_UUID)).type, tuple(dict.fromkeys(each.id for each in found))
        case other:
            raise BadRequest(
                f"The entity filter '{str(other)[:40]}' is not available yet; expected singleEntity or entityList"
            )


def _alias(kind: str, user: Any) -> EntityId | None:
    """Whom an alias means; None where it is none."""
    tenant = EntityId(EntityType.TENANT, user.tenant_id or NULL_UUID)
    customer = EntityId(EntityType.CUSTOMER, user.customer_id or NULL_UUID)
    match kind:
        case "CURRENT_TENANT":
            return tenant
        case "CURRENT_CUSTOMER":
            return customer
        case "CURRENT_USER":
            return EntityId(EntityType.USER, user.pk)
        case "CURRENT_USER_OWNER":
            return customer if user.customer_id else tenant
        case _:
            return None


def _matches(query: Query, row: Row, latest: Mapping[tuple[bytes, Key], Sample]) -> bool:
    texts = [each.value for each in row.fields.values()]
    texts += [latest.get((row.entity.id.bytes, key), GONE).value for key in query.latest]
    return any(query.search in each.lower() for each in texts)


def _rank(query: Query, row: Row, found: Any, latest: Mapping[tuple[bytes, Key], Sample]) -> tuple[bool, float, str]:
    """Numbers by size, before texts; who has nothing comes first."""
    if query.sort is None:
        value = str(found.created_time)
    elif query.sort[0] == FIELD:
        value = field(found, query.kind, query.sort[1])
    else:
        value = latest.get((row.entity.id.bytes, query.sort), GONE).value
    try:
        return False, float(value), ""
    except ValueError:
        return bool(value), 0.0, value.lower()
