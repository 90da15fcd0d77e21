/** Both languages say the same things, and times as the scheduler tells them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { Format, localeOf } from "./format.ts";

function keys(words: object, path = ""): string[] {
  return Object.entries(words).flatMap(([name, said]) => (typeof said === "object" ? keys(said as object, `${path}${name}.`) : [`${path}${name}`]));
}

test("every word is there in both languages", () => {
  assert.deepEqual(keys(en).sort(), keys(de).sort());
});

test("German for de and for those who never said, else English (G1)", () => {
  assert.deepEqual(["de-AT", null, "fr", "en-US", "x_y"].map(localeOf), ["de-AT", "de-DE", "en-GB", "en-US", "en-GB"]);
});

test("an instant keeps its own wall time and offset, whatever the reader's zone (N5)", () => {
  assert.equal(new Format("de-DE").delivery("2026-03-30T10:00:00+02:00"), "Mo., 30.03.2026, 10:00 (UTC+02:00)");
});

test("money has the digits of its currency", () => {
  assert.equal(new Format("de-DE").money({ amount_minor: 1234, currency: "JPY" }).replace(/\s/, " "), "1.234 ¥");
  assert.equal(new Format("en-GB").money({ amount_minor: 123456, currency: "EUR" }), "€1,234.56");
  const shown = ["HUF", "RSD", "KWD", "IQD"].map((currency) => new Format("de-DE").money({ amount_minor: 1500, currency }).replace(/\s/, " "));
  assert.deepEqual(shown, ["15,00 HUF", "15,00 RSD", "1,500 KWD", "1,500 IQD"]);
});
