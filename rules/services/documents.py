"""A rule chain as ThingsBoard's API has it (compat/data_model.md 3): for answers, files, and events about chains."""

import uuid
from typing import Any

from rules.models import RuleChain
from tenants.services.events import Event, tell_entity
from thingsboard.kernel.ids import EntityId, EntityType


def id_json(kind: EntityType, key: uuid.UUID | None) -> dict[str, str] | None:
    """An EntityId, or null."""
    return None if key is None else EntityId(kind, key).to_json()


def chain_json(chain: RuleChain) -> dict[str, Any]:
    """A RuleChain."""
    return {
        "id": id_json(EntityType.RULE_CHAIN, chain.pk),
        "createdTime": chain.created_time,
        "tenantId": id_json(EntityType.TENANT, chain.tenant_id),
        "name": chain.name,
        "type": chain.type,
        "firstRuleNodeId": id_json(EntityType.RULE_NODE, chain.first_rule_node_id),
        "root": chain.root,
        "debugMode": chain.debug_mode,
        "configuration": chain.configuration,
        "additionalInfo": chain.additional_info,
        "externalId": id_json(EntityType.RULE_CHAIN, chain.external_id),
        "version": chain.version,
    }


def announce(event: Event, chain: RuleChain) -> None:
    """Tell the tenant's rules that a chain was made or changed, or is about to be deleted."""
    tell_entity(event, EntityId(EntityType.RULE_CHAIN, chain.pk), chain, chain_json(chain))
