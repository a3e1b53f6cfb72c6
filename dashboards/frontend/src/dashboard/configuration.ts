/**
 * What of a dashboard's configuration we can show. It is ThingsBoard's (compat/data_model.md 4) and may hold anything: what is
 * not understood becomes a sentence in the place where it stands, never an error of the page.
 */

import type { EntityFilter, EntityKey, KeyType } from "../live/entities.ts";

export type WidgetKind = "chart" | "card" | "table" | "unknown";

/** Where a widget stands, in cells; rows and columns count from 0. */
export interface Place {
  col: number;
  row: number;
  width: number;
  height: number;
}

/** A value to show: which, and in what words. `decimals` null: as it was sent. */
export interface DataKey {
  key: EntityKey;
  label: string;
  units: string;
  decimals: number | null;
  colour: string;
}

/** Values of some entities. `problem` says why there are none; `expected`: whom the filter names, null where only the server knows. */
export interface Source {
  filter: EntityFilter | null;
  expected: readonly string[] | null;
  keys: readonly DataKey[];
  problem: string;
}

/** The last `ms` of points; how they are aggregated; `problem` says why not. */
export interface TimeWindow {
  ms: number;
  agg: string;
  problem: string;
}

export interface Widget {
  id: string;
  kind: WidgetKind;
  /** The full name of its type, as ThingsBoard calls it. */
  type: string;
  title: string;
  place: Place;
  sources: readonly Source[];
  window: TimeWindow;
}

export interface Layout {
  columns: number;
  widgets: readonly Widget[];
  /** How many widgets stand in other states, or beyond what a page shows. */
  hidden: number;
  problem: string;
}

type Json = Readonly<Record<string, unknown>>;

const KINDS: Readonly<Record<string, WidgetKind>> = {
  "system.time_series_chart": "chart",
  "system.line_chart": "chart",
  "system.charts.basic_timeseries": "chart",
  "system.value_card": "card",
  "system.horizontal_value_card": "card",
  "system.cards.value_card": "card",
  "system.cards.horizontal_value_card": "card",
  "system.cards.simple_card": "card",
  "system.cards.attributes_card": "table",
  "system.cards.entities_table": "table",
};
const KEY_TYPES: Readonly<Record<string, KeyType>> = {
  timeseries: "TIME_SERIES",
  attribute: "ATTRIBUTE",
  entityField: "ENTITY_FIELD",
};
const CURRENT = /^CURRENT_/;
const AGGREGATIONS = ["NONE", "AVG", "MIN", "MAX", "SUM", "COUNT"];
const COLOUR = /^(#[0-9a-f]{3,8}|rgba?\([\d.,%\s]+\))$/i;

export const MOST_WIDGETS = 60;
/** Of one source. */
export const MOST_ENTITIES = 100;
const MOST_KEYS = 30;
const MOST_SOURCES = 10;
const DEFAULT_COLUMNS = 24;
const DEFAULT_MS = 5 * 60_000;
const LONGEST_MS = 31 * 86_400_000;

/** The first state of a dashboard. */
export function readLayout(configuration: unknown): Layout {
  const root = objectOf(configuration) ?? {};
  if (Array.isArray(root["widgets"])) {
    return { columns: DEFAULT_COLUMNS, widgets: [], hidden: root["widgets"].length, problem: "This dashboard has the form of ThingsBoard 1; import it into a newer one first." };
  }
  const known = objectOf(root["widgets"]) ?? {};
  const layout = mainLayout(root);
  const places = objectOf(layout["widgets"]) ?? {};
  const columns = whole(objectOf(layout["gridSettings"])?.["columns"], DEFAULT_COLUMNS, 1, 1000);
  const shown = Object.entries(places)
    .filter(([id]) => objectOf(known[id]) !== null)
    .map(([id, place]) => readWidget(id, objectOf(known[id]) ?? {}, objectOf(place) ?? {}, root, columns))
    .sort((a, b) => a.place.row - b.place.row || a.place.col - b.place.col);
  const widgets = shown.slice(0, MOST_WIDGETS);
  return { columns, widgets, hidden: Object.keys(known).length - widgets.length, problem: "" };
}

/** The layout `main` of the state that is the root, else of the first one. */
function mainLayout(root: Json): Json {
  const states = Object.values(objectOf(root["states"]) ?? {}).map(objectOf).filter((each) => each !== null);
  const state = states.find((each) => each["root"] === true) ?? states[0];
  return objectOf(objectOf(state?.["layouts"])?.["main"]) ?? {};
}

function readWidget(id: string, widget: Json, place: Json, root: Json, columns: number): Widget {
  const type = typeOf(widget);
  const config = objectOf(widget["config"]) ?? {};
  const kind = KINDS[type] ?? "unknown";
  const width = whole(place["sizeX"] ?? widget["sizeX"], 8, 1, columns);
  return {
    id,
    kind,
    type,
    title: text(config["title"]) || type,
    place: {
      width,
      height: whole(place["sizeY"] ?? widget["sizeY"], 6, 1, 200),
      col: Math.min(whole(place["col"], 0, 0, columns - 1), columns - width),
      row: whole(place["row"], 0, 0, 10_000),
    },
    sources: kind === "unknown" ? [] : arrayOf(config["datasources"]).slice(0, MOST_SOURCES).map((each) => readSource(objectOf(each) ?? {}, config, root)),
    window: readWindow(config["useDashboardTimewindow"] === false ? config["timewindow"] : (root["timewindow"] ?? config["timewindow"])),
  };
}

/** Dashboards of before ThingsBoard 3.6 name a bundle and an alias instead. */
function typeOf(widget: Json): string {
  const full = text(widget["typeFullFqn"]);
  if (full !== "") return full;
  const bundle = text(widget["bundleAlias"]);
  const alias = text(widget["typeAlias"]);
  return alias === "" ? "a type without a name" : `${widget["isSystemType"] === false ? "tenant" : "system"}.${bundle}.${alias}`;
}

function readSource(source: Json, config: Json, root: Json): Source {
  const keys = arrayOf(source["dataKeys"]).slice(0, MOST_KEYS).map((each) => readKey(objectOf(each) ?? {}, config)).filter((each) => each !== null);
  const none = (problem: string): Source => ({ filter: null, expected: null, keys, problem });
  if (source["type"] === "device" && text(source["deviceId"]) !== "") return listed("DEVICE", [text(source["deviceId"])], keys);
  if (source["type"] !== "entity") return none(`Data of the kind “${text(source["type"]) || "none"}” cannot be shown yet.`);
  const alias = objectOf(objectOf(root["entityAliases"])?.[text(source["entityAliasId"])]);
  if (alias === null) return none("The alias of this widget is not in the dashboard.");
  const filter = objectOf(alias["filter"]) ?? {};
  const named = text(alias["alias"]);
  switch (filter["type"]) {
    case "entityList": {
      const ids = arrayOf(filter["entityList"]).filter((each) => typeof each === "string");
      return ids.length === 0 ? none(`The alias “${named}” names nothing.`) : listed(text(filter["entityType"]), ids, keys);
    }
    case "singleEntity": {
      const single = objectOf(filter["singleEntity"]) ?? {};
      const entity = { entityType: text(single["entityType"]), id: text(single["id"]) };
      const expected = CURRENT.test(entity.entityType) ? null : [entity.id];
      return { filter: { type: "singleEntity", singleEntity: entity }, expected, keys, problem: "" };
    }
    default:
      return none(`The alias “${named}” is of the kind “${text(filter["type"]) || "none"}”, which is not available yet.`);
  }
}

function listed(entityType: string, ids: readonly string[], keys: readonly DataKey[]): Source {
  const expected = [...new Set(ids)].slice(0, MOST_ENTITIES);
  return { filter: { type: "entityList", entityType, entityList: expected }, expected, keys, problem: "" };
}

function readKey(key: Json, config: Json): DataKey | null {
  const type = KEY_TYPES[text(key["type"])];
  const name = text(key["name"]);
  if (type === undefined || name === "") return null;
  const decimals = key["decimals"] ?? config["decimals"];
  const colour = text(key["color"]);
  return {
    key: { type, key: name },
    label: text(key["label"]) || name,
    units: text(key["units"]) || text(config["units"]),
    decimals: typeof decimals === "number" ? whole(decimals, 0, 0, 15) : null,
    colour: COLOUR.test(colour) ? colour : "",
  };
}

function readWindow(found: unknown): TimeWindow {
  const window = objectOf(found) ?? {};
  const realtime = objectOf(window["realtime"]) ?? {};
  const agg = text(objectOf(window["aggregation"])?.["type"]);
  const fixed = window["selectedTab"] === 1 || (realtime["realtimeType"] ?? 0) !== 0;
  return {
    ms: whole(realtime["timewindowMs"], DEFAULT_MS, 1000, LONGEST_MS),
    agg: AGGREGATIONS.includes(agg) ? agg : "AVG",
    problem: fixed ? "A fixed stretch of time cannot be shown yet, only the last minutes, hours or days." : "",
  };
}

function whole(value: unknown, otherwise: number, low: number, high: number): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(high, Math.max(low, Math.round(value))) : otherwise;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function objectOf(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}
