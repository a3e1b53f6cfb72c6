"""The epoch of ingest plans: raised by whatever may change what happens to a device's messages."""

from django.db import connection

from rules.models import PlanEpoch

_RAISE = """
INSERT INTO rules_planepoch (id, epoch) VALUES (1, 1)
ON CONFLICT (id) DO UPDATE SET epoch = rules_planepoch.epoch + 1
RETURNING epoch
"""


def raise_epoch() -> int:
    """Have every plan made before this transaction's commit made again; the new epoch.

    The row stays locked until the commit, so writers queue here: call it last.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RAISE)
        row = cursor.fetchone()
    return int(row[0])


def current_epoch() -> int:
    """The epoch that this transaction sees; 0 before anything was saved."""
    found = PlanEpoch.objects.filter(pk=1).values_list("epoch", flat=True).first()
    return found or 0
