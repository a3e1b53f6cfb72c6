"""The thinnest complete path through a running platform, with the clients that people use."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.e2e.api import Api
from tests.transports.mqtt.client import ATTRIBUTES, TELEMETRY, Device, puback, publish, subscribe
from tests.up import Up, platforms
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

A1, A1_TOKEN = "Test Device A1", "A1_TEST_TOKEN"


@pytest.fixture(scope="module")
def platform(disk_dir: Path) -> Iterator[Up]:
    """A whole platform with the demo's users and devices, which stand still."""
    starting = platforms()
    platform = next(starting)(disk_dir, TB_DEMO=0)
    platform.await_ready()
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


def publish_with_paho(port: int, token: str, payload: str) -> None:
    """Publish with QoS 1 and return when it is acknowledged."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(token)
    client.connect("127.0.0.1", port)
    client.loop_start()
    message = client.publish(TELEMETRY, payload, qos=1)
    message.wait_for_publish(10)
    assert message.is_published()
    client.disconnect()
    client.loop_stop()


def in_table(platform: Up, device_id: str, key: str) -> list[object]:
    """The values of a key in history, oldest first."""
    with platform.database() as connection:
        rows = connection.execute(
            "SELECT coalesce(to_jsonb(long_v), to_jsonb(dbl_v), to_jsonb(str_v)) FROM ts_kv_all "
            "JOIN ts_key key ON key.id = key_id WHERE entity_id = %s AND key.name = %s ORDER BY ts",
            [device_id, key],
        )
        return [value for (value,) in rows]


def test_a_value_published_with_paho_is_in_the_api_and_in_the_table(platform: Up) -> None:
    publish_with_paho(platform.mqtt_port, A1_TOKEN, '{"temperature":25.5,"serial":"X1"}')
    api = Api(platform.http_port)
    device_id = api.device_id(A1)
    assert api.latest(device_id, "temperature", "serial") == {"temperature": "25.5", "serial": "X1"}
    assert in_table(platform, device_id, "temperature") == [25.5]


def test_a_value_published_with_mosquitto_pub_is_in_the_api_and_in_the_table(platform: Up) -> None:
    program = shutil.which("mosquitto_pub")
    if program is None:
        assert not os.environ.get("CI"), "mosquitto_pub must be installed where CI is set"
        pytest.skip("mosquitto_pub is not installed")
    subprocess.run(
        [program, "-d", "-q", "1", "-h", "127.0.0.1", "-p", str(platform.mqtt_port), "-t", TELEMETRY,
         "-u", "DHT11_DEMO_TOKEN", "-m", '{"humidity":61}'],
        check=True, timeout=20, capture_output=True,
    )  # fmt: skip
    api = Api(platform.http_port)
    device_id = api.device_id("DHT11 Demo Device")
    assert api.latest(device_id, "humidity") == {"humidity": "61"}
    assert in_table(platform, device_id, "humidity") == [61]


async def test_nothing_that_a_device_publishes_reaches_another_whatever_that_subscribes_to(platform: Up) -> None:
    listener = await Device.enter(platform.mqtt_port, "B1_TEST_TOKEN", client_id="one")
    filters = [
        "#", "+/+/+/telemetry", "+/+/+/+", "v1/#", "v1/devices/+/attributes", "$SYS/#", "/#", "$share/group/#",
        TELEMETRY, ATTRIBUTES, "v1/devices/me/rpc/request/+", "v1/devices/me/attributes/response/+", "v2/a", "v1/gateway/rpc",
    ]  # fmt: skip
    for number, each in enumerate(filters, 1):
        listener.send(subscribe(each, packet_id=number))
        answer = await listener.receive()
        assert answer[:4] == b"\x90\x03" + number.to_bytes(2, "big"), each
        assert answer[4] == 128 or ("#" not in each and each not in (TELEMETRY, "+/+/+/telemetry")), each
    other = await Device.enter(platform.mqtt_port, "C1_TEST_TOKEN", client_id="one")
    for number, topic in enumerate([TELEMETRY, ATTRIBUTES, *filters[10:], "v1/devices/me/rpc/request/1"], 1):
        if "+" not in topic:
            other.send(publish(b'{"secret":1}', number, topic=topic))
            assert await other.receive() == puback(number), topic
    assert await listener.silent(0.5)
    listener.send(b"\xc0\x00")
    assert await listener.receive() == b"\xd0\x00"
    await listener.leave()
    await other.leave()
    api = Api(platform.http_port)
    assert in_table(platform, api.device_id("Test Device B1"), "secret") == []
    assert in_table(platform, api.device_id("Test Device C1"), "secret") == [1]


def test_after_ctrl_c_and_a_new_start_data_users_and_tokens_are_still_there(platform: Up) -> None:
    publish_with_paho(platform.mqtt_port, A1_TOKEN, '{"before":1}')
    api = Api(platform.http_port)
    device_id = api.device_id(A1)
    platform.meet()
    platform.process.send_signal(signal.SIGINT)
    assert platform.process.wait(60) == 0
    assert platform.orphans() == []
    platform.start()
    platform.await_ready()
    assert api.latest(device_id, "before") == {"before": "1"}  # with the token of before
    assert Api(platform.http_port).device_id(A1) == device_id
    publish_with_paho(platform.mqtt_port, A1_TOKEN, '{"after":2}')
    assert api.latest(device_id, "before", "after") == {"before": "1", "after": "2"}


def test_a_second_instance_beside_it_shares_nothing(platform: Up, up: Callable[..., Up], disk_dir: Path) -> None:
    second = up(disk_dir / "second", TB_DEMO=0)
    second.await_ready()
    publish_with_paho(second.mqtt_port, A1_TOKEN, '{"here":1}')
    theirs, ours = Api(second.http_port), Api(platform.http_port)
    assert theirs.latest(theirs.device_id(A1), "here") == {"here": "1"}
    assert theirs.device_id(A1) != ours.device_id(A1)
    assert in_table(platform, ours.device_id(A1), "here") == []
    until(lambda: platform.health() == 200)
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0
    assert second.orphans() == []
