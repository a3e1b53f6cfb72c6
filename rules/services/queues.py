"""Writes of queues (compat/data_model.md 3). What they mean to messages, the engine says."""

import enum
import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from rules.models import Queue, RuleNode
from rules.services.chains import profile_models
from rules.services.epoch import raise_epoch
from tenants.models import ActionType
from tenants.services import audit
from tenants.services.tenants import require_version
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting, not_found
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

MAIN = "Main"
NAME_TAKEN = {"rules_queue_name_key": "Queue with such name already exists!"}
LONGEST_NAME = 64
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LARGEST = 2**31 - 1


class SubmitStrategy(enum.StrEnum):
    """In which order messages of a batch are handed out."""

    BURST = "BURST"
    BATCH = "BATCH"
    SEQUENTIAL_BY_ORIGINATOR = "SEQUENTIAL_BY_ORIGINATOR"
    SEQUENTIAL_BY_TENANT = "SEQUENTIAL_BY_TENANT"
    SEQUENTIAL = "SEQUENTIAL"


class ProcessingStrategy(enum.StrEnum):
    """What becomes of those that failed or took too long."""

    SKIP_ALL_FAILURES = "SKIP_ALL_FAILURES"
    SKIP_ALL_FAILURES_AND_TIMED_OUT = "SKIP_ALL_FAILURES_AND_TIMED_OUT"
    RETRY_ALL = "RETRY_ALL"
    RETRY_FAILED = "RETRY_FAILED"
    RETRY_TIMED_OUT = "RETRY_TIMED_OUT"
    RETRY_FAILED_AND_TIMED_OUT = "RETRY_FAILED_AND_TIMED_OUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFields:
    """What a caller may say about a queue. Times in ms, of the processing strategy in s."""

    name: str
    topic: str
    poll_interval: int = 25
    partitions: int = 10
    consumer_per_partition: bool = True
    pack_processing_timeout: int = 2000
    submit_strategy: dict[str, Any]
    processing_strategy: dict[str, Any]
    additional_info: dict[str, Any] | None = None


def _system_queue(name: str, topic: str, submit: tuple[str, int], processing: tuple[str, int, int]) -> QueueFields:
    (order, batch), (strategy, retries, pause) = submit, processing
    return QueueFields(
        name=name,
        topic=f"tb_rule_engine.{topic}",
        submit_strategy={"type": order, "batchSize": batch},
        processing_strategy={
            "type": strategy,
            "retries": retries,
            "failurePercentage": 0,
            "pauseBetweenRetries": pause,
            "maxPauseBetweenRetries": pause,
        },
    )


# compat/rule_engine.md, "Dispatch and queues"
SYSTEM_QUEUES = (
    _system_queue(MAIN, "main", ("BURST", 1000), ("SKIP_ALL_FAILURES", 3, 3)),
    _system_queue("HighPriority", "hp", ("BURST", 100), ("RETRY_FAILED_AND_TIMED_OUT", 0, 5)),
    _system_queue(
        "SequentialByOriginator", "sq", ("SEQUENTIAL_BY_ORIGINATOR", 100), ("RETRY_FAILED_AND_TIMED_OUT", 3, 5)
    ),
)


def seed_queues() -> None:
    """The three queues of every installation, where there is not even the main one yet."""
    if Queue.objects.filter(name=MAIN).exists():
        return
    for fields in SYSTEM_QUEUES:
        Queue.objects.get_or_create(
            name=fields.name,
            defaults={each: getattr(fields, each) for each in QueueFields.__dataclass_fields__ if each != "name"},
        )


@transaction.atomic
def create_queue(fields: QueueFields) -> Queue:
    """A queue of the system. Raises BadRequest."""
    queue = Queue(name=fields.name)
    with audit.deed(ActionType.ADDED, EntityType.QUEUE, queue) as entry:
        _fill(queue, fields)
        with refusing(NAME_TAKEN):
            queue.save(force_insert=True)
        entry.after(queue)
    raise_epoch()
    return queue


@transaction.atomic
def update_queue(queue: Queue, fields: QueueFields, *, version: int | None = None) -> Queue:
    """Replace everything that `fields` says; name and topic stay what they are.

    Raises BadRequest, NotFound, and VersionConflict when `version` is given and is not the present one.
    """
    queue = _locked(queue)
    require_version(queue, version)
    with audit.deed(ActionType.UPDATED, EntityType.QUEUE, queue) as entry:
        entry.before(queue)
        for name in ("name", "topic"):
            if getattr(fields, name) != getattr(queue, name):
                raise BadRequest(f"The queue {name} can't be changed!")
        _fill(queue, fields)
        queue.version += 1
        queue.save()
        entry.after(queue)
    raise_epoch()
    return queue


@transaction.atomic
def delete_queue(queue: Queue) -> None:
    """Delete it. Raises BadRequest for the main one, and while a profile or a rule node names it."""
    queue = _locked(queue)
    with audit.deed(ActionType.DELETED, EntityType.QUEUE, queue) as entry:
        entry.before(queue)
        if queue.name == MAIN:
            raise BadRequest(f"The queue {MAIN} cannot be deleted!")
        raise_epoch()
        for model in profile_models():
            if model._default_manager.filter(default_queue_name=queue.name).exists():
                raise BadRequest(f"The queue referenced by the {model._meta.verbose_name}s cannot be deleted!")
        if RuleNode.objects.filter(queue_name=queue.name).exists():
            raise BadRequest("The queue referenced by the rule nodes cannot be deleted!")
        deleting(EntityType.QUEUE, [queue.pk], None)
        queue.delete()


def _locked(queue: Queue) -> Queue:
    found: Queue | None = Queue.objects.select_for_update().filter(pk=queue.pk).first()
    if found is None:
        raise not_found(EntityType.QUEUE, queue.pk)
    return found


def _fill(queue: Queue, fields: QueueFields) -> None:
    """Set all fields and check them. Raises BadRequest, with ThingsBoard's sentences where it has one."""
    if not fields.name:
        raise BadRequest("Queue name should be specified!")
    if len(fields.name) > LONGEST_NAME or not _NAME.fullmatch(fields.name):
        raise BadRequest(f"Queue name: expected at most {LONGEST_NAME} ASCII letters and digits, '.', '_' and '-'")
    if not fields.topic or any(map(str.isspace, fields.topic)):
        raise BadRequest("Queue topic should be non empty and without spaces!")
    for what, value in (
        ("poll interval", fields.poll_interval),
        ("partitions", fields.partitions),
        ("pack processing timeout", fields.pack_processing_timeout),
    ):
        if not 0 < value <= _LARGEST:
            raise BadRequest(f"Queue {what} should be more then 0!")
    _check_submit(fields.submit_strategy)
    _check_processing(fields.processing_strategy)
    for name in QueueFields.__dataclass_fields__:
        setattr(queue, name, getattr(fields, name))


def _check_submit(strategy: Any) -> None:
    if not isinstance(strategy, dict) or strategy.get("type") not in list(SubmitStrategy):
        raise BadRequest(f"submitStrategy.type: expected one of {', '.join(SubmitStrategy)}")
    batch = strategy.get("batchSize", 1000)
    if not isinstance(batch, int) or isinstance(batch, bool) or not 0 < batch <= _LARGEST:
        raise BadRequest("Queue submit strategy batch size should be more then 0!")


def _check_processing(strategy: Any) -> None:
    if not isinstance(strategy, dict) or strategy.get("type") not in list(ProcessingStrategy):
        raise BadRequest(f"processingStrategy.type: expected one of {', '.join(ProcessingStrategy)}")
    numbers = {}
    for name in ("retries", "failurePercentage", "pauseBetweenRetries", "maxPauseBetweenRetries"):
        value = strategy.get(name, 0)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
            raise BadRequest(f"processingStrategy.{name}: expected a number from 0")
        numbers[name] = value
    if numbers["failurePercentage"] > 100:
        raise BadRequest("Queue processing strategy failure percentage should be in a range from 0 to 100!")
    if numbers["maxPauseBetweenRetries"] < numbers["pauseBetweenRetries"]:
        raise BadRequest(
            "Queue processing strategy MAX pause between retries can't be less then pause between retries!"
        )
