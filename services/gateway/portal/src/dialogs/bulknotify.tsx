/** Setting one's notifications of many clients at once: the chosen ones, or all of "Meine Mandanten" (N16). */

import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Frequency, Outcomes as Told } from "../api/contract.ts";
import { useRefresh } from "../api/queries.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Check } from "../ui/fields.tsx";
import { Frequencies } from "../ui/frequency.tsx";
import { useSpeech } from "../words/words.tsx";
import { Outcomes } from "./outcomes.tsx";

const MOST = 500;

export function BulkNotifyDialog({ names, close }: { names: ReadonlyMap<string, string>; close: () => void }) {
  const { w, f } = useSpeech();
  const n = w.notifications;
  const refresh = useRefresh();
  const [mine, setMine] = useState(false);
  const [email, setEmail] = useState(true);
  const [frequency, setFrequency] = useState<Frequency | null>(null);
  const [evenIfNothing, setEvenIfNothing] = useState(false);
  const [asked, setAsked] = useState(false);
  const [told, setTold] = useState<Told | null>(null);
  const setting = useCommand(
    () => {
      const wish = { email, ...(frequency && { frequency }), even_if_nothing: email && evenIfNothing };
      return set(mine ? null : [...names.keys()], wish);
    },
    (outcomes) => {
      setTold(outcomes);
      refresh();
    },
  );
  const unsaid = email && frequency === null;
  return (
    <Dialog title={n.bulkTitle} close={close}>
      <div className="dialog-body">
        {told ? (
          <Outcomes told={told} names={names} />
        ) : (
          <>
            <fieldset>
              <legend className="hidden">{n.bulkTitle}</legend>
              <Which label={n.forSelected(f.number(names.size))} chosen={!mine} choose={() => setMine(false)} />
              <Which label={n.forMine} chosen={mine} choose={() => setMine(true)} />
            </fieldset>
            <Check label={n.email} checked={email} onChange={(event) => setEmail(event.target.checked)} />
            {email && <Frequencies chosen={frequency} choose={setFrequency} error={asked && unsaid ? n.frequencyMissing : undefined} />}
            {email && (
              <Check label={n.evenIfNothing} hint={n.evenIfNothingHint} checked={evenIfNothing} onChange={(event) => setEvenIfNothing(event.target.checked)} />
            )}
          </>
        )}
        <Outcome of={setting} />
      </div>
      <footer className="dialog-foot">
        <button type="button" className="quiet" onClick={close}>
          {told ? w.close : w.cancel}
        </button>
        {!told && (
          <Go
            busy={setting.busy}
            onPress={() => {
              setAsked(true);
              if (!unsaid) setting.issue(undefined);
            }}
          >
            {n.set}
          </Go>
        )}
      </footer>
    </Dialog>
  );
}

function Which({ label, chosen, choose }: { label: string; chosen: boolean; choose: () => void }) {
  return (
    <label className="radio">
      <input type="radio" name="which" checked={chosen} onChange={choose} /> {label}
    </label>
  );
}

interface Setting {
  email: boolean;
  frequency?: Frequency;
  even_if_nothing: boolean;
}

/** One command takes 500 clients; more go one after another. Without ids, it is about all of one's own. */
async function set(ids: string[] | null, wish: Setting): Promise<Told> {
  const one = (which: { client_ids: string[] } | { scope: "mine" }): Promise<Told> =>
    command<Told>((header) => api.PUT("/v1/notifications", { params: { header }, body: { ...which, ...wish } }));
  if (ids === null) return one({ scope: "mine" });
  const items: Told["items"] = [];
  for (let at = 0; at < ids.length; at += MOST) items.push(...(await one({ client_ids: ids.slice(at, at + MOST) })).items);
  return { items };
}
