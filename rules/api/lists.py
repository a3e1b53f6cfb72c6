"""Pages and lists of rule chains (compat/rest.tsv, RuleChainController)."""

from rest_framework.request import Request
from rest_framework.response import Response

from rules.models import RuleChain, RuleChainType
from rules.services.documents import chain_json
from tenants.permissions import TenantAdmin
from thingsboard.kernel.api import Query, View, ids_of
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.paging import LARGEST_PAGE, PageLink

SORTABLE = {"createdTime": "created_time", "name": "name", "root": "root", "type": "type"}


class ChainPage(View):
    """GET /api/ruleChains: a page, or those of `?ruleChainIds=`."""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """PageData<RuleChain> of a type, CORE where none is named; or a list."""
        query = Query(request)
        if "ruleChainIds" in query:
            return _named(request, query)
        kind = query.get("type", RuleChainType.CORE)
        if kind not in set(RuleChainType):
            raise BadRequest(f"type: expected {' or '.join(RuleChainType)}")
        rows = RuleChain.objects.visible_to(request.user).filter(type=kind)
        return Response(PageLink.of(query, sortable=SORTABLE).apply(rows, search=("name",), to_json=chain_json))


class ChainList(View):
    """GET /api/ruleChains/list?ruleChainIds="""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """List<RuleChain>; what the caller does not see is left out."""
        return _named(request, Query(request))


class AutoAssigned(View):
    """GET /api/ruleChain/autoAssignToEdgeRuleChains"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """List<RuleChain> of those that new edges get."""
        rows = RuleChain.objects.visible_to(request.user).filter(type=RuleChainType.EDGE, auto_assign_to_edge=True)
        return Response([chain_json(chain) for chain in rows.order_by("created_time")[:LARGEST_PAGE]])


def _named(request: Request, query: Query) -> Response:
    keys = ids_of(query, "ruleChainIds")
    found = RuleChain.objects.visible_to(request.user).in_bulk(keys)
    return Response([chain_json(found[key]) for key in keys if key in found])
