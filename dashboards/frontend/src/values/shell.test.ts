import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { curl, mosquittoPub, quoted, type Target } from "./shell.ts";

const TARGET: Target = { token: "A1_TEST_TOKEN", baseUrl: "http://127.0.0.1:8080", mqttHost: "127.0.0.1", mqttPort: 1883 };

test("the commands are those of the README", () => {
  assert.equal(
    mosquittoPub(TARGET),
    `mosquitto_pub -d -q 1 -h 127.0.0.1 -p 1883 -t v1/devices/me/telemetry -u A1_TEST_TOKEN -m '{"temperature":25}'`,
  );
  assert.equal(
    curl(TARGET),
    `curl -i -X POST http://127.0.0.1:8080/api/v1/A1_TEST_TOKEN/telemetry -H Content-Type:application/json -d '{"temperature":25}'`,
  );
});

test("whatever a token holds, the shell hands it on as it is", () => {
  for (const token of ["a'b", "$(reboot)", "`x`", "a b;c", '"', "\\", "-x", "ü", "!!"]) {
    assert.equal(execFileSync("/bin/sh", ["-c", `printf %s ${quoted(token)}`], { encoding: "utf8" }), token);
  }
});
