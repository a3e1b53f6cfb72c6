"""Rule chains in and out of files: ThingsBoard's bulk form, and the form in which its editor saves one."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from rules.api.shapes import chain_fields, draft_of, metadata_json
from rules.models import RuleChain, RuleChainType, RuleConnection, RuleNode
from rules.services.documents import chain_json, id_json
from rules.services.transfer import MOST_CHAINS, Imported, ImportedChain, import_chains
from rules.services.writing import inside
from tenants.permissions import TenantAdmin, callers_tenant
from thingsboard.kernel.api import Query, View, id_of
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

LARGEST_EXPORT = 16 * 1024 * 1024  # bytes: as much as an import may have


class Export(View):
    """GET /api/ruleChains/export"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """RuleChainData {ruleChains, metadata} of the newest `limit` CORE chains."""
        query = Query(request)
        if "limit" not in query:
            raise BadRequest("Required request parameter 'limit' is not present")
        limit = query.whole("limit", 1, low=1, high=MOST_CHAINS)
        rows = RuleChain.objects.visible_to(request.user).filter(type=RuleChainType.CORE)
        chains = list(rows.order_by("-created_time", "pk")[:limit])
        nodes: dict[uuid.UUID, list[RuleNode]] = defaultdict(list)
        lines: dict[uuid.UUID, list[RuleConnection]] = defaultdict(list)
        for node in RuleNode.objects.filter(chain__in=chains).in_order():
            nodes[node.chain_id].append(node)
        for line in RuleConnection.objects.filter(from_node__chain__in=chains).select_related("from_node"):
            lines[line.from_node.chain_id].append(line)
        metadata = [metadata_json(chain, nodes[chain.pk], lines[chain.pk]) for chain in chains]
        if sum(len(json_bytes(each)) for each in metadata) > LARGEST_EXPORT:
            raise BadRequest(f"limit: these chains are larger than {LARGEST_EXPORT} bytes; ask for fewer")
        return Response({"ruleChains": [chain_json(chain) for chain in chains], "metadata": metadata})


class Import(View):
    """POST /api/ruleChains/import"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """List<RuleChainImportResult>; `overwrite=true` replaces chains of the same name."""
        given = chains_of_file(self.body(request))
        tenant_id = callers_tenant(request)
        found = import_chains(tenant_id, given, overwrite=Query(request).flag("overwrite"))
        return Response([_result_json(each, tenant_id) for each in found])


def file_of(chain: RuleChain) -> dict[str, Any]:
    """The file that ThingsBoard's editor makes of one chain: {ruleChain, metadata}, without what is another's elsewhere."""
    left_out = {"id", "createdTime", "tenantId", "version", "externalId", "ruleChainId"}
    metadata = metadata_json(chain, *inside(chain))
    nodes = [{name: value for name, value in node.items() if name not in left_out} for node in metadata["nodes"]]
    told = {name: value for name, value in chain_json(chain).items() if name not in left_out}
    return {
        "ruleChain": {**told, "root": False, "firstRuleNodeId": None},
        "metadata": {**{name: value for name, value in metadata.items() if name not in left_out}, "nodes": nodes},
    }


def chains_of_file(body: Mapping[str, Any]) -> list[ImportedChain]:
    """What either form holds. Metadata belongs to the chain whose id it names, or to that at its place.

    Raises BadRequest.
    """
    if "ruleChain" in body:
        chains, metadata = [body["ruleChain"]], [{} if body.get("metadata") is None else body["metadata"]]
    else:
        chains, metadata = ([] if body.get(name) is None else body[name] for name in ("ruleChains", "metadata"))
    for name, value in (("ruleChains", chains), ("metadata", metadata)):
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise BadRequest(f"{name}: expected objects, in {{ruleChain, metadata}} or {{ruleChains, metadata}}")
    if not chains:
        raise BadRequest(
            "Expected {ruleChain, metadata} or {ruleChains: [...], metadata: [...]}; there is no rule chain"
        )
    by_id = {id_of(each, "ruleChainId", EntityType.RULE_CHAIN): each for each in metadata}
    made = []
    for index, chain in enumerate(chains):
        key = id_of(chain, "id", EntityType.RULE_CHAIN)
        inside_of = by_id.get(key) if key is not None else None
        if inside_of is None and index < len(metadata) and metadata[index].get("ruleChainId") is None:
            inside_of = metadata[index]
        made.append(ImportedChain(chain_fields(chain), draft_of(inside_of or {}), key))
    return made


def _result_json(result: Imported, tenant_id: uuid.UUID) -> dict[str, Any]:
    return {
        "ruleChainId": id_json(EntityType.RULE_CHAIN, result.chain.pk if result.chain else None),
        "tenantId": id_json(EntityType.TENANT, tenant_id),
        "ruleChainName": result.name,
        "updated": result.updated,
        "error": result.error,
    }
