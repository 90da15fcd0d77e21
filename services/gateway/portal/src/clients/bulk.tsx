/** What can be done with many chosen clients at once (M2, N16). */

import { useState } from "react";
import type { Row } from "../api/contract.ts";
import { BulkAssignDialog, BulkNotifyDialog } from "../later.tsx";
import { useSpeech } from "../words/words.tsx";

export function BulkBar({ chosen, clear, admin }: { chosen: ReadonlyMap<string, Row>; clear: () => void; admin: boolean }) {
  const { w, f } = useSpeech();
  const [asked, setAsked] = useState<"assign" | "notify" | null>(null);
  const names = new Map([...chosen].map(([id, { name }]) => [id, name]));
  const close = (): void => setAsked(null);
  return (
    <div className="bulk">
      <strong role="status">{w.selected(f.number(chosen.size))}</strong>
      {admin && (
        <button type="button" className="quiet" onClick={() => setAsked("assign")}>
          {w.bulkAssign}
        </button>
      )}
      <button type="button" className="quiet" onClick={() => setAsked("notify")}>
        {w.bulkNotify}
      </button>
      <button type="button" className="quiet" onClick={clear}>
        {w.clearSelection}
      </button>
      {asked === "assign" && <BulkAssignDialog names={names} close={close} />}
      {asked === "notify" && <BulkNotifyDialog names={names} close={close} />}
    </div>
  );
}
