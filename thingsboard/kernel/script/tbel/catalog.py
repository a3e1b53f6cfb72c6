"""What scripts find: the helper functions and the static members of classes. The reference page is made from it."""

from typing import NamedTuple


class Helper(NamedTuple):
    """A function: its name, what it takes, and what it gives."""

    name: str
    takes: str
    gives: str


BYTES = "bytes, offset = 0, length = rest, bigEndian = true"

#: The helper functions, in the groups of the reference page.
HELPERS: dict[str, tuple[Helper, ...]] = {
    "Bytes and text": (
        Helper("btoa", "text", "the text's UTF-8 bytes in base 64"),
        Helper("atob", "base64", "the text that base 64 holds"),
        Helper("bytesToString", "bytes, charset = 'UTF-8'", "their text; also UTF-16 (BE, LE), ISO-8859-1, US-ASCII"),
        Helper("decodeToString", "bytes", "the text of UTF-8 bytes"),
        Helper("decodeToJson", "bytesOrText", "the JSON value in the bytes or the text"),
        Helper("stringToBytes", "text, charset = 'UTF-8'", "the bytes of the text, -128 to 127"),
        Helper("hexToBytes", "hex", "the bytes as a list, -128 to 127"),
        Helper("hexToBytesArray", "hex", "the bytes as an array"),
        Helper("bytesToHex", "bytes", "two upper-case digits for each byte"),
        Helper("base64ToHex", "base64", "the bytes in hexadecimal"),
        Helper("hexToBase64", "hex", "the bytes in base 64"),
        Helper("base64ToBytes", "base64", "the bytes as an array"),
        Helper("base64ToBytesList", "base64", "the bytes as a list"),
        Helper("bytesToBase64", "bytes", "the bytes in base 64"),
        Helper("bytesToExecutionArrayList", "bytes", "the bytes as a list"),
        Helper("printUnsignedBytes", "bytes", "the bytes from 0 to 255"),
    ),
    "Numbers in text": (
        Helper("parseInt", "text, radix = guessed", "an int; radix 2, 8, 10, 16 or 25 to 36; null for blank text"),
        Helper("parseLong", "text, radix = guessed", "a long"),
        Helper("parseFloat", "text, radix = guessed", "a float; hexadecimal is its bit pattern"),
        Helper("parseDouble", "text, radix = guessed", "a double; hexadecimal is its bit pattern"),
        Helper("parseHexToInt", "hex, bigEndian = true", "an int"),
        Helper("parseLittleEndianHexToInt", "hex", "an int"),
        Helper("parseBigEndianHexToInt", "hex", "an int"),
        Helper("parseHexToLong", "hex, bigEndian = true", "a long"),
        Helper("parseLittleEndianHexToLong", "hex", "a long"),
        Helper("parseBigEndianHexToLong", "hex", "a long"),
        Helper("parseHexToFloat", "hex, bigEndian = true", "the float with this bit pattern"),
        Helper("parseLittleEndianHexToFloat", "hex", "the float with this bit pattern"),
        Helper("parseBigEndianHexToFloat", "hex", "the float with this bit pattern"),
        Helper("parseHexIntLongToFloat", "hex, bigEndian", "the integer's value as a float"),
        Helper("parseHexToDouble", "hex, bigEndian = true", "the double with this bit pattern"),
        Helper("parseLittleEndianHexToDouble", "hex", "the double with this bit pattern"),
        Helper("parseBigEndianHexToDouble", "hex", "the double with this bit pattern"),
        Helper("intToHex", "int, bigEndian = true, prefix = false, length = all", "hexadecimal digits of the int"),
        Helper("longToHex", "long, bigEndian = true, prefix = false, length = all", "hexadecimal digits of the long"),
        Helper("floatToHex", "float, bigEndian = true", "0x and the float's bit pattern"),
        Helper("doubleToHex", "double, bigEndian = true", "0x and the double's bit pattern"),
        Helper("intLongToRadixString", "number, radix = 10, bigEndian = true, prefix = false", "its digits"),
        Helper("isBinary", "text", "2 if the text is binary digits, else -1"),
        Helper("isOctal", "text", "8 if the text is octal digits, else -1"),
        Helper("isDecimal", "text", "10 if the text is a decimal number, else -1"),
        Helper("isHexadecimal", "text", "16 if the text is a hexadecimal number, else -1"),
    ),
    "Numbers in bytes": (
        Helper("parseBytesToInt", BYTES, "an int of up to 4 bytes"),
        Helper("parseBytesToLong", BYTES, "a long of up to 8 bytes"),
        Helper("parseBytesToFloat", BYTES, "the float with these bytes as its pattern"),
        Helper("parseBytesIntToFloat", BYTES, "the unsigned integer's value as a float"),
        Helper("parseBytesToDouble", BYTES, "the double with these bytes as its pattern"),
        Helper("parseBytesLongToDouble", BYTES, "the unsigned integer's value as a double"),
        Helper("parseByteToBinaryArray", "byte, length = 8, bigEndian = true", "an array of its bits"),
        Helper("parseBytesToBinaryArray", "bytes, length = all", "an array of their bits"),
        Helper("parseLongToBinaryArray", "long, length = 64", "an array of its bits"),
        Helper("parseBinaryArrayToInt", "bits, offset = 0, length = all", "the number that the bits write"),
    ),
    "Numbers": (
        Helper("toFixed", "number, digits", "a double rounded half up to so many digits after the point"),
        Helper("toInt", "number", "an int, rounded half up"),
        Helper("isNaN", "number", "whether it is not a number"),
    ),
    "Collections": (
        Helper("isMap", "value", "whether it is a map"),
        Helper("isList", "value", "whether it is a list"),
        Helper("isArray", "value", "whether it is an array"),
        Helper("isSet", "value", "whether it is a set"),
        Helper("newSet", "", "an empty set"),
        Helper("toSet", "list", "a set with the list's items"),
        Helper("toFlatMap", "map, exclude = [], pathInKey = true", "a map of what is innermost, by its path"),
    ),
    "Text": (
        Helper("padStart", "text, length, fill", "the text, filled up at its beginning"),
        Helper("padEnd", "text, length, fill", "the text, filled up at its end"),
        Helper("encodeURI", "text", "the text as a part of an address"),
        Helper("decodeURI", "text", "what encodeURI made of a text"),
        Helper("raiseError", "message", "nothing: the message leaves by Failure with this error"),
    ),
    "Places": (
        Helper("isInsidePolygon", "latitude, longitude, polygon", "whether it is inside of [[latitude, longitude], ...]"),
        Helper("isInsideCircle", "latitude, longitude, circle", "whether it is inside of {latitude, longitude, radius}"),
    ),
}  # fmt: skip

FUNCTION_NAMES = frozenset(helper.name for group in HELPERS.values() for helper in group)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WHOLE = """
    MAX_VALUE MIN_VALUE valueOf toString toHexString toBinaryString toOctalString toUnsignedString toUnsignedInt
    toUnsignedLong decode compare signum bitCount max min sum hashCode
"""
_FLOAT = """
    MAX_VALUE MIN_VALUE NaN POSITIVE_INFINITY NEGATIVE_INFINITY valueOf toString toHexString isNaN isInfinite isFinite
    compare max min sum
"""
_MATH = """
    PI E sqrt cbrt floor ceil sin cos tan asin acos atan sinh cosh tanh exp expm1 log log10 log1p abs max min pow atan2
    hypot round rint signum random toRadians toDegrees floorMod floorDiv addExact subtractExact multiplyExact negateExact
"""
_CHARACTER = """
    isDigit isLetter isLetterOrDigit isUpperCase isLowerCase isWhitespace toUpperCase toLowerCase getNumericValue
    toString valueOf
"""

#: The classes that scripts may name, with their static members.
CLASSES: dict[str, frozenset[str]] = {
    "Integer": _words(f"{_WHOLE} parseInt"),
    "Long": _words(f"{_WHOLE} parseLong"),
    "Short": _words(f"{_WHOLE} parseShort"),
    "Byte": _words(f"{_WHOLE} parseByte"),
    "Double": _words(f"{_FLOAT} parseDouble"),
    "Float": _words(f"{_FLOAT} parseFloat"),
    "Boolean": _words("TRUE FALSE parseBoolean valueOf toString"),
    "String": _words("valueOf format join copyValueOf"),
    "Character": _words(_CHARACTER),
    "Math": _words(_MATH),
    "StrictMath": _words(_MATH),
    "JSON": _words("parse stringify"),
    "Date": _words("now parse UTC"),
    "Object": _words(""),
    "Number": _words(""),
}

#: Members that JavaScript's own objects have, or that are read like one though they are a method: reading them needs care.
GETTERS = _words(
    """
    size length empty blank keys values keySet entrySet bytes constructor hasOwnProperty isPrototypeOf propertyIsEnumerable
    toLocaleString toString valueOf __proto__ __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__
    at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat flatMap forEach includes
    indexOf join lastIndexOf map pop push reduce reduceRight reverse shift slice some sort splice toReversed toSorted
    toSpliced unshift with anchor big blink bold charAt charCodeAt codePointAt endsWith fixed fontcolor fontsize italics
    isWellFormed link localeCompare match matchAll normalize padEnd padStart repeat replace replaceAll search small split
    startsWith strike sub substr substring sup toLocaleLowerCase toLocaleUpperCase toLowerCase toUpperCase toWellFormed
    trim trimEnd trimLeft trimRight trimStart toExponential toFixed toPrecision toJSON text items description caller
    callee arguments prototype name apply bind call v fileName lineNumber columnNumber
    """
)
