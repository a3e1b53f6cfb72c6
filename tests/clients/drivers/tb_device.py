"""Drives tb-mqtt-client; run by tests/clients/test_tb_mqtt_client.py in the client's own environment.

`python tb_device.py PORT TOKEN BEHAVIOUR` prints one JSON object with what was seen.
"""

import json
import logging
import sys
import time

from tb_device_mqtt import TBDeviceMqttClient

SECONDS = 8.0


def until(condition):
    """Whether the condition came true in time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Records(logging.Handler):
    """What the client logs."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def main(port, token, behaviour):
    """Connect, behave, tell."""
    records = Records()
    logging.getLogger().addHandler(records)
    logging.getLogger().setLevel(logging.DEBUG)
    client = TBDeviceMqttClient("127.0.0.1", port, username=token)
    codes, granted, disconnected = [], [], []
    client._client.on_subscribe = lambda _c, _u, _mid, reasons, _p=None: granted.extend(each.value for each in reasons)
    on_disconnect = client._client.on_disconnect

    def gone(c, u, flags, reason=None, properties=None):
        disconnected.append(reason.value)
        on_disconnect(c, u, flags, reason, properties)

    client._client.on_disconnect = gone
    client.connect(callback=lambda _c, _u, _f, code, *_: codes.append(code.value))
    told = {"called_back": until(lambda: codes), "codes": codes}
    if behaviour == "enter":
        told["limits"] = until(lambda: client.rate_limits_received)
        told["subscribed"] = until(lambda: len(granted) >= 4)
    elif behaviour == "send":
        until(lambda: client.rate_limits_received)
        told["results"] = [
            client.send_telemetry({"single": 1}).get(),
            client.send_telemetry([{"first": 1.5}, {"second": "x"}]).get(),
            client.send_telemetry({"ts": 1700000000000, "values": {"old": True}}).get(),
            client.send_attributes({"serial": "A1", "nested": {"a": [1]}}).get(),
        ]
    elif behaviour == "stay":
        print("here", flush=True)
        told["disconnected"] = until(lambda: disconnected)
    told.update(granted=granted, reasons=disconnected, connected=client.is_connected(), log=records.lines[-40:])
    client._client.on_disconnect = None
    client.stop()
    client.disconnect()
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
