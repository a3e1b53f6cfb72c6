// How dates are written: Java's patterns, and the styles of some languages (dates in words are English in all of them).
const STYLES = {
  "en-US": {
    date: ["EEEE, MMMM d, yyyy", "MMMM d, yyyy", "MMM d, yyyy", "M/d/yy"],
    time: ["h:mm:ss a zzzz", "h:mm:ss a z", "h:mm:ss a", "h:mm a"],
    join: [" 'at' ", " 'at' ", ", ", ", "],
  },
  "en-GB": {
    date: ["EEEE, d MMMM yyyy", "d MMMM yyyy", "d MMM yyyy", "dd/MM/yyyy"],
    time: ["HH:mm:ss zzzz", "HH:mm:ss z", "HH:mm:ss", "HH:mm"],
    join: [" 'at' ", " 'at' ", ", ", ", "],
  },
  de: {
    date: ["EEEE, d. MMMM yyyy", "d. MMMM yyyy", "dd.MM.yyyy", "dd.MM.yy"],
    time: ["HH:mm:ss zzzz", "HH:mm:ss z", "HH:mm:ss", "HH:mm"],
    join: [" 'um' ", " 'um' ", ", ", ", "],
  },
  uk: {
    date: ["EEEE, d MMMM yyyy", "d MMMM yyyy", "d MMM yyyy", "dd.MM.yy"],
    time: ["HH:mm:ss zzzz", "HH:mm:ss z", "HH:mm:ss", "HH:mm"],
    join: [" ", " ", ", ", ", "],
  },
  fr: {
    date: ["EEEE d MMMM yyyy", "d MMMM yyyy", "d MMM yyyy", "dd/MM/yyyy"],
    time: ["HH:mm:ss zzzz", "HH:mm:ss z", "HH:mm:ss", "HH:mm"],
    join: [" ", " ", ", ", " "],
  },
  "": {
    date: ["yyyy MMMM d, EEEE", "yyyy MMMM d", "yyyy MMM d", "yyyy-MM-dd"],
    time: ["HH:mm:ss zzzz", "HH:mm:ss z", "HH:mm:ss", "HH:mm"],
    join: [" ", " ", " ", " "],
  },
};
STYLES.en = STYLES["en-US"];
const LENGTHS = ["full", "long", "medium", "short"];
const ZONE_NAMES = {
  UTC: "Coordinated Universal Time",
  GMT: "Greenwich Mean Time",
  BST: "British Summer Time",
  EST: "Eastern Standard Time",
  EDT: "Eastern Daylight Time",
  CST: "Central Standard Time",
  CDT: "Central Daylight Time",
  MST: "Mountain Standard Time",
  MDT: "Mountain Daylight Time",
  PST: "Pacific Standard Time",
  PDT: "Pacific Daylight Time",
  CET: "Central European Standard Time",
  CEST: "Central European Summer Time",
  EET: "Eastern European Standard Time",
  EEST: "Eastern European Summer Time",
  WET: "Western European Standard Time",
  WEST: "Western European Summer Time",
  JST: "Japan Standard Time",
};

function offsetText(seconds, colon, zero) {
  if (seconds === 0 && zero) return zero;
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const rest = Math.abs(seconds) % 60;
  return (
    (seconds < 0 ? "-" : "+") +
    pad(Math.floor(minutes / 60), 2) +
    colon +
    pad(minutes % 60, 2) +
    (rest ? colon + pad(rest, 2) : "")
  );
}

function styleOf(locale) {
  const tag = locale.toLowerCase().replace("_", "-");
  const key =
    Object.keys(STYLES).find((one) => one.toLowerCase() === tag) ??
    Object.keys(STYLES).find((one) => one === tag.split("-")[0]);
  return STYLES[key ?? ""];
}

function byPattern(ms, pattern, zone, nanos = 0) {
  const f = fieldsOf(ms, zone);
  const hour12 = f.hours % 12 || 12;
  const words = (names, index, run) =>
    run.length > 3 ? names[index] : run.length === 3 ? names[index].slice(0, 3) : pad(index + 1, run.length);
  return pattern.replace(LETTERS, (run, quoted) => {
    if (quoted !== undefined) return quoted.replaceAll("''", "'") || "'";
    const width = run.length;
    switch (run[0]) {
      case "y":
      case "u":
        return width === 2 ? pad(f.year % 100, 2) : pad(f.year, width === 1 ? 1 : width);
      case "M":
      case "L":
        return words(MONTHS, f.month - 1, run);
      case "d":
        return pad(f.date, width);
      case "E":
        return width > 3 ? DAYS[f.day - 1] : DAYS[f.day - 1].slice(0, 3);
      case "e":
      case "c":
        return pad((f.day % 7) + 1, width);
      case "H":
        return pad(f.hours, width);
      case "k":
        return pad(f.hours || 24, width);
      case "h":
        return pad(hour12, width);
      case "K":
        return pad(f.hours % 12, width);
      case "m":
        return pad(f.minutes, width);
      case "s":
        return pad(f.seconds, width);
      case "S":
        return (pad(f.ms, 3) + pad(nanos, 6)).slice(0, width).padEnd(width, "0");
      case "a":
        return f.hours < 12 ? "AM" : "PM";
      case "G":
        return "AD";
      case "Q":
        return pad(Math.ceil(f.month / 3), width);
      case "D":
        return pad(Math.floor((Date.UTC(f.year, f.month - 1, f.date) - Date.UTC(f.year, 0, 0)) / 864e5), width);
      case "X":
        return offsetText(zone.at(ms), width > 2 ? ":" : "", "Z");
      case "x":
      case "Z":
        return offsetText(zone.at(ms), width > 2 ? ":" : "");
      case "O":
        return "GMT" + (zone.at(ms) ? offsetText(zone.at(ms), ":") : "");
      case "z":
        return width > 3
          ? (ZONE_NAMES[zone.name(ms)] ?? "GMT" + offsetText(zone.at(ms), ":"))
          : zone.name(ms).replace(/[<>]/g, "");
      case "V":
        return zone.name(ms).replace(/[<>]/g, "");
      case "[":
      case "]":
        return "";
      default:
        return /[A-Za-z]/.test(run[0]) ? fail("unknown letter in a date's pattern: " + run) : run;
    }
  });
}

// What a script says of a format: a zone, or JSON with timeZone, dateStyle, timeStyle and pattern.
function optionsOf(options) {
  if (options === undefined || options === null || options === "") return {};
  if (typeof options !== "string") return options;
  return options.trim().startsWith("{") ? jsonParse(options) : { timeZone: options };
}

function styled(ms, locale, options, date, time) {
  const given = optionsOf(options);
  const zone = zoneOf(given.timeZone);
  if (given.pattern) return byPattern(ms, given.pattern, zone);
  const style = styleOf(locale ?? "en-US");
  const index = (name, otherwise) =>
    Math.max(LENGTHS.indexOf(name) >= 0 ? LENGTHS.indexOf(name) : LENGTHS.indexOf(otherwise), 0);
  const lengthOf = (fixed, chosen, otherwise) =>
    fixed === "style" ? index(chosen?.toLowerCase(), otherwise) : index(fixed, "full");
  const dateAt = date && lengthOf(date, given.dateStyle, "short");
  const timeAt = time && lengthOf(time, given.timeStyle, "medium");
  const pattern =
    date && time
      ? style.date[dateAt] + style.join[dateAt] + style.time[timeAt]
      : date
        ? style.date[dateAt]
        : style.time[timeAt];
  return byPattern(ms, pattern, zone);
}

const iso = (d) => {
  const f = fieldsOf(d.ms);
  const fraction = d.nanos ? "." + pad(f.ms, 3) + pad(d.nanos, 6) : f.ms ? "." + pad(f.ms, 3) : "";
  return (
    pad(f.year, 4) +
    "-" +
    pad(f.month, 2) +
    "-" +
    pad(f.date, 2) +
    "T" +
    pad(f.hours, 2) +
    ":" +
    pad(f.minutes, 2) +
    ":" +
    pad(f.seconds, 2) +
    fraction.replace(/(\.\d{6})000$/, "$1") +
    "Z"
  );
};

// Change some fields of a date, which counts its months and days from 1.
function changeDate(d, changed) {
  const f = { ...fieldsOf(d.ms) };
  for (const key of Object.keys(changed)) if (changed[key] !== undefined) f[key] = changed[key];
  const overflow = changed.date === undefined && f.date > 28 ? f.date - 1 : 0;
  d.ms = instant(f.year, f.month, overflow ? 1 : f.date, f.hours, f.minutes, f.seconds, f.ms) + overflow * 864e5;
}

function addMonths(d, months) {
  const f = fieldsOf(d.ms);
  const month = f.month - 1 + months;
  const last = new Date(Date.UTC(f.year, month + 1, 0)).getUTCDate();
  d.ms = Date.UTC(f.year, month, Math.min(f.date, last), f.hours, f.minutes, f.seconds, f.ms);
}

const DATES = Object.assign(Object.create(null), {
  getTime: (d) => d.ms,
  valueOf: (d) => d.ms,
  parseSecond: (d) => Math.floor(d.ms / 1000),
  parseSecondMilli: (d) => d.ms,
  setTime: (d, ms) => {
    d.ms = ms;
  },
  toISOString: iso,
  toJSON: iso,
  toString: (d, locale = "en-US", options) => styled(d.ms, locale, options, "full", "full"),
  toDateString: (d, locale = "", options) => styled(d.ms, locale, options, "full"),
  toTimeString: (d, locale = "en-US", options) => styled(d.ms, locale, options, undefined, "full"),
  toUTCString: (d, locale = "") => styled(d.ms, locale, "UTC", "full", "medium"),
  toLocaleDateString: (d, locale = "", options) =>
    styled(d.ms, locale, options, options === undefined ? "full" : "style"),
  toLocaleTimeString: (d, locale = "en-US", options) => styled(d.ms, locale, options, undefined, "style"),
  toLocaleString: (d, locale = "", options) => styled(d.ms, locale, options, "style", "style"),
  addYears: (d, years) => addMonths(d, years * 12),
  addMonths,
  addNanos: (d, nanos) => {
    const sum = d.nanos + nanos;
    d.ms += Math.floor(sum / 1e6);
    d.nanos = sum - Math.floor(sum / 1e6) * 1e6;
  },
  clone: (d) => new JavaDate(d.ms, d.nanos),
  equals: (d, other) => other instanceof JavaDate && d.ms === other.ms && d.nanos === other.nanos,
  hashCode: (d) => hashOf(d.ms),
});
for (const [name, size] of Object.entries({ Weeks: 6048e5, Days: 864e5, Hours: 36e5, Minutes: 6e4, Seconds: 1e3 })) {
  DATES["add" + name] = (d, count) => {
    d.ms += count * size;
  };
}
const PARTS = {
  FullYear: ["year", "month", "date"],
  Month: ["month", "date"],
  Date: ["date"],
  Hours: ["hours", "minutes", "seconds", "ms"],
  Minutes: ["minutes", "seconds", "ms"],
  Seconds: ["seconds", "ms"],
  Milliseconds: ["ms"],
};
for (const zone of ["", "UTC"]) {
  DATES["get" + zone + "Day"] = (d) => fieldsOf(d.ms).day;
  for (const [name, parts] of Object.entries(PARTS)) {
    DATES["get" + zone + name] = (d) => fieldsOf(d.ms)[parts[0]];
    DATES["set" + zone + name] = (d, ...values) =>
      changeDate(d, Object.fromEntries(parts.map((part, i) => [part, values[i]])));
  }
}
Object.freeze(DATES);
JavaDate.prototype[TABLE] = DATES;
