/** /dashboards/new and /dashboards/{id}/edit: the JSON of a dashboard. What is wrong with it, the server says with its path. */

import "../dashboard/grid.css";

import { get, postText } from "../api.ts";
import { Invalid, element, onSubmit } from "../form.ts";

interface Saved {
  id: { id: string };
}

const facts = JSON.parse(element("facts", HTMLScriptElement).textContent) as { id: string | null; version: number | null };
const form = element("edit", HTMLFormElement);
const title = element("title", HTMLInputElement);
const configuration = element("configuration", HTMLTextAreaElement);

onSubmit(form, async () => {
  if (title.value.trim() === "") throw new Invalid(title, "Enter a title.");
  const problem = problemOf(configuration.value);
  if (problem !== "") throw new Invalid(configuration, problem);
  const known = facts.id === null ? {} : ((await get(`/api/dashboard/${facts.id}`)) as object);
  const head: Record<string, unknown> = { ...known, title: title.value.trim(), ...(facts.id === null ? {} : { version: facts.version }) };
  delete head["configuration"];
  // Put together as text: numbers that are too long for a script stay what they are.
  const saved = await postText("/api/dashboard", `${JSON.stringify(head).slice(0, -1)},"configuration":${configuration.value}}`);
  location.assign(`/dashboards/${(saved as Saved).id.id}`);
});

/** Why a text is no JSON, with the line where the browser says it; "" where it is. */
function problemOf(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `The configuration is not valid JSON: ${error instanceof Error ? error.message : "it cannot be read"}`;
  }
}
