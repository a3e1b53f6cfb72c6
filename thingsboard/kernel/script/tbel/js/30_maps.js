// Methods of maps. A map is a plain object: its keys are strings.
const keyOf = (key) => (typeof key === "string" ? key : text(key));
const ofMap = (map, key) => (has(map, key) ? map[key] : null);
const entriesOf = (map) => Object.keys(map).map((key) => new Entry(map, key));

function rearrange(map, keys) {
  const values = keys.map((key) => map[key]);
  for (const key of keys) delete map[key];
  keys.forEach((key, i) => put(map, key, values[i]));
}

Object.assign(MAPS, {
  size: (map) => Object.keys(map).length,
  isEmpty: (map) => Object.keys(map).length === 0,
  get: (map, key) => ofMap(map, keyOf(key)),
  getOrDefault: (map, key, otherwise) => ofMap(map, keyOf(key)) ?? otherwise,
  put(map, key, value) {
    const before = ofMap(map, keyOf(key));
    put(map, keyOf(key), value);
    return before;
  },
  putAll(map, other) {
    for (const key of Object.keys(other)) put(map, key, other[key]);
  },
  putIfAbsent(map, key, value) {
    const before = ofMap(map, keyOf(key));
    if (before === null) put(map, keyOf(key), value);
    return before;
  },
  replace(map, key, value, next) {
    const before = ofMap(map, keyOf(key));
    const fits = next === undefined ? before !== null : before !== null && same(before, value);
    if (fits) put(map, keyOf(key), next === undefined ? value : next);
    return next === undefined ? before : fits;
  },
  remove(map, key, value) {
    const before = ofMap(map, keyOf(key));
    const fits = value === undefined || same(before, value);
    if (fits) delete map[keyOf(key)];
    return value === undefined ? before : fits;
  },
  clear(map) {
    for (const key of Object.keys(map)) delete map[key];
  },
  containsKey: (map, key) => has(map, keyOf(key)),
  containsValue: (map, value) => Object.values(map).some((one) => same(one, value)),
  keys: (map) => Object.keys(map),
  values: (map) => Object.values(map),
  keySet: (map) => new JavaSet(Object.keys(map)),
  entrySet: (map) => new JavaSet(entriesOf(map)),
  entries: entriesOf,
  clone: (map) => ({ ...map }),
  toUnmodifiable: (map) => Object.freeze({ ...map }),
  sortByKey: (map, ascending = true) => rearrange(map, sorted(Object.keys(map), ascending)),
  sortByValue(map, ascending = true) {
    const order = byValue(Object.values(map));
    const keys = Object.keys(map).sort((a, b) => order(map[a], map[b]));
    rearrange(map, ascending ? keys : keys.reverse());
  },
  reverse: (map) => rearrange(map, Object.keys(map).reverse()),
  invert: (map) => Object.fromEntries(Object.keys(map).map((key) => [text(map[key]), key])),
  toString: text,
  equals: same,
  hashCode: (map) => Object.keys(map).reduce((sum, key) => (sum + (hashOf(key) ^ hashOf(map[key]))) | 0, 0),
  memorySize: (map) => Object.keys(map).reduce((sum, key) => sum + key.length + memoryOf(map[key]), 0),
});

Object.assign(ENTRIES, {
  getKey: (entry) => entry.key,
  getValue: (entry) => entry.value,
  setValue(entry, value) {
    const before = entry.value;
    Entry.write(entry, value);
    return before;
  },
  toString: (entry) => entry.text(),
});

const memoryOf = (x) => (typeof x === "string" ? x.length : isInt32(x) ? 4 : 8);

function hashOf(x) {
  if (x === null) return 0;
  if (typeof x === "boolean") return x ? 1231 : 1237;
  if (typeof x === "string")
    return Array.from({ length: x.length }, (_, i) => x.charCodeAt(i)).reduce(
      (hash, code) => (Math.imul(31, hash) + code) | 0,
      0,
    );
  if (isInt32(x)) return x;
  if (isArray(x)) return x.reduce((hash, item) => (Math.imul(31, hash) + hashOf(item)) | 0, 1);
  if (typeof x === "object") return call0(x, "hashCode");
  const raw = typeof x === "bigint" || isInteger(x) ? BigInt.asUintN(64, toBig(x)) : doubleBits(x);
  return Number(BigInt.asIntN(32, raw ^ (raw >> 32n)));
}
