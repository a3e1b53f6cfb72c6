"""A page that lists what belongs to something, takes more in and lets it go: members of groups, shares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from tenants.admin.gate import within_reach
from tenants.admin.paging import PAGE, CappedPaginator
from thingsboard.kernel.errors import BadRequest, PlatformError

MOST_NAMED = 1000  # names in one request


@dataclass(frozen=True, slots=True)
class Line:
    """One row of such a page: its key for removing it, what it is called, and what is said besides."""

    key: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Members:
    """What such a page shows and does."""

    title: str
    back: str  # the path of what the members belong to
    hint: str  # what to type
    rows: Any  # a queryset or a list, of which a page is shown
    line: Callable[[Any], Line]
    add: Callable[[list[str], str], None]  # names and the chosen action. Raises PlatformError
    remove: Callable[[str], None]  # by key. Raises PlatformError
    choices: tuple[tuple[str, str], ...] = ()
    single: bool = False  # one name at a time


def serve(request: HttpRequest, context: dict[str, Any], members: Members) -> HttpResponse:
    """Answer GET with the page, POST with what it asks for."""
    if request.method == "POST":
        try:
            if request.POST.get("remove"):
                members.remove(request.POST["remove"])
            else:
                members.add(_names(request.POST.get("names", "")), request.POST.get("choice", ""))
        except PlatformError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "Done.")
        return HttpResponseRedirect(request.path)
    page = CappedPaginator(members.rows, PAGE).get_page(request.GET.get("page"))
    lines = [members.line(row) for row in page.object_list]
    return render(request, "tenants/admin/members.html", {**context, "members": members, "page": page, "lines": lines})


def named(model: type[Model], user: Any, field: str, names: Iterable[str]) -> list[Any]:
    """The rows that are called so, of those that the user sees. Raises BadRequest for a name that none has."""
    wanted = list(dict.fromkeys(names))
    rows: QuerySet[Any] = within_reach(model, user).filter(**{f"{field}__in": wanted})
    found = {getattr(row, field): row for row in rows}
    missing = [name for name in wanted if name not in found]
    if missing:
        raise BadRequest(f"Nothing here is called '{missing[0][:100]}'.")
    return [found[name] for name in wanted]


def _names(text: str) -> list[str]:
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise BadRequest("Expected at least one name.")
    if len(names) > MOST_NAMED:
        raise BadRequest(f"Expected at most {MOST_NAMED} names at a time.")
    return names
