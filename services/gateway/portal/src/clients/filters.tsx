/** "Weitere Filter": what narrows a tab, as far as the tab knows it (L10). */

import { useRef } from "react";
import { Popover } from "react-aria-components";
import type { View } from "../address.ts";
import { useMembers } from "../api/queries.ts";
import { go } from "../navigation.ts";
import { Check, Choice } from "../ui/fields.tsx";
import { useSpeech } from "../words/words.tsx";

interface Shown {
  view: View;
  admin: boolean;
  button: HTMLButtonElement;
  close: () => void;
}

export function FilterChoice({ view, admin, button, close }: Shown) {
  const { w } = useSpeech();
  return (
    <Popover className="popover" placement="bottom start" triggerRef={useRef(button)} isOpen onOpenChange={close} aria-label={w.moreFilters}>
      <div className="filters">
        <Check label={w.filters.missing} checked={view.missing} onChange={(event) => go({ missing: event.target.checked })} />
        {admin && view.tab === "all" && (
          <Check label={w.filters.unassigned} checked={view.unassigned} onChange={(event) => go({ unassigned: event.target.checked })} />
        )}
        {admin && (view.tab === "all" || view.tab === "onboarding") && <Assignee chosen={view.assignee} />}
      </div>
    </Popover>
  );
}

function Assignee({ chosen }: { chosen: string | null }) {
  const { w } = useSpeech();
  const members = useMembers(true).data ?? [];
  return (
    <Choice label={w.filters.assignee} value={chosen ?? ""} onChange={(event) => go({ assignee: event.target.value || null })}>
      <option value="">{w.filters.anybody}</option>
      {members
        .filter(({ active }) => active)
        .map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
    </Choice>
  );
}
