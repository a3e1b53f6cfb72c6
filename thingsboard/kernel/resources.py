"""What every collection of our own API (/api/v1) shares: lists, pages, filters, and who is answered 404 or 403.

A subclass says which rows there are, how they are spelled (a serializer) and which service does each verb:

    class Devices(ResourceViewSet):
        rows = Device.objects.select_related("profile")
        serializer_class = DeviceSerializer
        def make(self, data): return create_device(callers_tenant(self.request), ...)
"""

from typing import Any

from django.db.models import Model, QuerySet
from django_filters import rest_framework as filters
from rest_framework import status, viewsets
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from thingsboard.kernel.api import JsonParser
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest, Forbidden, NotFound, PlatformError

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
LONGEST_SEARCH = 255


class Pages(LimitOffsetPagination):
    """`{count, next, previous, results}`; `limit` is 100 by default and 1000 at most, `offset` 0."""

    default_limit = DEFAULT_LIMIT
    max_limit = LARGEST_LIMIT

    def get_limit(self, request: Request) -> int:
        """Raises BadRequest where DRF would silently answer with another page."""
        return _whole(request, self.limit_query_param, DEFAULT_LIMIT, 1, LARGEST_LIMIT)

    def get_offset(self, request: Request) -> int:
        """Raises BadRequest."""
        return _whole(request, self.offset_query_param, 0, 0, 2**31 - 1)


class Ordering(OrderingFilter):
    """`?ordering=name,-created_time`; newest first by default, and always the same order for equal values."""

    def remove_invalid_fields(self, queryset: Any, fields: Any, view: Any, request: Request) -> list[str]:
        """Raises BadRequest for a field that cannot be ordered by, where DRF would silently ignore it."""
        known = {name for name, _ in self.get_valid_fields(queryset, view, {"request": request})}
        for field in fields:
            if field.removeprefix("-") not in known:
                raise BadRequest(f"Cannot order by '{field[:40]}'; expected one of {', '.join(sorted(known))}")
        return list(fields)

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Ordered, with the primary key last."""
        order = self.get_ordering(request, queryset, view) or ["-created_time"]
        for name, column in getattr(view, "ordering_columns", {}).items():
            order = [field.replace(name, column) if field.removeprefix("-") == name else field for field in order]
        return queryset.order_by(*order, "pk")


class Search(SearchFilter):
    """`?search=`: every word of it, in any of the view's search fields."""

    def get_search_terms(self, request: Request) -> list[str]:
        """Raises BadRequest for more than anybody types: each word is one more condition on every row."""
        if len(request.query_params.get(self.search_param, "")) > LONGEST_SEARCH:
            raise BadRequest(f"{self.search_param}: expected at most {LONGEST_SEARCH} characters")
        terms: list[str] = super().get_search_terms(request)
        return terms


class Page(BrowsableAPIRenderer):
    """The page that a browser sees; forms are shown to those only who may send them."""

    def show_form_for_method(self, view: Any, method: str, request: Request, obj: Any) -> bool:
        """False where the view refuses with one of our own errors, of which DRF knows nothing."""
        try:
            return bool(super().show_form_for_method(view, method, request, obj))
        except PlatformError:
            return False


class Json(JsonParser):
    """JSON by its media type, as the browsable pages' form sends it: a form of another site, which a browser would send with
    its cookies, is none.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer


class Resource(viewsets.GenericViewSet):
    """The base of every view set of our own API, also of those that are no plain collections."""

    errors_have_detail = True

    renderer_classes = [JSONRenderer, Page]
    parser_classes = [Json]
    pagination_class = Pages
    lookup_value_converter = "uuid"


class ResourceViewSet(Resource):
    """List, create, read, replace and delete one kind of entity."""

    rows: QuerySet[Any]
    title = "Resource"  # in "... with id [...] is not found"
    filter_backends = [filters.DjangoFilterBackend, Search, Ordering]
    ordering_fields: Any = ("created_time", "name")
    ordering_columns: dict[str, str] = {}  # of ordering fields that are called otherwise in the database
    search_fields: Any = ("name",)
    write_permissions: list[
        type[BasePermission]
    ] = []  # of every method that changes something; else permission_classes

    def get_permissions(self) -> list[Any]:
        """Who may read, or who may write."""
        if self.request.method not in (*SAFE_METHODS, None) and self.write_permissions:
            return [permission() for permission in self.write_permissions]
        return list(super().get_permissions())

    def get_queryset(self) -> QuerySet[Any]:
        """The rows that the caller may see."""
        return self.rows.all().visible_to(self.request.user)  # type: ignore[attr-defined, no-any-return]

    def get_object(self) -> Any:
        """The row of the path. Raises NotFound for what the caller does not see, Forbidden for what it must not do."""
        key = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        found = self.get_queryset().filter(pk=key).first()
        if found is None:
            raise NotFound(f"{self.title} with id [{key}] is not found")
        wanted = self.wanted()
        rows: Any = self.rows.all()
        if wanted is not Action.VIEW and not rows.visible_to(self.request.user, wanted).filter(pk=key).exists():
            raise Forbidden
        return found

    def wanted(self) -> Action:
        """What this request wants to do with the object of its path."""
        return Action.VIEW if self.request.method in SAFE_METHODS else Action.MANAGE

    # What a subclass does.

    def make(self, data: dict[str, Any]) -> Model:
        """Create from validated data, by a service."""
        raise NotImplementedError

    def change(self, found: Any, data: dict[str, Any]) -> Model:
        """Replace, by a service."""
        raise NotImplementedError

    def remove(self, found: Any) -> None:
        """Delete, by a service."""
        raise NotImplementedError

    # The verbs.

    def list(self, request: Request) -> Response:
        """A page of what the caller may see."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: Any = None) -> Response:
        """One."""
        return Response(self.get_serializer(self.get_object()).data)

    def create(self, request: Request) -> Response:
        """A new one: 201 with what it became."""
        made = self.make(self._validated())
        return Response(self._read(made), status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: Any = None) -> Response:
        """Replace one."""
        found = self.get_object()
        return Response(self._read(self.change(found, self._validated(found))))

    def destroy(self, request: Request, pk: Any = None) -> Response:
        """Delete one: 204."""
        self.remove(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _read(self, row: Model) -> Any:
        """The row with what its serializer needs, whether the caller may still see it or not."""
        return self.get_serializer(self.rows.all().get(pk=row.pk)).data

    def _validated(self, found: Any = None) -> dict[str, Any]:
        serializer = self.get_serializer(found, data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def _whole(request: Request, name: str, default: int, low: int, high: int) -> int:
    raw = request.query_params.get(name, "").strip()
    if not raw:
        return default
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw[:12]) <= high:
        raise BadRequest(f"{name}: expected a whole number from {low} to {high}")
    return int(raw)
