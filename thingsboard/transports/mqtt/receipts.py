"""QoS 2 towards us: which packet ids were received and not released yet (MQTT 3.1.1, 4.3.3, method A)."""

from thingsboard.transports.mqtt.packets import PUBREC, Malformed


class Receipts:
    """Packet id -> whether its message is committed; bounded. It lives as long as the connection."""

    __slots__ = ("_committed", "_limit")

    def __init__(self, limit: int) -> None:
        self._committed: dict[bytes, bool] = {}
        self._limit = limit

    def __len__(self) -> int:
        return len(self._committed)

    def receive(self, packet_id: bytes, committed: bool) -> bool | None:
        """Remember the id. None when it is new; else a repetition: True when it can be answered with PUBREC again.

        Raises Malformed when more ids than the limit wait for their PUBREL.
        """
        known = self._committed.get(packet_id)
        if known is None:
            if len(self._committed) >= self._limit:
                raise Malformed("unreleased")
            self._committed[packet_id] = committed
        return known

    def commit(self, acks: list[bytes]) -> None:
        """These answers are about to be sent; mark those that are PUBRECs."""
        for ack in acks:
            if ack[:2] == PUBREC:
                self._committed[ack[2:]] = True

    def forget(self, packet_id: bytes) -> None:
        """The message was refused in the words of MQTT 5, after which no PUBREL comes."""
        self._committed.pop(packet_id, None)

    def release(self, packet_id: bytes) -> bool:
        """PUBREL. False for an id we do not know: it comes from an earlier connection, or its message was refused.

        Raises Malformed before the commit.
        """
        committed = self._committed.pop(packet_id, None)
        if committed is False:
            raise Malformed("early_release")
        return committed is not None
