"""Messages that could not be processed: why, what they say, and what becomes of them."""

import uuid
from typing import Any

import orjson
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from devices.admin.times import readable
from rules.services import dead_letters
from rules.services.dead_letters import Done, Names
from tenants.access import is_system
from tenants.admin.filters import by_recent
from tenants.admin.gate import OPERATORS, ShownAdmin
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.models import DeadLetter

SHORT_ERROR = 120  # characters in the list
LARGEST_SHOWN = 100_000  # characters of a message on its page

Answer = HttpResponse | None


@admin.register(DeadLetter)
class DeadLetterAdmin(ShownAdmin):
    """A tenant's to its administrators, all to system administrators; both may run them again and drop them."""

    removed_by = OPERATORS
    list_display = ("when", "type", "originator", "short_error", "node", "queue", "attempts")
    list_filter = (by_recent("type"), by_recent("queue"), by_recent("originator_type"))
    lookups = frozenset({"originator_id", "node_id", "chain_id", "tenant_id"})
    search_fields = ("error",)
    ordering = ("-id",)
    sortable_by = ()
    actions = ("run_again", "drop")
    fields = (
        "when", "error", "chain", "node", "type", "originator", "originator_id", "message_time", "metadata", "data",
        "queue", "attempts", "message_id", "tenant",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_before_template = "rules/admin/dead_letter_actions.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A list reads no messages."""
        rows: Any = super().get_queryset(request)
        return rows.listed()  # type: ignore[no-any-return]

    def get_list_display(self, request: HttpRequest) -> Any:
        """Who sees several tenants is told which."""
        shown = super().get_list_display(request)
        return (*shown, "tenant") if is_system(request.user) else shown

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the names of what the page's letters are about, asked for at once."""
        page = super().get_changelist_instance(request)
        names = dead_letters.names_of(page.result_list)
        for letter in page.result_list:
            letter.names = names
        return page

    @admin.display(description="when (UTC)", ordering="id")
    def when(self, letter: DeadLetter) -> str:
        """When it was given up."""
        return readable(letter.created_time)

    @admin.display(description="originator")
    def originator(self, letter: DeadLetter) -> str:
        """What it is about, by name."""
        return f"{letter.originator_type} {_name(letter, letter.originator_type, letter.originator_id)}"

    @admin.display(description="rule chain")
    def chain(self, letter: DeadLetter) -> str:
        """Where it failed."""
        name = _name(letter, EntityType.RULE_CHAIN, letter.chain_id)
        if (EntityType.RULE_CHAIN.value, letter.chain_id) not in _names(letter):
            return name
        page = reverse("admin:rules_rulechain_change", args=[letter.chain_id])
        return format_html('<a href="{}">{}</a>', page, name)

    @admin.display(description="rule node")
    def node(self, letter: DeadLetter) -> str:
        """At which of its nodes."""
        return _name(letter, EntityType.RULE_NODE, letter.node_id)

    @admin.display(description="tenant")
    def tenant(self, letter: DeadLetter) -> str:
        """Whose it is."""
        return _name(letter, EntityType.TENANT, letter.tenant_id)

    @admin.display(description="error")
    def short_error(self, letter: DeadLetter) -> str:
        """How the error begins."""
        said = " ".join(letter.error.split())
        return said if len(said) <= SHORT_ERROR else f"{said[:SHORT_ERROR]}..."

    @admin.display(description="message's time (UTC)")
    def message_time(self, letter: DeadLetter) -> str:
        """Its time stamp."""
        found = dead_letters.contents(letter)
        return "-" if found.ts is None else readable(found.ts)

    @admin.display(description="metadata")
    def metadata(self, letter: DeadLetter) -> str:
        """As JSON."""
        found = dead_letters.contents(letter)
        return found.trouble or ("-" if found.metadata is None else _pretty(found.metadata))

    @admin.display(description="data")
    def data(self, letter: DeadLetter) -> str:
        """As JSON, or the text that is none."""
        found = dead_letters.contents(letter)
        return found.trouble or _pretty(found.data)

    # What is done with them.

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Whether the caller runs letters again and drops them."""
        return self.may(request, OPERATORS, Action.MANAGE, None)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Drop it."""
        dead_letters.drop(obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """These two; Django's own would delete without a word in the audit log."""
        return {name: found for name, found in super().get_actions(request).items() if name in (self.actions or ())}

    @admin.action(description="Run again", permissions=["handle"])
    def run_again(self, request: HttpRequest, chosen: QuerySet[DeadLetter]) -> Answer:
        """Back to their queues."""
        _say(request, "run again", dead_letters.retry_all(_own(request, chosen)))
        return None

    @admin.action(description="Drop", permissions=["handle"])
    def drop(self, request: HttpRequest, chosen: QuerySet[DeadLetter]) -> Answer:
        """Forget them, once that was confirmed."""
        if "confirmed" in request.POST:
            _say(request, "dropped", dead_letters.drop_all(_own(request, chosen)))
            return None
        everything = request.POST.get("select_across") == "1"
        context = {
            **self.admin_site.each_context(request),
            "title": "Drop dead letters",
            "opts": self.opts,
            "number": "all that the list shows" if everything else len(request.POST.getlist("_selected_action")),
            "selected": request.POST.getlist("_selected_action"),
            "select_across": int(everything),
        }
        return render(request, "rules/admin/drop_dead_letters.html", context)

    def get_urls(self) -> list[Any]:
        """With what the button on a letter's page calls."""
        view = self.admin_site.admin_view(self.retry)
        return [path("<int:key>/retry/", view, name="kernel_deadletter_retry"), *super().get_urls()]

    def retry(self, request: HttpRequest, key: int) -> HttpResponse:
        """Run one again."""
        letter = self.reach(request, str(key))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            dead_letters.retry(letter)
        except PlatformError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(self.page_of(key))
        messages.success(request, "The message is in its queue again.")
        return HttpResponseRedirect(reverse("admin:kernel_deadletter_changelist"))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What the audit log has about its tenant, under which what is done with letters stands."""
        letter = self.reach(request, object_id)
        asked = urlencode({"entity_id": letter.tenant_id})
        return HttpResponseRedirect(f"{reverse('admin:tenants_auditlog_changelist')}?{asked}")


def _own(request: HttpRequest, chosen: Any) -> QuerySet[DeadLetter]:
    return chosen.visible_to(request.user, Action.MANAGE)  # type: ignore[no-any-return]


def _names(letter: Any) -> Names:
    """Those of a list are known already."""
    if not hasattr(letter, "names"):
        letter.names = dead_letters.names_of([letter])
    names: Names = letter.names
    return names


def _name(letter: DeadLetter, kind: str, key: uuid.UUID | None) -> str:
    return "-" if key is None else _names(letter).get((str(kind), key), str(key))


def _count(number: int) -> str:
    return "1 dead letter was" if number == 1 else f"{number} dead letters were"


def _say(request: HttpRequest, what: str, done: Done) -> None:
    messages.success(request, f"{_count(done.done)} {what}.")
    if done.unreadable:
        messages.warning(request, f"{done.unreadable} cannot be read: they can only be dropped.")
    if done.more:
        messages.warning(request, "There are more of them: choose them again.")


def _pretty(value: Any) -> SafeString:
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return format_html('<pre class="tb-command">{}</pre>', text[:LARGEST_SHOWN])
