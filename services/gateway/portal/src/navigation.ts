/** The address as the page's state: one view, changed by patches, followed back and forth. */

import { useSyncExternalStore } from "react";
import { queryOf, type View, viewOf } from "./address.ts";

/** What the history keeps beside the address: the cursors of the pages before, so that "back" works after a reload. */
interface Kept {
  pages: string[];
  total: number | null;
}

const FIRST: Kept = { pages: [], total: null };
const watchers = new Set<() => void>();
let view = viewOf(location.search);

window.addEventListener("popstate", () => {
  view = viewOf(location.search);
  tell();
});

export function useView(): View {
  return useSyncExternalStore(watch, () => view);
}

/** Return the pages that were gone through to get here; unknown behind a shared link. */
export function pagesBefore(): Kept {
  return (history.state as Kept | null) ?? FIRST;
}

const QUESTION: (keyof View)[] = ["tab", "search", "missing", "unassigned", "assignee", "sort"];

/** Change what is shown; a new question begins at its first page. */
export function go(patch: Partial<View>, how: "push" | "replace" = "push"): void {
  const next = { ...view, ...patch };
  const asksAnew = QUESTION.some((name) => next[name] !== view[name]);
  show(asksAnew ? { ...next, cursor: null, before: 0 } : next, asksAnew ? FIRST : pagesBefore(), how);
}

/** Turn to another page of the same question. */
export function turn(cursor: string | null, before: number, kept: Kept): void {
  show({ ...view, cursor, before }, kept, "push");
}

function show(next: View, kept: Kept, how: "push" | "replace"): void {
  const address = `${location.pathname}${queryOf(next)}`;
  if (how === "push" && queryOf(next) !== queryOf(view)) history.pushState(kept, "", address);
  else history.replaceState(kept, "", address);
  view = next;
  tell();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function tell(): void {
  for (const watcher of watchers) watcher();
}
