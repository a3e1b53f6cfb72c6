"""What the views of our own API share here: answers by what the client accepts, and errors with `detail`."""

from collections.abc import Mapping
from typing import Any

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from thingsboard.kernel.api import JsonParser, JsonRenderer


class PageRenderer(BrowsableAPIRenderer):
    """The page that a browser sees, with the answer as indented JSON. Without forms: bodies are free JSON here."""

    def get_default_renderer(self, view: Any) -> "IndentedJson":
        """What draws the answer inside the page."""
        return IndentedJson()

    def show_form_for_method(self, view: Any, method: str, request: Any, obj: Any) -> bool:
        """Only what needs no body."""
        return method in {"OPTIONS"}


class IndentedJson(JsonRenderer):
    """JSON for people."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body."""
        return b"" if data is None else orjson.dumps(data, option=orjson.OPT_INDENT_2)


class AcceptOrJson(DefaultContentNegotiation):
    """What the client accepts, else JSON: a 406 would help nobody."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """The renderer and its media type."""
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
class ResourceView(APIView):
    """The base of our own API's views. Bodies are free JSON, so their description says no more than that."""

    renderer_classes = [JsonRenderer, PageRenderer]
    parser_classes = [JsonParser]
    content_negotiation_class = AcceptOrJson
    errors_have_detail = True
