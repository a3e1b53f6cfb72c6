import assert from "node:assert/strict";
import { test } from "node:test";

import { readUpdate } from "../live/protocol.ts";
import type { DataKey, Source } from "./configuration.ts";
import { shown } from "./format.ts";
import { linesOf } from "./lines.ts";
import { SourceState, seriesWindow } from "./source.ts";

const KEY: DataKey = { key: { type: "TIME_SERIES", key: "t" }, label: "T", units: "°C", decimals: 1, colour: "" };
const SOURCE: Source = {
  filter: { type: "entityList", entityType: "DEVICE", entityList: ["a", "b"] },
  expected: ["a", "b"],
  keys: [KEY],
  problem: "",
};

function entity(id: string, ts: number, value: string, series: object | null = null): object {
  return { entityId: { entityType: "DEVICE", id }, latest: { TIME_SERIES: { t: { ts, value } }, ENTITY_FIELD: { name: { ts: 0, value: `Device ${id}` } } }, timeseries: series };
}

function tell(state: SourceState, frame: object): void {
  const update = readUpdate(JSON.stringify({ cmdId: 1, errorCode: 0, cmdUpdateType: "ENTITY_DATA", data: null, update: null, ...frame }));
  assert.ok(update);
  state.take(update);
}

test("a page names whom one may see, and an update moves one of them", () => {
  const state = new SourceState(SOURCE);
  assert.deepEqual([state.known.value, state.withheld], [false, 0]);
  tell(state, { data: { data: [entity("a", 5, "20.25")] } });
  assert.deepEqual([state.members.value.map((each) => each.name), state.withheld], [["Device a"], 1]);
  tell(state, { update: [entity("a", 6, "21"), entity("stranger", 6, "9")] });
  tell(state, { update: [entity("a", 4, "1")] });
  const [member] = state.members.value;
  assert.ok(member);
  assert.equal(shown(state.latest(member, KEY)?.[1], KEY), "21.0 °C");
  tell(state, { update: [entity("a", 0, "")] });
  assert.equal(shown(state.latest(member, KEY)?.[1], KEY), "—");
});

test("after an error nothing old is shown", () => {
  const state = new SourceState(SOURCE);
  tell(state, { data: { data: [entity("a", 5, "20"), entity("b", 5, "20")] } });
  tell(state, { errorCode: 3, errorMsg: "withdrawn" });
  assert.deepEqual([state.members.value, state.error.value, state.withheld], [[], "withdrawn", 2]);
});

test("a chart has a line for each entity that has points", () => {
  const state = new SourceState(SOURCE);
  const points = { t: [{ ts: 2, value: "2" }, { ts: 1, value: "1" }] };
  tell(state, { data: { data: [entity("a", 2, "2", points), entity("b", 0, "", {})] } });
  tell(state, { update: [{ ...entity("a", 3, "3"), timeseries: { t: [{ ts: 3, value: "3" }] } }] });
  const [line, ...others] = linesOf([state]);
  assert.deepEqual([line?.label, line?.series.times, line?.last, others.length], ["Device a: T", [1, 2, 3], "3", 0]);
});

test("long windows come as averages, short ones point by point", () => {
  assert.deepEqual(seriesWindow(["t"], { ms: 60_000, agg: "AVG", problem: "" }, 100_000), {
    keys: ["t"], startTs: 40_000, timeWindow: 60_000, interval: 0, limit: 10_000, agg: "NONE",
  });
  const day = seriesWindow(["t"], { ms: 86_400_000, agg: "MAX", problem: "" }, 86_400_000);
  assert.deepEqual([day.interval, day.agg], [216_000, "MAX"]);
});
