"""Answers that are more than one after a commit: QoS 2 towards us, and messages that are answered without being stored."""

from thingsboard.transports.mqtt.packets import PUBREC, Malformed


class Receipts:
    """Which packet ids of QoS 2 were received and not released yet, and whether their messages are committed (MQTT 3.1.1,
    4.3.3, method A); bounded. It lives as long as the connection.
    """

    __slots__ = ("_committed", "_limit", "_owed")

    def __init__(self, limit: int) -> None:
        self._committed: dict[bytes, bool] = {}
        self._limit = limit
        self._owed: list[tuple[int, bytes]] = []  # after how many further settlements, what

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

    def owe(self, answer: bytes, unsettled: int) -> bool:
        """Have an answer sent in its order (MQTT 3.1.1, 4.6), behind those of `unsettled` earlier messages; True when so
        many are owed already that nothing more should be read.
        """
        self._owed.append((unsettled, answer))
        return len(self._owed) >= self._limit

    def commit(self, acks: list[bytes], spoiled: str) -> None:
        """These answers are about to be sent: mark those that are PUBRECs, and put in what is owed between them.

        Nothing is owed any more to who sent a bad message (`spoiled`).
        """
        for ack in acks:
            if ack[:2] == PUBREC:
                self._committed[ack[2:]] = True
        if not self._owed:
            return
        settled, due = len(acks), [] if spoiled else self._owed
        self._owed = [(place - settled, answer) for place, answer in due if place > settled]
        for inserted, (place, answer) in enumerate(due[: len(due) - len(self._owed)]):
            acks.insert(place + inserted, answer)

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
