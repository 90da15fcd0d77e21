/** Addresses and views are the same thing said twice. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { narrowed, queryOf, questionOf, viewOf } from "./address.ts";

const VIEWS = [
  "",
  "?tab=all&search=m%C3%BCller+%26+co&missing_receipts=true&unassigned=true&assignee=m-1&sort=-missing_receipts",
  "?tab=onboarding&cursor=abc&before=50&client=c-1",
  "?view=deliveries",
];

for (const query of VIEWS) {
  test(`a view is restored from its address: ${query}`, () => {
    assert.equal(queryOf(viewOf(query)), query);
  });
}

test("what an address says amiss counts as not said", () => {
  assert.deepEqual(viewOf("?tab=evil&sort=up&view=x&before=-1&search="), viewOf(""));
});

test("a search is no longer than the portal takes", () => {
  assert.equal(viewOf(`?search=${"a".repeat(200)}`).search.length, 100);
});

test("a filter that a tab or a role does not have is not asked (L10)", () => {
  const view = viewOf("?tab=mine&unassigned=true&assignee=m-1&missing_receipts=true&search=+a+");
  assert.deepEqual(questionOf(view, true), { tab: "mine", search: "a", missing_receipts: "true" });
  assert.deepEqual(questionOf({ ...view, tab: "all" }, false), { tab: "all", search: "a", missing_receipts: "true" });
  assert.equal(narrowed(questionOf({ ...view, tab: "all" }, true)), 3);
});
