"""Payloads of devices to writes, by the one decoder that all protocols share."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings

from telemetry.json import Rules, attributes_from_json, telemetry_from_json
from telemetry.points import Scope
from telemetry.writer import Write
from thingsboard.kernel.batch import Refused
from thingsboard.transports.messages import Uplink, UplinkKind

_CLIENT = int(Scope.CLIENT)


class Decoded(NamedTuple):
    """What a message asks to be written, and whose plan says where: either series or attributes, never both."""

    write: Write
    tenant_id: uuid.UUID
    profile_id: uuid.UUID


class Decoder:
    """Turns a batch of messages into writes. Each message gets its time stamp here, once, in order of arrival."""

    def __init__(self) -> None:
        self._rules = Rules(
            cast=settings.TB_JSON_TYPE_CAST,
            longest_string=settings.TB_MAX_STRING_VALUE_LENGTH,
            most_keys=settings.TB_MAX_KEYS_PER_MESSAGE,
        )

    def decode(self, messages: Sequence[Uplink]) -> tuple[list[Decoded], list[int], dict[int, Refused]]:
        """What is to be written, the index of the message that each comes from, and what was refused, by index.

        A message without a single value (all null, or empty) is neither: nothing has to be written, so it counts as done.
        """
        rules = self._rules
        telemetry = UplinkKind.TELEMETRY
        writes: list[Decoded] = []
        origin: list[int] = []
        refusals: dict[int, Refused] = {}
        for index, (session, kind, payload, arrived_ms, _) in enumerate(messages):
            entity = session.entity
            try:
                if kind is telemetry:
                    readings = telemetry_from_json(payload, arrived_ms, rules, stamp=session.clock.stamp)
                    if readings:
                        write = Write(session.tenant, [(entity, ts, values) for ts, values in readings])
                        writes.append(Decoded(write, session.tenant_id, session.profile_id))
                        origin.append(index)
                else:
                    values = attributes_from_json(payload, rules)
                    if values:
                        write = Write(session.tenant, (), [(entity, _CLIENT, arrived_ms, values)])
                        writes.append(Decoded(write, session.tenant_id, session.profile_id))
                        origin.append(index)
            except ValueError as error:
                refusals[index] = Refused("payload", str(error))
        return writes, origin, refusals
