"""Device profiles."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_POST

from devices.models import DeviceProfile
from devices.services import profiles
from tenants.admin.filters import OwnerFilter
from tenants.admin.gate import TENANT, GatedAdmin
from thingsboard.kernel.entities import Action


@admin.register(DeviceProfile)
class DeviceProfileAdmin(GatedAdmin):
    """Device profiles. How devices register themselves is the API's to change: it comes with secrets."""

    made_by = changed_by = removed_by = TENANT
    list_display = ("name", "tenant", "transport_type", "is_default")
    list_select_related = ("tenant",)
    list_filter = (("tenant", OwnerFilter), "transport_type")
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    fields = ("name", "description", "transport_type", "is_default", "provision_type")
    readonly_fields = ("is_default", "provision_type")
    change_form_outer_before_template = "devices/admin/profile.html"

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A profile of the caller's tenant."""
        user: Any = request.user
        return profiles.create_profile(user.tenant_id, **_said(form))

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """What the form says of it."""
        profiles.update_profile(obj, version=form.version, **_said(form))

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Unless devices have it."""
        profiles.delete_profile(obj)

    def get_urls(self) -> list[Any]:
        """With making it the default."""
        view = self.admin_site.admin_view(require_POST(self.make_default))
        return [path("<uuid:key>/default/", view, name="devices_deviceprofile_default"), *super().get_urls()]

    def make_default(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Make it the profile of devices for which none is chosen."""
        profile = self.reach(request, str(key), Action.MANAGE)
        profiles.set_default_profile(profile)
        messages.success(request, f"{profile} is the default now.")
        return HttpResponseRedirect(self.page_of(key))


def _said(form: Any) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("name", "description", "transport_type")}
