"""What the rest of the platform asks of the rule engine."""

import enum
import uuid


class IngestPlan(enum.Enum):
    """What a transport does with a device's messages (architecture.md 4, "Ingest plan")."""

    STORE = "store"
    STORE_AND_QUEUE = "store_and_queue"
    QUEUE = "queue"


def plan_for(profile_id: uuid.UUID) -> IngestPlan:
    """The ingest plan of a device profile. There is no rule engine yet, so everything is stored by ingest itself."""
    return IngestPlan.STORE
