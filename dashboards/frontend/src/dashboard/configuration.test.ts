import assert from "node:assert/strict";
import { test } from "node:test";

import { readLayout } from "./configuration.ts";

const DEVICES = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"];

function dashboard(widget: object, more: object = {}): unknown {
  return {
    widgets: { w: { typeFullFqn: "system.value_card", sizeX: 4, sizeY: 2, ...widget } },
    states: { default: { root: true, layouts: { main: { widgets: { w: { sizeX: 8, sizeY: 3, row: 2, col: 20 } } } } } },
    entityAliases: {
      list: { alias: "Meters", filter: { type: "entityList", entityType: "DEVICE", entityList: DEVICES } },
      mine: { alias: "Mine", filter: { type: "singleEntity", singleEntity: { entityType: "CURRENT_CUSTOMER", id: null } } },
      kinds: { alias: "Kinds", filter: { type: "deviceType" } },
    },
    ...more,
  };
}

function only(widget: object, more: object = {}) {
  const [found] = readLayout(dashboard(widget, more)).widgets;
  assert.ok(found);
  return found;
}

function source(datasource: object) {
  const [found] = only({ config: { datasources: [{ type: "entity", dataKeys: [{ type: "timeseries", name: "t" }], ...datasource }] } }).sources;
  assert.ok(found);
  return found;
}

test("a widget stands where the layout says, and never beyond its columns", () => {
  assert.deepEqual(only({}).place, { col: 16, row: 2, width: 8, height: 3 });
});

test("types that cannot be shown are named, those of old dashboards, too", () => {
  assert.deepEqual([only({ typeFullFqn: "system.map" }).kind, only({ typeFullFqn: "system.map" }).type], ["unknown", "system.map"]);
  const old = only({ typeFullFqn: undefined, bundleAlias: "charts", typeAlias: "basic_timeseries", isSystemType: true });
  assert.deepEqual([old.kind, old.type], ["chart", "system.charts.basic_timeseries"]);
});

test("an alias stands for its devices", () => {
  const found = source({ entityAliasId: "list" });
  assert.deepEqual(found.expected, DEVICES);
  assert.deepEqual(found.filter, { type: "entityList", entityType: "DEVICE", entityList: DEVICES });
  assert.equal(source({ entityAliasId: "mine" }).expected, null);
  assert.deepEqual(source({ type: "device", deviceId: DEVICES[0] }).expected, [DEVICES[0]]);
});

test("what cannot be shown of a source is said in a sentence", () => {
  assert.match(source({ entityAliasId: "kinds" }).problem, /“Kinds” is of the kind “deviceType”/);
  assert.match(source({ entityAliasId: "gone" }).problem, /alias of this widget is not in the dashboard/);
  assert.match(source({ type: "function" }).problem, /kind “function”/);
});

test("keys have units and decimals of their own or of their widget", () => {
  const keys = [{ type: "attribute", name: "a", units: "%", decimals: 1, color: "#123456" }, { type: "timeseries", name: "b", label: "B" }];
  const config = { units: "°C", decimals: 2, datasources: [{ type: "entity", entityAliasId: "list", dataKeys: [...keys, { type: "function", name: "c" }] }] };
  assert.deepEqual(only({ config }).sources[0]?.keys, [
    { key: { type: "ATTRIBUTE", key: "a" }, label: "a", units: "%", decimals: 1, colour: "#123456" },
    { key: { type: "TIME_SERIES", key: "b" }, label: "B", units: "°C", decimals: 2, colour: "" },
  ]);
});

test("the time window is the dashboard's, unless the widget has its own", () => {
  const more = { timewindow: { realtime: { timewindowMs: 60_000 }, aggregation: { type: "NONE" } } };
  const own = { realtime: { timewindowMs: 3_600_000 }, aggregation: { type: "MAX" } };
  assert.deepEqual(only({ config: { timewindow: own } }, more).window, { ms: 60_000, agg: "NONE", problem: "" });
  assert.deepEqual(only({ config: { timewindow: own, useDashboardTimewindow: false } }, more).window, { ms: 3_600_000, agg: "MAX", problem: "" });
  assert.match(only({}, { timewindow: { selectedTab: 1 } }).window.problem, /fixed stretch/);
});

test("whatever a configuration holds, the page goes on", () => {
  for (const odd of [null, 5, "x", [], {}, { widgets: null, states: [] }, { widgets: { w: null }, states: { a: 1 } }]) {
    assert.deepEqual(readLayout(odd).widgets, []);
  }
  assert.equal(readLayout({ widgets: [{}, {}] }).hidden, 2);
  assert.equal(readLayout({ widgets: { a: {}, b: {} } }).hidden, 2);
  assert.equal(only({ typeFullFqn: { a: 1 }, config: { title: 5, datasources: "x" } }).kind, "unknown");
});
