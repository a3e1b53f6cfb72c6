/** /dashboards/{id}: the dashboard live. */

import "../dashboard/grid.css";

import { render } from "preact";

import { DashboardPage } from "../dashboard/page.tsx";
import { element } from "../form.ts";
import { browser, hurryBack } from "../live/browser.ts";
import { Connection } from "../live/connection.ts";
import { startClock } from "../values/clock.ts";

/** What the server says when it makes the page (dashboards/pages/dashboards.py); `now` in ms. */
const facts = JSON.parse(element("facts", HTMLScriptElement).textContent) as { id: string; now: number };
startClock(facts.now);
const connection = new Connection(browser, () => ({
  entityType: "DASHBOARD",
  entityId: facts.id,
  type: "TIMESERIES_HISTORY",
  keys: "none",
  startTs: 0,
  endTs: 1,
  interval: 0,
  limit: 1,
  agg: "NONE",
}));
hurryBack(connection);
render(<DashboardPage id={facts.id} connection={connection} />, element("dashboard", HTMLDivElement));
