/** A dashboard live: its widgets in their places, and whether what they show is fresh. */

import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect, useMemo } from "preact/hooks";

import { get, sentence } from "../api.ts";
import { Connectivity } from "../device/status.tsx";
import type { Connection } from "../live/connection.ts";
import { entityData } from "../live/entities.ts";
import { serverNow } from "../values/clock.ts";
import { MOST_ENTITIES, readLayout, type Layout, type Source, type Widget, type WidgetKind } from "./configuration.ts";
import { SourceState, seriesWindow } from "./source.ts";
import { Box, Remarks, type WidgetProps } from "./widgets/box.tsx";
import { Card } from "./widgets/card.tsx";
import { Chart } from "./widgets/chart.tsx";
import { Table } from "./widgets/table.tsx";
import { Unknown } from "./widgets/unknown.tsx";

const WIDGETS: Readonly<Record<WidgetKind, FunctionComponent<WidgetProps>>> = {
  chart: Chart,
  card: Card,
  table: Table,
  unknown: Unknown,
};

export function DashboardPage({ id, connection }: { id: string; connection: Connection }) {
  const layout = useSignal<Layout | null>(null);
  const error = useSignal("");
  useEffect(() => {
    get(`/api/dashboard/${id}`).then(
      (found) => {
        layout.value = readLayout((found as { configuration: unknown }).configuration);
        connection.connect();
      },
      (refused: unknown) => (error.value = sentence(refused)),
    );
  }, [id]);
  if (error.value !== "") return <p class="note bad">{error.value}</p>;
  if (layout.value === null) return <p class="quiet">Reading the dashboard…</p>;
  const status = connection.status.value;
  const stale = status.kind !== "live" && (status.kind !== "connecting" || status.since !== null);
  const { columns, widgets, hidden, problem } = layout.value;
  return (
    <>
      <div class="facts">
        <Connectivity model={{ connection }} />
      </div>
      {problem !== "" && <p class="note">{problem}</p>}
      {problem === "" && widgets.length === 0 && <p class="note">This dashboard has no widgets yet.</p>}
      <div class={stale ? "grid stale" : "grid"} style={{ "--grid-columns": String(columns) }}>
        {widgets.map((widget) => (
          <Live key={widget.id} widget={widget} connection={connection} />
        ))}
      </div>
      {hidden > 0 && <p class="quiet">{hidden === 1 ? "One more widget" : `${hidden} more widgets`} cannot be shown on this page yet.</p>}
    </>
  );
}

/** A widget with its subscriptions, which last as long as it is on the page. */
function Live({ widget, connection }: { widget: Widget; connection: Connection }) {
  const states = useMemo(() => widget.sources.map((source) => new SourceState(source)), [widget]);
  useEffect(() => {
    const stops = states.map((state) => subscribe(connection, widget, state));
    return () => {
      for (const stop of stops) stop();
    };
  }, [states]);
  const Kind = WIDGETS[widget.kind];
  // Of nobody's values there is nothing to draw: the remark alone says why.
  const nothing = states.length > 0 && states.every((state) => state.empty);
  return (
    <Box widget={widget}>
      {!nothing && <Kind widget={widget} states={states} />}
      {widget.kind !== "unknown" && <Remarks states={states} />}
    </Box>
  );
}

function subscribe(connection: Connection, widget: Widget, state: SourceState): () => void {
  const { filter, keys } = state.source;
  const series = widget.kind === "chart" ? keys.filter((each) => each.key.type === "TIME_SERIES").map((each) => each.key.key) : null;
  const silent = filter === null || keys.length === 0 || series?.length === 0 || (series !== null && widget.window.problem !== "");
  if (silent) return () => undefined;
  return connection.subscribe(
    () => {
      const latest = series === null ? keys.map((each) => each.key) : [];
      const window = series === null ? null : seriesWindow([...new Set(series)], widget.window, Math.round(serverNow()));
      return entityData(filter, mostOf(state.source), latest, window);
    },
    (update) => {
      state.take(update);
    },
  );
}

function mostOf(source: Source): number {
  return Math.min(MOST_ENTITIES, source.expected?.length ?? 1);
}
