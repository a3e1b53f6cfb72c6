"""The scripts that ThingsBoard gives every new node, and those that its help shows, give what it says."""

from typing import Any, Final

import pytest

from tests.kernel.script.tbel import Context, started

run = pytest.fixture(scope="module", name="run")(started)

POST, ATTRIBUTES = "POST_TELEMETRY_REQUEST", "POST_ATTRIBUTES_REQUEST"

SWITCH: Final = """
function nextRelation(metadata, msg) {
    return ['one', 'nine'];
}
if (msgType == 'POST_TELEMETRY_REQUEST') {
    return ['two'];
}
return nextRelation(metadata, msg);
"""

ALARM_DETAILS: Final = """var details = {};
if (metadata.prevAlarmDetails != null) {
    details = JSON.parse(metadata.prevAlarmDetails);
    //remove prevAlarmDetails from metadata
    metadata.remove('prevAlarmDetails');
    //metadata = {};
}


return details;"""

COUNTING: Final = """
var details = {temperature: msg.temperature, count: 1};

if (metadata.prevAlarmDetails) {
  var prevDetails = JSON.parse(metadata.prevAlarmDetails);
  // remove prevAlarmDetails from metadata
  delete metadata.prevAlarmDetails;
  if (prevDetails.count) {
    details.count = prevDetails.count + 1;
  }
}

return details;
"""

LOG: Final = (
    r"""return '\nIncoming message:\n' + JSON.stringify(msg) + '\nIncoming metadata:\n' + JSON.stringify(metadata);"""
)

BY_DEVICE_TYPE: Final = """
if (msgType == 'POST_TELEMETRY_REQUEST') {
  if (metadata.deviceType == 'vehicle') {
    return msg.humidity > 50;
  } else if (metadata.deviceType == 'controller') {
    return msg.temperature > 20 && msg.humidity > 60;
  }
}
return false;
"""

BY_STATE: Final = """
if (msgType == 'POST_TELEMETRY_REQUEST') {
  if (msg.temperature < 18) {
    return ['Low Temperature Telemetry'];
  } else {
    return ['Normal Temperature Telemetry'];
  }
} else if (msgType == 'POST_ATTRIBUTES_REQUEST') {
  if (msg.currentState == 'IDLE') {
    return ['Idle State', 'Update State Attribute'];
  } else if (msg.currentState == 'RUNNING') {
    return ['Running State', 'Update State Attribute'];
  } else {
    return ['Unknown State'];
  }
}
return [];
"""

RENAMED: Final = """
var newType = "CUSTOM_UPDATE";
msg.version = "v1.1";
metadata.sensorType = "roomTemp"
return {msg: msg, metadata: metadata, msgType: newType};
"""

TWO: Final = """
var sum = msg.a + msg.b;
var diff = msg.a - msg.b;

return [
            {msg: {sum: sum}, metadata: metadata, msgType: msgType},
            {msg: {difference: diff}, metadata: metadata, msgType: msgType}
       ];
"""

SUM: Final = "if(msg.a != null && msg.b != null){\n    msg.sum = msg.a + msg.b;\n}\nreturn {msg: msg};"
CELSIUS: Final = "msg.temperature = toFixed((msg.temperature - 32) * 5 / 9, 1);\nreturn {msg: msg};"
COUNT: Final = "var newMsg = {\n    count: msg.size()\n};\nreturn {msg: newMsg};"
CAREFUL: Final = "return msg.temperature != null && msg.temperature > 20;"
DETAILS: Final = {"prevAlarmDetails": '{"count": 2}'}

SCRIPTS: list[tuple[str, Any, dict[str, str], str, Any]] = [
    ("return msg.temperature > 20;", {"temperature": 25}, {}, POST, True),
    ("return msg.temperature > 20;", {"temperature": 20}, {}, POST, False),
    ("return msg.temperature > 20;", {}, {}, POST, False),
    (CAREFUL, {}, {}, POST, False),
    (CAREFUL, {"temperature": 21}, {}, POST, True),
    (SWITCH, {}, {}, POST, ["two"]),
    (SWITCH, {}, {}, ATTRIBUTES, ["one", "nine"]),
    (ALARM_DETAILS, {}, {}, POST, {}),
    (ALARM_DETAILS, {}, DETAILS, POST, {"count": 2}),
    (COUNTING, {"temperature": 5}, DETAILS, POST, {"temperature": 5, "count": 3}),
    (COUNTING, {"temperature": 5}, {}, POST, {"temperature": 5, "count": 1}),
    (LOG, {"a": 1}, {"b": "c"}, POST, '\nIncoming message:\n{"a":1}\nIncoming metadata:\n{"b":"c"}'),
    (
        "return {msg: msg, metadata: metadata, msgType: msgType};",
        {"a": [1]},
        {"b": "c"},
        POST,
        {"msg": {"a": [1]}, "metadata": {"b": "c"}, "msgType": POST},
    ),
    (BY_DEVICE_TYPE, {"humidity": 51}, {"deviceType": "vehicle"}, POST, True),
    (BY_DEVICE_TYPE, {"humidity": 61, "temperature": 21}, {"deviceType": "controller"}, POST, True),
    (BY_DEVICE_TYPE, {"humidity": 60, "temperature": 21}, {"deviceType": "controller"}, POST, False),
    (BY_DEVICE_TYPE, {"humidity": 51}, {"deviceType": "vehicle"}, ATTRIBUTES, False),
    (BY_STATE, {"temperature": 17}, {}, POST, ["Low Temperature Telemetry"]),
    (BY_STATE, {"currentState": "IDLE"}, {}, ATTRIBUTES, ["Idle State", "Update State Attribute"]),
    (BY_STATE, {"currentState": "RUNNING"}, {}, ATTRIBUTES, ["Running State", "Update State Attribute"]),
    (BY_STATE, {}, {}, ATTRIBUTES, ["Unknown State"]),
    (BY_STATE, {}, {}, "OTHER", []),
    (RENAMED, {}, {}, POST, {"msg": {"version": "v1.1"}, "metadata": {"sensorType": "roomTemp"}, "msgType": "CUSTOM_UPDATE"}),
    (SUM, {"a": 1, "b": 2}, {}, POST, {"msg": {"a": 1, "b": 2, "sum": 3}}),
    (SUM, {"a": 1}, {}, POST, {"msg": {"a": 1}}),
    (CELSIUS, {"temperature": 70}, {}, POST, {"msg": {"temperature": 21.1}}),
    (COUNT, {"a": 1, "b": 2}, {}, POST, {"msg": {"count": 2}}),
    (
        TWO,
        {"a": 5, "b": 3},
        {},
        POST,
        [
            {"msg": {"sum": 8}, "metadata": {}, "msgType": POST},
            {"msg": {"difference": 2}, "metadata": {}, "msgType": POST},
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("script", "msg", "metadata", "type", "value"), SCRIPTS)
def test_a_documented_script_gives_the_documented_result(
    run: Context, script: str, msg: Any, metadata: dict[str, str], type: str, value: Any
) -> None:
    assert run(script, msg, metadata, type) == value


GENERATOR: Final = """
var lower = 18;
var upper = 32;
var isDecrement = 'false';
var temperature = lower;

// Get previous values

if (prevMetadata != null && prevMetadata.isDecrement != null) {
  isDecrement = prevMetadata.isDecrement;
}
if (prevMsg != null && prevMsg.temperature != null) {
  temperature = prevMsg.temperature;
}

if (isDecrement == 'true') {
  temperature--;
  if (temperature <= lower) {
    isDecrement = 'false';
    temperature = lower;
  }
} else {
  temperature++;
  if (temperature >= upper) {
    isDecrement = 'true';
    temperature = upper;
  }
}

var msg = { temperature: temperature };
var metadata = { isDecrement: isDecrement };

return { msg: msg, metadata: metadata, msgType: "POST_TELEMETRY_REQUEST" };
"""
NAMES: Final = ("prevMsg", "prevMetadata", "prevMsgType")


def test_the_generator_counts_up_and_down(run: Context) -> None:
    first = run.run(GENERATOR, NAMES, [{}, {}, ""])
    assert first == {"msg": {"temperature": 19}, "metadata": {"isDecrement": "false"}, "msgType": POST}
    last = run.run(GENERATOR, NAMES, [{"temperature": 31}, {"isDecrement": "false"}, POST])
    assert (last["msg"], last["metadata"]) == ({"temperature": 32}, {"isDecrement": "true"})
    down = run.run(GENERATOR, NAMES, [{"temperature": 32}, {"isDecrement": "true"}, POST])
    assert down["msg"] == {"temperature": 31}


def test_a_generated_temperature_is_random_and_rounded(run: Context) -> None:
    script = """
        var temperature = 18 + Math.random() * (32 - 18);
        // Round to at most 2 decimal places (optional)
        temperature = toFixed(temperature, 2);
        var msg = { temperature: temperature };
        return { msg: msg, metadata: {}, msgType: "POST_TELEMETRY_REQUEST" };
    """
    temperature = run.run(script, NAMES, [None, None, None])["msg"]["temperature"]
    assert 18 <= temperature <= 32
    assert round(temperature, 2) == temperature


def test_a_decoder_of_bytes_reads_a_frame(run: Context) -> None:
    script = """
        var bytes = hexToBytes(msg.payload);
        var result = {};
        for (var i = 0; i < bytes.size();) {
            var channel = bytes[i++] & 0xFF;
            var type = bytes[i++] & 0xFF;
            if (channel == 0x01 && type == 0x75) {
                result.battery = bytes[i];
                i += 1;
            } else if (channel == 0x03 && type == 0x67) {
                result.temperature = parseBytesToInt(bytes, i, 2, false) / 10;
                i += 2;
            } else if (channel == 0x04 && type == 0x68) {
                result.humidity = (bytes[i] & 0xFF) / 2;
                i += 1;
            } else {
                break;
            }
        }
        return {msg: result, metadata: metadata, msgType: msgType};
    """
    assert run(script, {"payload": "017564036710010468 7F".replace(" ", "")})["msg"] == {
        "battery": 100,
        "temperature": 27.2,
        "humidity": 63.5,
    }
