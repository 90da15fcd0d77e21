/** What is written without Intl is what Intl writes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { plainDay, plainEuros, plainNumber } from "./plain.ts";

const LOCALES = ["de", "de-DE", "en-GB"];
const HOUR = 3_600_000;

function amounts(): number[] {
  const powers = Array.from({ length: 15 }, (_, n) => 10 ** n);
  const beside = powers.flatMap((power) => [power - 1, power, power + 1, 4 * power + 56]);
  return [...beside, ...beside.map((amount) => -amount), 0];
}

for (const locale of LOCALES) {
  test(`whole numbers and euros in ${locale}`, () => {
    const numbers = new Intl.NumberFormat(locale);
    const euros = new Intl.NumberFormat(locale, { style: "currency", currency: "EUR" });
    for (const amount of amounts()) {
      assert.equal(plainNumber(amount, locale), numbers.format(amount || 0));
      assert.equal(plainEuros(amount, locale), euros.format((amount || 0) / 100));
    }
  });

  test(`days in Berlin in ${locale}: both changes of the clock of every year, and its ends`, () => {
    const days = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", year: "2-digit", timeZone: "Europe/Berlin" });
    for (let year = 1996; year <= 2037; year += 1) {
      for (const [month, first, last] of [[0, 1, 2], [2, 24, 31], [9, 24, 31], [11, 30, 31]] as const) {
        for (let at = Date.UTC(year, month, first); at < Date.UTC(year, month, last + 1); at += HOUR / 2) {
          assert.equal(plainDay(new Date(at), locale), days.format(at), new Date(at).toISOString());
        }
      }
    }
  });
}

test("what it does not know is left to Intl", () => {
  assert.deepEqual([plainNumber(1000, "de-CH"), plainEuros(1000, "de-AT"), plainDay(new Date(0), "de"), plainDay(new Date(Number.NaN), "de")], Array(4).fill(undefined));
  assert.deepEqual([plainNumber(0.5, "de"), plainEuros(0.5, "de"), plainDay(new Date("2026-03-12"), "en-US")], Array(3).fill(undefined));
});
