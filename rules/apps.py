"""Rule chains and the ingest plan."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from thingsboard.kernel.entities import before_delete, register
from thingsboard.kernel.ids import EntityType


class RulesConfig(AppConfig):
    """Rule chains and the ingest plan."""

    name = "rules"

    def ready(self) -> None:
        """Open the kernel's door to chains, nodes and queues, give every tenant its root chains, and hear of profiles that
        send messages elsewhere.
        """
        from devices.services.profile_news import watch_profiles
        from rules.models import Queue, RuleChain, RuleNode
        from rules.services import ticking
        from rules.services.chains import profile_changed, take_leave
        from rules.services.dead_letters import forget_tenants
        from rules.services.defaults import equip
        from rules.services.seeds import seed_after_migrate
        from tenants.services.tenants import equip_new_tenants

        register(EntityType.RULE_CHAIN, RuleChain, title="Rule chain")
        register(EntityType.RULE_NODE, RuleNode, title="Rule node", has_values=False)
        register(EntityType.QUEUE, Queue, tenant_field=None, title="Queue")
        equip_new_tenants(equip)
        before_delete(take_leave)
        before_delete(forget_tenants)
        before_delete(ticking.take_leave)
        watch_profiles(profile_changed)
        post_migrate.connect(seed_after_migrate, sender=self)
