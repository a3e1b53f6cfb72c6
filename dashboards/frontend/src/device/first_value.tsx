/** How the device sends a value: commands to paste, with its token for those who may know it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { get, sentence } from "../api.ts";
import { curl, mosquittoPub } from "../values/shell.ts";
import type { Model } from "./model.ts";

const PLACEHOLDER = "ACCESS_TOKEN";

interface Credentials {
  credentialsType: string;
  credentialsId: string;
}

/** Asked for when it is wanted: the page itself holds no secret. */
export function HowToSend({ model }: { model: Model }) {
  const { facts } = model;
  const token = useSignal(PLACEHOLDER);
  const remark = useSignal(facts.mayReadCredentials ? "" : `Put the device's access token in the place of ${PLACEHOLDER}.`);
  useEffect(() => {
    if (!facts.mayReadCredentials) return;
    get(`/api/device/${facts.id}/credentials`).then(
      (found) => {
        const { credentialsType, credentialsId } = found as Credentials;
        if (credentialsType === "ACCESS_TOKEN") token.value = credentialsId;
        else remark.value = `This device has no access token, but credentials of the kind ${credentialsType}.`;
      },
      (error: unknown) => (remark.value = sentence(error)),
    );
  }, [facts.id]);
  const target = { ...facts, token: token.value };
  return (
    <>
      {remark.value !== "" && <p class="note">{remark.value}</p>}
      <Command title="Over MQTT" text={mosquittoPub(target)} />
      <Command title="Over HTTP" text={curl(target)} />
    </>
  );
}

function Command({ title, text }: { title: string; text: string }) {
  const said = useSignal("");
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => (said.value = "Copied"),
      () => (said.value = "Select it and copy it yourself"),
    );
  };
  return (
    <figure class="command">
      <figcaption>
        {title}{" "}
        {/* Only where the page came over TLS or from this machine do browsers let a script copy. */}
        {isSecureContext && (
          <button type="button" onClick={copy} aria-label={`Copy: ${title}`}>
            Copy
          </button>
        )}{" "}
        <span role="status">{said.value}</span>
      </figcaption>
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}
