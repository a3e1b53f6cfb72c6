"""/api/user."""

from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.shapes import user_json
from tenants.models import User
from thingsboard.kernel.api import View, path_uuid
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.ids import EntityType


class OneUser(View):
    """/api/user/{id}"""

    def get(self, request: Request, user_id: str) -> Response:
        """A user that the caller may see."""
        key = path_uuid(user_id)
        user = User.objects.visible_to(request.user).filter(pk=key).first()
        if user is None:
            raise not_found(EntityType.USER, key)
        return Response(user_json(user))
