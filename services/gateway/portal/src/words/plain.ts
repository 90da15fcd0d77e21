/**
 * Figures, euros and days as Intl writes them, written without it: a window's first Intl formatter takes a sixth of the work until
 * the first rows stand. Undefined is what these do not know; Intl knows it.
 */

interface Manner {
  group: string;
  decimal: string;
  euros: (sign: string, amount: string) => string;
  day: (day: string, month: string, year: string) => string;
}

const GERMAN: Manner = {
  group: ".",
  decimal: ",",
  euros: (sign, amount) => `${sign}${amount}\u00a0€`,
  day: (day, month, year) => `${day}.${month}.${year}`,
};
const BRITISH: Manner = {
  group: ",",
  decimal: ".",
  euros: (sign, amount) => `${sign}€${amount}`,
  day: (day, month, year) => `${day}/${month}/${year}`,
};
const MANNERS = new Map([
  ["de", GERMAN],
  ["de-DE", GERMAN],
  ["en-GB", BRITISH],
]);
const FIRST_YEAR = 1996; // since then clocks change on the last Sundays of March and October, at 1:00 UTC
const LAST_YEAR = 2037;

/** Return a whole number as people of *locale* group it. */
export function plainNumber(value: number, locale: string): string | undefined {
  const manner = MANNERS.get(locale);
  return manner && Number.isSafeInteger(value) ? `${value < 0 ? "-" : ""}${grouped(`${Math.abs(value)}`, manner)}` : undefined;
}

/** Return so many cents as people of *locale* write euros. */
export function plainEuros(cents: number, locale: string): string | undefined {
  const manner = MANNERS.get(locale);
  if (!manner || !Number.isSafeInteger(cents)) return undefined;
  const digits = `${Math.abs(cents)}`.padStart(3, "0");
  return manner.euros(cents < 0 ? "-" : "", `${grouped(digits.slice(0, -2), manner)}${manner.decimal}${digits.slice(-2)}`);
}

/** Return the day in Berlin of an instant, short. */
export function plainDay(instant: Date, locale: string): string | undefined {
  const manner = MANNERS.get(locale);
  const year = instant.getUTCFullYear();
  if (!manner || !(year >= FIRST_YEAR && year <= LAST_YEAR)) return undefined;
  const summer = instant.getTime() >= change(year, 2) && instant.getTime() < change(year, 9);
  const wall = new Date(instant.getTime() + (summer ? 2 : 1) * 3_600_000).toISOString();
  return manner.day(wall.slice(8, 10), wall.slice(5, 7), wall.slice(2, 4));
}

function grouped(digits: string, { group }: Manner): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, group);
}

/** Return when clocks change in *month*, counted from 0, of 31 days: on its last Sunday at 1:00 UTC. */
function change(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month, 31, 1));
  return last.getTime() - last.getUTCDay() * 86_400_000;
}
