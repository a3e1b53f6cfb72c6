"""/api/component*: the kinds of nodes, as ThingsBoard's editor wants to know them (compat/rule_engine.md, "Component
descriptors"). Each is what its class under rules/nodes/ says; a kind without a class is not listed.
"""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from rules import registry
from rules.models import RuleChainType
from rules.node import Category, Node
from rules.services.draft import INPUT_NODE
from tenants.permissions import Administrator
from thingsboard.kernel.api import Query, View
from thingsboard.kernel.errors import BadRequest, NotFound

# Ids of descriptors are the same everywhere and for ever: they are made of the class's name.
_NAMESPACE = uuid.UUID("6f1f0c0a-5d0c-5a55-9a39-4d1f5f1a7c11")
FAILURE = "Failure"


def component_json(kind: type[Node]) -> dict[str, Any]:
    """A ComponentDescriptor."""
    definition = {
        "details": kind.details(),
        "description": kind.description(),
        "inEnabled": kind.IN_ENABLED,
        "outEnabled": kind.OUT_ENABLED,
        "relationTypes": [*(each for each in kind.RELATIONS if each != FAILURE), FAILURE] if kind.OUT_ENABLED else [],
        "customRelations": kind.CUSTOM_RELATIONS,
        "ruleChainNode": kind.TYPE == INPUT_NODE,
        "defaultConfiguration": kind.defaults(),
        "uiResources": [],
        "configDirective": kind.CONFIG_DIRECTIVE,
        "icon": kind.ICON,
        "iconUrl": "",
        "docUrl": "",
    }
    return {
        "id": {"id": str(uuid.uuid5(_NAMESPACE, kind.TYPE))},
        "createdTime": 0,
        "type": kind.CATEGORY.value,
        "scope": "TENANT",
        "clusteringMode": kind.CLUSTERING,
        "name": kind.NAME,
        "clazz": kind.TYPE,
        "configurationDescriptor": {"nodeDefinition": definition},
        "configurationVersion": kind.VERSION,
        "actions": None,
        "hasQueueName": kind.HAS_QUEUE_NAME,
    }


class Component(View):
    """GET /api/component/{clazz}"""

    permission_classes = [Administrator]

    def get(self, request: Request, clazz: str) -> Response:
        """A ComponentDescriptor."""
        kind = registry.find(clazz)
        if kind is None:
            raise NotFound(f"Component descriptor of class [{clazz[:255]}] is not found")
        return Response(component_json(kind))


class Components(View):
    """GET /api/components?componentTypes="""

    permission_classes = [Administrator]

    def get(self, request: Request) -> Response:
        """List<ComponentDescriptor> of these families."""
        query = Query(request)
        wanted = [part.strip() for part in ",".join(query.all("componentTypes")).split(",") if part.strip()]
        if not wanted:
            raise BadRequest("Required request parameter 'componentTypes' is not present")
        return _listed(wanted, query)


class ComponentsOfType(View):
    """GET /api/components/{type}"""

    permission_classes = [Administrator]

    def get(self, request: Request, component_type: str) -> Response:
        """List<ComponentDescriptor> of a family."""
        return _listed([component_type], Query(request))


def _listed(wanted: list[str], query: Query) -> Response:
    unknown = set(wanted) - set(Category)
    if unknown:
        raise BadRequest(f"Unknown component type '{min(unknown)[:40]}'; expected some of {', '.join(Category)}")
    chain_type = query.get("ruleChainType", RuleChainType.CORE)
    if chain_type not in set(RuleChainType):
        raise BadRequest(f"ruleChainType: expected {' or '.join(RuleChainType)}")
    kinds = [kind for kind in registry.all().values() if kind.CATEGORY in wanted and chain_type in kind.CHAIN_TYPES]
    return Response([component_json(kind) for kind in kinds])
