"""Dead letters in the operators' admin: who sees them, what a page shows, and what its buttons do."""

from typing import Any

import pytest
from django.urls import reverse

from rules.models import RuleChain
from tenants.models import AuditLog
from tests.cast import Cast
from tests.devices.test_admin import browser
from tests.devices.test_admin_lists import MOST_QUERIES, cost
from tests.rules.letters import letter, queued
from thingsboard.kernel.models import DeadLetter

LIST = "/admin/kernel/deadletter/"


def page_of(found: DeadLetter, name: str = "change") -> str:
    return reverse(f"admin:kernel_deadletter_{name}", args=[found.pk])


def chosen(action: str, *found: DeadLetter, **more: Any) -> dict[str, Any]:
    return {"action": action, "index": 0, "_selected_action": [each.pk for each in found], **more}


def test_a_tenant_administrator_meets_its_own_alone(cast: Cast) -> None:
    letter(cast.acme.pk, error="Ours failed.")
    foreign = letter(cast.globex.pk, error="Theirs failed.")
    alice = browser(cast.alice)
    assert "Ours failed." in alice.get(LIST).text and "Theirs" not in alice.get(LIST).text
    for name in ("change", "delete", "history"):
        assert alice.get(page_of(foreign, name)).status_code == 404, name
    assert alice.post(page_of(foreign, "retry")).status_code == 404
    assert alice.post(page_of(foreign, "delete"), {"post": "yes"}).status_code == 404
    for action in ("run_again", "drop"):
        alice.post(LIST, chosen(action, foreign, confirmed=1))
    assert DeadLetter.objects.filter(pk=foreign.pk).exists() and not queued()
    assert "Theirs failed." in browser(cast.sam).get(LIST).text
    assert browser(cast.bob).get(LIST).status_code == 302


def test_a_page_shows_the_message_and_runs_no_script_of_it(cast: Cast) -> None:
    found = letter(cast.acme.pk, data=b'{"a":"<script>alert(1)</script>"}', error="<b>bold</b>")
    page = browser(cast.alice).get(page_of(found)).text
    assert "&quot;a&quot;: &quot;&lt;script&gt;alert(1)" in page and "deviceName" in page
    assert "<script>alert(1)" not in page and "<b>bold" not in page
    assert "Run again" in page and 'name="_save"' not in page


def test_what_it_is_about_has_names_where_it_still_is(cast: Cast) -> None:
    chain = RuleChain.objects.create(tenant_id=cast.acme.pk, name="Pumps & more")
    found = letter(cast.acme.pk, cast.device.pk, chain_id=chain.pk, node_id=None)
    gone = letter(cast.acme.pk)
    alice, sam = browser(cast.alice), browser(cast.sam)
    assert "DEVICE Meter" in alice.get(LIST).text and f"DEVICE {gone.originator_id}" in alice.get(LIST).text
    assert f'<a href="/admin/rules/rulechain/{chain.pk}/change/">Pumps &amp; more</a>' in alice.get(page_of(found)).text
    assert "Acme" in sam.get(LIST).text and "Acme" not in alice.get(LIST).text


def test_a_list_costs_as_many_queries_for_many_as_for_few(cast: Cast) -> None:
    def grow() -> None:
        letter(cast.acme.pk, cast.device.pk)
        letter(cast.globex.pk)

    alice, sam = browser(cast.alice), browser(cast.sam)
    grow()
    few = cost(alice, LIST), cost(sam, LIST)
    for _ in range(5):
        grow()
    assert (cost(alice, LIST), cost(sam, LIST)) == few
    assert max(few) <= MOST_QUERIES


def test_the_button_runs_it_again(cast: Cast) -> None:
    found = letter(cast.acme.pk)
    alice = browser(cast.alice)
    assert alice.get(page_of(found, "retry")).status_code == 405
    answer = alice.post(page_of(found, "retry"), follow=True)
    assert "The message is in its queue again." in answer.text
    assert len(queued()) == 1 and not DeadLetter.objects.exists()
    assert AuditLog.objects.get(entity_id=cast.acme.pk, action="UPDATED").user_id == cast.alice.pk
    assert alice.post(page_of(found, "retry")).status_code == 404


def test_an_unreadable_one_says_so_on_its_page(cast: Cast) -> None:
    found = letter(cast.acme.pk, body=b"\xc1")
    alice = browser(cast.alice)
    assert "The message cannot be read" in alice.get(page_of(found)).text
    assert "can only be dropped" in alice.post(page_of(found, "retry"), follow=True).text
    assert alice.post(page_of(found, "delete"), {"post": "yes"}).status_code == 302
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize("who", ["alice", "sam"])
def test_those_that_are_chosen_run_again_or_are_dropped_once_that_is_confirmed(cast: Cast, who: str) -> None:
    one, two, three = (letter(cast.acme.pk) for _ in range(3))
    client = browser(getattr(cast, who))
    assert "1 dead letter was run again." in client.post(LIST, chosen("run_again", one), follow=True).text
    asked = client.post(LIST, chosen("drop", two)).text
    assert "lost for good" in asked and f'value="{two.pk}"' in asked and DeadLetter.objects.count() == 2
    assert "1 dead letter was dropped." in client.post(LIST, chosen("drop", two, confirmed=1), follow=True).text
    assert DeadLetter.objects.get() == three and len(queued()) == 1


def test_all_of_a_filtered_list_can_be_chosen(cast: Cast) -> None:
    for error in ("No paper", "No paper", "No ink"):
        letter(cast.acme.pk, error=error)
    alice = browser(cast.alice)
    first = DeadLetter.objects.earliest("pk")
    asked = alice.post(f"{LIST}?q=paper", chosen("drop", first, select_across=1)).text
    assert "all that the list shows" in asked
    alice.post(f"{LIST}?q=paper", chosen("drop", first, select_across=1, confirmed=1))
    assert DeadLetter.objects.get().error == "No ink"


def test_there_is_no_other_action(cast: Cast) -> None:
    found = letter(cast.acme.pk)
    browser(cast.alice).post(LIST, chosen("delete_selected", found, post="yes"))
    assert DeadLetter.objects.exists()
