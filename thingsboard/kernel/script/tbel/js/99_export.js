// What translated scripts call. Nothing of it can be replaced by them.
const EXPORTS = {
  $add: add, $sub: sub, $mul: mul, $div: div, $rem: rem, $pow: pow, $cat: (a, b) => text(a) + text(b), $neg: neg, $plus: plus, $not: not,
  $lt: lt, $gt: gt, $le: le, $ge: ge, $eq: eq, $ne: (a, b) => !eq(a, b),
  $and: and, $or: or, $xor: xor, $shl: shl, $shr: shr, $ushr: ushr,
  $matches: matches, $contains: contains, $in: (x, list) => contains(list, x), $soundslike: (a, b) => sound(a) === sound(b), $strsim: similarity,
  $get: get, $getSafe: getSafe, $at: at, $atSafe: atSafe, $set: set, $change: change, $step: step,
  $call0: call0, $call1: call1, $call2: call2, $call: call, $callSafe: callSafe,
  $map: withoutNulls, $key: keyOf, $each: each, $is: is, $cast: cast, $new: construct, $array: newArray, $arrayOf: arrayOf, $empty: EMPTY,
  $unknown: (name) => fail("unresolvable property or identifier: " + name),
  $unknownFunction: (name) => fail("function not found: " + name),
  $unknownMethod: (name) => fail("unable to resolve method: " + name),
  $methods: Object.fromEntries(Object.entries({ map: MAPS, entry: ENTRIES, list: LISTS, set: SETS, string: STRINGS, number: NUMBERS, boolean: BOOLEANS, Date: DATES }).map(([name, table]) => [name, Object.keys(table)])),
  $constructors: Object.keys(CONSTRUCTORS),
  $classes: Object.freeze(Object.setPrototypeOf(CLASSES, null)),
  $fn: Object.freeze(Object.setPrototypeOf(FUNCTIONS, null)),
};
for (const table of [MAPS, LISTS, STRINGS, NUMBERS, BOOLEANS, SETS, ENTRIES, ...Object.values(CLASSES)]) Object.freeze(table);
for (const thing of [Entry, JavaSet, JavaArray, JavaDate, Merged]) Object.freeze(thing.prototype), Object.freeze(thing);
for (const [name, value] of Object.entries(EXPORTS)) Object.defineProperty(globalThis, name, { value: Object.freeze(value) });
