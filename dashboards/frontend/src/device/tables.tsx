/** The latest values, as tables. What a device sent is only ever text here. */

import { useSignal } from "@preact/signals";

import { MOST_CHARTS, SCOPES, type Model } from "./model.ts";
import { Age } from "./status.tsx";
import type { Values } from "./values.ts";
import { indented, kindOf, shortened } from "../values/text.ts";

/** Rows of a table; who has more keys finds them by the filter. */
const MOST_ROWS = 200;
const FILTER_FROM = 12;

/** The newest point of each series, with what is drawn. */
export function Telemetry({ model }: { model: Model }) {
  return <Table id="telemetry" title="Latest telemetry" values={model.telemetry} model={model} />;
}

/** The attributes, by scope; scopes without any are left out. */
export function Attributes({ model }: { model: Model }) {
  return (
    <>
      {SCOPES.map(([scope, title]) => {
        const values = model.attributes.get(scope);
        return values && (values.keys.value.length > 0 || values.error.value !== "") ? (
          <Table key={scope} id={scope} title={title} values={values} />
        ) : null;
      })}
    </>
  );
}

function Table({ id, title, values, model }: { id: string; title: string; values: Values; model?: Model }) {
  const filter = useSignal("");
  const keys = values.keys.value;
  const wanted = filter.value.trim().toLowerCase();
  const found = keys.filter((key) => key.toLowerCase().includes(wanted));
  return (
    <section class="card" aria-labelledby={`${id}-title`}>
      <div class="title">
        <h2 id={`${id}-title`}>{title}</h2>
        {keys.length >= FILTER_FROM && (
          <label class="inline">
            Filter{" "}
            <input
              type="search"
              value={filter.value}
              onInput={(event) => (filter.value = event.currentTarget.value)}
            />
          </label>
        )}
      </div>
      {values.error.value !== "" && <p class="note bad">{values.error.value}</p>}
      {keys.length > 0 && (
        <table class={model ? "values chosen" : "values"}>
          <thead>
            <tr>
              {model && <th scope="col">Chart</th>}
              <th scope="col">Key</th>
              <th scope="col">Value</th>
              <th scope="col">Age</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, MOST_ROWS).map((key) => (
              <Row key={key} name={key} values={values} {...(model ? { model } : {})} />
            ))}
          </tbody>
        </table>
      )}
      {found.length > MOST_ROWS && <p class="quiet">{found.length - MOST_ROWS} more: use the filter.</p>}
      {keys.length === 0 && values.known.value && <p class="quiet">None yet.</p>}
    </section>
  );
}

function Row({ name, values, model }: { name: string; values: Values; model?: Model }) {
  const reading = values.get(name)?.value;
  if (reading === undefined) return null;
  return (
    <tr data-key={name}>
      {model && (
        <td>
          {model.canDraw(name) && <Choice model={model} name={name} />}
        </td>
      )}
      <th scope="row">{name}</th>
      <td class="what">
        <Value text={reading.text} />
      </td>
      <td class="age">
        <Age ts={reading.ts} />
      </td>
    </tr>
  );
}

function Choice({ model, name }: { model: Model; name: string }) {
  const charted = model.charted.value;
  const drawn = charted.includes(name);
  return (
    <input
      type="checkbox"
      aria-label={`Chart of ${name}`}
      checked={drawn}
      disabled={!drawn && charted.length >= MOST_CHARTS}
      onChange={() => {
        model.toggle(name);
      }}
    />
  );
}

function Value({ text }: { text: string }) {
  const kind = kindOf(text);
  if (kind !== "json") return <span class={`value ${kind}`}>{text === "" ? "(empty)" : shortened(text)}</span>;
  return (
    <details class="value">
      <summary>
        <code>{shortened(text).slice(0, 60)}</code>
      </summary>
      <pre>{shortened(indented(text))}</pre>
    </details>
  );
}
