/** A client's figures, each with since when it is true (L7). */

import type { Details } from "../api/contract.ts";
import { useSpeech } from "../words/words.tsx";
import { Part } from "./sheet.tsx";

export function Figures({ client }: { client: Details }) {
  const { w, f } = useSpeech();
  const { missing_receipts: missing, export_ready: ready, balance, as_of } = client;
  return (
    <Part title={w.details.figures}>
      <dl className="figures">
        <Told label={w.details.missing} at={as_of.missing_receipts} value={missing === null ? null : f.number(missing)} urgent={(missing ?? 0) > 0} />
        <Told label={w.details.ready} at={as_of.export_ready} value={ready === null ? null : f.number(ready)} urgent={(ready ?? 0) > 0} />
        <Told label={w.details.balance} at={as_of.balance} value={balance === null ? null : f.money(balance)} urgent={client.low_balance} note={client.low_balance ? w.low : null} />
      </dl>
    </Part>
  );
}

function Told({ label, at, value, urgent, note }: { label: string; at: string | null; value: string | null; urgent: boolean; note?: string | null }) {
  const { w, f } = useSpeech();
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {value === null ? <span className="faint">{w.unknown}</span> : <span className={urgent ? "urgent" : undefined}>{value}</span>}
        {note && <span className="badge bad">{note}</span>}
        {at !== null && <span className="age">{w.since(f.moment(at))}</span>}
      </dd>
    </div>
  );
}
