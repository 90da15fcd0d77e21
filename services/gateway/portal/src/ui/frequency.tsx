/** "Wählen Sie die Häufigkeit aus". */

import type { Frequency } from "../api/contract.ts";
import { useSpeech } from "../words/words.tsx";
import { Choice } from "./fields.tsx";

export const FREQUENCIES: Frequency[] = ["daily", "weekly", "monthly"];

interface Shown {
  chosen: Frequency | null;
  choose: (frequency: Frequency) => void;
  error?: string | undefined;
  hint?: string | undefined;
}

export function Frequencies({ chosen, choose, error, hint }: Shown) {
  const { w } = useSpeech();
  return (
    <Choice label={w.notifications.frequency} error={error} hint={hint} value={chosen ?? ""} onChange={(event) => choose(event.target.value as Frequency)}>
      {chosen === null && <option value="">{w.details.choose}</option>}
      {FREQUENCIES.map((one) => (
        <option key={one} value={one}>
          {w.notifications.frequencies[one]}
        </option>
      ))}
    </Choice>
  );
}
