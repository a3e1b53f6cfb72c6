"""Rule chains: what is in them, what was changed by whom, and the way back."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_POST

from rules.admin import looks
from rules.models import RuleChain, RuleChainVersion
from rules.services.chains import ChainFields, delete_chain, restore_version, set_root, update_chain
from tenants.admin.filters import OwnerFilter
from tenants.admin.gate import TENANT, GatedAdmin
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import PlatformError


@admin.register(RuleChain)
class RuleChainAdmin(GatedAdmin):
    """Rule chains. Their nodes are the API's to change."""

    changed_by = removed_by = TENANT
    list_display = ("name", "type", "root", "version", "tenant")
    list_select_related = ("tenant",)
    list_filter = ("type", "root", ("tenant", OwnerFilter))
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    sortable_by = ("name",)
    fields = ("name", "type", "root", "version", "tenant")
    readonly_fields = ("type", "root", "version", "tenant")
    change_form_outer_before_template = "rules/admin/chain_links.html"
    change_form_outer_after_template = "rules/admin/chain.html"

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """Its name; what the form does not show stays."""
        kept = RuleChain.objects.get(pk=obj.pk)
        fields = ChainFields(
            name=kept.name,
            debug_mode=kept.debug_mode,
            configuration=kept.configuration,
            additional_info=kept.additional_info,
            external_id=kept.external_id,
        )
        update_chain(kept, replace(fields, name=form.cleaned_data["name"]), version=form.version)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Unless it is a root or a profile has it."""
        delete_chain(obj)

    def get_urls(self) -> list[Any]:
        """With the pages of its versions, and making it the root."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:key>/root/", wrap(require_POST(self.make_root)), name="rules_rulechain_root"),
            path("<uuid:key>/versions/<int:number>/", wrap(self.one_version), name="rules_rulechain_version"),
            path(
                "<uuid:key>/versions/<int:number>/restore/",
                wrap(require_POST(self.restore)),
                name="rules_rulechain_restore",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With its nodes and versions."""
        chain = self.reach(request, object_id)
        node_page, nodes = looks.nodes_page(chain, request.GET.get("nodes"))
        version_page, versions = looks.versions_page(chain, request.GET.get("page"))
        context = {
            **(extra_context or {}),
            "chain": chain,
            "node_page": node_page,
            "nodes": nodes,
            "page": version_page,
            "versions": versions,
        }
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer

    def one_version(self, request: HttpRequest, key: uuid.UUID, number: int) -> HttpResponse:
        """What a version changed, compared with the one before it, and with what runs now."""
        chain = self.reach(request, str(key))
        version = _kept(chain, number)
        before = RuleChainVersion.objects.filter(chain=chain, number__lt=number).order_by("-number").first()
        newest = _kept(chain, chain.version)
        values = self.has_change_permission(request, chain)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{chain.name}, version {number}",
            "chain": chain,
            "line": looks.version_line(version, chain),
            "before": before,
            "changes": looks.changes_of(before.definition, version.definition, values=values) if before else [],
            "nodes": len(version.definition["nodes"]),
            "since": looks.changes_of(version.definition, newest.definition, values=values),
            "may_restore": values and number != chain.version,
        }
        return render(request, "rules/admin/version.html", context)

    def restore(self, request: HttpRequest, key: uuid.UUID, number: int) -> HttpResponse:
        """Make the chain what it was, as a new version."""
        chain = self.reach(request, str(key), Action.MANAGE)
        try:
            made = restore_version(chain, number)
        except PlatformError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request, f"{made} is again what it was in version {number}; that is version {made.version}."
            )
        return HttpResponseRedirect(self.page_of(key))

    def make_root(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Make it the root of its type."""
        chain = self.reach(request, str(key), Action.MANAGE)
        set_root(chain, chain.type)
        messages.success(request, f"{chain} is the root now.")
        return HttpResponseRedirect(self.page_of(key))


def _kept(chain: RuleChain, number: int) -> RuleChainVersion:
    found = RuleChainVersion.objects.filter(chain=chain, number=number).first() if number < 2**63 else None
    if found is None:
        raise Http404
    return found
