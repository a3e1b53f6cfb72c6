// Windows of time series, which are the arguments of calculated fields: {timeWindow: {startTs, endTs}, values: [{ts, value}]}.
const isRolling = (x) => isMap(x) && isArray(x.values) && isMap(x.timeWindow);
const valueIn = (point) => (point.value === null ? NaN : point.value);

// The values of a window; NaN if one of them is and may not be ignored.
function windowed(window, ignore, combine, empty = true) {
  if (!isRolling(window)) fail("this is no rolling argument");
  if (empty && window.values.length === 0) fail("Rolling argument values are empty.");
  const values = window.values.map(valueIn);
  const numbers = values.filter((value) => !Number.isNaN(value));
  return !ignore && numbers.length < values.length ? NaN : combine(numbers);
}

const total = (values) => values.reduce((sum, value) => sum + value, 0);
const mean = (values) => total(values) / values.length;
const middle = (values) => {
  const ordered = [...values].sort((a, b) => a - b);
  const half = ordered.length >> 1;
  return ordered.length % 2 ? ordered[half] : (ordered[half - 1] + ordered[half]) / 2;
};
const some = (value) => value ?? fail("Rolling argument values are empty.");

class Merged {
  constructor(ts, values) {
    this.ts = ts;
    this.values = values;
  }
  v(index) {
    return index < this.values.length
      ? this.values[index]
      : fail("Can't get value at index " + index + ". There are " + this.values.length + " values present.");
  }
  get v1() {
    return this.v(0);
  }
  get v2() {
    return this.v(1);
  }
  get v3() {
    return this.v(2);
  }
  get v4() {
    return this.v(3);
  }
  get v5() {
    return this.v(4);
  }
  text() {
    return text({ ts: this.ts, values: this.values });
  }
}
Merged.prototype[TABLE] = Object.freeze(
  Object.assign(Object.create(null), {
    getTs: (merged) => merged.ts,
    getValues: (merged) => merged.values,
    getV1: (merged) => merged.v1,
    getV2: (merged) => merged.v2,
    getV3: (merged) => merged.v3,
    getV4: (merged) => merged.v4,
    getV5: (merged) => merged.v5,
  }),
);

function mergeAll(window, others, settings = {}) {
  const windows = [window, ...each(others)];
  if (!windows.every(isRolling)) fail("only rolling arguments can be merged");
  const ignore = text(settings?.ignoreNaN ?? true) === "true";
  const asked = typeof settings?.timeWindow === "string" ? jsonParse(settings.timeWindow) : settings?.timeWindow;
  const stamps = [...new Set(windows.flatMap((one) => one.values.map((point) => point.ts)))].sort((a, b) => a - b);
  const next = windows.map(() => 0);
  const latest = windows.map(() => NaN);
  const values = [];
  for (const ts of stamps) {
    windows.forEach((one, i) => {
      while (next[i] < one.values.length && one.values[next[i]].ts <= ts) latest[i] = valueIn(one.values[next[i]++]);
    });
    if (asked && !(ts >= Number(asked.startTs) && ts < Number(asked.endTs))) continue;
    if (!ignore || !latest.some(Number.isNaN)) values.push(new Merged(ts, [...latest]));
  }
  const starts = windows.map((one) => one.timeWindow.startTs);
  const ends = windows.map((one) => one.timeWindow.endTs);
  return { timeWindow: asked ?? { startTs: Math.min(...starts), endTs: Math.max(...ends) }, values };
}

Object.assign(MAPS, {
  max: (window, ignore = true) => windowed(window, ignore, (values) => Math.max(-Number.MAX_VALUE, ...values)),
  min: (window, ignore = true) => windowed(window, ignore, (values) => Math.min(Number.MAX_VALUE, ...values)),
  avg: (window, ignore = true) => windowed(window, ignore, mean),
  mean: (window, ignore = true) => windowed(window, ignore, mean),
  sum: (window, ignore = true) => windowed(window, ignore, total),
  std: (window, ignore = true) =>
    windowed(window, ignore, (values) => {
      const middle = mean(values);
      return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
    }),
  median: (window, ignore = true) => windowed(window, ignore, middle),
  count: (window, ignore = true) =>
    ignore ? windowed(window, true, (values) => values.length, false) : window.values.length,
  first: (window, ignore = true) =>
    ignore ? windowed(window, true, (values) => some(values[0])) : valueIn(window.values[0] ?? some()),
  last: (window, ignore = true) =>
    ignore ? windowed(window, true, (values) => some(values.at(-1))) : valueIn(window.values.at(-1) ?? some()),
  merge: (window, other, settings) => mergeAll(window, [other], settings),
  mergeAll,
  matches: (window, ts) => ts >= window.startTs && ts < window.endTs,
  getValues: (window) => window.values ?? null,
  getValue: (map) => (isRolling(map) ? map.values : (map.value ?? null)),
  getTs: (map) => map.ts ?? null,
  getTimeWindow: (window) => window.timeWindow ?? null,
  getSize: (map) => (isRolling(map) ? map.values.length : null),
  getStartTs: (window) => window.startTs ?? null,
  getEndTs: (window) => window.endTs ?? null,
});
