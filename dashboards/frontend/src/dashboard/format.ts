/** A value as people read it. */

import { kindOf, shortened } from "../values/text.ts";
import type { DataKey } from "./configuration.ts";

/** With its decimals and units; "—" where there is none. */
export function shown(text: string | undefined, key: DataKey): string {
  if (text === undefined) return "—";
  const rounded = key.decimals !== null && kindOf(text) === "number" ? Number(text).toFixed(key.decimals) : shortened(text);
  return key.units === "" ? rounded : `${rounded} ${key.units}`;
}
