/** The three dots beside a client's name; what one may not do stays there, disabled, with the reason (W1). */

import { useRef } from "react";
import { Menu, MenuItem, Popover } from "react-aria-components";
import type { Action } from "../api/contract.ts";
import { go } from "../navigation.ts";
import { useSpeech } from "../words/words.tsx";
import type { Opened } from "./dots.tsx";
import { useOpenClient, useResend } from "./opening.ts";
import type { Wish } from "./rowdialogs.tsx";

interface Shown {
  opened: Opened;
  admin: boolean;
  close: () => void;
  ask: (wish: Wish) => void;
}

export function RowMenu({ opened: { row, dots, byKey }, admin, close, ask }: Shown) {
  const { w } = useSpeech();
  const open = useOpenClient();
  const resend = useResend();
  const invited = admin && row.status === "invited";
  return (
    <Popover className="popover" placement="bottom end" triggerRef={useRef(dots)} isOpen onOpenChange={close} aria-label={w.menu.of(row.name)}>
      <Menu className="menu" aria-label={w.menu.of(row.name)} autoFocus={byKey ? "first" : true} onClose={close}>
        {item(w.menu.open, row.actions.access, () => void open(row.client_id))}
        {item(w.menu.details, FREE, () => go({ client: row.client_id }))}
        {item(w.menu.remind, row.actions.remind, () => ask({ kind: "remind", row }))}
        {invited && item(w.menu.resend, FREE, () => void resend(row.client_id, row.name))}
        {invited && item(w.menu.withdraw, FREE, () => ask({ kind: "withdraw", row }))}
      </Menu>
    </Popover>
  );

  function item(label: string, { allowed, reason }: Action, act: () => void) {
    return (
      <MenuItem className="menu-item" isDisabled={!allowed} onAction={act} textValue={label}>
        <span>{label}</span>
        {!allowed && reason && <span className="hint">{w.reasons[reason] ?? w.notNow}</span>}
      </MenuItem>
    );
  }
}

const FREE: Action = { allowed: true, reason: null };
