/** The connection's world as it is in a browser. */

import { Refused, get, post } from "../api.ts";
import { serverNow } from "../values/clock.ts";
import type { Connection, Socket, World } from "./connection.ts";

/** Sockets, session and timers. */
export const browser: World = {
  open(): Socket {
    const address = new URL("/api/ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    return new WebSocket(address) as unknown as Socket;
  },
  async signedIn(): Promise<boolean> {
    try {
      await get("/api/auth/user");
      return true;
    } catch (error) {
      return !(error instanceof Refused && error.status === 401);
    }
  },
  async token(): Promise<string> {
    return ((await post("/api/v1/auth/socketToken")) as { token: string }).token;
  },
  now: serverNow,
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms);
    return () => {
      clearTimeout(timer);
    };
  },
  random: () => Math.random(),
};

/** Who comes back to this page, or to the network, does not want to wait for the next try. */
export function hurryBack(connection: Connection): void {
  const hurry = (): void => {
    if (document.visibilityState === "visible" && connection.status.value.kind === "lost") connection.connect();
  };
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
}
