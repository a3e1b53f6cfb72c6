/** What the device page knows and what is chosen on it: values, charts, and the connection that feeds them. */

import { computed, effect, signal } from "@preact/signals";

import { DEFAULT_WINDOW, windowOf } from "../chart/window.ts";
import { browser, hurryBack } from "../live/browser.ts";
import { Connection } from "../live/connection.ts";
import type { Command, Entity, Scope } from "../live/protocol.ts";
import { kindOf } from "../values/text.ts";
import type { Facts } from "./facts.ts";
import { Values } from "./values.ts";

export const SCOPES: readonly (readonly [Scope, string])[] = [
  ["CLIENT_SCOPE", "Client attributes"],
  ["SHARED_SCOPE", "Shared attributes"],
  ["SERVER_SCOPE", "Server attributes"],
];
/** Charts at a time, and how many there are before anybody has chosen. */
export const MOST_CHARTS = 8;
const FIRST_CHARTS = 3;

/** The state of one device page. */
export class Model {
  readonly entity: Entity;
  readonly connection: Connection;
  readonly telemetry = new Values();
  readonly attributes: ReadonlyMap<Scope, Values>;
  readonly window = signal(DEFAULT_WINDOW);
  /** The keys that were chosen to be drawn; null before anybody chose. */
  private readonly chosen = signal<readonly string[] | null>(null);
  /** The keys that are drawn. */
  readonly charted = computed(() => this.chosen.value ?? this.drawable.value.slice(0, FIRST_CHARTS));
  /** The keys that can be drawn: numbers and booleans. The protocol names several keys with commas between them. */
  private readonly drawable = computed(() => this.telemetry.keys.value.filter((key) => this.canDraw(key)));
  readonly facts: Facts;

  constructor(facts: Facts) {
    this.facts = facts;
    this.entity = { entityType: "DEVICE", entityId: facts.id };
    this.attributes = new Map(SCOPES.map(([scope]) => [scope, new Values()]));
    this.connection = new Connection(browser, () => ({
      ...this.entity,
      type: "TIMESERIES_HISTORY",
      keys: "active",
      startTs: 0,
      endTs: 1,
      interval: 0,
      limit: 1,
      agg: "NONE",
    }));
    const asked = new URLSearchParams(location.search);
    this.window.value = windowOf(asked.get("window"));
    if (asked.has("keys")) this.chosen.value = asked.getAll("keys").filter((key) => key !== "").slice(0, MOST_CHARTS);
  }

  /** Begin to listen. */
  start(): void {
    this.follow(this.telemetry, () => ({ ...this.entity, type: "TIMESERIES", keys: "", scope: "LATEST_TELEMETRY" }));
    for (const [scope, values] of this.attributes) {
      this.follow(values, () => ({ ...this.entity, type: "ATTRIBUTES", keys: "", scope }));
    }
    this.connection.connect();
    effect(() => {
      this.remember();
    });
    hurryBack(this.connection);
  }

  canDraw(key: string): boolean {
    const reading = this.telemetry.get(key)?.value;
    return reading !== undefined && !key.includes(",") && ["number", "boolean"].includes(kindOf(reading.text));
  }

  /** Draw a key, or stop drawing it. */
  toggle(key: string): void {
    const now = this.charted.value;
    this.chosen.value = now.includes(key) ? now.filter((each) => each !== key) : [...now, key].slice(-MOST_CHARTS);
  }

  private follow(values: Values, make: () => Command): void {
    this.connection.subscribe(
      () => {
        values.expectSnapshot();
        return make();
      },
      (update) => {
        values.take(update);
      },
    );
  }

  /** What is chosen stands in the address, so that it can be handed on. */
  private remember(): void {
    const address = new URL(location.href);
    address.search = "";
    if (this.window.value !== DEFAULT_WINDOW) address.searchParams.set("window", String(this.window.value));
    if (this.chosen.value !== null) {
      for (const key of this.chosen.value.length > 0 ? this.chosen.value : [""]) address.searchParams.append("keys", key);
    }
    history.replaceState(null, "", address);
  }
}
