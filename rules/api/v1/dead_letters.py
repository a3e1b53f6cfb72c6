"""/api/v1/deadLetters: messages that the rule chains could not process; run again or dropped, one by one or many."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rules.services import dead_letters
from rules.services.dead_letters import Done
from tenants.permissions import Administrator
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import NotFound
from thingsboard.kernel.filters import LAST_MS, CreatedBetween
from thingsboard.kernel.models import DeadLetter
from thingsboard.kernel.resources import ResourceViewSet

MOST_IDS = 1000
LAST_ID = 2**63 - 1


class DeadLetterSerializer(serializers.ModelSerializer[DeadLetter]):
    """One in a list: without its message."""

    class Meta:
        model = DeadLetter
        fields: tuple[str, ...] = (
            "id", "created_time", "tenant_id", "queue", "type", "message_id", "originator_type", "originator_id",
            "chain_id", "node_id", "error", "attempts",
        )  # fmt: skip
        read_only_fields = fields


class WholeSerializer(DeadLetterSerializer):
    """With its message. `unreadable` says why there is none."""

    ts = serializers.IntegerField(allow_null=True)
    customer_id = serializers.UUIDField(allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField(), allow_null=True)
    data = serializers.JSONField(allow_null=True)  # type: ignore[assignment]  # a field, whatever a serializer's own is
    unreadable = serializers.CharField()

    class Meta(DeadLetterSerializer.Meta):
        fields = (*DeadLetterSerializer.Meta.fields, "ts", "customer_id", "metadata", "data", "unreadable")
        read_only_fields = fields

    def to_representation(self, instance: DeadLetter) -> dict[str, Any]:
        """The columns, and what the message says."""
        told: dict[str, Any] = dict(DeadLetterSerializer(instance).data)
        found = dead_letters.contents(instance)
        customer = None if found.customer_id is None else str(found.customer_id)
        return {
            **told, "ts": found.ts, "customer_id": customer, "metadata": found.metadata, "data": found.data,
            "unreadable": found.trouble,
        }  # fmt: skip


class DeadLetterFilter(CreatedBetween):
    """What may be asked for; `error` is any part of it, in upper or lower case."""

    error = filters.CharFilter(lookup_expr="icontains", max_length=255)

    class Meta:
        model = DeadLetter
        fields = ("type", "queue", "originator_type", "originator_id", "chain_id", "node_id")


class ChoiceSerializer(serializers.Serializer[Any]):
    """Which ones: those that meet every condition, or `all`. A condition that nobody knows would choose too many."""

    all = serializers.BooleanField(required=False)
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LAST_ID),
        max_length=MOST_IDS, allow_empty=False, required=False,
    )  # fmt: skip
    type = serializers.CharField(max_length=255, required=False)
    queue = serializers.CharField(max_length=255, required=False)
    originator_type = serializers.CharField(max_length=32, required=False)
    originator_id = serializers.UUIDField(required=False)
    chain_id = serializers.UUIDField(required=False)
    node_id = serializers.UUIDField(required=False)
    error = serializers.CharField(max_length=255, required=False)
    since = serializers.IntegerField(min_value=0, max_value=LAST_MS, required=False)
    until = serializers.IntegerField(min_value=0, max_value=LAST_MS, required=False)

    COLUMNS = {
        "ids": "pk__in",
        "error": "error__icontains",
        "since": "created_time__gte",
        "until": "created_time__lt",
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuses what is not a condition, and none at all."""
        said = self.initial_data
        if unknown := sorted(set(said) - set(self.fields)):
            names = ", ".join(self.fields)
            raise serializers.ValidationError(f"'{str(unknown[0])[:40]}' is no condition; expected some of {names}")
        chosen = attrs.pop("all", None)
        if (chosen is True) == bool(attrs):
            raise serializers.ValidationError('Expected conditions, or {"all": true} and nothing else')
        return {self.COLUMNS.get(name, name): value for name, value in attrs.items()}


class DoneSerializer(serializers.Serializer[Done]):
    """What was done. `unreadable`: how many cannot be run again; `more`: there are more, so ask again."""

    done = serializers.IntegerField()
    unreadable = serializers.IntegerField()
    more = serializers.BooleanField()


_KEY = OpenApiParameter("id", int, OpenApiParameter.PATH)


class DeadLetters(ResourceViewSet):
    """Those of the caller's tenant; system administrators have to do with all."""

    rows = DeadLetter.objects.all()
    title = "Dead letter"
    serializer_class = DeadLetterSerializer
    filterset_class = DeadLetterFilter
    permission_classes = [Administrator]
    ordering_fields = ("id", "created_time", "type", "attempts")
    ordering = ("-id",)
    search_fields = ("error", "type")

    def get_queryset(self) -> QuerySet[DeadLetter]:
        """Those of a list without their messages."""
        rows: Any = super().get_queryset()
        return rows.listed() if self.action == "list" else rows  # type: ignore[no-any-return]

    def get_serializer_class(self) -> Any:
        """By what is asked."""
        return {"retrieve": WholeSerializer, "retry_all": ChoiceSerializer, "drop_all": ChoiceSerializer}.get(
            self.action, DeadLetterSerializer
        )

    def get_object(self) -> DeadLetter:
        """The letter of the path. Raises NotFound, also for what is no number."""
        key = self.kwargs["pk"]
        if not (key.isascii() and key.isdigit() and int(key[:20]) <= LAST_ID):
            raise NotFound(f"{self.title} with id [{key}] is not found")
        return super().get_object()  # type: ignore[no-any-return]

    @extend_schema(parameters=[_KEY], responses=WholeSerializer)
    def retrieve(self, request: Request, pk: Any = None) -> Response:
        """One, with its message."""
        return super().retrieve(request, pk)

    @extend_schema(parameters=[_KEY])
    def destroy(self, request: Request, pk: Any = None) -> Response:
        """Drop it: 204."""
        return super().destroy(request, pk)

    def remove(self, found: DeadLetter) -> None:
        """DELETE."""
        dead_letters.drop(found)

    @extend_schema(parameters=[_KEY], request=None, responses={204: None})
    def retry(self, request: Request, pk: Any = None) -> Response:
        """Run it again: 204 once it is in its queue."""
        dead_letters.retry(self.get_object())
        return Response(status=204)

    @extend_schema(operation_id="deadLetters_retry_many", request=ChoiceSerializer, responses=DoneSerializer)
    def retry_all(self, request: Request) -> Response:
        """Run again what the body chooses, the oldest first, at most 10,000 of them."""
        return self._told(dead_letters.retry_all(self._chosen()))

    @extend_schema(operation_id="deadLetters_drop_many", request=ChoiceSerializer, responses=DoneSerializer)
    def drop_all(self, request: Request) -> Response:
        """Drop what the body chooses, the oldest first, at most 10,000 of them."""
        return self._told(dead_letters.drop_all(self._chosen()))

    def _chosen(self) -> QuerySet[DeadLetter]:
        return DeadLetter.objects.visible_to(self.request.user, Action.MANAGE).filter(**self._validated())

    @staticmethod
    def _told(done: Done) -> Response:
        return Response(DoneSerializer(done).data)
