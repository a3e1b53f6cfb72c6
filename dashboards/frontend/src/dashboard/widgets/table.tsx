/** Latest values as a table: an entity in each row, a key in each column, and how old the newest of them is. */

import { Age } from "../../device/status.tsx";
import { shown } from "../format.ts";
import type { SourceState } from "../source.ts";
import type { WidgetProps } from "./box.tsx";

export function Table({ states }: WidgetProps) {
  return (
    <>
      {states.map((state, number) => (
        <Part key={number} state={state} />
      ))}
    </>
  );
}

function Part({ state }: { state: SourceState }) {
  const members = state.members.value;
  const { keys } = state.source;
  if (members.length === 0 || keys.length === 0) return null;
  return (
    <div class="scroll" role="region" tabIndex={0} aria-label="Values">
      <table class="readings">
        <thead>
          <tr>
            <th scope="col">Name</th>
            {keys.map((key, column) => (
              <th scope="col" key={column}>
                {key.label}
              </th>
            ))}
            <th scope="col">Age</th>
          </tr>
        </thead>
        <tbody>
          {members.map((member) => {
            const samples = keys.map((key) => state.latest(member, key));
            const newest = Math.max(0, ...samples.map((each) => each?.[0] ?? 0));
            return (
              <tr key={member.id}>
                <th scope="row">{member.name}</th>
                {keys.map((key, column) => (
                  <td key={column}>
                    {shown(samples[column]?.[1], key)}
                  </td>
                ))}
                <td class="age">{newest > 0 && <Age ts={newest} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
