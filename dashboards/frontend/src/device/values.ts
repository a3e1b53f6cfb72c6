/** The newest values of a device by key, each with a signal of its own: a change draws one row anew, not the table. */

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";

import { isDeletion, type Sample, type Update } from "../live/protocol.ts";

export interface Reading {
  ts: number;
  text: string;
}

/** Fed with the updates of one subscription. */
export class Values {
  /** The names, in order. */
  readonly keys: ReadonlySignal<readonly string[]>;
  /** Whether the server has said anything yet. */
  readonly known: ReadonlySignal<boolean>;
  /** Why the server does not say it, "" while it does. */
  readonly error: ReadonlySignal<string>;
  private readonly names = signal<readonly string[]>([]);
  private readonly heard = signal(false);
  private readonly refusal = signal("");
  private readonly readings = new Map<string, Signal<Reading>>();
  private fresh = true;

  constructor() {
    this.keys = this.names;
    this.known = this.heard;
    this.error = this.refusal;
  }

  /** The next update is a whole snapshot: what it does not name is gone. */
  expectSnapshot(): void {
    this.fresh = true;
  }

  /** The newest value of a key. */
  get(key: string): ReadonlySignal<Reading> | undefined {
    return this.readings.get(key);
  }

  take(update: Update): void {
    this.refusal.value = update.error;
    if (update.error !== "") return;
    const gone = this.fresh ? [...this.readings.keys()].filter((key) => !update.data.has(key)) : [];
    this.fresh = false;
    for (const key of gone) this.readings.delete(key);
    for (const [key, samples] of update.data) this.put(key, samples);
    const names = [...this.readings.keys()].sort((a, b) => a.localeCompare(b));
    if (names.join("\0") !== this.names.value.join("\0")) this.names.value = names;
    this.heard.value = true;
  }

  private put(key: string, samples: readonly Sample[]): void {
    if (isDeletion(samples)) {
      this.readings.delete(key);
      return;
    }
    let newest: Sample | undefined;
    for (const sample of samples) if (newest === undefined || sample[0] >= newest[0]) newest = sample;
    if (newest === undefined) return;
    const reading = { ts: newest[0], text: newest[1] };
    const known = this.readings.get(key);
    if (known === undefined) this.readings.set(key, signal(reading));
    else if (reading.ts >= known.value.ts) known.value = reading;
  }
}
