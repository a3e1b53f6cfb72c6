// Methods of lists and sets. A list is a JavaScript array.
const textOrder = (a, b) => {
  const x = text(a),
    y = text(b);
  return x < y ? -1 : x > y ? 1 : 0;
};
const numberOrder = (a, b) => {
  const x = Number(a),
    y = Number(b);
  return x < y ? -1 : x > y ? 1 : 0;
};

// Numbers, also those in strings, by their value; if all are strings, or one is no number, by their text.
function byValue(items) {
  const numbers = items.some((item) => typeof item !== "string") && items.every((item) => number(item) !== undefined);
  return numbers ? numberOrder : textOrder;
}

function sorted(items, ascending) {
  const order = byValue(items);
  return items.sort(ascending === false ? (a, b) => order(b, a) : order);
}

const startOf = (list, start) => (start < -list.length ? 0 : start < 0 ? start + list.length : start);
const endOf = (list, end) => (end < -list.length ? 0 : end < 0 ? end + list.length : Math.min(end, list.length));
const whereIs = (list, item, from = 0) => {
  for (let i = from; i < list.length; i++) if (same(list[i], item)) return i;
  return -1;
};
const bounded = (list, index) =>
  isInteger(index) && index >= 0 && index <= list.length
    ? index
    : fail("index out of bounds: " + text(index) + " of " + list.length);
const growing = (list) =>
  list instanceof JavaArray
    ? fail("an array cannot change its length")
    : isExtensible(list)
      ? list
      : fail("List is unmodifiable");

function splice(list, start, count = list.length - start, ...items) {
  const from = startOf(list, start);
  return growing(list).splice(from, Math.max(0, Math.min(count, list.length - from)), ...items);
}

Object.assign(LISTS, {
  size: (list) => list.length,
  length: (list) => list.length,
  isEmpty: (list) => list.length === 0,
  get: (list, index) => list[position(list, index)],
  set(list, index, item) {
    const before = at(list, index);
    set(list, index, item);
    return before;
  },
  add(list, a, b) {
    if (b === undefined) return growing(list).push(a) > 0;
    growing(list).splice(bounded(list, a), 0, b);
    return null;
  },
  addAll(list, a, b) {
    if (b === undefined) growing(list).push(...each(a));
    else growing(list).splice(bounded(list, a), 0, ...each(b));
    return (b === undefined ? sizeOf(a) : sizeOf(b)) > 0;
  },
  push: (list, item) => growing(list).push(item) > 0,
  pop: (list) => growing(list).pop(),
  shift: (list) => growing(list).splice(position(list, 0), 1)[0],
  unshift(list, item) {
    growing(list).unshift(item);
  },
  remove(list, what) {
    if (typeof what === "number") return growing(list).splice(position(list, what), 1)[0];
    const index = whereIs(list, what);
    if (index >= 0) growing(list).splice(index, 1);
    return index >= 0;
  },
  removeAll(list, items) {
    const kept = list.filter((item) => whereIs([...each(items)], item) < 0);
    const changed = kept.length < list.length;
    growing(list).splice(0, list.length, ...kept);
    return changed;
  },
  retainAll(list, items) {
    const kept = list.filter((item) => whereIs([...each(items)], item) >= 0);
    const changed = kept.length < list.length;
    growing(list).splice(0, list.length, ...kept);
    return changed;
  },
  clear(list) {
    growing(list).length = 0;
  },
  contains: (list, item) => whereIs(list, item) >= 0,
  containsAll: (list, items) => [...each(items)].every((item) => whereIs(list, item) >= 0),
  includes: (list, item) => whereIs(list, item) >= 0,
  indexOf: (list, item, from = 0) => whereIs(list, item, startOf(list, from)),
  lastIndexOf(list, item) {
    let index = list.length - 1;
    while (index >= 0 && !same(list[index], item)) index--;
    return index;
  },
  slice: (list, start = 0, end = list.length) => Array.from(list).slice(startOf(list, start), endOf(list, end)),
  subList: (list, start, end) => Array.from(list).slice(bounded(list, start), bounded(list, end)),
  splice,
  toSpliced(list, start, count = 0, ...items) {
    const copy = Array.from(list);
    splice(copy, start, count, ...items);
    return copy;
  },
  with(list, index, item) {
    const place = index < 0 ? index + list.length : index;
    if (place < 0 || place >= list.length) fail("Index: " + index + ", Size: " + list.length);
    return [...list.slice(0, place), item, ...list.slice(place)];
  },
  sort(list, ascending = true) {
    sorted(list, ascending);
  },
  toSorted: (list, ascending = true) => sorted(Array.from(list), ascending),
  reverse(list) {
    isExtensible(list) ? list.reverse() : fail("List is unmodifiable");
  },
  toReversed: (list) => Array.from(list).reverse(),
  concat: (list, items) => [...list, ...each(items)],
  join: (list, separator = ",") =>
    list.map(text).join(separator).replaceAll(", ", ",").replaceAll("[", "").replaceAll("]", ""),
  fill(list, value, start = 0, end = list.length) {
    for (let i = startOf(list, start); i < endOf(list, end); i++) set(list, i, value);
    return list;
  },
  clone: (list) => (list instanceof JavaArray ? arrayOf(list.type, list) : [...list]),
  toArray: (list) => [...list],
  toList: (list) => [...list],
  getFirst: (list) => list[position(list, 0)],
  getLast: (list) => list[position(list, list.length - 1)],
  toUnmodifiable: (list) => Object.freeze([...list]),
  toString: text,
  equals: same,
  hashCode: hashOf,
  memorySize: (list) => list.reduce((sum, item) => sum + 4 + memoryOf(item), 0),
  validateClazzInArrayIsOnlyString: (list) => list.every((item) => typeof item === "string"),
  validateClazzInArrayIsOnlyNumber: (list) => list.every(single),
});

const renew = (set, items) => {
  set.items.clear();
  for (const item of items) set.items.add(item);
};
const alter = (set, change) => {
  const before = set.items.size;
  change(set.items);
  return set.items.size !== before;
};

Object.assign(SETS, {
  size: (set) => set.items.size,
  length: (set) => set.items.size,
  isEmpty: (set) => set.items.size === 0,
  add: (set, item) => alter(set, (items) => items.add(item)),
  addAll: (set, more) =>
    alter(set, (items) => {
      for (const item of each(more)) items.add(item);
    }),
  remove: (set, item) => alter(set, (items) => items.delete(item)),
  removeAll: (set, more) =>
    alter(set, (items) => {
      for (const item of [...each(more)]) items.delete(item);
    }),
  retainAll: (set, more) => {
    const kept = new Set(each(more));
    return alter(set, (items) => {
      for (const item of [...items]) if (!kept.has(item)) items.delete(item);
    });
  },
  clear: (set) => {
    set.items.clear();
  },
  contains: (set, item) => set.items.has(item),
  includes: (set, item) => set.items.has(item),
  containsAll: (set, more) => [...each(more)].every((item) => set.items.has(item)),
  sort: (set, ascending = true) => {
    renew(set, sorted([...set.items], ascending));
  },
  toSorted: (set, ascending = true) => new JavaSet(sorted([...set.items], ascending)),
  toList: (set) => [...set.items],
  toArray: (set) => [...set.items],
  join: (set, separator = ",") => LISTS.join([...set.items], separator),
  clone: (set) => new JavaSet(set.items),
  toString: (set) => set.text(),
  equals: same,
  hashCode: (set) => [...set.items].reduce((sum, item) => (sum + hashOf(item)) | 0, 0),
});
