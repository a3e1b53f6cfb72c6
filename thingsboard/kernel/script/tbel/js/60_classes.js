// The classes whose static members a script may use, and the methods of numbers and booleans.
const CLASS = Object.freeze(Object.create(null));
const double = (x) => (typeof x === "number" ? x : Number(plus(x)));
const bad = (input) => fail('For input string: "' + text(input) + '"');

// A whole number in a string, as Java's parsers read it: a sign and digits of the radix, and nothing else.
function wholeOf(input, radix, width) {
  const match = /^([+-]?)([0-9a-z]+)$/i.exec(typeof input === "string" ? input : text(input));
  let value = 0n;
  for (const digit of match ? match[2] : bad(input)) {
    const worth = parseInt(digit, radix);
    if (Number.isNaN(worth) || value > 2n ** 64n) bad(input);
    value = value * BigInt(radix) + BigInt(worth);
  }
  if (match[1] === "-") value = -value;
  return BigInt.asIntN(width, value) === value ? long(value) : bad(input);
}

function integer(x, radix = 10) {
  return single(x) ? cast(x, "int") : wholeOf(x, radix, 32);
}

function decimal(input) {
  if (single(input)) return Number(input);
  const plain = text(input)
    .trim()
    .replace(/[dDfF]$/, "");
  return NUMERIC.test(plain) || /^[+-]?(Infinity|NaN)$/.test(plain) ? Number(plain) : bad(input);
}

function hexDouble(x, mantissaBits = 52) {
  if (!isFinite(x) || x === 0) return x === 0 ? "0x0.0p0" : String(x);
  const bits = doubleBits(x);
  const exponent = Number((bits >> 52n) & 2047n) - 1023;
  const mantissa =
    (bits & 0xfffffffffffffn)
      .toString(16)
      .padStart(13, "0")
      .slice(0, Math.ceil(mantissaBits / 4))
      .replace(/0+$/, "") || "0";
  return (x < 0 ? "-" : "") + "0x1." + mantissa + "p" + exponent;
}

const ordering = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const wholeClass = (name, width) => ({
  MAX_VALUE: long(2n ** BigInt(width - 1) - 1n),
  MIN_VALUE: long(-(2n ** BigInt(width - 1))),
  ["parse" + name]: (x, radix = 10) => wholeOf(x, radix, width),
  valueOf: (x, radix = 10) => (single(x) ? long(BigInt.asIntN(width, toBig(x))) : wholeOf(x, radix, width)),
  toString: (x, radix = 10) => toBig(x).toString(radix),
  toHexString: (x) => BigInt.asUintN(width, toBig(x)).toString(16),
  toBinaryString: (x) => BigInt.asUintN(width, toBig(x)).toString(2),
  toOctalString: (x) => BigInt.asUintN(width, toBig(x)).toString(8),
  toUnsignedString: (x) => String(BigInt.asUintN(width, toBig(x))),
  toUnsignedInt: (x) => long(BigInt.asUintN(width, toBig(x))),
  toUnsignedLong: (x) => long(BigInt.asUintN(width, toBig(x))),
  decode: (x) => (/^-?0x/i.test(x) ? wholeOf(x.replace(/0x/i, ""), 16, width) : wholeOf(x, 10, width)),
  compare: ordering,
  signum: (x) => ordering(x, 0),
  bitCount: (x) => BigInt.asUintN(width, toBig(x)).toString(2).replaceAll("0", "").length,
  max: (a, b) => (a > b ? a : b),
  min: (a, b) => (a < b ? a : b),
  sum: (a, b) => long(BigInt.asIntN(width, toBig(a) + toBig(b))),
  hashCode: hashOf,
});

const floatClass = (name, convert, most, least, toHex) => ({
  MAX_VALUE: most,
  MIN_VALUE: least,
  NaN: NaN,
  POSITIVE_INFINITY: Infinity,
  NEGATIVE_INFINITY: -Infinity,
  ["parse" + name]: (x) => convert(decimal(x)),
  valueOf: (x) => convert(decimal(x)),
  toString: (x) => doubleText(double(x)),
  toHexString: toHex,
  isNaN: (x) => Number.isNaN(double(x)),
  isInfinite: (x) => Math.abs(double(x)) === Infinity,
  isFinite: (x) => isFinite(double(x)),
  compare: ordering,
  max: (a, b) => Math.max(double(a), double(b)),
  min: (a, b) => Math.min(double(a), double(b)),
  sum: (a, b) => double(a) + double(b),
});

const math = { PI: Math.PI, E: Math.E };
for (const name of [
  "sqrt",
  "cbrt",
  "floor",
  "ceil",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "tanh",
  "exp",
  "expm1",
  "log",
  "log10",
  "log1p",
]) {
  const plain = Math[name];
  math[name] = (x) => plain(double(x));
}
Object.assign(math, {
  abs: (x) => (x < 0 ? neg(x) : plus(x)),
  max: (a, b) => (plus(a) > plus(b) || Number.isNaN(a) ? plus(a) : plus(b)),
  min: (a, b) => (plus(a) < plus(b) || Number.isNaN(a) ? plus(a) : plus(b)),
  pow: (a, b) => Math.pow(double(a), double(b)),
  atan2: (a, b) => Math.atan2(double(a), double(b)),
  hypot: (a, b) => Math.hypot(double(a), double(b)),
  round: (x) => (typeof x === "bigint" ? x : Math.floor(double(x) + 0.5)),
  rint: (x) => {
    const low = Math.floor(double(x));
    const rest = double(x) - low;
    return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  },
  signum: (x) => Math.sign(double(x)),
  random: () => Math.random(),
  toRadians: (x) => (double(x) / 180) * Math.PI,
  toDegrees: (x) => (double(x) * 180) / Math.PI,
  floorMod: (a, b) => sub(a, mul(b, Math.floor(Number(a) / Number(b)))),
  floorDiv: (a, b) => Math.floor(Number(a) / Number(b)),
  addExact: (a, b) => add(a, b),
  subtractExact: (a, b) => sub(a, b),
  multiplyExact: (a, b) => mul(a, b),
  negateExact: (x) => neg(x),
});

const jsonParse = JSON.parse;
const exact = (_, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source)
    ? long(BigInt(context.source))
    : value;
BigInt.prototype.toJSON = function () {
  return JSON.rawJSON(String(this));
};

const CLASSES = {
  Integer: wholeClass("Int", 32),
  Long: wholeClass("Long", 64),
  Short: wholeClass("Short", 16),
  Byte: wholeClass("Byte", 8),
  Double: floatClass(
    "Double",
    (x) => x,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    (x) => hexDouble(double(x)),
  ),
  Float: floatClass("Float", float, float(3.4028234663852886e38), float(1.401298464324817e-45), (x) =>
    hexDouble(Math.fround(double(x)), 23),
  ),
  Boolean: {
    TRUE: true,
    FALSE: false,
    parseBoolean: (x) => typeof x === "string" && x.toLowerCase() === "true",
    valueOf: (x) => x === true || (typeof x === "string" && x.toLowerCase() === "true"),
    toString: text,
  },
  String: {
    valueOf: (x) => (x instanceof JavaArray && x.type === "char" ? x.join("") : text(x)),
    format,
    join: (separator, first, ...rest) =>
      (rest.length || typeof first === "string" ? [first, ...rest] : [...each(first)]).map(text).join(separator),
    copyValueOf: (x) => Array.from(x).join(""),
  },
  Character: {
    isDigit: (x) => /^\p{Nd}$/u.test(codeOf(x)),
    isLetter: (x) => /^\p{L}$/u.test(codeOf(x)),
    isLetterOrDigit: (x) => /^[\p{L}\p{Nd}]$/u.test(codeOf(x)),
    isUpperCase: (x) => /^\p{Lu}$/u.test(codeOf(x)),
    isLowerCase: (x) => /^\p{Ll}$/u.test(codeOf(x)),
    isWhitespace: (x) => /^\s$/.test(codeOf(x)),
    toUpperCase: (x) => codeOf(x).toUpperCase(),
    toLowerCase: (x) => codeOf(x).toLowerCase(),
    getNumericValue: (x) => {
      const value = parseInt(codeOf(x), 36);
      return Number.isNaN(value) ? -1 : value;
    },
    toString: codeOf,
    valueOf: codeOf,
  },
  Math: math,
  JSON: {
    parse: (x) => (x === null ? null : /\d{16}/.test(x) ? jsonParse(x, exact) : jsonParse(x)),
    stringify: (x) => JSON.stringify(x),
  },
  Date: {
    now: () => Date.now(),
    parse: (...rest) => parseDate(...rest),
    UTC: (...rest) => utc(...rest),
  },
  Object: {},
  Number: {},
};
CLASSES.StrictMath = CLASSES.Math;
for (const members of Object.values(CLASSES))
  Object.defineProperty(Object.setPrototypeOf(members, null), TABLE, { value: CLASS });

Object.assign(NUMBERS, {
  intValue: (x) => cast(x, "int"),
  longValue: (x) => cast(x, "long"),
  doubleValue: double,
  floatValue: (x) => float(double(x)),
  byteValue: (x) => cast(x, "byte"),
  shortValue: (x) => cast(x, "short"),
  toString: text,
  equals: (x, other) => single(other) && x == other,
  compareTo: (x, other) => ordering(x, plus(other)),
  isNaN: (x) => Number.isNaN(x),
  isInfinite: (x) => Math.abs(Number(x)) === Infinity,
  hashCode: hashOf,
});
Object.assign(BOOLEANS, {
  booleanValue: (x) => x,
  toString: text,
  equals: (x, other) => x === other,
  compareTo: ordering,
  hashCode: hashOf,
});
