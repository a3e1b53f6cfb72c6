/** What a widget knows of one of its sources: whom it may see of it, and their newest values and points. */

import { signal, type ReadonlySignal } from "@preact/signals";

import { Series } from "../chart/series.ts";
import { nameOf, type EntityNews, type EntityUpdate, type SeriesWindow } from "../live/entities.ts";
import type { Sample, Update } from "../live/protocol.ts";
import type { DataKey, Source, TimeWindow } from "./configuration.ts";

/** Beyond this a chart asks for averages, of so many intervals; below for every point. As on the page of a device. */
const LONGEST_RAW = 15 * 60_000;
const INTERVALS = 400;
const MOST_RAW_POINTS = 10_000;

/** One entity that the reader may see. */
export interface Member {
  id: string;
  name: string;
  values: Map<string, Sample>;
  series: Map<string, Series>;
}

/** Fed with the updates of one subscription. */
export class SourceState {
  readonly source: Source;
  /** Those of its entities that the reader may see; another array with each change, so who reads it is drawn anew. */
  readonly members: ReadonlySignal<readonly Member[]>;
  /** Why the server does not answer, "" while it does. */
  readonly error: ReadonlySignal<string>;
  /** Whether the server has said anything yet. */
  readonly known: ReadonlySignal<boolean>;
  private readonly shown = signal<readonly Member[]>([]);
  private readonly heard = signal(false);
  private readonly refusal = signal("");

  constructor(source: Source) {
    this.source = source;
    this.members = this.shown;
    this.error = this.refusal;
    this.known = this.heard;
  }

  /** How many of the entities that it names the reader does not get; they may not exist either. */
  get withheld(): number {
    const seen = this.shown.value.length;
    return this.heard.value ? Math.max(0, (this.source.expected?.length ?? (seen || 1)) - seen) : 0;
  }

  /** Whether there will be nothing to show: a problem, or nobody whom the reader may see. */
  get empty(): boolean {
    return this.source.problem !== "" || (this.heard.value && this.shown.value.length === 0);
  }

  take(update: Update): void {
    this.refusal.value = update.error;
    if (update.error !== "") {
      // Everything was withdrawn, or nothing was ever answered: old values must not look like new ones.
      this.shown.value = [];
    } else if (update.entities !== undefined) {
      this.shown.value = merged(this.shown.value, update.entities);
    }
    this.heard.value = true;
  }

  /** The newest value of a key. */
  latest(member: Member, key: DataKey): Sample | undefined {
    return member.values.get(nameOf(key.key));
  }
}

/** The members with what is new of them; a whole page says which there are. */
function merged(known: readonly Member[], { whole, entities }: EntityUpdate): readonly Member[] {
  const members = whole ? entities.map(({ id }): Member => ({ id, name: "", values: new Map(), series: new Map() })) : [...known];
  for (const news of entities) {
    const member = members.find((each) => each.id === news.id);
    if (member !== undefined) learn(member, news);
  }
  return members;
}

/** What is new of an entity. A value that is gone comes with the time 0 and no text. */
function learn(member: Member, news: EntityNews): void {
  for (const [name, sample] of news.latest) {
    if (name === "ENTITY_FIELD name") member.name = sample[1];
    const known = member.values.get(name);
    if (sample[0] === 0 && sample[1] === "") member.values.delete(name);
    else if (known === undefined || known[0] <= sample[0]) member.values.set(name, sample);
  }
  for (const [name, samples] of news.series) {
    let series = member.series.get(name);
    if (series === undefined) member.series.set(name, (series = new Series()));
    series.add(samples.filter(([ts, text]) => ts !== 0 || text !== ""));
  }
}

/** The points of a chart's window up to `now` (ms), and from then on each one that comes. */
export function seriesWindow(keys: readonly string[], window: TimeWindow, now: number): SeriesWindow {
  const averaged = window.agg !== "NONE" ? window.ms > LONGEST_RAW : window.ms > 24 * 60 * 60_000;
  const agg = window.agg === "NONE" ? "AVG" : window.agg;
  return {
    keys,
    startTs: now - window.ms,
    timeWindow: window.ms,
    interval: averaged ? Math.ceil(window.ms / INTERVALS) : 0,
    limit: MOST_RAW_POINTS,
    agg: averaged ? agg : "NONE",
  };
}
