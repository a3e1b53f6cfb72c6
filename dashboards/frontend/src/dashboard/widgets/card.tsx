/** Latest values, large: one for each entity and key. */

import { Age } from "../../device/status.tsx";
import { shown } from "../format.ts";
import type { WidgetProps } from "./box.tsx";

const MOST = 24;

export function Card({ widget, states }: WidgetProps) {
  const figures = states.flatMap((state) => {
    const members = state.members.value;
    return members.flatMap((member) =>
      state.source.keys.map((key) => ({ key, member, several: members.length > 1, sample: state.latest(member, key) })),
    );
  });
  // What the title says already is left to those who hear the page.
  const said = figures.length === 1 && figures[0]?.key.label.toLowerCase() === widget.title.toLowerCase();
  return (
    <dl class="figures">
      {figures.slice(0, MOST).map(({ key, member, several, sample }, number) => (
        <div key={number}>
          <dt class={said ? "hidden" : ""}>{several ? `${member.name}: ${key.label}` : key.label}</dt>
          <dd class="figure">{shown(sample?.[1], key)}</dd>
          <dd class="age">{sample === undefined ? "no value yet" : sample[0] > 0 && <Age ts={sample[0]} />}</dd>
        </div>
      ))}
    </dl>
  );
}
