/** What is shown, as the address says it: reload, back and a shared link restore the view. No DOM but `URLSearchParams`. */

import type { Sort, Tab } from "./api/contract.ts";

export type Place = "clients" | "deliveries" | "members";

export interface View {
  place: Place;
  tab: Tab;
  search: string;
  missing: boolean;
  unassigned: boolean;
  assignee: string | null;
  sort: Sort;
  /** Where the page begins; null is the first one. */
  cursor: string | null;
  /** How many rows stand on the pages before. */
  before: number;
  /** Whose details are open. */
  client: string | null;
}

export const PAGE_SIZE = 50;
const PLACES: Place[] = ["clients", "deliveries", "members"];
const TABS: Tab[] = ["invitations", "onboarding", "mine", "all"];
const SORTS: Sort[] = ["name", "-name", "missing_receipts", "-missing_receipts"];
const LONGEST_SEARCH = 100;

/** Return the view that an address's query names; what it does not know counts as not said. */
export function viewOf(query: string): View {
  const said = new URLSearchParams(query);
  const cursor = said.get("cursor");
  return {
    place: one(PLACES, said.get("view")),
    tab: one(TABS, said.get("tab"), "mine"),
    search: (said.get("search") ?? "").slice(0, LONGEST_SEARCH),
    missing: said.get("missing_receipts") === "true",
    unassigned: said.get("unassigned") === "true",
    assignee: said.get("assignee") || null,
    sort: one(SORTS, said.get("sort")),
    cursor,
    before: cursor === null ? 0 : whole(said.get("before")),
    client: said.get("client") || null,
  };
}

/** Return the query of a view's address; what is usual is left out. */
export function queryOf(view: View): string {
  const said = new URLSearchParams();
  const say = (name: string, value: string | null | false): void => {
    if (value) said.set(name, value);
  };
  say("view", view.place !== "clients" && view.place);
  say("tab", view.tab !== "mine" && view.tab);
  say("search", view.search);
  say("missing_receipts", view.missing && "true");
  say("unassigned", view.unassigned && "true");
  say("assignee", view.assignee);
  say("sort", view.sort !== "name" && view.sort);
  say("cursor", view.cursor);
  say("before", view.cursor !== null && String(view.before));
  say("client", view.client);
  const query = said.toString();
  return query === "" ? "" : `?${query}`;
}

export interface Question {
  tab: Tab;
  search?: string;
  missing_receipts?: "true";
  unassigned?: "true";
  assignee?: string;
  sort?: Sort;
}

/** Return what a view asks of `/v1/clients`, its page left out; filters a tab does not have are not asked (L10). */
export function questionOf(view: View, admin: boolean): Question {
  const search = view.search.trim();
  const assignable = admin && (view.tab === "all" || view.tab === "onboarding");
  return {
    tab: view.tab,
    ...(search && { search }),
    ...(view.missing && { missing_receipts: "true" as const }),
    ...(view.unassigned && admin && view.tab === "all" && { unassigned: "true" as const }),
    ...(view.assignee && assignable && { assignee: view.assignee }),
    ...(view.sort !== "name" && { sort: view.sort }),
  };
}

/** Return how many filters narrow the view. */
export function narrowed(question: Question): number {
  return [question.missing_receipts, question.unassigned, question.assignee].filter(Boolean).length;
}

function one<T extends string>(known: T[], said: string | null, usual = known[0] as T): T {
  return known.find((name) => name === said) ?? usual;
}

function whole(said: string | null): number {
  return said !== null && /^\d{1,9}$/.test(said) ? Number(said) : 0;
}
