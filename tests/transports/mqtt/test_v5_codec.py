"""MQTT 5 as bytes: whatever comes, it is read or clearly refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.mqtt import client5
from thingsboard.transports.mqtt import packets, properties, v5
from thingsboard.transports.mqtt.dialect import MAX_ALIASES, Dialect
from thingsboard.transports.mqtt.packets import Connect, Fields, Malformed, packet, string

EVERYTHING = frozenset(range(256))


def body_of(whole: bytes) -> bytes:
    _, start = packets.remaining_length(whole, 1)
    return whole[start:]


def reason_of(data: bytes, allowed: frozenset[int] = EVERYTHING) -> str:
    with pytest.raises(Malformed) as caught:
        properties.read_properties(Fields(data, "test"), allowed)
    return caught.value.reason


SAMPLES = {
    properties.PAYLOAD_FORMAT: (b"\x01", 1),
    properties.MESSAGE_EXPIRY: (b"\x00\x01\x00\x02", 65538),
    properties.CONTENT_TYPE: (string("json"), "json"),
    properties.RESPONSE_TOPIC: (string("a/b"), "a/b"),
    properties.CORRELATION_DATA: (b"\x00\x02\xff\x00", b"\xff\x00"),
    properties.SUBSCRIPTION_ID: (b"\x80\x01", 128),
    properties.SESSION_EXPIRY: (b"\xff\xff\xff\xff", 2**32 - 1),
    properties.AUTH_METHOD: (string("x"), "x"),
    properties.AUTH_DATA: (b"\x00\x01y", b"y"),
    properties.PROBLEM_INFORMATION: (b"\x00", 0),
    properties.WILL_DELAY: (b"\x00\x00\x00\x05", 5),
    properties.RESPONSE_INFORMATION: (b"\x01", 1),
    properties.REASON_STRING: (string("why"), "why"),
    properties.RECEIVE_MAXIMUM: (b"\x00\x14", 20),
    properties.TOPIC_ALIAS_MAXIMUM: (b"\x00\x00", 0),
    properties.TOPIC_ALIAS: (b"\x00\x07", 7),
    properties.MAXIMUM_PACKET_SIZE: (b"\x00\x00\x10\x00", 4096),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_property_is_read_once_and_cut_nowhere(name: int) -> None:
    raw, value = SAMPLES[name]
    one = bytes((name,)) + raw
    fields = Fields(bytes((len(one),)) + one + b"behind", "test")
    assert properties.read_properties(fields, frozenset({name})) == {name: value}
    assert fields.at == len(one) + 1
    assert reason_of(bytes((2 * len(one),)) + one * 2) == "protocol"
    assert reason_of(bytes((len(one),)) + one, EVERYTHING - {name}) == "properties"
    for cut in range(1, len(one)):
        assert reason_of(bytes((cut,)) + one[:cut]) == "properties"
        assert reason_of(bytes((len(one),)) + one[:cut]) == "properties"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x03\x21\x00\x00", "protocol"),
        (b"\x03\x23\x00\x00", "protocol"),
        (b"\x05\x27\x00\x00\x00\x00", "protocol"),
        (b"\x02\x0b\x00", "protocol"),
        (b"\x02\x17\x02", "protocol"),
        (b"\x02\x01\x02", "protocol"),
        (b"\x05\x03\x00\x02\xff\xfe", "utf8"),
        (b"\x80\x80\x80\x80\x01", "properties"),
        (b"\x06\x0b\xff\xff\xff\xff\x01", "properties"),
        (b"", "test"),
        (b"\x80", "test"),
        (packet(0, b"\x26\x00\x00\x00\x00" * 65)[1:], "user_properties"),
    ],
)
def test_a_property_that_breaks_a_rule_is_named(data: bytes, reason: str) -> None:
    assert reason_of(data) == reason


def test_user_properties_may_be_repeated_and_are_left_out() -> None:
    pair = b"\x26" + string("a") + string("b")
    assert properties.read_properties(Fields(packet(0, pair * 3)[1:], "test"), EVERYTHING) == {}


def test_a_connect_says_who_it_is_and_what_it_takes() -> None:
    asked = b"\x11\x00\x00\x00\x3c\x21\x00\x05\x27\x00\x00\x04\x00\x17\x00\x22\x00\x09"
    connect, terms = v5.read_connect(body_of(client5.connect("token", "id", keep_alive=7, properties=asked)))
    assert connect == Connect(5, True, 7, "id", "token", None)
    assert terms == v5.Terms(5, 1024, 60, False)
    will = b"\x18\x00\x00\x00\x01" + string("topic") + b"\x00\x01x"
    connect, terms = v5.read_connect(body_of(client5.connect("token", will=bytes((5,)) + will)))
    assert (connect.user, terms) == ("token", v5.Terms())


TAILS = st.binary(max_size=80)


@given(
    TAILS
    | TAILS.map(lambda tail: b"\x00\x04MQTT\x05" + tail)
    | TAILS.map(lambda tail: b"\x00\x04MQTT\x05\xc2\0\0" + tail)
)
def test_no_first_packet_does_more_than_be_refused(body: bytes) -> None:
    try:
        v5.read_connect(body)
    except (Malformed, v5.Unwelcome):
        pass


@given(st.lists(st.tuples(st.integers(0, 255), TAILS | TAILS.map(lambda tail: b"\0\1" + tail)), max_size=8))
def test_no_packets_raise_anything_but_malformed(conversation: list[tuple[int, bytes]]) -> None:
    dialect = Dialect(v5.Terms())
    for head, body in conversation:
        try:
            plain = dialect.inward(head, body)
        except Malformed:
            continue
        if head in (0x82, 0xA2):
            packets.check_filters(plain, with_qos=head == 0x82)


@given(st.binary(max_size=300), st.integers(0, 1), st.text("abc/", min_size=1, max_size=40))
def test_a_publish_survives_its_translation_both_ways(payload: bytes, qos: int, topic: str) -> None:
    plain = packet(0x30 | qos << 1, string(topic) + (b"\x12\x34" if qos else b"") + payload)
    there = v5.publish(plain)
    assert there == client5.publish(payload, 0x1234 if qos else 0, topic=topic)
    back = Dialect(v5.Terms()).inward(there[0], body_of(there))
    assert packet(there[0], back) == plain


def test_an_alias_stands_for_the_topic_it_was_last_given_with() -> None:
    dialect = Dialect(v5.Terms())

    def send(topic: str, alias: int) -> bytes:
        return dialect.inward(0x30, string(topic) + b"\x03\x23" + alias.to_bytes(2, "big") + b"x")

    assert send("a", 1) == send("", 1) == string("a") + b"x"
    assert send("b", 1) == send("", 1) == string("b") + b"x"
    assert send("c", MAX_ALIASES) == string("c") + b"x"
    for topic, alias in (("d", MAX_ALIASES + 1), ("", 2)):
        with pytest.raises(Malformed) as caught:
            send(topic, alias)
        assert v5.goodbye_code(caught.value.reason) == 0x94
    with pytest.raises(Malformed) as caught:
        dialect.inward(0x30, string("") + b"\x00x")
    assert v5.goodbye_code(caught.value.reason) == 0x82


def test_a_refusal_has_a_sentence_only_for_who_wants_it_and_can_take_it() -> None:
    ack = b"\x40\x02\x00\x07"
    short = b"\x40\x03\x00\x07\x99"
    assert Dialect(v5.Terms()).refused(ack, 0x99, "bad") == b"\x40\x0a\x00\x07\x99\x06\x1f\x00\x03bad"
    assert Dialect(v5.Terms(problem_information=False)).refused(ack, 0x99, "bad") == short
    assert Dialect(v5.Terms(maximum_packet=8)).refused(ack, 0x99, "bad") == short
    long = Dialect(v5.Terms()).refused(ack, 0x99, "x" * 5000 + "\ud800")
    assert len(body_of(long)) == 2 + 1 + 2 + 3 + v5.MAX_REASON_STRING
    assert Dialect(v5.Terms()).refused(ack, 0x99, "\ud800\0")


def test_a_publish_larger_than_the_client_takes_is_not_sent() -> None:
    plain = packet(0x30, string("a") + b"x" * 20)
    assert Dialect(v5.Terms(maximum_packet=26)).outward(plain) == packet(0x30, string("a") + b"\0" + b"x" * 20)
    assert Dialect(v5.Terms(maximum_packet=25)).outward(plain) == b""


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x04", b"\x00\x00", b"\x8e\x05\x11\x00\x00\x00\x00"])
def test_a_disconnect_may_be_short(body: bytes) -> None:
    assert Dialect(v5.Terms()).inward(0xE0, body) == b""


def test_a_disconnect_cannot_prolong_a_session_that_was_to_end() -> None:
    prolong = b"\x00\x05\x11\x00\x00\x00\x01"
    with pytest.raises(Malformed):
        Dialect(v5.Terms()).inward(0xE0, prolong)
    assert Dialect(v5.Terms(session_expiry=9)).inward(0xE0, prolong) == b""
