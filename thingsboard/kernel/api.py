"""What every REST view of ThingsBoard's API family shares: bodies, query parameters, and answers in JSON."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.errors import BadRequest, NotFound, PayloadTooLarge
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType, parse_uuid

LONGEST_TEXT = 255
DEEPEST_JSON = 64  # levels; far below what Python's and PostgreSQL's own encoders can take


class JsonRenderer(BaseRenderer):
    """JSON by orjson (`orjson.Fragment` passes stored JSON through); no data is an empty body."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body."""
        return b"" if data is None else json_bytes(data)


class TextRenderer(BaseRenderer):
    """Bare text, as telemetry writes refuse."""

    media_type = "text/plain"
    format = "text"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body."""
        return b"" if data is None else str(data).encode()


class JsonParser(BaseParser):
    """JSON whatever the Content-Type says: ThingsBoard's clients are careless with it."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The document, `{}` for an empty body. Raises BadRequest or PayloadTooLarge."""
        try:
            body = stream.body if hasattr(stream, "body") else stream.read()
        except RequestDataTooBig:
            raise PayloadTooLarge("The request's body is too large; expected at most 16 MiB.") from None
        return read_json(body)


class AnyAccept(BaseContentNegotiation):
    """Answers in the view's first renderer whatever is asked for: a 406 would help nobody (compat/clients.md)."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The only parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """The first renderer."""
        return renderers[0], renderers[0].media_type


class View(APIView):
    """The base of ThingsBoard's API family."""

    renderer_classes = [JsonRenderer]
    parser_classes = [JsonParser]
    content_negotiation_class = AnyAccept

    def body(self, request: Request) -> dict[str, Any]:
        """The request's JSON object. Raises BadRequest for anything else."""
        if not isinstance(request.data, dict):
            raise BadRequest("Expected a JSON object.")
        return request.data


class NoSuchPath(View):
    """Answers paths that no route has, in the API's own error body."""

    permission_classes = []
    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whatever the method is."""
        raise NotFound(f"No route for {request.method} {request.path[:100]}")


def read_json(body: bytes) -> Any:
    """A JSON document that the database can hold; `{}` for an empty body. Raises BadRequest with a sentence."""
    if not body.strip():
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"Not valid JSON: {error}") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST_JSON and _is_too_deep(document):
        raise BadRequest(f"The JSON is nested too deeply; expected at most {DEEPEST_JSON} levels.")
    if b"\\u0000" in body and _has_nul(document):
        raise BadRequest("A NUL character cannot be stored.")
    return document


def path_uuid(text: str) -> uuid.UUID:
    """A UUID of a path or query. Raises BadRequest with a sentence."""
    try:
        return parse_uuid(text)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def ids_of(query: "Query", name: str, *, most: int = 1000) -> list[uuid.UUID]:
    """A parameter of UUIDs, repeated or with commas, each once. Raises BadRequest, also where there is none."""
    parts = [part.strip() for part in ",".join(query.all(name)).split(",")]
    keys = list(dict.fromkeys(path_uuid(part) for part in parts[: most + 1] if part))
    if not keys:
        raise BadRequest(f"Required request parameter '{name}' is not present")
    if len(keys) > most:
        raise BadRequest(f"Too many ids in '{name}'; at most {most} are answered at once")
    return keys


class Query(Mapping[str, str]):
    """Query parameters as ThingsBoard reads them: an empty one is absent, blanks are trimmed, booleans in any case."""

    def __init__(self, request: Request) -> None:
        self._lists: dict[str, list[str]] = {}
        for name, values in request.query_params.lists():
            kept = [value.strip() for value in values if value.strip()]
            if any("\0" in value for value in kept):
                raise BadRequest(f"Parameter '{name[:40]}' holds a NUL character.")
            if kept:
                self._lists[name] = kept

    def __getitem__(self, name: str) -> str:
        return self._lists[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)

    def all(self, name: str) -> list[str]:
        """Every value of a repeated parameter."""
        return self._lists.get(name, [])

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean (Python clients send True and False). Raises BadRequest."""
        raw = self.get(name)
        if raw is None:
            return default
        if raw.lower() not in {"true", "false"}:
            raise BadRequest(f"Parameter '{name}' must be true or false")
        return raw.lower() == "true"

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number within [low, high]. Raises BadRequest."""
        raw = self.get(name)
        if raw is None:
            return default
        try:
            value = int(raw)
        except ValueError:
            raise BadRequest(f"Parameter '{name}' must be a whole number") from None
        if not low <= value <= high:
            raise BadRequest(f"Parameter '{name}' must be from {low} to {high}")
        return value


def text_of(body: Mapping[str, Any], name: str, *, longest: int = LONGEST_TEXT) -> str:
    """A member's text without surrounding blanks, "" where it is absent or null. Raises BadRequest."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{name}: expected a text")
    if len(value) > longest:
        raise BadRequest(f"length of {name} must be equal or less than {longest}")
    return value.strip()


def flag_of(body: Mapping[str, Any], name: str) -> bool:
    """A member that is true or false, False where it is absent or null. Raises BadRequest."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"{name}: expected true or false")
    return bool(value)


def object_of(body: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """A member that is a JSON object, or None. Raises BadRequest."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise BadRequest(f"{name}: expected an object")
    return value


def id_of(body: Mapping[str, Any], name: str, kind: EntityType) -> uuid.UUID | None:
    """A member that is the id of an entity of `kind`; None where it is absent, null or the NULL UUID.

    Raises BadRequest.
    """
    data = body.get(name)
    if data is None:
        return None
    try:
        found = EntityId.from_json(data, kind).id
    except ValueError as error:
        raise BadRequest(f"{name}: {error}") from None
    return None if found == NULL_UUID else found


def version_of(body: Mapping[str, Any]) -> int | None:
    """The version that the caller last saw; None means no check. Raises BadRequest."""
    value = body.get("version")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise BadRequest("version: expected a whole number")
    return value


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _is_too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(DEEPEST_JSON):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
