"""The ingest plans of device profiles, for transports: made from the chains that are current, believed until the epoch rises.

Whoever writes by a plan reads EPOCH in the same transaction: another number than the plan's means that the plan is old.
"""

import uuid
from collections.abc import Iterable

from django.db import DatabaseError, connection

from devices.models import DeviceProfile
from rules.engine.chains import ChainCache
from rules.engine.plan import Handling, IngestPlan, derive
from rules.models import PlanEpoch
from thingsboard.kernel.outbox import MAIN
from thingsboard.kernel.time import now_ms

__all__ = ["EPOCH", "Handling", "IngestPlan", "Plans", "PlansUnavailable"]

EPOCH = "SELECT epoch FROM rules_planepoch WHERE id = 1"
MOST_PROFILES = 100_000


class PlansUnavailable(Exception):
    """The database cannot be asked now."""


class Plans:
    """Of one thread. Asks the database for a profile that it does not know, and for all of them after the epoch rose."""

    def __init__(self) -> None:
        self.epoch = -1
        self._known: dict[uuid.UUID, IngestPlan] = {}
        self._chains = ChainCache()

    def of(self, wanted: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> dict[uuid.UUID, IngestPlan]:
        """The plans of these (tenant, profile) pairs, by profile. Raises PlansUnavailable."""
        known = self._known
        plans: dict[uuid.UUID, IngestPlan] = {}
        missing: list[tuple[uuid.UUID, uuid.UUID]] = []
        for tenant_id, profile_id in wanted:
            plan = known.get(profile_id)
            if plan is None or (plan.until_ms and plan.until_ms <= now_ms()):
                missing.append((tenant_id, profile_id))
            else:
                plans[profile_id] = plan
        if missing:
            plans.update(self._make(missing))
        return plans

    def outdated(self) -> None:
        """Somebody saved a chain, a profile or a field: make all plans anew."""
        self.epoch = -1
        self._known.clear()

    def _make(self, missing: list[tuple[uuid.UUID, uuid.UUID]]) -> dict[uuid.UUID, IngestPlan]:
        try:
            # The epoch first: what is saved while the chains are read makes the plans old, not wrong.
            epoch = PlanEpoch.objects.values_list("epoch", flat=True).first() or 0
            if epoch != self.epoch or len(self._known) > MOST_PROFILES:
                self._known.clear()
                self.epoch = epoch
            rows = DeviceProfile.objects.filter(pk__in=[profile for _, profile in missing])
            named = {row[0]: row[1:] for row in rows.values_list("pk", "default_rule_chain_id", "default_queue_name")}
            made: dict[uuid.UUID, IngestPlan] = {}
            for tenant_id, profile_id in missing:
                chain_id, queue = named.get(profile_id, (None, None))
                chains = self._chains.of(tenant_id)
                chain = chain_id.bytes if chain_id is not None else chains.root
                made[profile_id] = derive(chains, chain, queue or MAIN, now_ms())
        except DatabaseError as error:
            raise PlansUnavailable(str(error)) from error
        finally:
            connection.close()
        self._known.update(made)
        return made
