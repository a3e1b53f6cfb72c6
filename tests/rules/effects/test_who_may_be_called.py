"""Nodes that ship with the platform work outside through the guard that its settings make."""

import pytest
from django.test import override_settings

from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.external.rest_api_call import RestApiCall
from telemetry.services import latest
from tests.cast import Cast
from tests.rules.effects.calls import Server, running, settle
from tests.rules.engine.world import drain, make_chain, queue, telemetry
from thingsboard.kernel.models import OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("allowed", "calls"), [([], []), (["127.0.0.1"], [("/bad", "1")])])
def test_a_server_of_this_machine_is_called_only_where_that_is_permitted(
    cast: Cast, server: Server, allowed: list[str], calls: list[tuple[str, str]]
) -> None:
    """Either way the call fails, and the message goes on by Failure."""
    call = {
        "restEndpointUrlPattern": f"http://127.0.0.1:{server.port}/bad",
        "headers": {"X-Msg": "$[t]", "X-Key": "key"},
    }
    make_chain(cast.acme.pk, [(RestApiCall, call), (SaveTimeSeries, {})], [(0, 1, "Failure")])
    device = cast.device.pk
    OutboxRow.objects.all().delete()  # what the making of these has queued
    queue(cast.acme.pk, telemetry(device, b'{"t":1}'))
    drain()
    with override_settings(TB_SSRF_ALLOWED=allowed), running():
        settle()
    assert latest(device)["t"].value == 1
    assert server.calls == calls
