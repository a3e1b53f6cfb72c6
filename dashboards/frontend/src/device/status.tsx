/** Whether what is shown is live. */

import type { Model } from "./model.ts";
import { ageOf } from "../values/age.ts";
import { tick } from "../values/clock.ts";

/** One line that a screen reader says, too. While the connection is lost it says that the values are old. */
export function Connectivity({ model }: { model: Pick<Model, "connection"> }) {
  const status = model.connection.status.value;
  switch (status.kind) {
    case "live":
      return (
        <p class="status good" role="status">
          Live
        </p>
      );
    case "connecting":
      return (
        <p class="status" role="status">
          {status.since === null ? "Connecting…" : "Connecting again…"}
        </p>
      );
    case "lost":
      return (
        <div class="status bad">
          <p role="status">
            <strong>Connection lost.</strong> These values may be out of date.
          </p>
          <p class="quiet">
            <Retry since={status.since} until={status.until} />
          </p>
          <button
            type="button"
            onClick={() => {
              model.connection.connect();
            }}
          >
            Try now
          </button>
        </div>
      );
    case "signed out":
      return (
        <div class="status bad">
          <p role="status">
            <strong>You are signed out.</strong> These values are not updated any more.
          </p>
          <a href={`/auth/login?next=${encodeURIComponent(location.pathname + location.search)}`}>Sign in</a>
        </div>
      );
  }
}

function Retry({ since, until }: { since: number; until: number }) {
  const now = tick.value;
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return (
    <>
      Lost {ageOf(since, now)}; next try in {seconds} s.
    </>
  );
}

/** Whether the device is active, and when it was heard last. */
export function Activity({ model }: { model: Model }) {
  const attributes = model.attributes.get("SERVER_SCOPE");
  const said = (key: string): string | undefined =>
    attributes?.keys.value.includes(key) ? attributes.get(key)?.value.text : undefined;
  const active = (said("active") ?? String(model.facts.active)) === "true";
  const last = Number(said("lastActivityTime") ?? model.facts.lastActivity ?? 0);
  return (
    <p class="activity">
      <span class={active ? "state good" : "state"}>{active ? "Active" : "Inactive"}</span>{" "}
      {last > 0 ? <Age ts={last} before="last activity " /> : "never heard of"}
    </p>
  );
}

/** How long ago that was, each second anew; the exact time for who points at it. */
export function Age({ ts, before = "" }: { ts: number; before?: string }) {
  const date = new Date(ts);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {before}
      {ageOf(ts, tick.value)}
    </time>
  );
}
