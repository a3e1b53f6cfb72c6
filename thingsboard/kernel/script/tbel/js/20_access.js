// Members, indexes, methods and types.
const READABLE = new Map([["size", "size"], ["length", "length"], ["empty", "isEmpty"], ["blank", "isBlank"], ["keys", "keys"],
  ["values", "values"], ["keySet", "keySet"], ["entrySet", "entrySet"], ["bytes", "getBytes"]]);

const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype)); // assigning to these would meet the frozen prototype

const MAPS = Object.create(null);
const LISTS = Object.create(null);
const STRINGS = Object.create(null);
const NUMBERS = Object.create(null);
const BOOLEANS = Object.create(null);
const SETS = Object.create(null);
const ENTRIES = Object.create(null);

class Entry {
  constructor(map, key) {
    this.key = key;
    this.value = map[key];
    Object.defineProperty(this, "map", { value: map });
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
    case "string": return STRINGS;
    case "number": case "bigint": return NUMBERS;
    case "boolean": return BOOLEANS;
    case "object":
      if (x === null) fail("null pointer: ." + name + " of null");
      return isArray(x) ? LISTS : x[TABLE] ?? MAPS;
    default: return fail("a function has no member " + name);
  }
}

function missing(x, name, count) {
  fail("unable to resolve method: " + name + "() [arglength=" + count + "] of " + typeName(x));
}

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
  if (table === CLASS) return has(x, name) && typeof x[name] !== "function" ? x[name] : fail("could not access " + name);
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
    return has(x, key) ? x[key] ?? null : null;
  }
  return get(x, text(index));
}

const atSafe = (x, index) => (x === null ? null : at(x, index));

function put(map, key, value) {
  if (!isExtensible(map)) fail("Map is unmodifiable");
  if (value === null) delete map[key];
  else if (INHERITED.has(key)) Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  else map[key] = value;
}

function set(x, key, value) {
  if (isArray(x)) (isExtensible(x) ? x : fail("List is unmodifiable"))[position(x, key)] = x instanceof JavaArray ? cast(value, x.type) : value;
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

function each(x) {
  if (isArray(x) || x instanceof JavaSet) return x;
  if (typeof x === "string") return Array.from({ length: x.length }, (_, i) => x[i]);
  if (isRolling(x)) return x.values;
  if (isMap(x)) return Object.keys(x).map((key) => new Entry(x, key));
  return fail("non-iterable type: " + typeName(x));
}

function typeName(x) {
  if (x === null) return "null";
  if (typeof x === "string") return "String";
  if (typeof x === "boolean") return "Boolean";
  if (typeof x === "bigint") return "Long";
  if (typeof x === "number") return isInt32(x) ? "Integer" : Number.isSafeInteger(x) ? "Long" : "Double";
  if (isArray(x)) return x instanceof JavaArray ? x.type + "[]" : "List";
  return x instanceof JavaSet ? "Set" : isMap(x) ? "Map" : x.constructor.name;
}

const SIMPLE = (name) => name.slice(name.lastIndexOf(".") + 1);
const KINDS = {
  Object: () => true,
  String: (x) => typeof x === "string", CharSequence: (x) => typeof x === "string", Character: (x) => typeof x === "string" && x.length === 1,
  Boolean: (x) => typeof x === "boolean",
  Number: single,
  Integer: isInt32, Long: (x) => isInteger(x) || typeof x === "bigint", Short: isInt32, Byte: isInt32,
  Double: (x) => typeof x === "number", Float: (x) => typeof x === "number",
  List: isArray, ArrayList: isArray, Collection: (x) => isArray(x) || x instanceof JavaSet,
  Set: (x) => x instanceof JavaSet, Map: isMap, HashMap: isMap, LinkedHashMap: isMap,
};

function is(x, type) {
  const name = SIMPLE(type);
  if (name === "Date") return x instanceof JavaDate;
  if (!has(KINDS, name)) fail("could not resolve class: " + type);
  return x !== null && KINDS[name](x);
}

const whole = (x) => (typeof x === "bigint" ? x : typeof x === "string" && !NUMERIC.test(x) && x.length === 1 ? x.charCodeAt(0) : Math.trunc(plus(x)));
const clamp = (x, least, most) => (Number.isNaN(x) ? 0 : x < least ? least : x > most ? most : x);

function cast(x, type) {
  if (x === null) return null;
  switch (type) {
    case "$double": return doubleText(x);
    case "byte": case "Byte": return Number(BigInt.asIntN(8, toBig(whole(x))));
    case "short": case "Short": return Number(BigInt.asIntN(16, toBig(whole(x))));
    case "int": case "Integer": return typeof x === "bigint" ? Number(BigInt.asIntN(32, x)) : Math.abs(whole(x)) <= SAFE && isInteger(x) ? x | 0 : clamp(whole(x), INT_MIN, INT_MAX);
    case "long": case "Long": return whole(x);
    case "float": case "Float": return float(Number(plus(x)));
    case "double": case "Double": return Number(plus(x));
    case "boolean": case "Boolean": return truth(x);
    case "char": case "Character": return typeof x === "string" ? x : String.fromCharCode(Number(x));
    case "String": return text(x);
    default: return x;
  }
}

const ZEROS = { boolean: false, byte: 0, short: 0, int: 0, long: 0, float: 0, double: 0, char: "\0" };

function arrayOf(type, items) {
  const array = new JavaArray(items.length);
  items.forEach((item, i) => { array[i] = cast(item, type); });
  return Object.defineProperty(array, "type", { value: type });
}

function newArray(type, size, ...rest) {
  if (!isInteger(size) || size < 0 || size > 1e6) fail("Max array length overflow (" + text(size) + ")");
  return arrayOf(rest.length ? type + "[]" : type, Array.from({ length: size }, () => (rest.length ? newArray(type, ...rest) : ZEROS[type] ?? null)));
}

const CONSTRUCTORS = {
  ArrayList: (from) => (from === undefined || single(from) ? [] : [...each(from)]),
  HashMap: (from) => (from === undefined || single(from) ? {} : { ...from }),
  HashSet: (from) => new JavaSet(from === undefined || single(from) ? [] : each(from)),
  Date: (...rest) => newDate(rest),
  String: (from = "") => (isArray(from) ? bytesToString(from) : text(from)),
  Integer: (x) => integer(x), Long: (x) => CLASSES.Long.valueOf(x), Double: (x) => Number(plus(x)), Float: (x) => float(Number(plus(x))), Boolean: truth,
  Object: () => ({}),
};
Object.assign(CONSTRUCTORS, { LinkedList: CONSTRUCTORS.ArrayList, LinkedHashMap: CONSTRUCTORS.HashMap, LinkedHashSet: CONSTRUCTORS.HashSet });

function construct(type, ...rest) {
  const name = /^[A-Z]\w*$|^java\.(util|lang)\.\w+$/.test(type) ? SIMPLE(type) : "";
  if (!has(CONSTRUCTORS, name)) fail("could not resolve class: " + type);
  return CONSTRUCTORS[name](...rest);
}
