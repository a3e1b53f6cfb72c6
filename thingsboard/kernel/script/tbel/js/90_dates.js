// Dates. The server's own zone is UTC, its own language English.
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const LETTERS = /'((?:[^']|'')*)'|([A-Za-z])\2*|[[\]]|[^A-Za-z'[\]]+/g;
const ZONE = String.raw`Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?|[A-Z][A-Za-z_]*(?:\/[A-Za-z_+\-0-9]+)*`;
const ISO = new RegExp(
  String.raw`^(\d{4})-(\d\d)-(\d\d)(?: ?T?(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)? ?(${ZONE})?)?$`,
);
const RFC =
  /^(?:([A-Z][a-z]{2}), )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))?(?: (GMT|[+-]\d{2,6}))?$/;

const pad = (value, width) => (value < 0 ? "-" : "") + String(Math.abs(value)).padStart(width, "0");
const unparsable = (value) => fail("Cannot parse value [" + text(value) + "] as instant");

let zoneRules;

// Offsets in seconds. A named zone follows the rules that it has today, at all times: std offset dst offset, start, end.
function zoneOf(id) {
  if (id === null || id === undefined || /^(|Z|UTC|GMT|UT)$/.test(id)) return { name: () => "UTC", at: () => 0 };
  const match = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?$/.exec(id);
  if (match) {
    const offset = (match[1] === "-" ? -1 : 1) * (match[2] * 3600 + (match[3] ?? 0) * 60 + Number(match[4] ?? 0));
    return offset > 64800 || offset < -64800
      ? fail("Invalid zone offset: " + id)
      : { name: () => id, at: () => offset };
  }
  zoneRules ??= jsonParse(ZONE_RULES);
  return ruled(has(zoneRules, id) ? zoneRules[id] : fail("Unknown time-zone ID: " + text(id)));
}

function ruled(rule) {
  const [names, from, to] = rule.split(",");
  const parts = /^(<[^>]+>|[A-Za-z]+)([-+:\d]+)(?:(<[^>]+>|[A-Za-z]+)([-+:\d]+)?)?$/.exec(names);
  const seconds = (time) => {
    const [h, m = 0, s = 0] = time.split(":");
    return (h.startsWith("-") ? -1 : 1) * (Math.abs(h) * 3600 + m * 60 + Number(s));
  };
  const standard = -seconds(parts[2]);
  if (!from) return { name: () => parts[1], at: () => standard };
  const summer = parts[4] ? -seconds(parts[4]) : standard + 3600;
  const moment = (part, year) => {
    const [, month, week, day, time = "2"] = /^M(\d+)\.(\d)\.(\d)(?:\/(.+))?$/.exec(part);
    const first = new Date(Date.UTC(year, month - 1, 1)).getUTCDay();
    const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
    let date = 1 + ((day - first + 7) % 7) + (week - 1) * 7;
    while (date > days) date -= 7;
    return Date.UTC(year, month - 1, date) / 1000 + seconds(time);
  };
  const isSummer = (ms) => {
    const year = new Date(ms).getUTCFullYear();
    const start = (moment(from, year) - standard) * 1000;
    const end = (moment(to, year) - summer) * 1000;
    return start < end ? ms >= start && ms < end : ms >= start || ms < end;
  };
  return { name: (ms) => (isSummer(ms) ? parts[3] : parts[1]), at: (ms) => (isSummer(ms) ? summer : standard) };
}

// Milliseconds of a date and time in a zone; months and days count from 1.
function instant(year, month, date, hours = 0, minutes = 0, seconds = 0, ms = 0, zone = zoneOf()) {
  const limits = [
    [month, 1, 12],
    [date, 1, 31],
    [hours, 0, 23],
    [minutes, 0, 59],
    [seconds, 0, 59],
    [ms, 0, 999],
  ];
  for (const [value, least, most] of limits)
    if (!(value >= least && value <= most))
      fail("Invalid value for a date (valid values " + least + " - " + most + "): " + text(value));
  const day = new Date(0);
  day.setUTCFullYear(year, month - 1, date);
  if (day.getUTCMonth() !== month - 1) {
    fail(
      month === 2 && date === 29
        ? "Invalid date 'February 29' as '" + year + "' is not a leap year"
        : "Invalid date '" + MONTHS[month - 1].toUpperCase() + " " + date + "'",
    );
  }
  day.setUTCHours(hours, minutes, seconds, ms);
  const local = day.getTime();
  return local - zone.at(local - zone.at(local) * 1000) * 1000;
}

const fullYear = (year) => (year < 70 ? 2000 + year : year <= 99 ? 1900 + year : year);

function fieldsOf(ms, zone = zoneOf()) {
  const date = new Date(ms + zone.at(ms) * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    date: date.getUTCDate(),
    day: date.getUTCDay() || 7,
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
    ms: date.getUTCMilliseconds(),
  };
}

class JavaDate {
  constructor(ms, nanos = 0) {
    if (!(Math.abs(ms) <= 8.64e15)) fail("a date beyond what can be represented: " + text(ms));
    this.ms = ms;
    this.nanos = nanos; // 0 to 999999, below the millisecond
  }
  get time() {
    return this.ms;
  }
  text() {
    return styled(this.ms, "en-US", "", "full", "full");
  }
  toJSON() {
    return this.text();
  }
}

function parseIso(value) {
  const match = ISO.exec(value) ?? unparsable(value);
  const [year, month, date, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const fraction = (match[7] ?? "").padEnd(9, "0");
  const ms = instant(year, month, date, hours, minutes, seconds, Number(fraction.slice(0, 3)), zoneOf(match[8]));
  return new JavaDate(ms, Number(fraction.slice(3)));
}

function parseText(value) {
  if (/^\d/.test(value) && ISO.test(value)) return parseIso(value);
  const match = RFC.exec(value.trim()) ?? unparsable(value);
  const month = MONTHS.findIndex((name) => name.startsWith(match[3])) + 1;
  const zone = zoneOf(
    match[8]?.replace(/^([+-]\d{2})(\d{2})?(\d{2})?$/, (_, h, m = "00", s = "00") => h + ":" + m + ":" + s),
  );
  const ms = instant(
    Number(match[4]),
    month,
    Number(match[2]),
    Number(match[5]),
    Number(match[6]),
    Number(match[7] ?? 0),
    0,
    zone,
  );
  const weekday = new Date(Date.UTC(match[4], month - 1, match[2])).getUTCDay() || 7;
  return match[1] && !DAYS[weekday - 1].startsWith(match[1]) ? unparsable(value) : new JavaDate(ms);
}

const FIELDS = {
  y: (run) => (run.length === 2 ? String.raw`(\d{2})` : String.raw`(\d{4})`),
  u: (run) => FIELDS.y(run),
  M: (run) => (run.length > 2 ? "([A-Za-z]+)" : run.length === 2 ? String.raw`(\d{2})` : String.raw`(\d{1,2})`),
  L: (run) => FIELDS.M(run),
  E: () => String.raw`([A-Za-z]+)`,
  e: () => String.raw`([A-Za-z\d]+)`,
  S: (run) => `(\\d{${run.length}})`,
  a: () => "([AaPp][Mm])",
  X: () => `(${ZONE})`,
  x: () => `(${ZONE})`,
  Z: () => `(${ZONE})`,
  z: () => `(${ZONE})`,
  V: () => `(${ZONE})`,
  O: () => `(${ZONE})`,
};

// A date by a pattern of java.time.format.DateTimeFormatter; a zone of its own goes before the one that is asked for.
function parsePattern(value, pattern, zone, ownZone = true) {
  const found = [];
  const regex = pattern.replace(LETTERS, (run, quoted) => {
    if (quoted !== undefined) return (quoted || "'").replace(/[^\w\s]/g, "\\$&");
    if (run === "[") return "(?:";
    if (run === "]") return ")?";
    if (!/[A-Za-z]/.test(run[0])) return run.replace(/[^\w\s]/g, "\\$&");
    found.push(run[0]);
    return (FIELDS[run[0]] ?? ((letters) => (letters.length > 1 ? `(\\d{${letters.length}})` : String.raw`(\d{1,2})`)))(
      run,
    );
  });
  const match = new RegExp("^" + regex + "$", "s").exec(value) ?? unparsable(value);
  const get = (...letters) => {
    const at = found.findIndex((letter, i) => letters.includes(letter) && match[i + 1] !== undefined);
    return at < 0 ? undefined : match[at + 1];
  };
  const named = (name, names) =>
    names.findIndex((one) => one.toLowerCase().startsWith(name.toLowerCase().replace(/\.$/, ""))) + 1;
  const year = Number(get("y", "u") ?? new Date(Date.now()).getUTCFullYear());
  const monthText = get("M", "L") ?? "1";
  const month = /\d/.test(monthText) ? Number(monthText) : named(monthText, MONTHS);
  const half = get("a")?.toLowerCase();
  let hours = Number(get("H", "k", "h", "K") ?? 0) % 24;
  if (half) hours = (hours % 12) + (half === "pm" ? 12 : 0);
  const ms = Number((get("S") ?? "0").slice(0, 3).padEnd(3, "0"));
  const own = ownZone ? get("X", "x", "Z", "z", "V", "O") : undefined;
  return instant(
    year < 100 ? 2000 + year : year,
    month,
    Number(get("d") ?? 1),
    hours,
    Number(get("m") ?? 0),
    Number(get("s") ?? 0),
    ms,
    own === undefined ? zoneOf(zone) : zoneOf(own),
  );
}

function newDate(rest) {
  const zone = typeof rest.at(-1) === "string" && typeof rest[0] === "number" ? zoneOf(rest.pop()) : zoneOf();
  if (rest.length === 0) return new JavaDate(Date.now());
  if (typeof rest[0] === "string") {
    if (rest.length === 1) return parseText(rest[0]);
    return new JavaDate(parsePattern(rest[0], rest[1], rest[3], rest.length < 4));
  }
  const parts = rest.map((part) => Math.trunc(Number(plus(part))));
  if (parts.length === 1) return new JavaDate(parts[0]);
  if (parts.length === 2 || parts.length === 4 || parts.length > 7)
    fail("there is no date of " + parts.length + " numbers");
  return new JavaDate(instant(fullYear(parts[0]), ...parts.slice(1), ...Array(7 - parts.length).fill(0), zone));
}

function parseDate(value, pattern) {
  try {
    return pattern === undefined ? parseIso(value).ms : parsePattern(value, pattern);
  } catch {
    return -1;
  }
}

const utc = (year, month = 0, date = 0, ...rest) => instant(fullYear(year || 1899), month || 12, date || 31, ...rest);
