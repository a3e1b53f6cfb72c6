"""Rule chains in and out of files, ThingsBoard's among them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from rules.models import RuleChain, RuleChainType
from rules.services.chains import ChainFields, create_chain, save_metadata, update_chain
from rules.services.draft import INPUT_NODE, Draft
from rules.services.writing import lock_chains
from thingsboard.kernel.errors import BadRequest, PlatformError
from thingsboard.kernel.ids import new_id

MOST_CHAINS = 1000  # of one file
NOTE = "Imported"


@dataclass(frozen=True, slots=True)
class ImportedChain:
    """A chain of a file. `source_id` is its id there, by which others of the same file may name it."""

    fields: ChainFields
    draft: Draft
    source_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of it: the chain, or why there is none."""

    name: str
    chain: RuleChain | None
    updated: bool = False
    error: str | None = None


@transaction.atomic
def import_chains(tenant_id: uuid.UUID, given: Sequence[ImportedChain], *, overwrite: bool = False) -> list[Imported]:
    """Make a chain of each, none of them a root. With `overwrite` one of the same type and name is replaced instead.

    Nodes get ids of their own, and nodes that name another chain of the file name what became of it. One that cannot be
    made is told as an error; the others are made all the same. Raises BadRequest for more than MOST_CHAINS.
    """
    if len(given) > MOST_CHAINS:
        raise BadRequest(f"{len(given)} rule chains; at most {MOST_CHAINS} are imported at once")
    lock_chains(tenant_id)
    existing = _existing(tenant_id) if overwrite else {}
    plans: list[tuple[ImportedChain, uuid.UUID, RuleChain | None]] = []
    keys: dict[uuid.UUID, uuid.UUID] = {}
    for each in given:
        found = existing.pop((each.fields.type or RuleChainType.CORE, each.fields.name.strip()), None)
        key = new_id() if found is None else found.pk
        plans.append((each, key, found))
        if each.source_id is not None:
            keys.setdefault(each.source_id, key)
    return [_import(tenant_id, each, key, found, keys) for each, key, found in plans]


def _import(
    tenant_id: uuid.UUID,
    given: ImportedChain,
    key: uuid.UUID,
    found: RuleChain | None,
    keys: Mapping[uuid.UUID, uuid.UUID],
) -> Imported:
    draft = _renamed(given.draft, keys)
    try:
        with transaction.atomic():
            if found is None:
                chain = create_chain(tenant_id, given.fields, draft, key=key, note=NOTE)
            else:
                update_chain(found, given.fields)
                chain = save_metadata(found, draft, note=NOTE)
    except PlatformError as error:
        return Imported(given.fields.name, None, found is not None, error.message)
    return Imported(chain.name, chain, found is not None)


def _existing(tenant_id: uuid.UUID) -> dict[tuple[str, str], RuleChain]:
    """The tenant's chains by type and name, the oldest of each."""
    rows = RuleChain.objects.filter(tenant_id=tenant_id).order_by("-created_time", "-pk")
    return {(chain.type, chain.name): chain for chain in rows}


def _renamed(draft: Draft, keys: Mapping[uuid.UUID, uuid.UUID]) -> Draft:
    """With new nodes, and input nodes that name the chains as they are called here."""
    names = {str(source): str(key) for source, key in keys.items()}
    nodes = []
    for node in draft.nodes:
        target = node.configuration.get("ruleChainId") if node.type == INPUT_NODE else None
        if isinstance(target, str) and target in names:
            node = replace(node, configuration={**node.configuration, "ruleChainId": names[target]})
        nodes.append(replace(node, id=None, created_time=None))
    return Draft(tuple(nodes), draft.first, draft.connections)
