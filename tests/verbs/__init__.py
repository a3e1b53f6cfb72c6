"""Every verb of the services whose deed the rule chains hear of: what it does, which events it queues, and how to see it."""

from tests.verbs.of_dashboards import OF_DASHBOARDS
from tests.verbs.of_devices import OF_DEVICES
from tests.verbs.of_others import OF_OTHERS
from tests.verbs.world import Verb, World

VERBS: dict[str, Verb] = OF_DEVICES | OF_DASHBOARDS | OF_OTHERS

__all__ = ["VERBS", "Verb", "World"]
