/** What nobody sees before they open it: its code comes when the first rows stand, so that it is there when it is asked for. */

import { type ComponentType, useEffect, useSyncExternalStore } from "react";
import { pause } from "./api/client.ts";
import { useSpeech } from "./words/words.tsx";

type Parts = typeof import("./parts.ts");

const AGAIN_AFTER = 3000;
const watchers = new Set<() => void>();
let parts: Parts | null = null;
let loading: Promise<void> | null = null;

/** Fetch the parts, once; an outage is waited for. */
export function loadParts(): void {
  loading ??= load();
}

async function load(): Promise<void> {
  while (parts === null) {
    parts = await import("./parts.ts").catch(() => null);
    if (parts === null) await pause(AGAIN_AFTER);
  }
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Return a part as a component that shows nothing until its code is there. */
function later<Shown extends object>(pick: (parts: Parts) => ComponentType<Shown>): ComponentType<Shown> {
  return function Later(shown) {
    const { locale } = useSpeech();
    const there = useSyncExternalStore(watch, () => parts);
    useEffect(loadParts, []);
    if (there === null) return null;
    const Part = pick(there);
    return (
      <there.I18nProvider locale={locale}>
        <Part {...shown} />
      </there.I18nProvider>
    );
  };
}

export const BulkAssignDialog = later((of) => of.BulkAssignDialog);
export const BulkNotifyDialog = later((of) => of.BulkNotifyDialog);
export const DeliveriesPage = later((of) => of.DeliveriesPage);
export const FilterChoice = later((of) => of.FilterChoice);
export const InviteDialog = later((of) => of.InviteDialog);
export const MembersPage = later((of) => of.MembersPage);
export const RowDialogs = later((of) => of.RowDialogs);
export const RowMenu = later((of) => of.RowMenu);
export const Sheet = later((of) => of.Sheet);
export const SignInAgain = later((of) => of.SignInAgain);
