"""Reading packets: whatever comes, it is a Connect or a clear refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.mqtt.client import connect
from thingsboard.transports.mqtt import packets, topics
from thingsboard.transports.mqtt.packets import Connect, Malformed, WrongVersion


@given(st.integers(0, 2**28 - 1))
def test_a_remaining_length_is_read_as_it_was_written(length: int) -> None:
    digits, rest = b"", length
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        digits += bytes((digit | 0x80 if rest else digit,))
        if not rest:
            break
    assert packets.remaining_length(b"\x30" + digits + b"tail", 1) == (length, 1 + len(digits))
    for cut in range(len(digits)):
        assert packets.remaining_length(b"\x30" + digits[:cut], 1) == (-1, 1)


def test_a_fifth_length_byte_is_an_error() -> None:
    with pytest.raises(Malformed):
        packets.remaining_length(b"\x30\x80\x80\x80\x80\x01", 1)


@given(st.binary(max_size=5000).filter(bool))
def test_a_packet_carries_its_length(body: bytes) -> None:
    whole = packets.packet(0x30, body)
    length, start = packets.remaining_length(whole, 1)
    assert (length, whole[start:]) == (len(body), body)


def test_a_connect_says_who_it_is() -> None:
    whole = connect("token", "id", keep_alive=7, password="secret", will=("topic", b"gone"))
    _, start = packets.remaining_length(whole, 1)
    assert packets.parse_connect(whole[start:]) == Connect(4, True, 7, "id", "token", b"secret")


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"\x00\x04MQTT\x04" + tail))
def test_no_bytes_whatever_do_more_than_be_refused(body: bytes) -> None:
    try:
        assert isinstance(packets.parse_connect(body), Connect)
    except (Malformed, WrongVersion):
        pass
    for with_qos in (True, False):
        try:
            packets.check_filters(body, with_qos)
        except Malformed:
            pass


@pytest.mark.parametrize(
    ("topic", "pattern", "covered"),
    [
        ("v2/a", "v2/a", True),
        ("v2/a/j", "v2/a", False),
        ("v1/devices/me/rpc/request/1", "v1/devices/me/rpc/request/+", True),
        ("v1/devices/me/rpc/request/1/2", "v1/devices/me/rpc/request/+", False),
        ("v1/devices/me/rpc/request", "v1/devices/me/rpc/request/+", False),
        ("v2/fw/response/1/chunk/0", "v2/fw/response/+/chunk/+", True),
        ("v2/fw/response/1/chunk/0", "v2/fw/response/+", False),
    ],
)
def test_a_filter_covers_a_topic_level_by_level(topic: str, pattern: str, covered: bool) -> None:
    assert topics.matches(topic, pattern) is covered
