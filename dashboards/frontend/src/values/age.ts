/** How old something is, in words. */

const STEPS: readonly [below: number, unit: number, name: string][] = [
  [60_000, 1_000, "s"],
  [3_600_000, 60_000, "min"],
  [86_400_000, 3_600_000, "h"],
  [Infinity, 86_400_000, "d"],
];

/** "3 s ago", "in 2 min" for what carries a later time, "now" for what is at most a second away. Times in ms. */
export function ageOf(ts: number, now: number): string {
  const away = Math.abs(now - ts);
  if (away < 1_000) return "now";
  const [, unit, name] = STEPS.find(([below]) => away < below) ?? [0, 86_400_000, "d"];
  const said = `${Math.floor(away / unit)} ${name}`;
  return ts > now ? `in ${said}` : `${said} ago`;
}
