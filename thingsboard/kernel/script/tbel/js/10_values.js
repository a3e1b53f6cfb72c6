// What a value is, how Java writes it, and the operators where they differ from JavaScript's.
const { isArray } = Array;
const { isExtensible } = Object;
const { isInteger, isFinite } = Number;
const INT_MAX = 2147483647;
const INT_MIN = -2147483648;
const SAFE = Number.MAX_SAFE_INTEGER;
const TABLE = Symbol("methods"); // classes of ours carry the table of their methods here; plain objects are maps
const NUMERIC = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const has = (map, key) => Object.prototype.hasOwnProperty.call(map, key);
const isInt32 = (x) => typeof x === "number" && (x | 0) === x;
const ints = (a, b) => typeof a === "number" && typeof b === "number" && (a | 0) === a && (b | 0) === b;
const isMap = (x) => typeof x === "object" && x !== null && !isArray(x) && x[TABLE] === undefined;

function fail(message) {
  throw new Error(message);
}

// A 64 bit integer is a BigInt where a number would not be exact, and a number otherwise.
function long(big) {
  const wrapped = BigInt.asIntN(64, big);
  return wrapped >= -9007199254740991n && wrapped <= 9007199254740991n ? Number(wrapped) : wrapped;
}

const toBig = (x) => (typeof x === "bigint" ? x : BigInt(Math.trunc(x)));

// A float's value as the shortest decimal that is the same float, as Java prints it.
function float(x) {
  const single = Math.fround(x);
  if (!isFinite(single) || Number.isSafeInteger(single)) return single;
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return single;
}

// Java's Double.toString.
function doubleText(x) {
  if (!isFinite(x)) return String(x);
  const size = Math.abs(x);
  if (size === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  if (size >= 1e-3 && size < 1e7) return isInteger(x) ? x + ".0" : String(x);
  const [mantissa, exponent] = x.toExponential().split("e");
  return (mantissa.includes(".") ? mantissa : mantissa + ".0") + "E" + Number(exponent);
}

function text(x) {
  switch (typeof x) {
    case "string":
      return x;
    case "number":
      return isInteger(x) && Math.abs(x) < 9.3e18
        ? Math.abs(x) <= SAFE
          ? String(x)
          : String(BigInt(x))
        : doubleText(x);
    case "object":
      break;
    default:
      return String(x);
  }
  if (x === null) return "null";
  if (isArray(x)) return "[" + x.map(text).join(", ") + "]";
  if (x[TABLE] !== undefined) return x.text();
  return (
    "{" +
    Object.keys(x)
      .map((key) => key + "=" + text(x[key]))
      .join(", ") +
    "}"
  );
}

const single = (x) => typeof x === "number" || typeof x === "bigint";

// The number that a value is in arithmetic, or undefined.
function number(x) {
  if (single(x)) return x;
  return typeof x === "string" && NUMERIC.test(x) ? Number(x) : undefined;
}

function truth(x) {
  if (typeof x === "boolean") return x;
  if (typeof x === "string") return !["false", "no", "off", "0", ""].includes(x.toLowerCase());
  return single(x) ? x > 0 : x !== null;
}

function add(a, b) {
  const left = typeof a;
  if (left === "number" && typeof b === "number") return a + b;
  if (left === "string" || typeof b === "string") return text(a) + text(b);
  if (isArray(a)) return isArray(b) ? [...a, ...b] : [...a, b];
  if (single(a) && single(b)) return arithmetic(a, b, (x, y) => x + y);
  return text(a) + text(b);
}

function arithmetic(a, b, operation) {
  const x = number(a);
  const y = number(b);
  if (x === undefined || y === undefined) return null;
  if (typeof x === typeof y && typeof x === "number") return operation(x, y);
  if ((typeof x === "bigint" || isInteger(x)) && (typeof y === "bigint" || isInteger(y)))
    return long(operation(toBig(x), toBig(y)));
  return operation(Number(x), Number(y));
}

const sub = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : arithmetic(a, b, (x, y) => x - y));
const mul = (a, b) => (typeof a === "number" && typeof b === "number" ? a * b : arithmetic(a, b, (x, y) => x * y));

function div(a, b) {
  if (typeof a === "number" && typeof b === "number") return a / b;
  const x = number(a);
  const y = number(b);
  return x === undefined || y === undefined ? null : Number(x) / Number(y);
}

function rem(a, b) {
  const x = number(a);
  const y = number(b);
  if (y == 0 && x !== undefined && (typeof x === "bigint" || isInteger(x))) fail("/ by zero");
  return arithmetic(x ?? null, y ?? null, (left, right) => left % right);
}

function pow(a, b) {
  const x = number(a);
  const y = number(b);
  if (x === undefined || y === undefined) return null;
  const power = Math.pow(Number(x), Number(y));
  return isInteger(Number(x)) && isInteger(Number(y)) && power <= INT_MAX ? Math.trunc(power) : power;
}

const neg = (x) => (typeof x === "number" ? -x : sub(0, x));
const plus = (x) => number(x) ?? fail("not a number: " + text(x));

// Below zero, zero or above as compareTo has it; undefined where nothing can be said, which makes every comparison false.
function compare(a, b) {
  if (a === null || b === null) return undefined;
  if (single(a) || single(b)) {
    const x = number(a);
    const y = number(b);
    if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : undefined;
  } else if (typeof a === typeof b && typeof a !== "object") {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (typeof a === "object") return undefined;
  return fail("uncomparable values <<" + text(a) + ">> and <<" + text(b) + ">>");
}

const lt = (a, b) => (typeof a === "number" && typeof b === "number" ? a < b : compare(a, b) < 0);
const gt = (a, b) => (typeof a === "number" && typeof b === "number" ? a > b : compare(a, b) > 0);
const le = (a, b) => (typeof a === "number" && typeof b === "number" ? a <= b : compare(a, b) <= 0);
const ge = (a, b) => (typeof a === "number" && typeof b === "number" ? a >= b : compare(a, b) >= 0);

const EMPTY = Object.freeze({ [TABLE]: Object.freeze(Object.create(null)), text: () => "" });

function isEmpty(x) {
  if (x === null || x === "" || x === 0 || x === false) return true;
  if (typeof x === "string") return x.trim() === "";
  return typeof x === "object" && sizeOf(x) === 0;
}

function sizeOf(x) {
  return isArray(x) ? x.length : x instanceof JavaSet ? x.items.size : isMap(x) ? Object.keys(x).length : 1;
}

function eq(a, b) {
  if (a === b) return true;
  const left = typeof a;
  const right = typeof b;
  if (left === right && left !== "object") return false;
  if (a === EMPTY) return isEmpty(b);
  if (b === EMPTY) return isEmpty(a);
  if (a === null || b === null) return false;
  if (left === "boolean") return right !== "object" && a === truth(b);
  if (right === "boolean") return left !== "object" && b === truth(a);
  if (left !== "object" && right !== "object") {
    const x = number(a);
    return x !== undefined && x == number(b);
  }
  return same(a, b);
}

// Equality of lists and maps, member by member.
function same(a, b) {
  if (a === b || typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return a == b && typeof a === typeof b;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (a instanceof JavaSet)
    return b instanceof JavaSet && a.items.size === b.items.size && [...a.items].every((item) => b.items.has(item));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => has(b, key) && same(a[key], b[key]));
}

// Bit operations on ints are JavaScript's, on longs they have 64 bits; true is 1 and false is 0.
function bits(a, b, again, operation) {
  if (typeof a === "boolean" || typeof b === "boolean")
    return again(typeof a === "boolean" ? Number(a) : a, typeof b === "boolean" ? Number(b) : b);
  for (const x of [a, b]) {
    if (typeof x !== "bigint" && !isInteger(x)) fail("bitwise operation on " + text(x) + ", which is no integer");
  }
  return long(operation(toBig(a), toBig(b)));
}

const and = (a, b) => (ints(a, b) ? a & b : bits(a, b, and, (x, y) => x & y));
const or = (a, b) => (ints(a, b) ? a | b : bits(a, b, or, (x, y) => x | y));
const xor = (a, b) => (ints(a, b) ? a ^ b : bits(a, b, xor, (x, y) => x ^ y));
const shl = (a, b) => (ints(a, b) ? a << b : bits(a, b, shl, (x, y) => x << (y & 63n)));
const shr = (a, b) => (ints(a, b) ? a >> b : bits(a, b, shr, (x, y) => x >> (y & 63n)));
const ushr = (a, b) => (ints(a, b) ? (a >>> b) | 0 : bits(a, b, ushr, (x, y) => BigInt.asUintN(64, x) >> (y & 63n)));
const not = (x) => (ints(x, 0) ? ~x : bits(x, 0, not, (y) => ~y));
