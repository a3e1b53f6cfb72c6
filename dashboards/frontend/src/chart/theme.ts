/** The colours of charts: those of the style sheet, which follow the system between light and dark. */

import { signal, type ReadonlySignal } from "@preact/signals";

export interface Theme {
  ink: string;
  grid: string;
  line: string;
  font: string;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const current = signal(read());
dark.addEventListener("change", () => (current.value = read()));

/** As they are now; who reads it is drawn anew when they change. */
export const theme: ReadonlySignal<Theme> = current;

function read(): Theme {
  const style = getComputedStyle(document.documentElement);
  const property = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: property("--quiet"),
    grid: property("--line"),
    line: property("--chart"),
    font: `12px ${property("--sans") || "sans-serif"}`,
  };
}
