/** "Benachrichtigungen": one's own wish to be mailed about this client, saved as it is changed (N1–N7). */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, command, told } from "../api/client.ts";
import type { Details, Frequency, Notifications, NotificationSettings } from "../api/contract.ts";
import { type Issued, Outcome, useCommand } from "../ui/command.tsx";
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
      {client.notifications ? <Wish clientId={client.client_id} setting={client.notifications} /> : <p className="faint">{w.notifications.notHere}</p>}
    </Part>
  );
}

type Setting = Pick<Notifications, "email" | "frequency" | "even_if_nothing">;

/** Shows what was just chosen while it is saved, and what is saved otherwise; a box without a frequency waits for one. */
function Wish({ clientId, setting }: { clientId: string; setting: Notifications }) {
  const { w, f } = useSpeech();
  const n = w.notifications;
  const usual = useUsual();
  const [waiting, setWaiting] = useState(false);
  const [wished, setWished] = useState<Setting | null>(null);
  const [saved, setSaved] = useState(false);
  const keep = useKeep(clientId);
  const saving = useCommand(
    (wish: Setting) => {
      const body = { email: wish.email, even_if_nothing: wish.even_if_nothing, ...(wish.frequency && { frequency: wish.frequency }) };
      const path = { client_id: clientId };
      return command<Notifications>((header) => api.PUT("/v1/clients/{client_id}/notifications", { params: { path, header }, body }));
    },
    (answer, wish) => {
      keep(answer);
      setWished((latest) => (latest === wish ? null : latest));
      setSaved(true);
    },
  );
  useInOrder(wished, saving, () => setWished(null));
  const shown = wished ?? setting;
  const on = shown.email || waiting;
  const set = (patch: Partial<Setting>): void => {
    const wish = { email: shown.email, frequency: shown.frequency, even_if_nothing: shown.even_if_nothing, ...patch };
    setSaved(false);
    setWished(wish);
  };
  const tick = async (email: boolean): Promise<void> => {
    setSaved(false);
    setWaiting(email);
    if (!email) return shown.email ? set({ email: false }) : undefined;
    const frequency = shown.frequency ?? (await usual());
    if (frequency !== null) choose(frequency);
  };
  const choose = (frequency: Frequency): void => {
    setWaiting(false);
    set({ email: true, frequency });
  };
  return (
    <>
      {setting.suppressed && (
        <p className="warning">
          {n.suppressed(f.day(setting.suppressed.since))}
          {n.suppressions[setting.suppressed.reason] ?? n.suppressionOther} {n.lifted}
        </p>
      )}
      <fieldset className="plain-set" aria-busy={saving.busy}>
        <legend className="hidden">{n.title}</legend>
        <Check label={n.email} checked={on} onChange={(event) => void tick(event.target.checked)} />
        {on && <Frequencies chosen={shown.frequency} choose={choose} hint={waiting ? n.chooseFirst : undefined} />}
        {shown.email && (
          <Check label={n.evenIfNothing} hint={n.evenIfNothingHint} checked={shown.even_if_nothing} onChange={(event) => set({ even_if_nothing: event.target.checked })} />
        )}
      </fieldset>
      <Outcome of={saving}>{saved && !saving.busy && !saving.error && <p className="good">{n.saved}</p>}</Outcome>
      {!on && <p className="faint">{n.off}</p>}
      {setting.email && setting.next_deliveries.length > 0 && <Next instants={setting.next_deliveries} />}
      <Preview clientId={clientId} />
    </>
  );
}

/** Save one wish after the other, the newest last; one that is refused is taken back, with its reason. */
function useInOrder(wished: Setting | null, { issue, busy, error }: Issued<Setting>, back: () => void): void {
  const issued = useRef<Setting | null>(null);
  useEffect(() => {
    if (wished === null || busy) return;
    if (wished !== issued.current) {
      issued.current = wished;
      issue(wished);
    } else if (error !== null) back();
  });
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

/** One's usual frequency, asked for when a box is ticked; who has none chooses (N16). */
function useUsual(): () => Promise<Frequency | null> {
  const queries = useQueryClient();
  return async () => {
    try {
      const read = ({ signal }: { signal: AbortSignal }): Promise<NotificationSettings> => told(api.GET("/v1/me/notification-settings", { signal }));
      return (await queries.fetchQuery({ queryKey: ["settings"], queryFn: read, staleTime: 30_000 })).default_frequency;
    } catch {
      return null; // then they choose
    }
  };
}

/** The answer to a change is the new setting: show it without reading it again. */
function useKeep(clientId: string): (answer: Notifications) => void {
  const queries = useQueryClient();
  return (answer) => {
    queries.setQueriesData<Details>({ queryKey: ["client", clientId] }, (old) => old && { ...old, notifications: answer });
  };
}
