/** "Benachrichtigungen": one's own wish to be mailed about this client, saved as it is changed (N1–N7). */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Details, Frequency, Notifications } from "../api/contract.ts";
import { useSettings } from "../api/queries.ts";
import { Outcome, useCommand } from "../ui/command.tsx";
import { Check } from "../ui/fields.tsx";
import { Frequencies } from "../ui/frequency.tsx";
import { useSpeech } from "../words/words.tsx";
import { Preview } from "./preview.tsx";
import { Part } from "./sheet.tsx";

export function NotificationsPart({ client }: { client: Details }) {
  const { w } = useSpeech();
  const away = client.unavailable.includes("notifications");
  return (
    <Part title={w.notifications.title} away={away}>
      {client.notifications ? <Wish clientId={client.client_id} told={client.notifications} /> : <p className="faint">{w.notifications.notHere}</p>}
    </Part>
  );
}

type Setting = Pick<Notifications, "email" | "frequency" | "even_if_nothing">;

/** Shows what was just chosen while it is saved, and what is saved otherwise; a box without a frequency waits for one. */
function Wish({ clientId, told }: { clientId: string; told: Notifications }) {
  const { w, f } = useSpeech();
  const n = w.notifications;
  const usual = useSettings().data?.default_frequency ?? null;
  const [waiting, setWaiting] = useState(false);
  const [wished, setWished] = useState<Setting | null>(null);
  const [saved, setSaved] = useState(false);
  const keep = useKeep(clientId);
  const saving = useCommand(
    (setting: Setting) => {
      const body = { email: setting.email, even_if_nothing: setting.even_if_nothing, ...(setting.frequency && { frequency: setting.frequency }) };
      const path = { client_id: clientId };
      return command<Notifications>((header) => api.PUT("/v1/clients/{client_id}/notifications", { params: { path, header }, body }));
    },
    (answer) => {
      keep(answer);
      setWished(null);
      setSaved(true);
    },
  );
  const shown = wished ?? told;
  const on = shown.email || waiting;
  const set = (patch: Partial<Setting>): void => {
    const setting = { email: shown.email, frequency: shown.frequency, even_if_nothing: shown.even_if_nothing, ...patch };
    setSaved(false);
    setWished(setting);
    saving.issue(setting);
  };
  const tick = (email: boolean): void => {
    const frequency = shown.frequency ?? usual;
    setWaiting(email && frequency === null);
    if (!email && shown.email) set({ email: false });
    else if (email && frequency !== null) set({ email: true, frequency });
    else setSaved(false);
  };
  const choose = (frequency: Frequency): void => {
    setWaiting(false);
    set({ email: true, frequency });
  };
  return (
    <>
      {told.suppressed && (
        <p className="warning">
          {n.suppressed(f.day(told.suppressed.since))}
          {n.suppressions[told.suppressed.reason] ?? n.suppressionOther} {n.lifted}
        </p>
      )}
      <fieldset className="plain-set" aria-busy={saving.busy}>
        <legend className="hidden">{n.title}</legend>
        <Check label={n.email} checked={on} onChange={(event) => tick(event.target.checked)} />
        {on && <Frequencies chosen={shown.frequency} choose={choose} hint={waiting ? n.chooseFirst : undefined} />}
        {shown.email && (
          <Check label={n.evenIfNothing} hint={n.evenIfNothingHint} checked={shown.even_if_nothing} onChange={(event) => set({ even_if_nothing: event.target.checked })} />
        )}
      </fieldset>
      <Outcome of={saving}>{saved && !saving.busy && !saving.error && <p className="good">{n.saved}</p>}</Outcome>
      {!on && <p className="faint">{n.off}</p>}
      {told.email && told.next_deliveries.length > 0 && <Next instants={told.next_deliveries} />}
      <Preview clientId={clientId} />
    </>
  );
}

function Next({ instants }: { instants: string[] }) {
  const { w, f } = useSpeech();
  return (
    <>
      <h4>{w.notifications.next}</h4>
      <ol className="instants">
        {instants.map((instant) => (
          <li key={instant}>
            <time dateTime={instant}>{f.delivery(instant)}</time>
          </li>
        ))}
      </ol>
    </>
  );
}

/** The answer to a change is the new setting: show it without reading it again. */
function useKeep(clientId: string): (answer: Notifications) => void {
  const queries = useQueryClient();
  return (answer) => {
    queries.setQueriesData<Details>({ queryKey: ["client", clientId] }, (old) => old && { ...old, notifications: answer });
  };
}
