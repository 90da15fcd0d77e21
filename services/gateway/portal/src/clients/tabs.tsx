/** The tabs with their counts: one tab stop, the arrows choose (W2). */

import type { KeyboardEvent, ReactNode } from "react";
import type { Tab as TabId } from "../api/contract.ts";
import { useTabs } from "../api/queries.ts";
import { go } from "../navigation.ts";
import { useSpeech } from "../words/words.tsx";

const PANEL = "panel";

export function TabList({ shown }: { shown: TabId }) {
  const { w, f } = useSpeech();
  const visible = useTabs().data ?? [];
  const ids = visible.map(({ id }) => id);
  const all = ids.includes(shown) ? visible : [...visible, { id: shown, label: w.tabs[shown], count: null }];
  const moved = (event: KeyboardEvent): void => {
    const at = all.findIndex(({ id }) => id === shown);
    const targets: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: (at + 1) % all.length, Home: 0, End: -1 };
    const target = all.at(targets[event.key] ?? at);
    if (!(event.key in targets) || target === undefined) return;
    event.preventDefault();
    document.getElementById(idOf(target.id))?.focus();
    go({ tab: target.id });
  };
  return (
    <div role="tablist" aria-label={w.places.clients} className="tab-list" onKeyDown={moved}>
      {all.map(({ id, label, count }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={idOf(id)}
          className="tab"
          aria-selected={id === shown}
          aria-controls={id === shown ? PANEL : undefined}
          tabIndex={id === shown ? 0 : -1}
          onClick={() => go({ tab: id })}
        >
          {label}
          {count !== null && <span className="count">{f.number(count)}</span>}
        </button>
      ))}
    </div>
  );
}

export function TabPanel({ tab, children }: { tab: TabId; children: ReactNode }) {
  return (
    <div role="tabpanel" id={PANEL} aria-labelledby={idOf(tab)} className="panel">
      {children}
    </div>
  );
}

function idOf(tab: TabId): string {
  return `tab-${tab}`;
}
