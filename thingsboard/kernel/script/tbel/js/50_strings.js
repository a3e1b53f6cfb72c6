// Methods of strings, and String.format.
const bytesOfUtf8 = (string) => unescape(encodeURIComponent(string.toWellFormed()));

// A regular expression; Java writes flags for all of it at its beginning.
function pattern(regex, flags, whole = false) {
  const inline = /^\(\?([ims]+)\)/.exec(regex);
  const plain = inline ? regex.slice(inline[0].length) : regex;
  return new RegExp(whole ? "^(?:" + plain + ")$" : plain, [...new Set(flags + (inline ? inline[1] : ""))].join(""));
}

// Java's replacements write groups as $1 and take what follows a backslash as it is.
function replacer(replacement) {
  return (...match) => replacement.replace(/\\(.)|\$(\d)/g, (_, plain, group) => plain ?? match[Number(group)] ?? "");
}

function split(string, regex, limit = 0) {
  if (string === "") return [""];
  const parts = [];
  const finder = pattern(regex, "g");
  let from = 0;
  for (
    let match = finder.exec(string);
    match !== null && (limit <= 0 || parts.length < limit - 1);
    match = finder.exec(string)
  ) {
    if (match[0] === "") finder.lastIndex++;
    if (match.index + match[0].length === 0 || match.index >= string.length) continue;
    parts.push(string.slice(from, match.index));
    from = match.index + match[0].length;
  }
  parts.push(string.slice(from));
  if (limit === 0) while (parts.length > 1 && parts.at(-1) === "") parts.pop();
  return parts;
}

function within(string, from, to) {
  if (!isInteger(from) || !isInteger(to) || from < 0 || from > to || to > string.length) {
    fail("begin " + text(from) + ", end " + text(to) + ", length " + string.length);
  }
  return string.slice(from, to);
}

const matches = (string, regex) => pattern(text(regex), "", true).test(text(string));
const limited = (length) => (length > 4e6 ? fail("Max string length overflow (" + length + ")!") : true);
const codeOf = (what) => (typeof what === "number" ? String.fromCharCode(what) : text(what));

Object.assign(STRINGS, {
  length: (s) => s.length,
  size: (s) => s.length,
  isEmpty: (s) => s === "",
  isBlank: (s) => s.trim() === "",
  charAt: (s, index) => s[position(s, index)],
  codePointAt: (s, index) => s.codePointAt(position(s, index)),
  substring: (s, from, to = s.length) => within(s, from, to),
  subSequence: (s, from, to) => within(s, from, to),
  slice: (s, from, to) => s.slice(from, to),
  indexOf: (s, what, from = 0) => s.indexOf(codeOf(what), from),
  lastIndexOf: (s, what, from = Infinity) => s.lastIndexOf(codeOf(what), from),
  contains: (s, what) => s.includes(text(what)),
  includes: (s, what) => s.includes(text(what)),
  startsWith: (s, what, from = 0) => s.startsWith(what, from),
  endsWith: (s, what) => s.endsWith(what),
  equals: (s, other) => s === other,
  contentEquals: (s, other) => s === other,
  equalsIgnoreCase: (s, other) => typeof other === "string" && s.toLowerCase() === other.toLowerCase(),
  compareTo: (s, other) => difference(s, text(other)),
  compareToIgnoreCase: (s, other) => difference(s.toLowerCase(), text(other).toLowerCase()),
  toUpperCase: (s) => s.toUpperCase(),
  toLowerCase: (s) => s.toLowerCase(),
  trim: (s) => s.replace(/^[\0-\x20]+|[\0-\x20]+$/g, ""),
  strip: (s) => s.trim(),
  stripLeading: (s) => s.trimStart(),
  stripTrailing: (s) => s.trimEnd(),
  concat: (s, other) => s + text(other),
  repeat: (s, count) => limited(s.length * count) && s.repeat(count),
  replace: (s, what, by) => s.replaceAll(text(what), () => text(by)),
  replaceAll: (s, regex, by) => s.replace(pattern(regex, "g"), replacer(text(by))),
  replaceFirst: (s, regex, by) => s.replace(pattern(regex, ""), replacer(text(by))),
  matches,
  split,
  lines: (s) => s.split(/\r\n|\r|\n/),
  chars: (s) => Array.from({ length: s.length }, (_, i) => s.charCodeAt(i)),
  toCharArray: (s) => arrayOf("char", s.split("")),
  getBytes: (s, charset = "UTF-8") => arrayOf("byte", bytesOf(s, charset)),
  format: (s, ...values) => format(s, ...values),
  formatted: (s, ...values) => format(s, ...values),
  hashCode: hashOf,
  intern: (s) => s,
  toString: (s) => s,
});

function difference(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a.charCodeAt(i) - b.charCodeAt(i);
  return a.length - b.length;
}

const SCALES = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];

// The digits of a number with so many of them after the point, rounded half up as BigDecimal does.
function rounded(x, digits) {
  if (digits >= 0 && digits < 7 && x < 1e8 && x > -1e8) {
    const scaled = Math.abs(x) * SCALES[digits];
    const whole = Math.floor(scaled + 0.5);
    const fromHalf = scaled - whole + 0.5;
    if (fromHalf > 1e-6 && fromHalf < 1 - 1e-6) return (x < 0 ? -whole : whole) / SCALES[digits];
  }
  const [mantissa, exponent] = Math.abs(x).toExponential().split("e");
  const shifted = Math.round(Number(mantissa + "e" + (Number(exponent) + digits)));
  return (x < 0 ? -1 : 1) * Number(shifted + "e" + -digits);
}

function fixed(x, digits) {
  if (!isFinite(x)) return x > 0 ? "Infinity" : x < 0 ? "-Infinity" : "NaN";
  return Math.abs(x) < 1e21 ? rounded(x, digits).toFixed(digits) : BigInt(x) + (digits ? "." + "0".repeat(digits) : "");
}

const grouped = (digits) => digits.replace(/^(-?\d+)/, (all) => all.replace(/\B(?=(\d{3})+$)/g, ","));
const unsigned = (x, radix) => (x < 0 ? BigInt.asUintN(isInt32(x) ? 32 : 64, toBig(x)) : toBig(x)).toString(radix);

function formatOne(letter, value, precision, flags) {
  if (value === null || value === undefined) return letter.toLowerCase() === "b" ? "false" : "null";
  switch (letter.toLowerCase()) {
    case "s":
      return precision === undefined ? text(value) : text(value).slice(0, precision);
    case "d":
      if (typeof value !== "bigint" && !isInteger(value)) fail("d != " + typeName(value));
      return flags.includes(",") ? grouped(text(value)) : text(value);
    case "f":
      return flags.includes(",")
        ? grouped(fixed(Number(plus(value)), precision ?? 6))
        : fixed(Number(plus(value)), precision ?? 6);
    case "e":
      return Number(plus(value))
        .toExponential(precision ?? 6)
        .replace(/e([+-])(\d)$/, "e$10$2");
    case "x":
      return unsigned(value, 16);
    case "o":
      return unsigned(value, 8);
    case "c":
      return codeOf(value);
    case "b":
      return text(typeof value === "boolean" ? value : true);
    default:
      return fail("unknown format conversion %" + letter);
  }
}

function format(pattern, ...values) {
  let next = 0;
  return pattern.replace(
    /%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, index, flags, width = 0, precision, letter) => {
      if (letter === "n") return "\n";
      if (letter === "%") return "%";
      const value = values[index === undefined ? next++ : index - 1];
      if (value === undefined) fail("format specifier '%" + letter + "' has no argument");
      let out = formatOne(letter, value, precision === undefined ? undefined : Number(precision), flags);
      if (single(value) && flags.includes("+") && value >= 0) out = "+" + out;
      if (letter !== letter.toLowerCase()) out = out.toUpperCase();
      limited(Number(width));
      if (flags.includes("-")) return out.padEnd(Number(width));
      const sign = flags.includes("0") && /^[+-]/.test(out) ? out[0] : "";
      return flags.includes("0")
        ? sign + out.slice(sign.length).padStart(Number(width) - sign.length, "0")
        : out.padStart(Number(width));
    },
  );
}

// The operators that MVEL has for strings.
const contains = (x, what) =>
  x === null
    ? false
    : typeof x === "string"
      ? x.includes(text(what))
      : isMap(x)
        ? has(x, text(what))
        : call1(x, "contains", what);
const SOUNDS = "01230120022455012623010202";

function sound(string) {
  let code = "";
  let before = "";
  for (const letter of text(string).toUpperCase()) {
    if (code.length === 4 || letter === ",") break;
    if (letter < "A" || letter > "Z" || letter === before) continue;
    before = letter;
    code += SOUNDS[letter.charCodeAt(0) - 65].replace("0", "");
  }
  return code && code.padEnd(4, "0");
}

function similarity(a, b) {
  const [x, y] = [text(a), text(b)];
  let alike = 0;
  for (let i = 0; i < Math.min(x.length, y.length); i++) alike += x[i] === y[i];
  return float(alike / Math.max(x.length, y.length));
}
