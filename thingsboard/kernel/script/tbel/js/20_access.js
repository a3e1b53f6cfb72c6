// Members, indexes, methods and types.
const READABLE = new Map([
  ["size", "size"],
  ["length", "length"],
  ["empty", "isEmpty"],
  ["blank", "isBlank"],
  ["keys", "keys"],
  ["values", "values"],
  ["keySet", "keySet"],
  ["entrySet", "entrySet"],
  ["bytes", "getBytes"],
]);

// Assigning to what every object inherits would meet the frozen prototype.
const INHERITED = Object.create(null);
for (const name of Object.getOwnPropertyNames(Object.prototype)) INHERITED[name] = true;

const MAPS = Object.create(null);
const LISTS = Object.create(null);
const STRINGS = Object.create(null);
const NUMBERS = Object.create(null);
const BOOLEANS = Object.create(null);
const SETS = Object.create(null);
const ENTRIES = Object.create(null);

class Entry {
  #map;
  constructor(map, key) {
    this.key = key;
    this.value = map[key];
    this.#map = map;
  }
  static write(entry, value) {
    put(entry.#map, entry.key, value);
    entry.value = value;
  }
  text() {
    return this.key + "=" + text(this.value);
  }
  toJSON() {
    return { [this.key]: this.value };
  }
}
Entry.prototype[TABLE] = ENTRIES;

class JavaSet {
  constructor(items) {
    Object.defineProperty(this, "items", { value: new Set(items) });
  }
  get size() {
    return this.items.size;
  }
  [Symbol.iterator]() {
    return this.items.values();
  }
  text() {
    return text([...this.items]);
  }
  toJSON() {
    return [...this.items];
  }
}
JavaSet.prototype[TABLE] = SETS;

// A Java array: a list of fixed length whose items have one type.
class JavaArray extends Array {
  static get [Symbol.species]() {
    return Array;
  }
}

function tableOf(x, name) {
  switch (typeof x) {
    case "string":
      return STRINGS;
    case "number":
    case "bigint":
      return NUMBERS;
    case "boolean":
      return BOOLEANS;
    case "object":
      if (x === null) fail("null pointer: ." + name + " of null");
      return isArray(x) ? LISTS : (x[TABLE] ?? MAPS);
    default:
      return fail("a function has no member " + name);
  }
}

function missing(x, name, count) {
  fail("unable to resolve method: " + name + "() [arglength=" + count + "] of " + typeName(x));
}

// size() and length(), which stand in the condition of every loop.
const size = (x, name) => (isArray(x) || typeof x === "string" ? x.length : call0(x, name));

function call0(x, name) {
  const method = tableOf(x, name)[name];
  if (method === undefined) missing(x, name, 0);
  return method(x) ?? null;
}

function call1(x, name, a) {
  const method = tableOf(x, name)[name];
  if (method === undefined) missing(x, name, 1);
  return method(x, a) ?? null;
}

function call2(x, name, a, b) {
  const method = tableOf(x, name)[name];
  if (method === undefined) missing(x, name, 2);
  return method(x, a, b) ?? null;
}

function call(x, name, ...rest) {
  const method = tableOf(x, name)[name];
  if (method === undefined) missing(x, name, rest.length);
  return method(x, ...rest) ?? null;
}

const callSafe = (x, name, ...rest) => (x === null ? null : call(x, name, ...rest));

function get(x, name) {
  if (isArray(x) && name === "length") return x.length;
  const table = tableOf(x, name);
  if (table === MAPS && has(x, name)) return x[name] ?? null;
  if (table === CLASS)
    return has(x, name) && typeof x[name] !== "function" ? x[name] : fail("could not access " + name);
  const method = table[READABLE.get(name)];
  if (method !== undefined) return method(x) ?? null;
  if (table === MAPS) return null;
  if (typeof x === "object" && !isArray(x) && has(x, name)) return x[name] ?? null;
  return fail("could not access: " + name + "; in " + typeName(x));
}

const getSafe = (x, name) => (x === null ? null : get(x, name));

function position(list, index) {
  const at = typeof index === "number" ? index : number(index);
  if (!isInteger(at) || at < 0 || at >= list.length) fail("index out of bounds: " + text(index) + " of " + list.length);
  return at;
}

function at(x, index) {
  if (typeof index === "number" && isArray(x)) {
    const value = x[index];
    return value !== undefined ? value : x[position(x, index)];
  }
  if (isArray(x)) return x[position(x, index)];
  if (typeof x === "string") return x[position(x, index)];
  if (typeof x === "object" && x !== null && x[TABLE] === undefined) {
    const key = typeof index === "string" ? index : text(index);
    return has(x, key) ? (x[key] ?? null) : null;
  }
  return get(x, text(index));
}

const atSafe = (x, index) => (x === null ? null : at(x, index));

function put(map, key, value) {
  try {
    if (value === null) delete map[key];
    else if (INHERITED[key])
      Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
    else map[key] = value;
  } catch {
    fail("Map is unmodifiable");
  }
}

function set(x, key, value) {
  if (isArray(x))
    (isExtensible(x) ? x : fail("List is unmodifiable"))[position(x, key)] =
      x instanceof JavaArray ? cast(value, x.type) : value;
  else if (isMap(x)) put(x, typeof key === "string" ? key : text(key), value);
  else tableOf(x, key) && fail("could not set: " + text(key) + " of " + typeName(x));
  return value;
}

const change = (x, key, operation, value) => set(x, key, operation(at(x, key), value));

function step(x, key, by, prefix) {
  const before = at(x, key);
  const after = set(x, key, add(before ?? 0, by));
  return prefix ? after : before;
}

function withoutNulls(map) {
  for (const key of Object.keys(map)) if (map[key] === null) delete map[key];
  return map;
}

function* countTo(end) {
  for (let i = 1; i <= end; i++) yield i;
}

function each(x) {
  if (isArray(x) || x instanceof JavaSet) return x;
  if (typeof x === "string") return Array.from({ length: x.length }, (_, i) => x[i]);
  if (isRolling(x)) return x.values;
  if (isMap(x)) return Object.keys(x).map((key) => new Entry(x, key));
  if (isInt32(x)) return countTo(x);
  return fail("non-iterable type: " + typeName(x));
}
