/** A WebSocket that comes back by itself, with everything that was subscribed to. */

import { signal, type ReadonlySignal } from "@preact/signals";

import { pauseBefore } from "./backoff.ts";
import { ending, readUpdate, type Command, type Update } from "./protocol.ts";

/** Where the connection is. `since`: when it was lost, null while it never was; times in ms. */
export type Status =
  | { kind: "connecting"; since: number | null }
  | { kind: "live" }
  | { kind: "lost"; until: number; since: number }
  | { kind: "signed out" };

/** The part of a WebSocket that is used; tests bring their own. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

/** What the connection needs of the world. */
export interface World {
  open(): Socket;
  /** Whether the session is still good; throws where nobody answers. */
  signedIn(): Promise<boolean>;
  /** A token for the first frame; raises where there is none. */
  token(): Promise<string>;
  now(): number;
  after(ms: number, call: () => void): () => void;
  random(): number;
}

interface Subscription {
  make: () => Command;
  hear: (update: Update) => void;
}

/** Commands in one frame, as ThingsBoard's own page has it, and characters: the server takes 32,768 bytes at once. */
const MOST_COMMANDS = 10;
const LONGEST_FRAME = 24_000;
/** So long nothing was heard, and the server is asked whether it is still there; so long it may take to answer. */
const QUIET_MS = 20_000;
const ANSWER_MS = 10_000;

/** Subscribe at any time; what was subscribed to is asked for anew with each connection. */
export class Connection {
  readonly status: ReadonlySignal<Status>;
  private readonly state = signal<Status>({ kind: "connecting", since: null });
  private readonly world: World;
  private readonly probe: () => Command;
  private readonly wanted = new Set<Subscription>();
  private running = new Map<number, Subscription>();
  private socket: Socket | null = null;
  private open = false;
  private lastId = 0;
  private attempt = 0;
  private lostAt: number | null = null;
  private cancel: () => void = () => undefined;

  /** `probe` makes a cheap command that is always answered. */
  constructor(world: World, probe: () => Command) {
    this.status = this.state;
    this.world = world;
    this.probe = probe;
  }

  /** Hear of what `make` asks for, from now on and after every reconnection. Returns how to stop. */
  subscribe(make: () => Command, hear: (update: Update) => void): () => void {
    const subscription = { make, hear };
    this.wanted.add(subscription);
    if (this.open) this.send([this.begin(subscription)]);
    return () => {
      this.wanted.delete(subscription);
      for (const [cmdId, each] of this.running) {
        if (each !== subscription) continue;
        this.running.delete(cmdId);
        if (this.open) this.send([ending(each.make(), cmdId)]);
      }
    };
  }

  /** Connect now, also when the next try would be later. */
  connect(): void {
    this.drop();
    this.state.value = { kind: "connecting", since: this.lostAt };
    void this.enter();
  }

  private async enter(): Promise<void> {
    const socket = this.world.open();
    this.socket = socket;
    // Asked for while the connection is being made.
    const token = this.world.token();
    token.catch(() => undefined);
    const lost = (): void => {
      if (this.socket === socket) void this.lose();
    };
    socket.onclose = lost;
    socket.onmessage = (event) => {
      if (this.socket === socket) this.hear(event.data);
    };
    this.cancel = this.world.after(ANSWER_MS, lost);
    await new Promise<void>((resolve) => (socket.onopen = resolve));
    try {
      this.greet(socket, await token);
    } catch {
      lost();
    }
  }

  private greet(socket: Socket, token: string): void {
    if (this.socket !== socket) return;
    this.open = true;
    this.lastId = 0;
    this.running = new Map();
    this.send(
      [...this.wanted].map((each) => this.begin(each)),
      { authCmd: { cmdId: 0, token } },
    );
  }

  private begin(subscription: Subscription): object {
    const cmdId = ++this.lastId;
    this.running.set(cmdId, subscription);
    return { ...subscription.make(), cmdId };
  }

  private send(commands: object[], first: object = {}): void {
    let extra = first;
    let cmds: object[] = [];
    let length = 0;
    const flush = (): void => {
      this.socket?.send(JSON.stringify({ ...extra, cmds }));
      extra = {};
      cmds = [];
      length = 0;
    };
    for (const command of commands) {
      const size = JSON.stringify(command).length;
      if (cmds.length > 0 && (cmds.length === MOST_COMMANDS || length + size > LONGEST_FRAME)) flush();
      cmds.push(command);
      length += size;
    }
    if (cmds.length > 0 || Object.keys(first).length > 0) flush();
  }

  private hear(frame: unknown): void {
    const update = readUpdate(frame);
    if (update === null) return;
    if (this.state.value.kind !== "live") this.state.value = { kind: "live" };
    this.attempt = 0;
    this.lostAt = null;
    this.watch();
    this.running.get(update.id)?.hear(update);
  }

  /** A dead network closes nothing: after some silence the server has to say something. */
  private watch(): void {
    this.cancel();
    this.cancel = this.world.after(QUIET_MS, () => {
      this.send([{ ...this.probe(), cmdId: ++this.lastId }]);
      this.cancel = this.world.after(ANSWER_MS, () => void this.lose());
    });
  }

  private async lose(): Promise<void> {
    this.drop();
    this.lostAt ??= this.world.now();
    const pause = pauseBefore(++this.attempt, () => this.world.random());
    this.state.value = { kind: "lost", since: this.lostAt, until: this.world.now() + pause };
    const waiting = this.state.value;
    this.cancel = this.world.after(pause, () => {
      this.connect();
    });
    const good = await this.world.signedIn().catch(() => true);
    if (!good && this.state.value === waiting) {
      this.drop();
      this.state.value = { kind: "signed out" };
    }
  }

  private drop(): void {
    this.cancel();
    const socket = this.socket;
    this.socket = null;
    this.open = false;
    socket?.close();
  }
}
