"""Groups of users, and who is in them."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tenants.admin.filters import OwnerFilter
from tenants.admin.gate import TENANT, GatedAdmin
from tenants.admin.members import Line, Members, named, serve
from tenants.models import User, UserGroup
from tenants.services import groups
from thingsboard.kernel.entities import Action


@admin.register(UserGroup)
class UserGroupAdmin(GatedAdmin):
    """Groups of users."""

    made_by = changed_by = removed_by = TENANT
    list_display = ("name", "tenant")
    list_select_related = ("tenant",)
    list_filter = (("tenant", OwnerFilter),)
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    fields = ("name",)
    change_form_outer_before_template = "tenants/admin/group.html"

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A group of the caller's tenant."""
        user: Any = request.user
        return groups.create_user_group(user.tenant_id, form.cleaned_data["name"])

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """Rename it."""
        groups.update_user_group(obj, form.cleaned_data["name"], additional_info=obj.additional_info)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """With what was shared with it."""
        groups.delete_user_group(obj)

    def get_urls(self) -> list[Any]:
        """With the page of its members."""
        page = path("<uuid:key>/members/", self.admin_site.admin_view(self.members), name="tenants_usergroup_members")
        return [page, *super().get_urls()]

    def members(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Who is in it: customer users of its tenant."""
        group = self.reach(request, str(key), Action.MANAGE)
        members = Members(
            title=f"Members of {group}",
            back=self.page_of(group.pk),
            hint="E-mail addresses of customer users, one on each line",
            rows=group.members,
            line=lambda user: Line(str(user.pk), user.email, str(user.customer or "")),
            add=lambda names, _: groups.add_members(
                group, [user.pk for user in named(User, request.user, "email", names)]
            ),
            remove=lambda user: groups.remove_members(group, [key_of(user)]),
        )
        context = {**self.admin_site.each_context(request), "title": members.title}
        return serve(request, context, members)


def key_of(text: str) -> uuid.UUID:
    """A key that a form sent; the null UUID, which nothing has, for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
