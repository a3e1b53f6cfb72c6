/** What a value is, judged by the text that the server sends for it, and how long it may be on the page. */

export type Kind = "number" | "boolean" | "json" | "text";

/** Characters of one value that are shown. */
export const LONGEST_SHOWN = 2_000;

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** The kind of a value. A text that looks like a number is one: the protocol does not tell them apart. */
export function kindOf(text: string): Kind {
  if (text === "true" || text === "false") return "boolean";
  if (NUMBER.test(text)) return "number";
  return looksLikeJson(text) ? "json" : "text";
}

/** The number to draw for a value: booleans are 0 and 1; null for what is none. */
export function numberOf(text: string): number | null {
  switch (kindOf(text)) {
    case "boolean":
      return text === "true" ? 1 : 0;
    case "number": {
      const value = Number(text);
      return Number.isFinite(value) ? value : null;
    }
    default:
      return null;
  }
}

/** As much of a text as is shown. */
export function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}… (${text.length} characters)`;
}

/** JSON over several lines; unchanged where it is none. */
export function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function looksLikeJson(text: string): boolean {
  if (!/^[{[]/.test(text)) return false;
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}
