"""What an installation has from its first day, put in place after every `migrate`."""

from typing import Any

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from rules.models import PlanEpoch
from rules.services.defaults import equip_all
from rules.services.queues import seed_queues
from rules.services.ticking import arm_all


@transaction.atomic
def seed() -> None:
    """The queues, the epoch, the root chains of tenants that have none, and the timers of nodes that tick; nothing where all
    is there.
    """
    PlanEpoch.objects.get_or_create(pk=1)
    seed_queues()
    equip_all()
    arm_all()


def seed_after_migrate(sender: Any = None, plan: Any = None, **_: Any) -> None:
    """A receiver of `post_migrate`. Where somebody migrated to something older, tables are not what the models say."""
    if plan is not None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return
    seed()
