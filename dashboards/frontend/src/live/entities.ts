/** ENTITY_DATA: several entities in one subscription, of which the server answers those that the reader may see. */

import type { Sample } from "./protocol.ts";

/** Where a value comes from, in the words of the protocol. */
export type KeyType = "TIME_SERIES" | "ATTRIBUTE" | "CLIENT_ATTRIBUTE" | "SHARED_ATTRIBUTE" | "SERVER_ATTRIBUTE" | "ENTITY_FIELD";

export interface EntityKey {
  type: KeyType;
  key: string;
}

/** Which entities. */
export type EntityFilter =
  | { type: "entityList"; entityType: string; entityList: readonly string[] }
  | { type: "singleEntity"; singleEntity: { entityType: string; id: string } };

/** Points of these keys; times and intervals in ms. */
export interface SeriesWindow {
  keys: readonly string[];
  startTs: number;
  timeWindow: number;
  interval: number;
  limit: number;
  agg: string;
}

export interface EntityDataCommand {
  type: "ENTITY_DATA";
  query: {
    entityFilter: EntityFilter;
    pageLink: { pageSize: number; page: number; sortOrder: { key: EntityKey; direction: "ASC" } };
    entityFields: readonly EntityKey[];
    latestValues: readonly EntityKey[];
  };
  latestCmd?: { keys: readonly EntityKey[] };
  tsCmd?: SeriesWindow;
}

/** What is told of one entity: newest values by type and key, and points by key. */
export interface EntityNews {
  id: string;
  latest: ReadonlyMap<string, Sample>;
  series: ReadonlyMap<string, readonly Sample[]>;
}

/** A `whole` page replaces what was known: an entity that is not in it is gone, or is not the reader's to see. */
export interface EntityUpdate {
  whole: boolean;
  entities: readonly EntityNews[];
}

const NAME: EntityKey = { type: "ENTITY_FIELD", key: "name" };

/** Subscribe to the latest values of `latest` and, with a window, to points. */
export function entityData(
  filter: EntityFilter,
  most: number,
  latest: readonly EntityKey[],
  series: SeriesWindow | null,
): EntityDataCommand {
  const fields = [NAME, ...latest.filter((each) => each.type === "ENTITY_FIELD" && each.key !== "name")];
  const values = latest.filter((each) => each.type !== "ENTITY_FIELD");
  return {
    type: "ENTITY_DATA",
    query: {
      entityFilter: filter,
      pageLink: { pageSize: most, page: 0, sortOrder: { key: NAME, direction: "ASC" } },
      entityFields: fields,
      latestValues: values,
    },
    ...(values.length > 0 || series === null ? { latestCmd: { keys: values } } : {}),
    ...(series === null ? {} : { tsCmd: series }),
  };
}

/** Under which name a value stands in `EntityNews.latest`. */
export function nameOf(key: EntityKey): string {
  return `${key.type} ${key.key}`;
}

/** The part of a frame that is about entities; null for a frame that is about something else. */
export function readEntities(message: Readonly<Record<string, unknown>>): EntityUpdate | null {
  if (message["cmdUpdateType"] !== "ENTITY_DATA") return null;
  const page = objectOf(message["data"])?.["data"];
  const listed = Array.isArray(page) ? page : message["update"];
  const entities = Array.isArray(listed) ? listed.map(newsOf).filter((each) => each !== null) : [];
  return { whole: Array.isArray(page), entities };
}

function newsOf(item: unknown): EntityNews | null {
  const id = objectOf(objectOf(item)?.["entityId"])?.["id"];
  if (typeof id !== "string") return null;
  const latest = new Map<string, Sample>();
  for (const [type, values] of Object.entries(objectOf(objectOf(item)?.["latest"]) ?? {})) {
    for (const [key, value] of Object.entries(objectOf(values) ?? {})) {
      const sample = sampleOf(value);
      if (sample !== null) latest.set(`${type} ${key}`, sample);
    }
  }
  const series = new Map<string, readonly Sample[]>();
  for (const [key, points] of Object.entries(objectOf(objectOf(item)?.["timeseries"]) ?? {})) {
    series.set(key, Array.isArray(points) ? points.map(sampleOf).filter((each) => each !== null) : []);
  }
  return { id, latest, series };
}

function sampleOf(value: unknown): Sample | null {
  const found = objectOf(value);
  const ts = found?.["ts"];
  const text = found?.["value"];
  return typeof ts === "number" && typeof text === "string" ? [ts, text] : null;
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}
