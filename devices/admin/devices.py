"""Devices: a list that stays quick when it is long, and a page with all that an operator asks of one."""

import uuid
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse

from devices.admin import values
from devices.admin.connect import commands
from devices.admin.filters import ActiveFilter
from devices.admin.sharing import shares_page
from devices.models import CredentialsType, Device, DeviceCredentials
from devices.services.assignments import assign, unassign
from devices.services.credentials import random_token, update_credentials
from devices.services.devices import DeviceFields, create_device, delete_device, update_device
from devices.services.disclosure import disclose_credentials
from tenants.admin.filters import OwnerFilter, ReachFilter
from tenants.admin.gate import TENANT, GatedAdmin, ServedForm
from tenants.admin.members import serve
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import PlatformError


class DeviceForm(ServedForm):
    """A device, and for a new one its access token."""

    token = forms.CharField(
        label="Access token", required=False, max_length=32, help_text="Leave it empty for a random one."
    )


@admin.register(Device)
class DeviceAdmin(GatedAdmin):
    """Devices."""

    erases = True
    made_by = changed_by = removed_by = TENANT
    form = DeviceForm
    list_display = ("name", "is_active", "profile", "tenant", "customer", "label", "credentials_type")
    list_select_related = ("profile", "tenant", "customer", "credentials")
    list_filter = (
        ActiveFilter, ("profile", ReachFilter), ("customer", ReachFilter), ("tenant", OwnerFilter),
        "credentials__credentials_type",
    )  # fmt: skip
    search_fields = ("name__istartswith", "label__istartswith")
    ordering = ("name",)
    sortable_by = ("name",)
    autocomplete_fields = ("profile", "customer")
    fields = ("name", "label", "profile", "customer", "tenant", "credentials_type")
    readonly_fields = ("tenant", "credentials_type")
    add_fieldsets = ((None, {"fields": ("name", "label", "profile", "customer", "token")}),)
    change_form_outer_before_template = "devices/admin/device_links.html"
    change_form_outer_after_template = "devices/admin/device_values.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        """With whether each is active."""
        rows: Any = super().get_queryset(request)
        return rows.with_activity()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Without a profile it gets the default one."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        if "profile" in made.base_fields:
            made.base_fields["profile"].required = False
        return made

    @admin.display(description="active", boolean=True)
    def is_active(self, device: Any) -> bool:
        """Whether it was heard lately."""
        return bool(device.active)

    @admin.display(description="credentials")
    def credentials_type(self, device: Device) -> str:
        """Their type; nothing of them is decrypted."""
        return device.credentials.credentials_type if hasattr(device, "credentials") else "-"

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A device of the caller's tenant."""
        user: Any = request.user
        said = form.cleaned_data
        return create_device(
            user.tenant_id, _fields(said), token=said.get("token") or None, customer=said.get("customer")
        )

    @transaction.atomic
    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """What the form says of it; what it does not show stays."""
        kept = Device.objects.get(pk=obj.pk)
        fields = replace(
            _fields(form.cleaned_data),
            device_data=kept.device_data,
            firmware_id=kept.firmware_id,
            software_id=kept.software_id,
            external_id=kept.external_id,
            additional_info=kept.additional_info,
        )
        if {"name", "label", "profile"} & set(form.changed_data):
            update_device(kept, fields, version=form.version)
        customer = form.cleaned_data.get("customer")
        if customer != kept.customer:
            if customer is None:
                unassign(kept)
            else:
                assign(kept, customer)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """What it measured goes in the background."""
        delete_device(obj)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """On to what is needed to connect it."""
        messages.success(request, f"The device {obj.name} was made.")
        return HttpResponseRedirect(reverse("admin:devices_device_connect", args=[obj.pk]))

    def get_urls(self) -> list[Any]:
        """With the pages of its credentials and shares."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:key>/connect/", wrap(self.connect), name="devices_device_connect"),
            path("<uuid:key>/shares/", wrap(self.shares), name="devices_device_shares"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With its activity, its values and a chart."""
        context = {**(extra_context or {}), **self._looks(request, object_id)}
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer

    def _looks(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        device = self.reach(request, object_id)
        asked = request.GET
        page, latest = values.latest_page(device.pk, asked.get("page"))
        return {
            "device": device,
            "activity": values.activity_lines(device.pk),
            "page": page,
            "latest": latest,
            "history": values.history(device.pk, asked.get("key", ""), asked.get("window", "")),
            "windows": list(values.WINDOWS),
            "sees_credentials": DeviceCredentials.objects.visible_to(request.user).filter(device=device).exists(),
        }

    def connect(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Its credentials, and commands with them. Reading is in the audit log; a new token ends its sessions."""
        device = self.reach(request, str(key))
        if request.method == "POST":
            return self._renew(request, self.reach(request, str(key), Action.MANAGE))
        try:
            credentials = disclose_credentials(device, request.user)
        except PlatformError:
            raise Http404 from None
        shows_token = credentials.credentials_type == CredentialsType.ACCESS_TOKEN
        context = {
            **self.admin_site.each_context(request),
            "title": f"Connect {device}",
            "device": device,
            "credentials": credentials,
            "token": credentials.credentials_id if shows_token else "",
            "commands": commands(credentials, request),
            "may_renew": self.has_change_permission(request, device),
        }
        return render(request, "devices/admin/connect.html", context)

    def _renew(self, request: HttpRequest, device: Device) -> HttpResponse:
        token = request.POST.get("token", "").strip() or random_token()
        try:
            update_credentials(device, CredentialsType.ACCESS_TOKEN, token)
        except PlatformError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The access token was replaced; sessions with the old credentials end.")
        return HttpResponseRedirect(request.path)

    def shares(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """With whom it is shared."""
        device = self.reach(request, str(key), Action.MANAGE)
        members = shares_page(device, request.user, self.page_of(device.pk))
        context = {**self.admin_site.each_context(request), "title": members.title}
        return serve(request, context, members)


def _fields(said: dict[str, Any]) -> DeviceFields:
    profile = said.get("profile")
    return DeviceFields(name=said["name"], label=said["label"], profile_id=profile.pk if profile else None)
