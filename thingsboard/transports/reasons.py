"""Why something was refused, in words for the owner of a device. The codes are those that are counted, too.

A code without a sentence here is one that comes with its own (a payload's error says what was wrong in it).
"""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    # Who is it?
    "wrong_token": "No device has this access token, or this client id, user name and password.",
    "no_token": "No access token was sent; over MQTT it is the user name.",
    "unknown_client_id": "No device has this client id, and no user name was sent; over MQTT it is the access token.",
    "unknown_certificate": "No device has this certificate.",
    "expired_certificate": "The certificate is not in force: it has expired, or its time has not begun.",
    "blocked": "Too many wrong credentials came from this address (TB_MQTT_AUTH_BLOCK_ATTEMPTS).",
    "transport_type": "The device's profile wants another transport than this one.",
    "credentials": "The device's token was changed, its profile was changed, or the device was deleted.",
    "takeover": "Another connection with the same token took the place of this one; each device needs a token of its own.",
    # The platform.
    "database": "The database did not answer in time; it will be tried again by a device that connects again.",
    "disk": "The disk of the database is nearly full, so nothing is stored until there is room.",
    "backlog": "Too many messages of this tenant wait for the rule engine.",
    "overload": "Too much was waiting for the database already.",
    "timeout": "The database did not confirm in time; the data may still have been stored.",
    "internal": "An error of the platform; its log says more.",
    "too_many_connections": "The process has as many connections as TB_MQTT_MAX_CONNECTIONS allows.",
    # The way a client speaks.
    "connect_timeout": "No complete CONNECT came within TB_MQTT_CONNECT_TIMEOUT; a TLS client on the plain port does this.",
    "silence": "Nothing came for one and a half times the keep-alive (or TB_MQTT_IDLE_TIMEOUT): the network was gone.",
    "slow_consumer": "It does not read what is sent to it, and TB_MQTT_WRITE_BUFFER was full.",
    "version": "It speaks another version of MQTT than 3.1, 3.1.1 and 5.",
    "first_packet": "The first bytes were no MQTT CONNECT; HTTP or TLS on the plain MQTT port looks like this.",
    "connect": "A malformed CONNECT.",
    "connect_size": "A CONNECT of over 8,192 bytes.",
    "second_connect": "A second CONNECT on one connection.",
    "auth": "Enhanced authentication (MQTT 5), which is not spoken here.",
    "packet_size": "A packet that is too large for TB_MQTT_MAX_PAYLOAD.",
    "payload_size": "A payload that is larger than TB_MQTT_MAX_PAYLOAD, or TB_HTTP_MAX_PAYLOAD, allows.",
    "packet_type": "A packet that a client does not send, or a malformed one.",
    "packet_id": "A packet id of 0, or none where one is due.",
    "publish": "A malformed PUBLISH.",
    "subscribe": "A malformed SUBSCRIBE or UNSUBSCRIBE, or one of over 64 filters.",
    "topic": "A topic that is empty, or has a wildcard or U+0000 in it.",
    "utf8": "A text that is not UTF-8, or has U+0000 in it.",
    "length": "A length that takes more than four bytes.",
    "qos": "A QoS of 3.",
    "properties": "Malformed properties of MQTT 5.",
    "protocol": "A violation of MQTT 5.",
    "receive_maximum": "More unacknowledged publishes than the Receive Maximum of CONNACK.",
    "unreleased": "More publishes of QoS 2 without their PUBREL than TB_MQTT_MAX_UNACKED.",
    "early_release": "A PUBREL before its PUBREC.",
    "topic_alias": "An unknown topic alias, or one above 16.",
    "user_properties": "More than 64 user properties in one packet.",
    "subscription_id": "A subscription identifier, which CONNACK said there are none of.",
    # What it sends.
    "unknown_topic": "Nothing is made of messages on this topic.",
    "unsupported_topic": "This topic is known, but nothing is made of its messages yet.",
    "resource": "There is no such resource under /api/v1/{token}/.",
    "method": "Another method than the resource has.",
    "rate": "It sends faster than it can be served: its time stamps would run more than a second ahead.",
    # Of the list itself.
    "other": "More different refusals at once than are told apart.",
}

# What is no trouble of a device: the platform's own doings.
UNTOLD: Final = frozenset({"", "probe", "shutdown", "unavailable"})


def sentence(code: str) -> str:
    """The reason in words."""
    return SENTENCES.get(code, "")
