/** The frame of every widget, and what stands in it instead of values. */

import type { ComponentChildren } from "preact";

import type { Widget } from "../configuration.ts";
import type { SourceState } from "../source.ts";

export interface WidgetProps {
  widget: Widget;
  states: readonly SourceState[];
}

export function Box({ widget, children }: { widget: Widget; children: ComponentChildren }) {
  const { col, row, width, height } = widget.place;
  return (
    <section
      class={`card widget ${widget.kind}`}
      aria-label={widget.title}
      style={{ "--columns": `${col + 1} / span ${width}`, "--rows": `${row + 1} / span ${height}` }}
    >
      <h2>{widget.title}</h2>
      {children}
    </section>
  );
}

/** What is wrong with the sources of a widget, or withheld from who looks at it. */
export function Remarks({ states }: { states: readonly SourceState[] }) {
  return (
    <>
      {states.map((state, number) => {
        const sentence = remark(state);
        return sentence === "" ? null : (
          <p class="note withheld" key={number}>
            {sentence}
          </p>
        );
      })}
    </>
  );
}

/** One sentence, "" where all is well. What is withheld reads the same as what does not exist. */
function remark(state: SourceState): string {
  if (state.source.problem !== "") return state.source.problem;
  if (state.source.keys.length === 0) return "None of its values can be shown yet.";
  if (!state.known.value) return "";
  const seen = state.members.value.length;
  if (seen === 0) return "No access: not yours to see, or no longer there.";
  if (state.error.value !== "") return state.error.value;
  const all = state.withheld + seen;
  return state.withheld === 0 ? "" : `No access to ${state.withheld} of ${all}: not yours to see, or no longer there.`;
}
