/** Reminders: when, by whom, what became of each mail, and since when each task is done (R5). */

import type { Details, Reminder } from "../api/contract.ts";
import { named } from "../words/named.ts";
import { useSpeech } from "../words/words.tsx";
import { Part } from "./sheet.tsx";

export function Reminders({ client }: { client: Details }) {
  const { w } = useSpeech();
  const told = client.reminders;
  return (
    <Part title={w.reminders.title} away={told === null}>
      {told?.length === 0 && <p className="faint">{w.reminders.none}</p>}
      <ul className="reminders">
        {told?.map((reminder) => (
          <li key={reminder.reminder_id}>
            <One reminder={reminder} />
          </li>
        ))}
      </ul>
    </Part>
  );
}

function One({ reminder }: { reminder: Reminder }) {
  const { w, f } = useSpeech();
  return (
    <>
      <p className="reminder-head">
        <bdi>{w.reminders.by(named(reminder.by, w), f.moment(reminder.sent_at))}</bdi>
      </p>
      <ul>
        {reminder.tasks.map(({ task, figure, resolved_at }) => (
          <li key={task}>
            {w.reminders.taskNames[task]}
            {figure !== null && `: ${typeof figure === "number" ? f.number(figure) : f.money(figure)}`}{" "}
            <span className={`badge ${resolved_at ? "good" : "none"}`}>{resolved_at ? w.reminders.resolved(f.moment(resolved_at)) : w.reminders.open}</span>
          </li>
        ))}
      </ul>
      {reminder.comment && (
        <blockquote>
          <bdi>{reminder.comment}</bdi>
        </blockquote>
      )}
      <ul className="recipients">
        {reminder.recipients.map(({ id, name, status, reason }) => (
          <li key={id}>
            <bdi>{named({ name }, w)}</bdi>: {w.deliveryStatus[status] ?? status}
            {reason && ` (${w.skipReasons[reason] ?? reason})`}
          </li>
        ))}
      </ul>
    </>
  );
}
