/** How the page stands with the portal: signed in still, allowed still, connected still. */

import { useSyncExternalStore } from "react";

export interface Standing {
  /** The session ran out; who signs in again goes on where they were. */
  expired: boolean;
  /** Why nothing may be seen any more (T10). */
  lost: "not_a_member" | null;
  /** The stream cannot be opened at present. */
  deaf: boolean;
}

let standing: Standing = { expired: false, lost: null, deaf: false };
const watchers = new Set<() => void>();

export function stand(patch: Partial<Standing>): void {
  if (Object.entries(patch).every(([name, value]) => standing[name as keyof Standing] === value)) return;
  standing = { ...standing, ...patch };
  for (const watcher of watchers) watcher();
}

export function useStanding(): Standing {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => standing,
  );
}
