"""Groups of devices: who is in them, and with whom they are shared."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import path

from devices.admin.sharing import shares_page
from devices.models import Device, DeviceGroup
from devices.services import groups
from tenants.admin.filters import OwnerFilter
from tenants.admin.gate import TENANT, GatedAdmin
from tenants.admin.members import Line, Members, named, serve
from tenants.admin.user_groups import key_of
from thingsboard.kernel.entities import Action


@admin.register(DeviceGroup)
class DeviceGroupAdmin(GatedAdmin):
    """Groups of devices."""

    made_by = changed_by = removed_by = TENANT
    list_display = ("name", "tenant")
    list_select_related = ("tenant",)
    list_filter = (("tenant", OwnerFilter),)
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    fields = ("name",)
    change_form_outer_before_template = "devices/admin/group.html"

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A group of the caller's tenant."""
        user: Any = request.user
        return groups.create_device_group(user.tenant_id, form.cleaned_data["name"])

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """Rename it."""
        groups.update_device_group(obj, form.cleaned_data["name"], additional_info=obj.additional_info)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """With its shares; its devices stay."""
        groups.delete_device_group(obj)

    def get_urls(self) -> list[Any]:
        """With the pages of its members and shares."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:key>/members/", wrap(self.members), name="devices_devicegroup_members"),
            path("<uuid:key>/shares/", wrap(self.shares), name="devices_devicegroup_shares"),
            *super().get_urls(),
        ]

    def members(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """The devices in it."""
        group = self.reach(request, str(key), Action.MANAGE)
        return self._serve(
            request,
            Members(
                title=f"Devices of {group}",
                back=self.page_of(group.pk),
                hint="Names of devices, one on each line",
                rows=group.members.order_by("name"),
                line=lambda device: Line(str(device.pk), device.name, device.label),
                add=lambda names, _: groups.add_devices(
                    group, [device.pk for device in named(Device, request.user, "name", names)]
                ),
                remove=lambda device: groups.remove_devices(group, [key_of(device)]),
            ),
        )

    def shares(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """With whom it is shared."""
        group = self.reach(request, str(key), Action.MANAGE)
        return self._serve(request, shares_page(group, request.user, self.page_of(group.pk)))

    def _serve(self, request: HttpRequest, members: Members) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": members.title}
        return serve(request, context, members)
