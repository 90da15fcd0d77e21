/** What holds for all of one's notifications: a frequency for new clients, and a pause (N16, N17); above what became of them. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Frequency, NotificationSettings } from "../api/contract.ts";
import { useSettings } from "../api/queries.ts";
import { Go, Outcome, textOf, useCommand } from "../ui/command.tsx";
import { Choice, Field } from "../ui/fields.tsx";
import { FREQUENCIES } from "../ui/frequency.tsx";
import { useSpeech } from "../words/words.tsx";

export function Settings() {
  const { w } = useSpeech();
  const { data, error } = useSettings();
  return (
    <section className="card settings" aria-label={w.settings.title}>
      <h2>{w.settings.title}</h2>
      {data ? <Form told={data} /> : <p role="status">{error ? textOf(error, w) : w.loading}</p>}
    </section>
  );
}

/** What is typed stays until it is saved, whatever is heard meanwhile. */
function Form({ told }: { told: NotificationSettings }) {
  const { w } = useSpeech();
  const queries = useQueryClient();
  const [typed, setTyped] = useState<Partial<NotificationSettings>>({});
  const [saved, setSaved] = useState(false);
  const shown = { ...told, ...typed };
  const saving = useCommand(
    (body: NotificationSettings) => command<NotificationSettings>((header) => api.PUT("/v1/me/notification-settings", { params: { header }, body })),
    (answer) => {
      queries.setQueriesData({ queryKey: ["settings"] }, answer);
      setTyped({});
      setSaved(true);
    },
  );
  const change = (patch: Partial<NotificationSettings>): void => {
    setSaved(false);
    setTyped({ ...typed, ...patch });
  };
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        saving.issue({ default_frequency: shown.default_frequency, paused_until: shown.paused_until });
      }}
    >
      <Choice
        label={w.settings.standard}
        hint={w.settings.standardHint}
        value={shown.default_frequency ?? ""}
        onChange={(event) => change({ default_frequency: (event.target.value || null) as Frequency | null })}
      >
        <option value="">{w.settings.none}</option>
        {FREQUENCIES.map((one) => (
          <option key={one} value={one}>
            {w.notifications.frequencies[one]}
          </option>
        ))}
      </Choice>
      <Field
        type="date"
        label={w.settings.pause}
        hint={w.settings.pauseHint}
        value={shown.paused_until ?? ""}
        onChange={(event) => change({ paused_until: event.target.value || null })}
      />
      <div className="actions">
        <Go busy={saving.busy} submit>
          {w.settings.save}
        </Go>
        {shown.paused_until !== null && (
          <button type="button" className="quiet" onClick={() => change({ paused_until: null })}>
            {w.settings.endPause}
          </button>
        )}
      </div>
      <Outcome of={saving}>{saved && <p className="good">{w.settings.saved}</p>}</Outcome>
    </form>
  );
}
