/** A form that is sent by a script: once at a time, and what is refused is said in it. */

import { sentence } from "./api.ts";

/** The element with this id. Raises where the page has none: then page and script do not belong together. */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return found;
}

/** Have `send` called with each submission; whatever it raises is shown at the top of the form. */
export function onSubmit(form: HTMLFormElement, send: () => Promise<void>): void {
  const refusal = element("refusal", HTMLElement);
  const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
  const submit = async (): Promise<void> => {
    refusal.hidden = true;
    if (button) button.disabled = true;
    try {
      await send();
    } catch (error) {
      refusal.textContent = error instanceof Invalid ? error.message : sentence(error);
      refusal.hidden = false;
      if (error instanceof Invalid) error.field.focus();
    } finally {
      if (button) button.disabled = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  if (button) button.disabled = false; // until now nobody would have caught the submission
}

/** What was typed into a field cannot be sent. */
export class Invalid extends Error {
  readonly field: HTMLElement;

  constructor(field: HTMLElement, message: string) {
    super(message);
    this.field = field;
  }
}
