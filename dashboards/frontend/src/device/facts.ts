/** What the server says about the device when it makes the page (dashboards/pages/devices.py). */

import { element } from "../form.ts";

/** Times in ms since 1970. */
export interface Facts {
  id: string;
  now: number;
  active: boolean;
  lastActivity: number | null;
  baseUrl: string;
  mqttHost: string;
  mqttPort: number;
  mayReadCredentials: boolean;
}

/** The page's own facts: trusted, because our server wrote them. */
export function readFacts(): Facts {
  return JSON.parse(element("facts", HTMLScriptElement).textContent) as Facts;
}
