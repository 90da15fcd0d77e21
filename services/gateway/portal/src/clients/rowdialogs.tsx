/** What a row's menu and buttons may ask before they act. */

import { api, command } from "../api/client.ts";
import type { Row } from "../api/contract.ts";
import { AcceptDialog } from "../dialogs/accept.tsx";
import { Confirm } from "../dialogs/confirm.tsx";
import { ReminderDialog } from "../dialogs/reminder.tsx";
import { useSpeech } from "../words/words.tsx";

export interface Wish {
  kind: "accept" | "decline" | "remind" | "withdraw";
  row: Row;
}

export function RowDialogs({ wish, close }: { wish: Wish; close: () => void }) {
  switch (wish.kind) {
    case "accept":
      return <AcceptDialog row={wish.row} close={close} />;
    case "decline":
      return <DeclineDialog row={wish.row} close={close} />;
    case "remind":
      return <ReminderDialog row={wish.row} close={close} />;
    case "withdraw":
      return <WithdrawDialog row={wish.row} close={close} />;
  }
}

function DeclineDialog({ row, close }: { row: Row; close: () => void }) {
  const { w } = useSpeech();
  const path = { client_id: row.client_id };
  return (
    <Confirm
      title={w.invitations.declineTitle}
      text={w.invitations.declineText(row.name)}
      go={w.invitations.decline}
      done={w.invitations.declined(row.name)}
      run={() => command((header) => api.POST("/v1/invitations/{client_id}/decline", { params: { path, header } }))}
      {...{ row, close }}
    />
  );
}

function WithdrawDialog({ row, close }: { row: Row; close: () => void }) {
  const { w } = useSpeech();
  const path = { client_id: row.client_id };
  return (
    <Confirm
      title={w.invite.withdrawTitle}
      text={w.invite.withdrawText(row.name)}
      go={w.menu.withdraw}
      done={w.invite.withdrawn(row.name)}
      run={() => command((header) => api.POST("/v1/onboarding/{client_id}/withdraw", { params: { path, header } }))}
      {...{ row, close }}
    />
  );
}
