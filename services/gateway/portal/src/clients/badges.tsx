/** A client's standing in words, at most two: connection and verification; the tone only underlines them. */

import type { Row, Status, Verification } from "../api/contract.ts";
import { useSpeech } from "../words/words.tsx";

type Tone = "good" | "info" | "warn" | "bad" | "none";

const STATUS: Record<Status, Tone> = { connected: "none", invitation: "info", accepted: "info", invited: "none", ended: "none" };
const VERIFICATION: Record<Verification, Tone> = {
  pending: "info",
  in_review: "info",
  information_required: "warn",
  verified: "good",
  rejected: "bad",
};

export function Badges({ row }: { row: Pick<Row, "status" | "verification"> }) {
  const { w } = useSpeech();
  return (
    <span className="badges">
      <span className={`badge ${STATUS[row.status]}`}>{w.statuses[row.status]}</span>
      {row.verification && <span className={`badge ${VERIFICATION[row.verification]}`}>{w.verifications[row.verification]}</span>}
    </span>
  );
}
