/** What became of each client of a command about many: how many, and by name where it did not work. */

import type { Outcomes as Told } from "../api/contract.ts";
import { useSpeech } from "../words/words.tsx";

export function Outcomes({ told, names }: { told: Told; names: ReadonlyMap<string, string> }) {
  const { w, f } = useSpeech();
  const refused = told.items.filter(({ status }) => status === "refused");
  if (refused.length === 0) return <p role="status">{w.outcomes.all(told.items.length, f.number(told.items.length))}</p>;
  return (
    <div role="status">
      <p>{w.outcomes.some(f.number(told.items.length - refused.length), f.number(refused.length))}</p>
      <ul>
        {refused.map(({ client_id, code }) => (
          <li key={client_id}>
            <bdi>{names.get(client_id) ?? client_id}</bdi>: {w.outcomes.codes[code ?? ""] ?? w.notNow}
          </li>
        ))}
      </ul>
    </div>
  );
}
