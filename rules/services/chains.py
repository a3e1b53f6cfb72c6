"""Writes of rule chains. Each is a new version, and has every plan made anew."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, Q

from rules.models import RuleChain, RuleChainType, RuleNode
from rules.services import labels, versions
from rules.services.documents import announce
from rules.services.draft import LARGEST_DEFINITION, LONGEST_NAME, Draft
from rules.services.epoch import raise_epoch
from rules.services.writing import insert_chain, inside, lock_chains, locked, save_version, write_inside
from tenants.limits import require_room
from tenants.models import ActionType
from tenants.services import audit
from tenants.services.events import Event
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.entities import deleting, not_found
from thingsboard.kernel.errors import BadRequest, PayloadTooLarge
from thingsboard.kernel.ids import EntityType, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFields:
    """What a caller may say about a chain itself. Its tenant, its first node and whether it is a root are not among it."""

    name: str
    type: str | None = None  # None: CORE for a new one, else as it is
    debug_mode: bool = False
    configuration: dict[str, Any] | None = None
    additional_info: dict[str, Any] | None = None
    external_id: uuid.UUID | None = None


@transaction.atomic
def create_chain(
    tenant_id: uuid.UUID,
    fields: ChainFields,
    draft: Draft | None = None,
    *,
    key: uuid.UUID | None = None,
    note: str = "",
) -> RuleChain:
    """A chain of the tenant, empty without a draft. Raises BadRequest, PayloadTooLarge, LimitExceeded.

    `key` is a new id by which others already name the chain.
    """
    chain = RuleChain(id=key or new_id(), tenant_id=tenant_id, type=fields.type or RuleChainType.CORE)
    with audit.deed(ActionType.ADDED, EntityType.RULE_CHAIN, chain) as entry:
        _fill(chain, fields)
        require_room(tenant_id, EntityType.RULE_CHAIN, RuleChain.objects.filter(tenant_id=tenant_id).count)
        insert_chain(chain, draft, note)
        entry.after(chain)
        announce(Event.ENTITY_CREATED, chain)
    raise_epoch()
    return chain


@transaction.atomic
def update_chain(chain: RuleChain, fields: ChainFields, *, version: int | None = None) -> RuleChain:
    """Replace everything that `fields` says; nodes stay. Raises BadRequest, PayloadTooLarge, VersionConflict."""
    chain = locked(chain, version)
    if fields.type is not None and fields.type != chain.type:
        raise BadRequest(f"type: a rule chain stays {chain.type}")
    with audit.deed(ActionType.UPDATED, EntityType.RULE_CHAIN, chain) as entry:
        entry.before(chain)
        _fill(chain, fields)
        nodes, connections = inside(chain)
        save_version(chain, nodes, connections)
        entry.after(chain)
        announce(Event.ENTITY_UPDATED, chain)
    raise_epoch()
    return chain


@transaction.atomic
def save_metadata(
    chain: RuleChain,
    draft: Draft,
    *,
    version: int | None = None,
    update_related: bool = True,
    note: str = "",
) -> RuleChain:
    """Make the inside of the chain what the draft says: what is not in it goes.

    With `update_related` other chains follow an output node that has another name now. Raises BadRequest,
    PayloadTooLarge, and VersionConflict when `version` is given and is not the present one.
    """
    chain = locked(chain, version)
    _save_inside(chain, draft, None, update_related=update_related, restoring=False, note=note)
    return chain


@transaction.atomic
def restore_version(chain: RuleChain, number: int, *, version: int | None = None) -> RuleChain:
    """Make the chain what it was in one of its versions, as a new version. Its nodes get the ids back that they had.

    Raises NotFound for a version that is not kept, VersionConflict.
    """
    chain = locked(chain, version)
    definition = versions.version_of_chain(chain, number).definition
    fields = ChainFields(
        name=definition["name"],
        debug_mode=definition["debugMode"],
        configuration=definition["configuration"],
        additional_info=definition["additionalInfo"],
        external_id=chain.external_id,
    )
    draft = versions.draft_of(definition)
    _save_inside(chain, draft, fields, update_related=True, restoring=True, note=f"Restored version {number}")
    return chain


def _save_inside(
    chain: RuleChain, draft: Draft, fields: ChainFields | None, *, update_related: bool, restoring: bool, note: str
) -> None:
    before = versions.definition_of(chain, *inside(chain))
    outputs = labels.names_of_outputs(chain)
    with audit.deed(ActionType.UPDATED, EntityType.RULE_CHAIN, chain) as entry:
        if fields is not None:
            _fill(chain, fields)
        nodes, connections = write_inside(chain, draft, restoring=restoring)
        save_version(chain, nodes, connections, note)
        changes = versions.difference(before, versions.definition_of(chain, nodes, connections))
        entry.after({"saved_version": chain.version, **versions.summary(changes)})
        announce(Event.ENTITY_UPDATED, chain)
    if update_related:
        labels.follow_renames(chain, outputs)
    raise_epoch()


@transaction.atomic
def set_root(chain: RuleChain, type: RuleChainType = RuleChainType.CORE) -> RuleChain:
    """Make it the chain of its type that takes what no profile sends elsewhere; the one before is an ordinary one.

    Raises BadRequest for a chain of another type.
    """
    chain = locked(chain)
    if chain.type != type:
        raise BadRequest(f"Only a rule chain of type {type} can be made this root; this one is {chain.type}")
    if chain.root:
        return chain
    with audit.deed(ActionType.UPDATED, EntityType.RULE_CHAIN, chain) as entry:
        entry.before(chain)
        RuleChain.objects.filter(tenant_id=chain.tenant_id, type=type, root=True).update(root=False)
        chain.root = True
        chain.save(update_fields=["root"])
        entry.after(chain)
        announce(Event.ENTITY_UPDATED, chain)
    raise_epoch()
    return chain


@transaction.atomic
def set_auto_assign(chain: RuleChain, wanted: bool) -> RuleChain:
    """Whether new edges are to have it; edges themselves there are none yet. Raises BadRequest for a CORE chain."""
    chain = locked(chain)
    if chain.type != RuleChainType.EDGE:
        raise BadRequest("Only a rule chain of type EDGE can be assigned to edges")
    with audit.deed(ActionType.UPDATED, EntityType.RULE_CHAIN, chain) as entry:
        entry.before(chain)
        chain.auto_assign_to_edge = wanted
        chain.save(update_fields=["auto_assign_to_edge"])
        entry.after(chain)
    return chain


@transaction.atomic
def delete_chain(chain: RuleChain) -> None:
    """Delete it with its nodes and versions. Raises BadRequest for a root, and while a profile sends messages there.

    Chains that send messages into it stay as they are: those messages then fail, as in ThingsBoard.
    """
    chain = locked(chain)
    with audit.deed(ActionType.DELETED, EntityType.RULE_CHAIN, chain) as entry:
        entry.before(chain)
        if chain.root:
            raise BadRequest("Deletion of Root Tenant Rule Chain is prohibited!")
        raise_epoch()  # first: a profile that is being given this chain waits here, and finds it gone (`profile_changed`)
        for model in profile_models():
            if model._default_manager.filter(
                Q(default_rule_chain_id=chain.pk) | Q(default_edge_rule_chain_id=chain.pk)
            ).exists():
                raise BadRequest(f"The rule chain referenced by the {model._meta.verbose_name}s cannot be deleted!")
        announce(Event.ENTITY_DELETED, chain)
        deleting(EntityType.RULE_NODE, list(chain.nodes.values_list("pk", flat=True)), chain.tenant_id)
        deleting(EntityType.RULE_CHAIN, [chain.pk], chain.tenant_id)
        chain.delete()


def profile_changed(profile: Any, columns: frozenset[str]) -> None:
    """What rules do when a profile was written: a new chain or queue has every plan made anew.

    Raises NotFound where the chain was deleted meanwhile.
    """
    if not columns & {"default_rule_chain_id", "default_edge_rule_chain_id", "default_queue_name"}:
        return
    raise_epoch()
    for name in sorted(columns & {"default_rule_chain_id", "default_edge_rule_chain_id"}):
        key = getattr(profile, name)
        if key and not RuleChain.objects.filter(pk=key, tenant_id=profile.tenant_id).exists():
            raise not_found(EntityType.RULE_CHAIN, key)


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What rules do when something of a lower floor is about to be deleted: a tenant's chains go with it."""
    if kind is not EntityType.TENANT:
        return
    for key in ids:
        lock_chains(key)
    chains = RuleChain.objects.filter(tenant_id__in=ids)
    nodes = RuleNode.objects.filter(tenant_id__in=ids)
    for gone, rows in ((EntityType.RULE_NODE, nodes), (EntityType.RULE_CHAIN, chains)):
        deleting(gone, list(rows.values_list("pk", flat=True)), tenant_id)
    chains.delete()
    raise_epoch()


def profile_models() -> list[type[Model]]:
    """The models that send messages to a chain of their own: device profiles, asset profiles."""
    models = apps.get_app_config("devices").get_models()
    return [model for model in models if any(each.name == "default_rule_chain_id" for each in model._meta.fields)]


def _fill(chain: RuleChain, fields: ChainFields) -> None:
    """Set all fields and check them. Raises BadRequest, PayloadTooLarge."""
    name = fields.name.strip()
    if not name:
        raise BadRequest("Rule chain name should be specified!")
    if len(name) > LONGEST_NAME:
        raise BadRequest(f"length of name must be equal or less than {LONGEST_NAME}")
    if fields.type is not None and fields.type not in RuleChainType:
        raise BadRequest(f"type: expected {' or '.join(RuleChainType)}")
    size = len(json_bytes([fields.configuration, fields.additional_info]))
    if size > LARGEST_DEFINITION:
        raise PayloadTooLarge(f"The rule chain has {size} bytes of JSON; expected at most {LARGEST_DEFINITION}")
    chain.name = name
    chain.debug_mode = fields.debug_mode
    chain.configuration = fields.configuration
    chain.additional_info = fields.additional_info
    chain.external_id = fields.external_id
