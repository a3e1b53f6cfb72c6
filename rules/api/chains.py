"""/api/ruleChain*: rule chains themselves (compat/rest.tsv, RuleChainController)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from rules.api.shapes import chain_fields, draft_of, metadata_json
from rules.api.trials import trial_of
from rules.models import RuleChain, RuleChainType
from rules.services.chains import (
    create_chain,
    delete_chain,
    save_metadata,
    set_auto_assign,
    set_root,
    update_chain,
)
from rules.services.defaults import create_default_chain
from rules.services.documents import chain_json, id_json
from rules.services.labels import output_labels, usages_of
from rules.services.trials import tried_out
from rules.services.writing import inside
from tenants.permissions import TenantAdmin, callers_tenant
from thingsboard.kernel.api import Query, View, flag_of, id_of, path_uuid, text_of, version_of
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

ANOTHER_ROOT = "Another root rule chain is present in scope of current tenant!"


def visible_chain(request: Request, chain_id: str) -> RuleChain:
    """The chain of a path. Raises NotFound, BadRequest for what is no UUID."""
    key = path_uuid(chain_id)
    found: RuleChain | None = RuleChain.objects.visible_to(request.user).filter(pk=key).first()
    if found is None:
        raise not_found(EntityType.RULE_CHAIN, key)
    return found


def _answer(chain: RuleChain) -> Response:
    """A RuleChain."""
    return Response(chain_json(chain))


class Chains(View):
    """POST /api/ruleChain"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id; its nodes stay. Which one is the root, only /root says."""
        body = self.body(request)
        key, fields, root = id_of(body, "id", EntityType.RULE_CHAIN), chain_fields(body), flag_of(body, "root")
        if key is None:
            if root:
                raise BadRequest(ANOTHER_ROOT)
            return _answer(create_chain(callers_tenant(request), fields))
        found = visible_chain(request, str(key))
        if root and not found.root:
            raise BadRequest(ANOTHER_ROOT)
        return _answer(update_chain(found, fields, version=version_of(body)))


class OneChain(View):
    """/api/ruleChain/{id}"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request, chain_id: str) -> Response:
        """A RuleChain."""
        return _answer(visible_chain(request, chain_id))

    def delete(self, request: Request, chain_id: str) -> Response:
        """Delete it, unless it is a root or a profile has it."""
        delete_chain(visible_chain(request, chain_id))
        return Response()


class DeviceDefault(View):
    """POST /api/ruleChain/device/default"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """A chain with the nodes of a new tenant's root, called `name`."""
        return _answer(create_default_chain(callers_tenant(request), text_of(self.body(request), "name")))


class Metadata(View):
    """GET /api/ruleChain/{id}/metadata"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request, chain_id: str) -> Response:
        """A RuleChainMetaData."""
        return _metadata(visible_chain(request, chain_id))


class SaveMetadata(View):
    """POST /api/ruleChain/metadata"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """Make nodes and connections what the body says; what is not in it goes. 409 for another version."""
        body, related = self.body(request), Query(request).flag("updateRelated", True)
        key = id_of(body, "ruleChainId", EntityType.RULE_CHAIN)
        if key is None:
            raise BadRequest("ruleChainId: expected the id of a rule chain")
        found = visible_chain(request, str(key))
        return _metadata(save_metadata(found, draft_of(body), version=version_of(body), update_related=related))


class Root(View):
    """POST /api/ruleChain/{id}/root"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, chain_id: str) -> Response:
        """Make it the root."""
        return _answer(set_root(visible_chain(request, chain_id)))


class EdgeTemplateRoot(View):
    """POST /api/ruleChain/{id}/edgeTemplateRoot"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, edge_chain_id: str) -> Response:
        """Make it the root of new edges."""
        return _answer(set_root(visible_chain(request, edge_chain_id), RuleChainType.EDGE))


class AutoAssignToEdge(View):
    """/api/ruleChain/{id}/autoAssignToEdge"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, edge_chain_id: str) -> Response:
        """Give it to new edges."""
        return _answer(set_auto_assign(visible_chain(request, edge_chain_id), True))

    def delete(self, request: Request, edge_chain_id: str) -> Response:
        """Give it to new edges no more."""
        return _answer(set_auto_assign(visible_chain(request, edge_chain_id), False))


class OutputLabels(View):
    """GET /api/ruleChain/{id}/output/labels"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request, chain_id: str) -> Response:
        """The names of its output nodes."""
        return Response(output_labels(visible_chain(request, chain_id)))


class OutputLabelsUsage(View):
    """GET /api/ruleChain/{id}/output/labels/usage"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request, chain_id: str) -> Response:
        """List<RuleChainOutputLabelsUsage>: the nodes that send messages into it, and the relations that leave them."""
        return Response([_usage_json(usage) for usage in usages_of(visible_chain(request, chain_id))])


class TbelEnabled(View):
    """GET /api/ruleChain/tbelEnabled"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """True: the editor offers TBEL besides JavaScript."""
        return Response(True)


class TestScript(View):
    """POST /api/ruleChain/testScript"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """{output, error}: what is wrong with a script is no error of the request (compat/rule_engine.md)."""
        trial = trial_of(self.body(request), Query(request).get("scriptLang", ""))
        output, error = tried_out(callers_tenant(request), trial)
        return Response({"output": output, "error": error})


def _metadata(chain: RuleChain) -> Response:
    return Response(metadata_json(chain, *inside(chain)))


def _usage_json(usage: Any) -> dict[str, Any]:
    return {
        "ruleChainId": id_json(EntityType.RULE_CHAIN, usage.node.chain_id),
        "ruleNodeId": id_json(EntityType.RULE_NODE, usage.node.pk),
        "ruleChainName": usage.node.chain.name,
        "ruleNodeName": usage.node.name,
        "labels": usage.labels,
    }
