// Types: what is one, how a value becomes one, and what `new` makes.
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
  String: (x) => typeof x === "string",
  CharSequence: (x) => typeof x === "string",
  Character: (x) => typeof x === "string" && x.length === 1,
  Boolean: (x) => typeof x === "boolean",
  Number: single,
  Integer: isInt32,
  Long: (x) => isInteger(x) || typeof x === "bigint",
  Short: isInt32,
  Byte: isInt32,
  Double: (x) => typeof x === "number",
  Float: (x) => typeof x === "number",
  List: isArray,
  ArrayList: isArray,
  Collection: (x) => isArray(x) || x instanceof JavaSet,
  Set: (x) => x instanceof JavaSet,
  Map: isMap,
  HashMap: isMap,
  LinkedHashMap: isMap,
};

function is(x, type) {
  const name = SIMPLE(type);
  if (name === "Date") return x instanceof JavaDate;
  if (!has(KINDS, name)) fail("could not resolve class: " + type);
  return x !== null && KINDS[name](x);
}

const whole = (x) =>
  typeof x === "bigint"
    ? x
    : typeof x === "string" && !NUMERIC.test(x) && x.length === 1
      ? x.charCodeAt(0)
      : Math.trunc(plus(x));
const clamp = (x, least, most) => (Number.isNaN(x) ? 0 : x < least ? least : x > most ? most : x);

function cast(x, type) {
  if (x === null) return null;
  switch (type) {
    case "$double":
      return doubleText(x);
    case "byte":
    case "Byte":
      return Number(BigInt.asIntN(8, toBig(whole(x))));
    case "short":
    case "Short":
      return Number(BigInt.asIntN(16, toBig(whole(x))));
    case "int":
    case "Integer":
      return typeof x === "bigint"
        ? Number(BigInt.asIntN(32, x))
        : Math.abs(whole(x)) <= SAFE && isInteger(x)
          ? x | 0
          : clamp(whole(x), INT_MIN, INT_MAX);
    case "long":
    case "Long":
      return whole(x);
    case "float":
    case "Float":
      return float(Number(plus(x)));
    case "double":
    case "Double":
      return Number(plus(x));
    case "boolean":
    case "Boolean":
      return truth(x);
    case "char":
    case "Character":
      return typeof x === "string" ? x : String.fromCharCode(Number(x));
    case "String":
      return text(x);
    default:
      return x;
  }
}

const ZEROS = { boolean: false, byte: 0, short: 0, int: 0, long: 0, float: 0, double: 0, char: "\0" };

function arrayOf(type, items) {
  const array = new JavaArray(items.length);
  items.forEach((item, i) => {
    array[i] = cast(item, type);
  });
  return Object.defineProperty(array, "type", { value: type });
}

function newArray(type, size, ...rest) {
  if (!isInteger(size) || size < 0 || size > 1e6) fail("Max array length overflow (" + text(size) + ")");
  return arrayOf(
    rest.length ? type + "[]" : type,
    Array.from({ length: size }, () => (rest.length ? newArray(type, ...rest) : (ZEROS[type] ?? null))),
  );
}

const CONSTRUCTORS = {
  ArrayList: (from) => (from === undefined || single(from) ? [] : [...each(from)]),
  HashMap: (from) => (from === undefined || single(from) ? {} : { ...from }),
  HashSet: (from) => new JavaSet(from === undefined || single(from) ? [] : each(from)),
  Date: (...rest) => newDate(rest),
  String: (from = "") => (isArray(from) ? bytesToString(from) : text(from)),
  Integer: (x) => integer(x),
  Long: (x) => CLASSES.Long.valueOf(x),
  Double: (x) => Number(plus(x)),
  Float: (x) => float(Number(plus(x))),
  Boolean: truth,
  Object: () => ({}),
};
Object.assign(CONSTRUCTORS, {
  LinkedList: CONSTRUCTORS.ArrayList,
  LinkedHashMap: CONSTRUCTORS.HashMap,
  LinkedHashSet: CONSTRUCTORS.HashSet,
});

function construct(type, ...rest) {
  const name = /^[A-Z]\w*$|^java\.(util|lang)\.\w+$/.test(type) ? SIMPLE(type) : "";
  if (!has(CONSTRUCTORS, name)) fail("could not resolve class: " + type);
  return CONSTRUCTORS[name](...rest);
}
