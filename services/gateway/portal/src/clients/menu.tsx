/** The three dots beside a client's name; what one may not do stays there, disabled, with the reason (W1). */

import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import type { Action, Row } from "../api/contract.ts";
import { go } from "../navigation.ts";
import { useSpeech } from "../words/words.tsx";
import { useOpenClient, useResend } from "./opening.ts";
import type { Wish } from "./rowdialogs.tsx";

interface Shown {
  row: Row;
  admin: boolean;
  setMenuOpen: (open: boolean) => void;
  ask: (wish: Wish) => void;
}

export function RowMenu({ row, admin, setMenuOpen, ask }: Shown) {
  const { w } = useSpeech();
  const open = useOpenClient();
  const resend = useResend();
  const invited = admin && row.status === "invited";
  return (
    <MenuTrigger onOpenChange={setMenuOpen}>
      <Button className="plain icon dots" aria-label={w.menu.of(row.name)} data-stop excludeFromTabOrder>
        ⋮
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={w.menu.of(row.name)}>
          {item(w.menu.open, row.actions.access, () => void open(row.client_id))}
          {item(w.menu.details, FREE, () => go({ client: row.client_id }))}
          {item(w.menu.remind, row.actions.remind, () => ask({ kind: "remind", row }))}
          {invited && item(w.menu.resend, FREE, () => void resend(row.client_id, row.name))}
          {invited && item(w.menu.withdraw, FREE, () => ask({ kind: "withdraw", row }))}
        </Menu>
      </Popover>
    </MenuTrigger>
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
