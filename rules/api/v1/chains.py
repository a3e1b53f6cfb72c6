"""/api/v1/ruleChains: rule chains, with their insides, versions and files below."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rules.api.files import chains_of_file, file_of
from rules.api.v1 import dry_run, shapes
from rules.models import RuleChain
from rules.services.chains import (
    ChainFields,
    create_chain,
    delete_chain,
    restore_version,
    save_metadata,
    set_root,
    update_chain,
)
from rules.services.draft import Connection, Draft, NodeDraft
from rules.services.transfer import import_chains
from rules.services.versions import difference, version_of_chain
from rules.services.writing import inside
from tenants.permissions import TenantAdmin, caller, callers_tenant
from thingsboard.kernel.api import Query
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.filters import CreatedBetween
from thingsboard.kernel.resources import ResourceViewSet

LAST_NUMBER = 2**63 - 1


class RuleChainFilter(CreatedBetween):
    """What may be asked for."""

    class Meta:
        model = RuleChain
        fields = ("name", "type", "root")


class RuleChains(ResourceViewSet):
    """Rule chains: tenant administrators keep them."""

    rows = RuleChain.objects.all()
    title = "Rule chain"
    serializer_class = shapes.RuleChainSerializer
    filterset_class = RuleChainFilter
    permission_classes = [TenantAdmin]
    ordering_fields = ("created_time", "name", "type", "root")
    search_fields = ("name",)

    def make(self, data: dict[str, Any]) -> RuleChain:
        """POST."""
        data.pop("version", None)
        return create_chain(callers_tenant(self.request), ChainFields(**data))

    def change(self, found: RuleChain, data: dict[str, Any]) -> RuleChain:
        """PUT; a `version` must be the present one."""
        version = data.pop("version", None)
        return update_chain(found, ChainFields(**data), version=version)

    def remove(self, found: RuleChain) -> None:
        """DELETE."""
        delete_chain(found)

    @extend_schema(responses=shapes.MetadataSerializer)
    @action(detail=True, methods=["get", "put"], filter_backends=[], serializer_class=shapes.MetadataSerializer)
    def metadata(self, request: Request, pk: Any = None) -> Response:
        """GET: nodes and connections. PUT: make them these; what is not named goes. `?update_related=false`: without
        other chains following renamed outputs.
        """
        found = self.get_object()
        if request.method == "PUT":
            data = self._validated()
            version = data.get("version")
            related = Query(request).flag("update_related", True)
            found = save_metadata(found, _draft(data), version=version, update_related=related)
        return Response(_metadata(found))

    @extend_schema(responses=shapes.ListedVersionSerializer(many=True))
    @action(detail=True, methods=["get"], filter_backends=[], serializer_class=shapes.ListedVersionSerializer)
    def versions(self, request: Request, pk: Any = None) -> Response:
        """The versions that are kept, the newest first."""
        page = self.paginate_queryset(self.get_object().versions.listed())
        return self.get_paginated_response(shapes.ListedVersionSerializer(page, many=True).data)

    @extend_schema(responses=shapes.VersionSerializer)
    @action(detail=True, methods=["get"], url_path="versions/<str:number>", filter_backends=[], pagination_class=None)
    def one_version(self, request: Request, pk: Any = None, number: str = "") -> Response:
        """One version whole."""
        if not number.isascii() or not number.isdigit() or int(number[:20]) > LAST_NUMBER:
            raise BadRequest("version: expected its number")
        return Response(shapes.VersionSerializer(version_of_chain(self.get_object(), int(number[:20]))).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("from", OpenApiTypes.INT64, description="A version's number; else the one before `to`."),
            OpenApiParameter("to", OpenApiTypes.INT64, description="A version's number; else the newest."),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def difference(self, request: Request, pk: Any = None) -> Response:
        """What happened between two versions: nodes and connections that came and went, and fields that changed."""
        found, query = self.get_object(), Query(request)
        end = query.whole("to", found.version, low=1, high=LAST_NUMBER)
        start = query.whole("from", max(end - 1, 1), low=1, high=LAST_NUMBER)
        before, after = version_of_chain(found, start), version_of_chain(found, end)
        return Response({"from": start, "to": end, **difference(before.definition, after.definition)})

    @extend_schema(responses=shapes.RuleChainSerializer)
    @action(detail=True, methods=["post"], serializer_class=shapes.RestoreSerializer)
    def restore(self, request: Request, pk: Any = None) -> Response:
        """Make the chain what it was in version `number`, as a new version."""
        said = self._validated()
        made = restore_version(self.get_object(), said["number"], version=said.get("version"))
        return Response(shapes.RuleChainSerializer(made).data)

    @extend_schema(responses=dry_run.DryRunAnswerSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="dry-run",
        filter_backends=[],
        pagination_class=None,
        serializer_class=dry_run.DryRunSerializer,
    )
    def dry_run(self, request: Request, pk: Any = None) -> Response:
        """Have messages go through the chain without consequences: their paths, and what they would have caused."""
        said = self._validated()
        return Response(dry_run.answer(self.get_object(), caller(request), said))

    @extend_schema(request=None, responses=shapes.RuleChainSerializer)
    @action(detail=True, methods=["post"], url_path="setRoot")
    def set_root(self, request: Request, pk: Any = None) -> Response:
        """Make it the root of its type."""
        found = self.get_object()
        return Response(self._read(set_root(found, found.type)))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def export(self, request: Request, pk: Any = None) -> Response:
        """The file that ThingsBoard's editor makes of it: {ruleChain, metadata}."""
        return Response(file_of(self.get_object()))

    @extend_schema(
        request=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter("overwrite", OpenApiTypes.BOOL, description="Replace chains of the same name.")],
        responses=shapes.ImportedSerializer(many=True),
    )
    @action(detail=False, methods=["post"], url_path="import", filter_backends=[], pagination_class=None)
    def take_in(self, request: Request) -> Response:
        """Make chains of a file: {ruleChain, metadata}, or {ruleChains, metadata} of many."""
        if not isinstance(request.data, dict):
            raise BadRequest("Expected a JSON object.")
        given = chains_of_file(request.data)
        found = import_chains(callers_tenant(request), given, overwrite=Query(request).flag("overwrite"))
        told = [
            {"id": each.chain and each.chain.pk, "name": each.name, "updated": each.updated, "error": each.error}
            for each in found
        ]
        return Response(shapes.ImportedSerializer(told, many=True).data)


def _metadata(chain: RuleChain) -> Any:
    """MetadataSerializer's form of it."""
    nodes, connections = inside(chain)
    places = {node.pk: index for index, node in enumerate(nodes)}
    lines = sorted((places[each.from_node_id], places[each.to_node_id], each.type) for each in connections)
    told = {
        "version": chain.version,
        "first_node_index": places.get(chain.first_rule_node_id) if chain.first_rule_node_id else None,
        "nodes": [{**vars(node), "debug_settings": _debug_told(node.debug_settings)} for node in nodes],
        "connections": [{"from_index": start, "to_index": end, "type": label} for start, end, label in lines],
    }
    return shapes.MetadataSerializer(told).data


def _debug_told(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    return {
        "failures_enabled": bool(settings.get("failuresEnabled")),
        "all_enabled_until": settings.get("allEnabledUntil") or 0,
    }


def _draft(data: dict[str, Any]) -> Draft:
    nodes = tuple(
        NodeDraft(**{**node, "debug_settings": _debug_said(node.get("debug_settings"))}) for node in data["nodes"]
    )
    lines = tuple(
        Connection(each["from_index"], each["to_index"], each["type"]) for each in data.get("connections", ())
    )
    return Draft(nodes, data.get("first_node_index"), lines)


def _debug_said(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    return {
        "failuresEnabled": settings["failures_enabled"],
        "allEnabled": settings["all_enabled"],
        "allEnabledUntil": settings["all_enabled_until"],
    }
