/** One series over the last minutes or hours, drawn by uPlot and moving with the time. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import type { Connection } from "../live/connection.ts";
import type { Entity } from "../live/protocol.ts";
import { serverNow, tick } from "../values/clock.ts";
import type { Kind } from "../values/text.ts";
import { Series } from "./series.ts";
import { theme, type Theme } from "./theme.ts";
import { history } from "./window.ts";

const HEIGHT = 150;
/** Charts of one page show their cursors at the same time. */
const SYNC = "device";

export interface ChartProps {
  connection: Connection;
  entity: Entity;
  name: string;
  kind: Kind;
  window: number;
}

/** Subscribes while it is on the page. */
export function Chart({ connection, entity, name, kind, window }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const words = useSignal("no values");
  const pointed = useSignal("");
  const error = useSignal("");
  const colours = theme.value;
  useEffect(() => {
    if (place.current === null) return;
    const series = new Series();
    const plot = new UPlot(
      options(place.current.clientWidth, kind, window, colours, (at) => (pointed.value = at)),
      [[], []],
      place.current,
    );
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      series.forgetBefore(serverNow() - window);
      plot.setData([series.times, series.values]);
      words.value = series.describe();
    };
    const drawSoon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };
    let fresh = true;
    const stop = connection.subscribe(
      () => {
        fresh = true;
        return history(entity, name, kind, window, Math.round(serverNow()));
      },
      (update) => {
        error.value = update.error;
        if (update.error !== "") return;
        if (fresh) series.clear();
        fresh = false;
        series.add(update.data.get(name) ?? []);
        drawSoon();
      },
    );
    // The window moves on with the time, also when nothing comes.
    const moving = tick.subscribe(drawSoon);
    const sizes = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) plot.setSize({ width: Math.floor(entry.contentRect.width), height: HEIGHT });
    });
    sizes.observe(place.current);
    return () => {
      stop();
      moving();
      sizes.disconnect();
      cancelAnimationFrame(frame);
      plot.destroy();
    };
  }, [connection, entity.entityId, name, kind, window, colours]);
  return (
    <figure class="chart" data-key={name}>
      <figcaption>
        <strong>{name}</strong> <span class="quiet">{pointed.value}</span>
      </figcaption>
      {error.value !== "" && <p class="note bad">{error.value}</p>}
      <div ref={place} role="img" aria-label={`Chart of ${name}: ${words.value}`} />
    </figure>
  );
}

/** `say` hears what the cursor points at. */
function options(width: number, kind: Kind, window: number, colours: Theme, say: (at: string) => void): UPlot.Options {
  const axis = { stroke: colours.ink, font: colours.font, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
  const stepped = kind === "boolean" ? UPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    width,
    height: HEIGHT,
    ms: 1,
    legend: { show: false },
    cursor: { sync: { key: SYNC }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: () => [serverNow() - window, serverNow()] },
      y: kind === "boolean" ? { range: [-0.1, 1.1] } : {},
    },
    axes: [
      { ...axis, size: 30, values: (_: UPlot, splits: number[]) => splits.map((at) => clock(at, window <= 60_000)) },
      {
        ...axis,
        size: 60,
        ...(kind === "boolean"
          ? { splits: () => [0, 1], values: (_: UPlot, splits: number[]) => splits.map((at) => (at === 1 ? "true" : "false")) }
          : {}),
      },
    ],
    series: [{}, { stroke: colours.line, width: 2, ...(stepped ? { paths: stepped } : {}) }],
    hooks: {
      setCursor: [
        (plot) => {
          const at = plot.cursor.idx;
          const time = typeof at === "number" ? plot.data[0][at] : undefined;
          const value = typeof at === "number" ? plot.data[1]?.[at] : undefined;
          say(time === undefined || value === undefined || value === null ? "" : `${shown(value, kind)} at ${clock(time, true)}`);
        },
      ],
    },
  };
}

function shown(value: number, kind: Kind): string {
  return kind === "boolean" ? String(value === 1) : String(value);
}

function clock(ts: number, seconds: boolean): string {
  return new Date(ts).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
  });
}
