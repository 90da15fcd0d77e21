/** Accepting an invitation, and who works on the client from now on (I2). */

import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Row } from "../api/contract.ts";
import { useRefresh } from "../api/queries.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useNotice } from "../ui/notices.tsx";
import { People } from "../ui/people.tsx";
import { useSpeech } from "../words/words.tsx";

export function AcceptDialog({ row, close }: { row: Row; close: () => void }) {
  const { w } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  const proposed = row.proposed_assignees?.map(({ id }) => id) ?? [];
  const [assign, setAssign] = useState(proposed);
  const accepting = useCommand(
    () => {
      const params = { path: { client_id: row.client_id } };
      return command((header) => api.POST("/v1/invitations/{client_id}/accept", { params: { ...params, header }, body: { assign } }));
    },
    () => {
      say(w.invitations.accepted(row.name));
      refresh(row.client_id);
      close();
    },
  );
  return (
    <Dialog title={w.invitations.acceptTitle} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          accepting.issue(undefined);
        }}
      >
        <div className="dialog-body">
          <p>
            <strong>
              <bdi>{row.name}</bdi>
            </strong>
            <br />
            <bdi className="faint">{row.reason}</bdi>
          </p>
          <People legend={w.invitations.acceptText} chosen={assign} choose={setAssign} proposed={proposed} />
          <Outcome of={accepting} />
        </div>
        <footer className="dialog-foot">
          <button type="button" className="quiet" onClick={close}>
            {w.cancel}
          </button>
          <Go busy={accepting.busy} submit>
            {w.invitations.accept}
          </Go>
        </footer>
      </form>
    </Dialog>
  );
}
