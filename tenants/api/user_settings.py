"""/api/user/settings*: what pages remember for the user who asks."""

from rest_framework.request import Request
from rest_framework.response import Response

from tenants.models import SettingsKind
from tenants.permissions import caller
from tenants.services.user_settings import (
    MOST_PATHS,
    merge_settings,
    read_settings,
    remove_settings,
    replace_settings,
)
from thingsboard.kernel.api import View
from thingsboard.kernel.errors import BadRequest


class GeneralSettings(View):
    """/api/user/settings and /api/user/settings/general"""

    def get(self, request: Request) -> Response:
        """The settings, {} at first."""
        return Response(read_settings(caller(request), SettingsKind.GENERAL))

    def post(self, request: Request) -> Response:
        """Replace them."""
        return Response(replace_settings(caller(request), SettingsKind.GENERAL, self.body(request)))

    def put(self, request: Request) -> Response:
        """Set the paths that the body names, and leave the rest."""
        merge_settings(caller(request), SettingsKind.GENERAL, self.body(request))
        return Response()


class SettingsOfKind(View):
    """/api/user/settings/{type}; with DELETE, {paths} of the general ones."""

    def get(self, request: Request, settings_type: str) -> Response:
        """The settings of that kind."""
        return Response(read_settings(caller(request), _kind(settings_type)))

    def put(self, request: Request, settings_type: str) -> Response:
        """Set the paths that the body names, and leave the rest."""
        merge_settings(caller(request), _kind(settings_type), self.body(request))
        return Response()

    def delete(self, request: Request, settings_type: str) -> Response:
        """Forget these paths of the general settings; commas between them."""
        remove_settings(caller(request), SettingsKind.GENERAL, _paths(settings_type))
        return Response()


class PathsOfKind(View):
    """/api/user/settings/{type}/{paths}"""

    def delete(self, request: Request, settings_type: str, paths: str) -> Response:
        """Forget these paths of the settings of that kind; commas between them."""
        remove_settings(caller(request), _kind(settings_type), _paths(paths))
        return Response()


def _kind(name: str) -> SettingsKind:
    if name.upper() not in SettingsKind.values:
        raise BadRequest(f"Unknown type of settings '{name[:40]}'; expected one of {', '.join(SettingsKind.values)}")
    return SettingsKind(name.upper())


def _paths(text: str) -> list[str]:
    paths = text.split(",")
    if len(paths) > MOST_PATHS:
        raise BadRequest(f"Too many paths: {len(paths)}; at most {MOST_PATHS} at a time")
    return paths
