/** A widget that we cannot show: it says so, and stays in the dashboard. */

import type { WidgetProps } from "./box.tsx";

export function Unknown({ widget }: WidgetProps) {
  return (
    <p class="note">
      Widgets of the type <code>{widget.type}</code> are not available yet. It is kept in the dashboard.
    </p>
  );
}
