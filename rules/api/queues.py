"""/api/queues*: queues (compat/rest.tsv, QueueController)."""

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from rules.models import Queue
from rules.services.queues import QueueFields, create_queue, delete_queue, update_queue
from tenants.permissions import Administrator, SystemAdmin
from thingsboard.kernel.api import Query, View, id_of, object_of, path_uuid, text_of
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest, NotFound
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType
from thingsboard.kernel.paging import PageLink

RULE_ENGINE = "TB_RULE_ENGINE"
# Of the others there are no queues in ThingsBoard's API.
SERVICE_TYPES = ("TB_CORE", RULE_ENGINE, "TB_TRANSPORT", "JS_EXECUTOR", "TB_VC_EXECUTOR", "EDQS", "TASK_PROCESSOR")
SORTABLE = {"createdTime": "created_time", "name": "name", "partitions": "partitions"}


def queue_json(queue: Queue) -> dict[str, Any]:
    """A Queue."""
    return {
        "id": EntityId(EntityType.QUEUE, queue.pk).to_json(),
        "createdTime": queue.created_time,
        "tenantId": EntityId(EntityType.TENANT, NULL_UUID).to_json(),
        "name": queue.name,
        "topic": queue.topic,
        "pollInterval": queue.poll_interval,
        "partitions": queue.partitions,
        "consumerPerPartition": queue.consumer_per_partition,
        "packProcessingTimeout": queue.pack_processing_timeout,
        "submitStrategy": queue.submit_strategy,
        "processingStrategy": queue.processing_strategy,
        "additionalInfo": queue.additional_info,
    }


class Queues(View):
    """/api/queues: everybody's to choose from, the system administrator's to keep."""

    permission_classes = [Administrator]

    def get_permissions(self) -> list[Any]:
        """Who may read, or who may write."""
        return [Administrator() if self.request.method in SAFE_METHODS else SystemAdmin()]

    def get(self, request: Request) -> Response:
        """PageData<Queue>; empty for any service but the rule engine."""
        query = Query(request)
        rows = Queue.objects.visible_to(request.user)
        if _service_type(query) != RULE_ENGINE:
            rows = rows.none()
        return Response(PageLink.of(query, sortable=SORTABLE).apply(rows, search=("name",), to_json=queue_json))

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id."""
        body = self.body(request)
        key, fields = id_of(body, "id", EntityType.QUEUE), _fields(body)
        found = None if key is None else _visible(request, str(key))
        if _service_type(Query(request)) != RULE_ENGINE:
            raise BadRequest(f"serviceType: only {RULE_ENGINE} has queues")
        return Response(queue_json(create_queue(fields) if found is None else update_queue(found, fields)))


class OneQueue(View):
    """/api/queues/{id}"""

    permission_classes = [Administrator]

    def get_permissions(self) -> list[Any]:
        """Who may read, or who may write."""
        return [Administrator() if self.request.method in SAFE_METHODS else SystemAdmin()]

    def get(self, request: Request, queue_id: str) -> Response:
        """A Queue."""
        return Response(queue_json(_visible(request, queue_id)))

    def delete(self, request: Request, queue_id: str) -> Response:
        """Delete it, unless it is the main one or something names it."""
        delete_queue(_visible(request, queue_id))
        return Response()


class QueueByName(View):
    """GET /api/queues/name/{name}"""

    permission_classes = [Administrator]

    def get(self, request: Request, queue_name: str) -> Response:
        """A Queue."""
        found = Queue.objects.visible_to(request.user).filter(name=queue_name).first()
        if found is None:
            raise NotFound(f"Queue with name [{queue_name[:64]}] is not found")
        return Response(queue_json(found))


def _visible(request: Request, queue_id: str) -> Queue:
    key = path_uuid(queue_id)
    found: Queue | None = Queue.objects.visible_to(request.user).filter(pk=key).first()
    if found is None:
        raise not_found(EntityType.QUEUE, key)
    return found


def _service_type(query: Query) -> str:
    kind = query.get("serviceType")
    if kind is None:
        raise BadRequest("Required request parameter 'serviceType' is not present")
    kind = kind.upper().replace("-", "_")
    if kind not in SERVICE_TYPES:
        raise BadRequest(f"serviceType: expected one of {', '.join(SERVICE_TYPES)}")
    return kind


def _fields(body: Mapping[str, Any]) -> QueueFields:
    """What a Queue in a request says. Raises BadRequest."""
    strategies = {}
    for name, sentence in (("submitStrategy", "submit"), ("processingStrategy", "processing")):
        strategies[name] = object_of(body, name)
        if strategies[name] is None:
            raise BadRequest(f"Queue {sentence} strategy can't be null!")
    consumer = body.get("consumerPerPartition")
    if consumer is not None and not isinstance(consumer, bool):
        raise BadRequest("consumerPerPartition: expected true or false")
    return QueueFields(
        name=text_of(body, "name"),
        topic=text_of(body, "topic"),
        poll_interval=_whole(body, "pollInterval"),
        partitions=_whole(body, "partitions"),
        consumer_per_partition=consumer is not False,
        pack_processing_timeout=_whole(body, "packProcessingTimeout"),
        submit_strategy=strategies["submitStrategy"] or {},
        processing_strategy=strategies["processingStrategy"] or {},
        additional_info=object_of(body, "additionalInfo"),
    )


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(f"{name}: expected a whole number")
    return value
