/** The live part of a device's page. */

import { Chart } from "../chart/chart.tsx";
import { WINDOWS } from "../chart/window.ts";
import { kindOf } from "../values/text.ts";
import { HowToSend } from "./first_value.tsx";
import type { Model } from "./model.ts";
import { Activity, Connectivity } from "./status.tsx";
import { Attributes, Telemetry } from "./tables.tsx";

export function DevicePage({ model }: { model: Model }) {
  const status = model.connection.status.value;
  const stale = status.kind !== "live" && (status.kind !== "connecting" || status.since !== null);
  const empty = model.telemetry.known.value && model.telemetry.keys.value.length === 0;
  return (
    <>
      <div class="facts">
        <Activity model={model} />
        <Connectivity model={model} />
      </div>
      <div class={stale ? "live stale" : "live"}>
        {empty ? <NoData model={model} /> : <Charts model={model} />}
        {!empty && <Telemetry model={model} />}
        <Attributes model={model} />
      </div>
      {!empty && (
        <details class="card">
          <summary>How this device sends values</summary>
          <HowToSend model={model} />
        </details>
      )}
    </>
  );
}

function NoData({ model }: { model: Model }) {
  return (
    <section class="card" aria-labelledby="first-title">
      <h2 id="first-title">No values yet</h2>
      <p>Send the first one, and it appears here at once:</p>
      <HowToSend model={model} />
    </section>
  );
}

function Charts({ model }: { model: Model }) {
  const { telemetry, window } = model;
  return (
    <section class="card" aria-labelledby="charts-title">
      <div class="title">
        <h2 id="charts-title">Charts</h2>
        <fieldset class="choices">
          <legend class="hidden">Time window</legend>
          {WINDOWS.map(([ms, name]) => (
            <label key={ms}>
              <input
                type="radio"
                name="window"
                checked={window.value === ms}
                onChange={() => {
                  window.value = ms;
                }}
              />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class="charts">
        {telemetry.known.value &&
          model.charted.value.map((name) => {
            const reading = telemetry.get(name)?.peek();
            return reading === undefined ? null : (
              <Chart
                key={name}
                connection={model.connection}
                entity={model.entity}
                name={name}
                kind={kindOf(reading.text)}
                window={window.value}
              />
            );
          })}
      </div>
      {!telemetry.known.value && <p class="quiet">Waiting for the first values…</p>}
      {telemetry.known.value && model.charted.value.length === 0 && (
        <p class="quiet">Choose numbers or booleans in the table below to draw them.</p>
      )}
    </section>
  );
}
