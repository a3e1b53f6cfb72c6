// Helper functions for bytes, base 64 and hexadecimal numbers.
const buffer = new DataView(new ArrayBuffer(8));
const doubleBits = (x) => {
  buffer.setFloat64(0, x);
  return buffer.getBigUint64(0);
};
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const signed = (byte) => (byte << 24) >> 24;

// The bytes, 0 to 255, of a list of numbers from -128 to 255 or of strings that write them.
function octets(list) {
  return Array.from(each(list), (item) => {
    const value = typeof item === "string" ? parseIntegerText(item, 0, true, 32) : item;
    if (!isInteger(value))
      fail(
        "The value '" +
          text(item) +
          "' could not be correctly converted to a byte. Must be a HexDecimal/String/Integer/Byte format !",
      );
    if (value > 255 || value < -128) {
      fail(
        "The value '" +
          value +
          "' could not be correctly converted to a byte. Integer to byte conversion requires the use of only 8 bits (with a range of min/max = -128/255)!",
      );
    }
    return value & 255;
  });
}

function bytesOf(string, charset) {
  const units = Array.from({ length: string.length }, (_, i) => string.charCodeAt(i));
  switch (charset.toUpperCase().replaceAll("_", "-")) {
    case "UTF-8":
    case "UTF8": {
      const raw = bytesOfUtf8(string);
      return Array.from({ length: raw.length }, (_, i) => raw.charCodeAt(i));
    }
    case "US-ASCII":
    case "ASCII":
      return units.map((unit) => (unit < 128 ? unit : 63));
    case "ISO-8859-1":
    case "LATIN1":
      return units.map((unit) => (unit < 256 ? unit : 63));
    case "UTF-16":
      return [254, 255, ...units.flatMap((unit) => [unit >> 8, unit & 255])];
    case "UTF-16BE":
      return units.flatMap((unit) => [unit >> 8, unit & 255]);
    case "UTF-16LE":
      return units.flatMap((unit) => [unit & 255, unit >> 8]);
    default:
      return fail("unsupported charset: " + charset);
  }
}

function utf8(bytes) {
  let out = "";
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i++];
    const more =
      first < 128
        ? 0
        : first >= 194 && first < 224
          ? 1
          : first >= 224 && first < 240
            ? 2
            : first >= 240 && first < 245
              ? 3
              : -1;
    let code = more === 0 ? first : first & (63 >> more);
    let seen = 0;
    while (seen < more && i < bytes.length && (bytes[i] & 192) === 128) {
      code = (code << 6) | (bytes[i++] & 63);
      seen++;
    }
    const valid =
      seen === more && (code < 0xd800 || code > 0xdfff) && code <= 0x10ffff && code >= [0, 128, 2048, 65536][more];
    out += valid ? String.fromCodePoint(code) : "\ufffd";
  }
  return out;
}

function bytesToString(list, charset = "UTF-8") {
  const bytes = octets(list);
  switch (charset.toUpperCase().replaceAll("_", "-")) {
    case "UTF-8":
    case "UTF8":
      return utf8(bytes);
    case "US-ASCII":
    case "ASCII":
      return bytes.map((byte) => (byte < 128 ? String.fromCharCode(byte) : "\ufffd")).join("");
    case "ISO-8859-1":
    case "LATIN1":
      return bytes.map((byte) => String.fromCharCode(byte)).join("");
    case "UTF-16":
    case "UTF-16BE":
    case "UTF-16LE": {
      const little = charset.toUpperCase().endsWith("LE") || (bytes[0] === 255 && bytes[1] === 254);
      const units = Array.from({ length: bytes.length >> 1 }, (_, i) =>
        little ? bytes[2 * i] | (bytes[2 * i + 1] << 8) : (bytes[2 * i] << 8) | bytes[2 * i + 1],
      );
      return units
        .map((unit) => String.fromCharCode(unit))
        .join("")
        .replace(/^\ufeff/, "");
    }
    default:
      return fail("unsupported charset: " + charset);
  }
}

function toBase64(bytes) {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const triple = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const left = bytes.length - i;
    out +=
      BASE64[triple >> 18] +
      BASE64[(triple >> 12) & 63] +
      (left > 1 ? BASE64[(triple >> 6) & 63] : "=") +
      (left > 2 ? BASE64[triple & 63] : "=");
  }
  return out;
}

function fromBase64(input) {
  const plain = input.replace(/={1,2}$/, "");
  if (plain.length % 4 === 1 || (input.endsWith("=") && input.length % 4 !== 0))
    fail("Input byte array has wrong 4-byte ending unit");
  const bytes = [];
  let bits = 0;
  let count = 0;
  for (const letter of plain) {
    const value = BASE64.indexOf(letter);
    if (value < 0) fail("Illegal base64 character " + letter.charCodeAt(0).toString(16));
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count >= 8) bytes.push((bits >> (count -= 8)) & 255);
  }
  return bytes;
}

const hexOf = (bytes) => bytes.map((byte) => (byte < 16 ? "0" : "") + byte.toString(16).toUpperCase()).join("");

function fromHex(value) {
  const hex = plainNumber(value, true) ?? fail("Hex string must be not empty!");
  if (hex.length % 2) fail("Hex string must be even-length.");
  if (!/^-?(0[xX])?[0-9a-fA-F]+$/.test(value) || !/^[0-9a-fA-F]+$/.test(hex))
    fail('Value: "' + value + '" is not numeric or hexDecimal format!');
  return hex.match(/../g).map((pair) => parseInt(pair, 16));
}

function reversedHex(value) {
  if (value.startsWith("-")) fail("The hexadecimal string must be without a negative sign.");
  const prefix = value.startsWith("0x") ? "0x" : "";
  const hex = value.slice(prefix.length);
  if (hex.length % 2) fail("The hexadecimal string must be even-length.");
  return prefix + (hex.match(/../g) ?? []).reverse().join("");
}

// Big-endian bytes of a part of a list, after checking that it is one.
function part(list, offset, length, big, most) {
  const bytes = octets(list);
  const count = length ?? (bytes.length < offset ? bytes.length : Math.min(bytes.length - offset, most));
  if (offset > bytes.length)
    fail("Offset: " + offset + " is out of bounds for array with length: " + bytes.length + "!");
  if (offset + count > bytes.length)
    fail(
      "Offset: " + offset + " and Length: " + count + " is out of bounds for array with length: " + bytes.length + "!",
    );
  if (count > most) fail("Length: " + count + " is too large. Maximum " + most + " bytes is allowed!");
  const cut = bytes.slice(offset, offset + count);
  return big ? cut : cut.reverse();
}

const valueOfBytes = (bytes) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

// Bytes of a floating point number: fewer than it has are its last ones, or its first ones where the least comes first.
function ieee(list, offset, length, big, most) {
  const bytes = part(list, offset, length, true, most);
  const zeros = Array(most - bytes.length).fill(0);
  const full = big ? [...zeros, ...bytes] : [...bytes, ...zeros].reverse();
  full.forEach((byte, i) => buffer.setUint8(i, byte));
  const value = most === 4 ? buffer.getFloat32(0) : buffer.getFloat64(0);
  if (Number.isNaN(value)) fail("byte[] 0x" + hexOf(octets(list)) + " is a Not-a-Number (NaN) value");
  return most === 4 ? float(value) : value;
}

const floatOfBits = (bits) => {
  buffer.setUint32(0, Number(BigInt.asUintN(32, bits)));
  return float(buffer.getFloat32(0));
};
const doubleOfBits = (bits) => {
  buffer.setBigUint64(0, BigInt.asUintN(64, bits));
  return buffer.getFloat64(0);
};

function hexNumber(value, big, prefix, length, most) {
  const hex = BigInt.asUintN(64, toBig(value)).toString(16).toUpperCase();
  const even = (digits, fill) => (digits.length % 2 ? fill + digits : digits);
  let out = even(hex, "0");
  if (value < 0) {
    const short = even(hex.replace(/^F+(?!$)/, ""), "F");
    const limit = most ?? hex.length;
    out = short.length > limit ? short.slice(-limit) : short.length === limit ? short : "FF" + short;
  }
  if (!big) out = reversedHex(out);
  if (length > out.length) fail("begin " + (out.length - length) + ", end " + out.length + ", length " + out.length);
  return (prefix ? "0x" : "") + (length === undefined || length === -1 ? out : out.slice(out.length - length));
}

const binary = (value, length) =>
  arrayOf(
    "byte",
    Array.from({ length }, (_, i) => Number((toBig(value) >> BigInt(length - 1 - i)) & 1n)),
  );

const BYTES = {
  btoa: (input) => toBase64(bytesOf(text(input), "UTF-8")),
  atob: (input) => utf8(fromBase64(input)),
  bytesToString,
  decodeToString: bytesToString,
  decodeToJson: (input) => CLASSES.JSON.parse(typeof input === "string" ? input : bytesToString(input)),
  stringToBytes: (input, charset = "UTF-8") =>
    typeof input === "string"
      ? bytesOf(input, charset).map(signed)
      : fail("Invalid type parameter [" + typeName(input) + "]. Expected 'String'"),
  hexToBytes: (input) => fromHex(input).map(signed),
  hexToBytesArray: (input) => arrayOf("byte", fromHex(input)),
  bytesToHex: (list) => hexOf(octets(list)),
  base64ToHex: (input) => hexOf(fromBase64(input)),
  hexToBase64: (input) => toBase64(fromHex(input)),
  bytesToBase64: (list) => toBase64(octets(list)),
  base64ToBytes: (input) => arrayOf("byte", fromBase64(input)),
  base64ToBytesList: (input) => fromBase64(input).map(signed),
  bytesToExecutionArrayList: (list) => octets(list).map(signed),
  printUnsignedBytes: (list) => octets(list),
  parseBytesToInt: (list, offset = 0, length, big = true) =>
    Number(BigInt.asIntN(32, valueOfBytes(part(list, offset, length, big, 4)))),
  parseBytesToLong: (list, offset = 0, length, big = true) => long(valueOfBytes(part(list, offset, length, big, 8))),
  parseBytesToFloat: (list, offset = 0, length, big = true) => ieee(list, offset, length, big, 4),
  parseBytesToDouble: (list, offset = 0, length, big = true) => ieee(list, offset, length, big, 8),
  parseBytesIntToFloat: (list, offset = 0, length, big = true) =>
    float(Number(valueOfBytes(part(list, offset, length, big, 4)))),
  parseBytesLongToDouble: (list, offset = 0, length, big = true) =>
    Number(valueOfBytes(part(list, offset, length, big, 8))),
  intToHex: (value, big = true, prefix = false, length) => hexNumber(value, big, prefix, length, 8),
  longToHex: (value, big = true, prefix = false, length) => hexNumber(value, big, prefix, length, 16),
  floatToHex(value, big = true) {
    buffer.setFloat32(0, value);
    const hex = "0x" + buffer.getUint32(0).toString(16).toUpperCase().padStart(8, "0");
    return big ? hex : reversedHex(hex);
  },
  doubleToHex(value, big = true) {
    const hex = "0x" + doubleBits(value).toString(16).toUpperCase().padStart(16, "0");
    return big ? hex : reversedHex(hex);
  },
  parseByteToBinaryArray(value, length = 8, big = true) {
    const bits = binary(signed(value), length);
    return big ? bits : bits.reverse();
  },
  parseBytesToBinaryArray: (list, length) =>
    binary(BYTES.parseBytesToLong(list), Math.min(length ?? list.length * 8, 64)),
  parseLongToBinaryArray: (value, length = 64) => binary(value, Math.min(length, 64)),
  parseBinaryArrayToInt(list, offset = 0, length = list.length) {
    const bits = octets(list);
    const end = Math.min(length + offset, bits.length);
    let value = 0;
    for (let i = offset; i < end; i++) value = (value << 1) | (bits[i] & 1);
    return bits.length === 8 && offset === 0 && bits[0] === 1 ? value - (1 << (end - offset)) : value;
  },
};
