"""What every page of the admin has in common: who may look, who may change, and that only services write.

A tenant administrator meets its tenant's things alone: in lists, fields, look-ups and histories, what is another's is not
there (404). Who runs the installation looks at everything, which the REST API does not let it do; what it may change, and
whose secrets it may read, `visible_to` says for it as for everybody.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import ModelAdmin

from tenants.access import is_system
from tenants.admin.paging import PAGE, CappedPaginator
from tenants.models import Authority
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import PlatformError

NOBODY: frozenset[str] = frozenset()
SYSTEM: frozenset[str] = frozenset({Authority.SYS_ADMIN})
TENANT: frozenset[str] = frozenset({Authority.TENANT_ADMIN})
OPERATORS = SYSTEM | TENANT

# Where a request remembers why the service refused what its form said.
_REFUSED = "_refused_by_service"


def within_reach(model: type[Model], user: Any, action: Action = Action.VIEW) -> QuerySet[Any]:
    """The rows of `model` with which an operator may do this."""
    rows: Any = model._default_manager.all()
    if is_system(user) and action is Action.VIEW:
        return rows  # type: ignore[no-any-return]
    if action is Action.VIEW:
        return rows.visible_to(user)  # type: ignore[no-any-return]
    return rows.visible_to(user, action)  # type: ignore[no-any-return]


class ServedForm(forms.ModelForm):
    """A form whose fields a service writes: it shows what the service refused, and carries the version that was read."""

    refused = ""
    read_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "read_version" in self.fields:
            self.fields["read_version"].initial = None if self.instance._state.adding else self.instance.version

    def clean(self) -> dict[str, Any] | None:
        """With the service's reason, once it has given one."""
        said = super().clean()
        if self.refused:
            raise ValidationError(self.refused)
        return said

    @property
    def version(self) -> int | None:
        """The version that the user saw; None where there was none."""
        return self.cleaned_data.get("read_version")


class GatedAdmin(ModelAdmin):
    """Shows what the caller may see. Who may make, change and remove is said per class, and by `visible_to` per row."""

    seen_by: ClassVar[frozenset[str]] = OPERATORS
    made_by: ClassVar[frozenset[str]] = NOBODY
    changed_by: ClassVar[frozenset[str]] = NOBODY
    removed_by: ClassVar[frozenset[str]] = NOBODY
    erases: ClassVar[bool] = False  # whether what was measured of a removed one goes in the background
    # What a list may be asked for in its address besides its filters: local fields.
    lookups: ClassVar[frozenset[str]] = frozenset()

    actions: tuple[str, ...] | None = None
    paginator = CappedPaginator
    list_per_page = PAGE
    list_max_show_all = 0
    show_full_result_count = False
    list_filter_submit = True
    form: type[forms.ModelForm] = ServedForm

    def create(self, request: HttpRequest, form: Any) -> Model:
        """Make what the form says, by the service. Raises PlatformError."""
        raise NotImplementedError

    def update(self, request: HttpRequest, form: Any, obj: Model) -> None:
        """Change it as the form says, by the service. Raises PlatformError."""
        raise NotImplementedError

    def remove(self, request: HttpRequest, obj: Model) -> None:
        """Delete it, by the service. Raises PlatformError."""
        raise NotImplementedError

    # Who may do what.

    def may(self, request: HttpRequest, who: frozenset[str], action: Action, obj: Model | None) -> bool:
        """Whether the caller is one of these, and may do this with the row, if one is named."""
        user: Any = request.user
        if not user.is_active or user.authority not in who:
            return False
        return obj is None or within_reach(self.model, user, action).filter(pk=obj.pk).exists()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether there is anything of this for the caller."""
        return self.may(request, self.seen_by, Action.VIEW, None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the caller sees it."""
        return self.may(request, self.seen_by, Action.VIEW, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the caller makes such things."""
        return self.may(request, self.made_by, Action.MANAGE, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the caller changes it."""
        return self.may(request, self.changed_by, Action.MANAGE, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the caller removes it."""
        return self.may(request, self.removed_by, Action.MANAGE, obj)

    # What is there.

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that the caller sees; for everything: lists, pages, look-ups and what refers to them."""
        rows = within_reach(self.model, request.user)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the page offers: any other column could be guessed letter by letter."""
        names = {_name(entry) for entry in self.get_list_filter(request)} | self.lookups
        return any(lookup in {name, f"{name}__exact", f"{name}__id__exact", f"{name}__isnull"} for name in names)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A choice among what the caller sees."""
        kwargs.setdefault("queryset", within_reach(db_field.remote_field.model, request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which shows what the service refused."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.refused = getattr(request, _REFUSED, "")
        return made

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """As declared, with the version that was read where something can be changed."""
        found = list(super().get_fieldsets(request, obj))
        if obj is None or not self.has_change_permission(request, obj):
            return found
        (title, options), *others = found
        return [(title, {**options, "fields": [*options["fields"], "read_version"]}), *others]

    # Writes.

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The form; where the service refuses, everything is rolled back and the form says why."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PlatformError as error:
            setattr(request, _REFUSED, error.message)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """By the service, so that the audit log has it and whoever must hear of it does."""
        if change:
            self.update(request, form, obj)
        else:
            made = self.create(request, form)
            obj.pk, obj._state.adding = made.pk, False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: services write what is related."""

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Ask, and delete; where the service refuses, say why."""
        self.reach(request, object_id)
        try:
            return super().delete_view(request, object_id, extra_context)
        except PlatformError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(self.page_of(object_id))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """By the service."""
        key = obj.pk
        self.remove(request, obj)
        obj.pk = key  # for the answer

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> Any:
        """Say that it is gone, and where the rest of it can be watched going."""
        answer = super().response_delete(request, obj_display, obj_id)
        if self.erases:
            messages.info(request, "What was measured of it is being removed in the background: see Erasures.")
        return answer

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What is asked about: the things themselves. What goes with them the services know; it may be a million rows."""
        return [str(each) for each in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    # What was done is in the audit log, which the services write; Django's own log would say less.

    def log_addition(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def log_change(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def log_deletions(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponseBase:
        """What the audit log has about it."""
        obj = self.reach(request, object_id)
        return HttpResponseRedirect(
            f"{reverse('admin:tenants_auditlog_changelist')}?{urlencode({'entity_id': obj.pk})}"
        )

    # Where things are.

    def reach(self, request: HttpRequest, object_id: str, action: Action = Action.VIEW) -> Any:
        """The row of a path. Raises Http404 for what the caller may not do this with."""
        found = self.get_object(request, object_id)
        who = self.seen_by if action is Action.VIEW else self.changed_by
        if found is None or not self.may(request, who, action, found):
            raise Http404
        return found

    def page_of(self, key: Any) -> str:
        """The path of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[key])

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404


class ShownAdmin(GatedAdmin):
    """Shows, and changes nothing."""

    form = forms.ModelForm


def _name(entry: Any) -> str:
    """By which name a filter is asked for: its field's, or the parameter of its own."""
    if isinstance(entry, str):
        return entry
    return str(entry[0] if isinstance(entry, tuple | list) else entry.parameter_name)
