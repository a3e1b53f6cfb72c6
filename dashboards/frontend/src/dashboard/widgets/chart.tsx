/** Points of several entities over the last minutes, hours or days, drawn by uPlot and moving with the time. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { theme } from "../../chart/theme.ts";
import { serverNow, tick } from "../../values/clock.ts";
import { shown } from "../format.ts";
import { linesOf, type Line } from "../lines.ts";
import type { WidgetProps } from "./box.tsx";

const SMALLEST = 120; // px

/** Its points come with the subscriptions of its sources. */
export function Chart({ widget, states }: WidgetProps) {
  const { window } = widget;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const lines = useSignal<readonly Line[]>([]);
  const words = useSignal("no values");
  const names = lines.value.map((line) => line.label).join("\0");
  const colours = theme.value;
  useSignalEffect(() => {
    lines.value = linesOf(states);
  });
  useEffect(() => {
    if (place.current === null) return;
    const box = place.current;
    const size = (): { width: number; height: number } => ({
      width: Math.max(SMALLEST, Math.floor(box.clientWidth)),
      height: Math.max(SMALLEST, Math.floor(box.clientHeight)),
    });
    const drawn = new UPlot({ ...options(lines.peek(), window.ms), ...size() }, [[]], box);
    plot.current = drawn;
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      const now = lines.peek();
      for (const line of now) line.series.forgetBefore(serverNow() - window.ms);
      drawn.setData(joined(now));
      words.value = now.map((line) => `${line.label}: ${line.series.describe()}`).join("; ") || "no values";
    };
    const drawSoon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };
    const stops = [lines.subscribe(drawSoon), tick.subscribe(drawSoon)];
    const sizes = new ResizeObserver(() => {
      drawn.setSize(size());
    });
    sizes.observe(box);
    return () => {
      for (const stop of stops) stop();
      sizes.disconnect();
      cancelAnimationFrame(frame);
      drawn.destroy();
    };
  }, [names, window.ms, colours]);
  if (window.problem !== "") return <p class="note withheld">{window.problem}</p>;
  return (
    <figure class="chart">
      <div class="plot" ref={place} role="img" aria-label={`Chart of ${widget.title}: ${words.value}`} />
      <figcaption>
        <ul class="legend">
          {lines.value.map((line, number) => (
            <li key={number}>
              <span class="swatch" style={{ background: colourOf(line, number) }} aria-hidden="true" /> {line.label}{" "}
              <strong>{shown(line.last, line.key)}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

function joined(lines: readonly Line[]): UPlot.AlignedData {
  const tables = lines.map((line): UPlot.AlignedData => [line.series.times, line.series.values]);
  return tables.length === 0 ? [[]] : UPlot.join(tables);
}

/** The key's own colour, else one of the style sheet's that differ. */
function colourOf(line: Line, number: number): string {
  const own = line.alone ? line.key.colour : "";
  return own || getComputedStyle(document.documentElement).getPropertyValue(`--series-${(number % 6) + 1}`).trim();
}

function options(lines: readonly Line[], window: number): Omit<UPlot.Options, "width" | "height"> {
  const colours = theme.peek();
  const axis = { stroke: colours.ink, font: colours.font, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
  return {
    ms: 1,
    padding: [8, 28, 0, 0], // the last time on the axis is written half beyond it
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: true, range: () => [serverNow() - window, serverNow()] } },
    axes: [{ ...axis, size: 32, space: 52, values: (_: UPlot, splits: number[]) => splits.map((at) => clock(at, window)) }, { ...axis, size: 56 }],
    series: [{}, ...lines.map((line, number) => ({ stroke: colourOf(line, number), width: 2, spanGaps: false }))],
  };
}

/** The time of day, of 24 hours since that is short; the day where the window is longer than that. */
function clock(ts: number, window: number): string {
  const date = new Date(ts);
  if (window > 36 * 60 * 60_000) return date.toLocaleDateString([], { month: "numeric", day: "numeric" });
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(window <= 60_000 ? { second: "2-digit" } : {}) });
}
