/** "Buchhalter benachrichtigen": which tasks, a comment, and how many were mailed (R1, W2). */

import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Row, Sent, Task } from "../api/contract.ts";
import { useRefresh } from "../api/queries.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Area, Check } from "../ui/fields.tsx";
import { useNotice } from "../ui/notices.tsx";
import { named } from "../words/named.ts";
import { useSpeech } from "../words/words.tsx";

const TASKS: Task[] = ["missing_receipts", "export_ready", "low_balance"];
const LONGEST_COMMENT = 2000;

export function ReminderDialog({ row, close }: { row: Row; close: () => void }) {
  const { w, f } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  const [tasks, setTasks] = useState<Task[]>([]);
  const [comment, setComment] = useState("");
  const [asked, setAsked] = useState(false);
  const sending = useCommand(
    () => {
      const body = { tasks, ...(comment.trim() !== "" && { comment }) };
      const path = { client_id: row.client_id };
      return command<Sent>((header) => api.POST("/v1/clients/{client_id}/reminders", { params: { path, header }, body }));
    },
    ({ recipients }) => {
      say(w.reminders.sent(recipients.length, f.list(recipients.map((one) => named(one, w)))));
      refresh(row.client_id);
      close();
    },
  );
  const figures: Record<Task, string> = {
    missing_receipts: row.missing_receipts === null ? w.unknown : f.number(row.missing_receipts),
    export_ready: row.export_ready === null ? w.unknown : f.number(row.export_ready),
    low_balance: row.balance === null ? w.unknown : f.money(row.balance),
  };
  return (
    <Dialog title={w.menu.remind} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (tasks.length > 0) sending.issue(undefined);
        }}
      >
        <div className="dialog-body">
          <p>
            <strong>
              <bdi>{row.name}</bdi>
            </strong>
            <br />
            <bdi className="faint">{w.reminders.to(f.list(row.assignees.map((one) => named(one, w))))}</bdi>
          </p>
          <fieldset aria-describedby={asked && tasks.length === 0 ? "no-task" : undefined}>
            <legend>{w.reminders.tasks}</legend>
            {TASKS.map((task) => (
              <Check
                key={task}
                label={w.reminders.taskNames[task]}
                note={<span className="faint figure-note">{figures[task]}</span>}
                checked={tasks.includes(task)}
                onChange={(event) => setTasks(TASKS.filter((one) => (one === task ? event.target.checked : tasks.includes(one))))}
              />
            ))}
            {asked && tasks.length === 0 && (
              <p id="no-task" className="wrong" role="alert">
                {w.reminders.noTask}
              </p>
            )}
          </fieldset>
          <Area
            label={`${w.reminders.comment}`}
            hint={`${w.reminders.optional}, ${w.reminders.commentHint(f.number(LONGEST_COMMENT - comment.length))}`}
            rows={4}
            maxLength={LONGEST_COMMENT}
            dir="auto"
            value={comment}
            onChange={(event) => setComment(event.target.value)}
          />
          <Outcome of={sending} />
        </div>
        <footer className="dialog-foot">
          <button type="button" className="quiet" onClick={close}>
            {w.cancel}
          </button>
          <Go busy={sending.busy} submit>
            {w.reminders.send}
          </Go>
        </footer>
      </form>
    </Dialog>
  );
}
