// The other helper functions.
const isBinary = (x) => (typeof x === "string" && /^[01]+$/.test(x) ? 2 : -1);
const isOctal = (x) => (typeof x === "string" && /^[0-7]+$/.test(x) ? 8 : -1);
const isDecimal = (x) => (typeof x === "string" && /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(x) ? 10 : -1);
const isHexadecimal = (x) => (typeof x === "string" && /^-?(0[xX])?[0-9a-fA-F]+$/.test(x) ? 16 : -1);

// A number in a string without its 0x, its decimal comma and the spaces around it; null if nothing is there.
function plainNumber(value, big) {
  if (value === null || text(value).trim() === "") return null;
  const plain = text(value).trim().replace(/0[xX]/g, "").replaceAll(",", ".");
  return big ? plain : reversedHex(plain);
}

// The radix to read a number with: the one that is asked for, if it can be read so, or with 0 what it looks like.
function radixOf(plain, asked, value) {
  if (asked >= 25 && asked <= 36) return asked;
  let radix;
  switch (asked) {
    case 0:
      radix = Math.max(isDecimal(plain), -1) > 0 ? 10 : isHexadecimal(plain);
      break;
    case 2:
      radix = isBinary(plain);
      break;
    case 8:
      radix = isOctal(plain);
      break;
    case 10:
      radix = isDecimal(plain);
      break;
    case 16:
      radix = isHexadecimal(plain);
      break;
    default:
      fail("Invalid radix: [" + asked + "]");
  }
  if (radix < 0 && asked === 0) fail('Value: "' + plain + '" is not numeric or hexDecimal format!');
  if (radix < 0) fail("Failed radix [" + asked + '] for value: "' + value + '", must be [' + radix + "] !");
  if (value.startsWith("0x")) radix = 16;
  if (radix === 16 && value.replace(/^-/, "").length % 2) {
    fail('The hexadecimal value: "' + value + '" must be of even length, or if the decimal value must be a number!');
  }
  return radix;
}

function parseIntegerText(value, asked, big, width) {
  const plain = plainNumber(value, big);
  if (plain === null) return null;
  const radix = radixOf(plain, asked, text(value));
  const negative = radix === 2 && plain.length >= width && plain[0] === "1"; // its bits are those of a number below zero
  return wholeOf(
    negative ? String(BigInt.asIntN(plain.length, BigInt("0b" + plain))) : plain,
    negative ? 10 : radix,
    width,
  );
}

function parseFloatText(value, asked, big) {
  const plain = plainNumber(value, big);
  if (plain === null) return null;
  return radixOf(plain, asked, text(value)) === 16 ? floatOfBits(toBig(wholeOf(plain, 16, 64))) : float(decimal(plain));
}

function parseDoubleText(value, asked, big) {
  const plain = plainNumber(value, big);
  if (plain === null) return null;
  return radixOf(plain, asked, text(value)) === 10 ? decimal(plain) : doubleOfBits(BigInt("0x" + plain));
}

function radixString(value, radix = 10, big = true, prefix = false) {
  const raw = toBig(value);
  if (radix >= 25 && radix <= 36) return raw.toString(radix);
  const bits = BigInt.asUintN(64, raw);
  switch (radix) {
    case 2: {
      const digits = bits.toString(2);
      return digits.padStart([8, 16, 32, 64].find((size) => digits.length < size) ?? 0, "0");
    }
    case 8:
      return bits.toString(8);
    case 10:
      return raw.toString();
    case 16:
      return hexNumber(value, big, prefix);
    default:
      return fail("Invalid radix: [" + radix + "]");
  }
}

function flatten(json, out, exclude, path, pathInKey) {
  if (isArray(json) || json instanceof JavaSet) {
    [...json].forEach((item, i) => flatten(item, out, exclude, path + "." + i, pathInKey));
  } else if (isMap(json)) {
    for (const key of Object.keys(json)) {
      if (!exclude.includes(key)) flatten(json[key], out, exclude, path.trim() ? path + "." + key : key, pathInKey);
    }
  } else {
    const parts = path.split(".");
    put(out, pathInKey ? path : parts.slice(/^\d+$/.test(parts.at(-1)) ? -2 : -1).join("."), json);
  }
}

function toFlatMap(json, a, b) {
  const exclude = a === undefined || typeof a === "boolean" ? [] : [...each(a)];
  const out = {};
  flatten(json, out, exclude, "", (typeof a === "boolean" ? a : b) ?? true);
  return out;
}

const radians = (degrees) => (degrees * Math.PI) / 180;
const UNITS = { METER: 1000, KILOMETER: 1, FOOT: 3280.84, MILE: 0.62137, NAUTICAL_MILE: 0.539957 };

function distance(latitude, longitude, otherLatitude, otherLongitude, unit) {
  const half = (degrees) => Math.sin(radians(degrees) / 2) ** 2;
  const chord =
    half(otherLatitude - latitude) +
    Math.cos(radians(latitude)) * Math.cos(radians(otherLatitude)) * half(otherLongitude - longitude);
  return (
    2 * 6371.0087714 * Math.asin(Math.min(1, Math.sqrt(chord))) * (UNITS[unit] ?? fail("unknown unit: " + text(unit)))
  );
}

function inside(x, y, ring) {
  let within = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [ax, ay] = ring[i];
    const [bx, by] = ring[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}

function isInsidePolygon(latitude, longitude, perimeter) {
  const json = jsonParse(perimeter);
  const rings = isArray(json?.[0]?.[0]) ? json : [json];
  return rings.filter((ring) => inside(latitude, longitude, ring)).length % 2 === 1;
}

function isInsideCircle(latitude, longitude, perimeter) {
  const circle = jsonParse(perimeter);
  return (
    Number(circle.radius) >
    distance(latitude, longitude, Number(circle.latitude), Number(circle.longitude), circle.radiusUnit ?? "METER")
  );
}

const FUNCTIONS = {
  ...BYTES,
  parseInt: (value, radix = 0) => parseIntegerText(value, radix, true, 32),
  parseLong: (value, radix = 0) => parseIntegerText(value, radix, true, 64),
  parseFloat: (value, radix = 0) => parseFloatText(value, radix, true),
  parseDouble: (value, radix) =>
    parseDoubleText(
      value,
      radix ??
        (isDecimal(text(value)) > 0
          ? 10
          : isHexadecimal(text(value)) > 0
            ? 16
            : fail('Value: "' + text(value) + '" is not numeric or hexDecimal format!')),
      true,
    ),
  parseHexToInt: (value, big = true) => parseIntegerText(value, 16, big, 32),
  parseLittleEndianHexToInt: (value) => parseIntegerText(value, 16, false, 32),
  parseBigEndianHexToInt: (value) => parseIntegerText(value, 16, true, 32),
  parseHexToLong: (value, big = true) => parseIntegerText(value, 16, big, 64),
  parseLittleEndianHexToLong: (value) => parseIntegerText(value, 16, false, 64),
  parseBigEndianHexToLong: (value) => parseIntegerText(value, 16, true, 64),
  parseHexToFloat: (value, big = true) => parseFloatText(value, 16, big),
  parseLittleEndianHexToFloat: (value) => parseFloatText(value, 16, false),
  parseBigEndianHexToFloat: (value) => parseFloatText(value, 16, true),
  parseHexIntLongToFloat(value, big = true) {
    const number = parseIntegerText(value, 16, big, 64);
    return number === null ? null : float(Number(BigInt.asIntN(32, toBig(number))));
  },
  parseHexToDouble: (value, big = true) => parseDoubleText(value, 16, big),
  parseLittleEndianHexToDouble: (value) => parseDoubleText(value, 16, false),
  parseBigEndianHexToDouble: (value) => parseDoubleText(value, 16, true),
  intLongToRadixString: radixString,
  toFixed(value, digits) {
    const number = double(value);
    return isFinite(number) ? rounded(number, digits) : fail("Infinite or NaN");
  },
  toInt: (value) => cast(rounded(double(value), 0), "int"),
  isNaN: (value) => Number.isNaN(double(value)),
  isBinary,
  isOctal,
  isDecimal,
  isHexadecimal,
  isMap,
  isList: (x) => isArray(x) && !(x instanceof JavaArray),
  isArray: (x) => x instanceof JavaArray,
  isSet: (x) => x instanceof JavaSet,
  newSet: () => new JavaSet([]),
  toSet: (list) => new JavaSet(each(list)),
  toFlatMap,
  encodeURI: (uri) => encodeURI(text(uri)),
  decodeURI: (uri) => decodeURIComponent(text(uri)),
  padStart: (value, length, fill) => limited(length) && text(value).padStart(length, fill),
  padEnd: (value, length, fill) => limited(length) && text(value).padEnd(length, fill),
  raiseError: (message) => fail(text(message)),
  isInsidePolygon,
  isInsideCircle,
};
