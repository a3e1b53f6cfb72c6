/** The part of ThingsBoard's WebSocket protocol that we speak: attributes and series of one entity, and several entities. */

import { readEntities, type EntityDataCommand, type EntityUpdate } from "./entities.ts";

export type Scope = "CLIENT_SCOPE" | "SHARED_SCOPE" | "SERVER_SCOPE";

/** An entity, as commands name it. */
export interface Entity {
  entityType: "DEVICE" | "DASHBOARD";
  entityId: string;
}

/** What to subscribe to; the connection adds the `cmdId`. Times and intervals are ms; empty `keys`: all of them. */
export type Command = EntityDataCommand | OneEntityCommand;

type OneEntityCommand = Entity &
  (
    | { type: "ATTRIBUTES"; keys: string; scope: Scope }
    | { type: "TIMESERIES"; keys: string; scope: "LATEST_TELEMETRY" }
    | {
        type: "TIMESERIES";
        keys: string;
        startTs: number;
        timeWindow: number;
        interval: number;
        limit: number;
        agg: "NONE" | "AVG";
      }
    | {
        type: "TIMESERIES_HISTORY";
        keys: string;
        startTs: number;
        endTs: number;
        interval: number;
        limit: number;
        agg: "NONE";
      }
  );

/** One value: when (ms), and its text as the server writes it out. */
export type Sample = readonly [ts: number, text: string];

/** What the server says about a subscription: values by key, or of several entities, or an error. */
export interface Update {
  id: number;
  error: string;
  data: ReadonlyMap<string, readonly Sample[]>;
  entities?: EntityUpdate;
}

/** How a subscription ends. */
export function ending(command: Command, cmdId: number): object {
  return command.type === "ENTITY_DATA" ? { type: "ENTITY_DATA_UNSUBSCRIBE", cmdId } : { ...command, cmdId, unsubscribe: true };
}

/** A deleted key is announced as one value of the year 1970. */
export function isDeletion(samples: readonly Sample[]): boolean {
  return samples.length === 1 && samples[0]?.[0] === 0 && samples[0][1] === "";
}

/** Read a frame; null for what is none of ours. */
export function readUpdate(frame: unknown): Update | null {
  const message = typeof frame === "string" ? objectOf(parsed(frame)) : null;
  const id = message?.["subscriptionId"] ?? message?.["cmdId"];
  if (message === null || typeof id !== "number") return null;
  const code = message["errorCode"];
  const said = message["errorMsg"];
  const error = typeof code === "number" && code !== 0 ? (typeof said === "string" && said) || `Error ${code}` : "";
  const entities = readEntities(message);
  const data = new Map<string, Sample[]>();
  for (const [key, list] of Object.entries((entities === null && objectOf(message["data"])) || {})) {
    data.set(key, Array.isArray(list) ? list.filter(isSample) : []);
  }
  return { id, error, data, ...(entities === null ? {} : { entities }) };
}

function isSample(item: unknown): item is [number, string] {
  return Array.isArray(item) && typeof item[0] === "number" && typeof item[1] === "string";
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
