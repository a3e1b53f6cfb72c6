import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection, type Socket, type World } from "./connection.ts";
import { entityData } from "./entities.ts";
import type { Command, Update } from "./protocol.ts";

interface Frame {
  authCmd?: { token: string };
  cmds: { cmdId: number; type: string; keys: string; unsubscribe?: boolean }[];
}

/** A socket whose other end is the test. */
class Peer implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly frames: Frame[] = [];
  closed = false;

  send(text: string): void {
    this.frames.push(JSON.parse(text) as Frame);
  }

  close(): void {
    this.closed = true;
  }

  say(id: number, data: unknown = {}): void {
    this.onmessage?.({ data: JSON.stringify({ subscriptionId: id, errorCode: 0, errorMsg: null, data }) });
  }
}

/** A world whose time the test moves. */
class Stage implements World {
  readonly peers: Peer[] = [];
  signedInNow = true;
  tokenNow = "jwt";
  private time = 0;
  private timers: { at: number; call: () => void }[] = [];

  open(): Socket {
    const peer = new Peer();
    this.peers.push(peer);
    return peer;
  }

  signedIn(): Promise<boolean> {
    return Promise.resolve(this.signedInNow);
  }

  token(): Promise<string> {
    return Promise.resolve(this.tokenNow);
  }

  now(): number {
    return this.time;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.time + ms, call };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((each) => each !== timer));
  }

  random(): number {
    return 0;
  }

  async pass(ms: number): Promise<void> {
    this.time += ms;
    const due = this.timers.filter((each) => each.at <= this.time);
    this.timers = this.timers.filter((each) => each.at > this.time);
    for (const each of due) each.call();
    await settle();
  }

  get peer(): Peer {
    const last = this.peers.at(-1);
    assert.ok(last);
    return last;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

function series(keys: string): Command {
  return { type: "TIMESERIES", entityType: "DEVICE", entityId: "d", keys, scope: "LATEST_TELEMETRY" };
}

async function opened(stage: Stage, connection: Connection): Promise<Peer> {
  connection.connect();
  await enter(stage);
  return stage.peer;
}

async function enter(stage: Stage): Promise<void> {
  stage.peer.onopen?.();
  await settle();
}

const make = (stage: Stage): Connection => new Connection(stage, () => series("probe"));

test("what was subscribed to before is asked for in the first frame, what comes later in one of its own", async () => {
  const stage = new Stage();
  const connection = make(stage);
  connection.subscribe(() => series("a"), () => undefined);
  const peer = await opened(stage, connection);
  connection.subscribe(() => series("b"), () => undefined);
  assert.deepEqual(peer.frames.map((frame) => frame.cmds.map((each) => [each.cmdId, each.keys])), [[[1, "a"]], [[2, "b"]]]);
});

test("at most ten commands go in one frame, and a token only in the first", async () => {
  const stage = new Stage();
  const connection = make(stage);
  for (let n = 0; n < 12; n++) connection.subscribe(() => series(`k${n}`), () => undefined);
  const peer = await opened(stage, connection);
  assert.deepEqual(peer.frames.map((frame) => frame.cmds.length), [10, 2]);
  assert.deepEqual(peer.frames.map((frame) => frame.authCmd?.token), ["jwt", undefined]);
});

test("long commands are spread over frames that the server takes, and each ends in the way of its kind", async () => {
  const stage = new Stage();
  const connection = make(stage);
  const ids = Array.from({ length: 250 }, (_, n) => `5c9a153a-e51f-11f1-88cb-${String(n).padStart(12, "0")}`);
  const query = () => entityData({ type: "entityList", entityType: "DEVICE", entityList: ids }, 250, [], null);
  const stops = Array.from({ length: 5 }, () => connection.subscribe(query, () => undefined));
  const peer = await opened(stage, connection);
  assert.deepEqual(peer.frames.map((frame) => frame.cmds.length), [2, 2, 1]);
  for (const frame of peer.frames) assert.ok(JSON.stringify(frame).length < 32_768);
  stops[2]?.();
  assert.deepEqual(peer.frames.at(-1)?.cmds, [{ type: "ENTITY_DATA_UNSUBSCRIBE", cmdId: 3 }]);
});

test("it is live when the server has answered, not before", async () => {
  const stage = new Stage();
  const connection = make(stage);
  const heard: Update[] = [];
  connection.subscribe(() => series("a"), (update) => heard.push(update));
  const peer = await opened(stage, connection);
  assert.equal(connection.status.value.kind, "connecting");
  peer.say(1, { a: [[7, "x"]] });
  peer.say(99);
  assert.equal(connection.status.value.kind, "live");
  assert.deepEqual(heard.map((update) => update.data.get("a")), [[[7, "x"]]]);
});

test("after a loss it says so, waits, and subscribes anew", async () => {
  const stage = new Stage();
  const connection = make(stage);
  connection.subscribe(() => series("a"), () => undefined);
  const first = await opened(stage, connection);
  first.say(1);
  first.onclose?.();
  assert.deepEqual(connection.status.value, { kind: "lost", since: 0, until: 2_000 });
  await stage.pass(1_999);
  assert.equal(stage.peers.length, 1);
  await stage.pass(1);
  await enter(stage);
  assert.equal(stage.peers.length, 2);
  assert.deepEqual(stage.peer.frames[0]?.cmds.map((each) => [each.cmdId, each.keys]), [[1, "a"]]);
  first.say(1, { a: [[1, "late"]] });
  assert.equal(connection.status.value.kind, "connecting");
});

test("the time of the loss stays while try after try fails", async () => {
  const stage = new Stage();
  const connection = make(stage);
  const first = await opened(stage, connection);
  first.say(1);
  first.onclose?.();
  await stage.pass(2_000);
  assert.deepEqual(connection.status.value, { kind: "connecting", since: 0 });
  stage.peer.onclose?.();
  assert.deepEqual(connection.status.value, { kind: "lost", since: 0, until: 4_000 });
});

test("a silent server is asked, and given up when it does not answer", async () => {
  const stage = new Stage();
  const connection = make(stage);
  const peer = await opened(stage, connection);
  peer.say(1);
  await stage.pass(20_000);
  assert.deepEqual(peer.frames.at(-1)?.cmds.map((each) => each.keys), ["probe"]);
  peer.say(5);
  await stage.pass(20_000);
  await stage.pass(9_999);
  assert.equal(connection.status.value.kind, "live");
  await stage.pass(1);
  assert.equal(connection.status.value.kind, "lost");
  assert.equal(peer.closed, true);
});

test("a connection that never opens is given up", async () => {
  const stage = new Stage();
  const connection = make(stage);
  connection.connect();
  await stage.pass(10_000);
  assert.equal(connection.status.value.kind, "lost");
});

test("whose session has ended is told so, and no more is tried", async () => {
  const stage = new Stage();
  const connection = make(stage);
  const peer = await opened(stage, connection);
  stage.signedInNow = false;
  peer.onclose?.();
  await settle();
  assert.equal(connection.status.value.kind, "signed out");
  await stage.pass(100_000);
  assert.equal(stage.peers.length, 1);
});

test("what is not wanted any more is unsubscribed, and not asked for again", async () => {
  const stage = new Stage();
  const connection = make(stage);
  const stop = connection.subscribe(() => series("a"), () => undefined);
  const peer = await opened(stage, connection);
  stop();
  assert.deepEqual(peer.frames.at(-1)?.cmds.map((each) => [each.cmdId, each.unsubscribe]), [[1, true]]);
  connection.connect();
  await enter(stage);
  assert.deepEqual(stage.peer.frames.flatMap((frame) => frame.cmds), []);
});
