/** One client as a row: name, status, people, figures with their age, and the menu beside the name (L7, L8). */

import type { ReactNode } from "react";
import type { Row, Tab } from "../api/contract.ts";
import { go } from "../navigation.ts";
import { named } from "../words/named.ts";
import { useSpeech } from "../words/words.tsx";
import { Badges } from "./badges.tsx";
import { Dots, type Opened } from "./dots.tsx";
import type { Wish } from "./rowdialogs.tsx";

interface Shown {
  row: Row;
  tab: Tab;
  admin: boolean;
  /** Whether it is chosen; null where nothing is. */
  chosen: boolean | null;
  choose: (on: boolean) => void;
  select: string;
  menuOpen: boolean;
  openMenu: (opened: Opened) => void;
  ask: (wish: Wish) => void;
  /** Whether the first picture is on the screen: what only a pointer finds waits for that. */
  painted: boolean;
}

export function ClientRow({ row, tab, admin, chosen, choose, select, menuOpen, openMenu, ask, painted }: Shown) {
  const { w } = useSpeech();
  const about = [row.client_number, row.reason].filter(Boolean).join(" · ");
  return (
    <tr data-id={row.client_id} className={chosen ? "chosen" : undefined}>
      {chosen !== null && (
        <td className="box">
          <input type="checkbox" data-stop tabIndex={-1} aria-label={select} checked={chosen} onChange={(event) => choose(event.target.checked)} />
        </td>
      )}
      <th scope="row" className="name">
        <div className="name-cell">
          <div className="name-text">
            <button type="button" className="link" data-stop tabIndex={-1} title={row.name} onClick={() => go({ client: row.client_id })}>
              <bdi>{row.name}</bdi>
            </button>
            <p className="about" title={about}>
              <bdi>{about}</bdi>
            </p>
          </div>
          <Dots row={row} open={menuOpen} press={openMenu} />
        </div>
      </th>
      <td className="status" data-label={w.columns.status}>
        <Badges row={row} />
      </td>
      {tab === "invitations" ? <Invited {...{ row, admin, ask }} /> : <Worked {...{ row, painted }} />}
    </tr>
  );
}

function Invited({ row, admin, ask }: { row: Row; admin: boolean; ask: (wish: Wish) => void }) {
  const { w } = useSpeech();
  return (
    <>
      <td className="people" data-label={w.columns.proposed}>
        <bdi>{row.proposed_assignees?.map((one) => named(one, w)).join(", ") || <span className="faint">–</span>}</bdi>
      </td>
      {admin && (
        <td className="answer">
          <button type="button" className="primary small" data-stop tabIndex={-1} aria-label={w.invitations.acceptOf(row.name)} onClick={() => ask({ kind: "accept", row })}>
            {w.invitations.accept}
          </button>
          <button type="button" className="quiet small" data-stop tabIndex={-1} aria-label={w.invitations.declineOf(row.name)} onClick={() => ask({ kind: "decline", row })}>
            {w.invitations.decline}
          </button>
        </td>
      )}
    </>
  );
}

function Worked({ row, painted }: { row: Row; painted: boolean }) {
  const { w, f } = useSpeech();
  const open = row.status === "connected"; // before that, nobody expects figures
  return (
    <>
      <td className="people" data-label={w.columns.assignees}>
        <Assignees row={row} />
      </td>
      <Figure label={w.columns.missing} at={row.as_of.missing_receipts} {...{ open, painted }} urgent={(row.missing_receipts ?? 0) > 0}>
        {row.missing_receipts === null ? null : f.number(row.missing_receipts)}
      </Figure>
      <Figure label={w.columns.ready} at={row.as_of.export_ready} {...{ open, painted }} urgent={(row.export_ready ?? 0) > 0}>
        {row.export_ready === null ? null : f.number(row.export_ready)}
      </Figure>
      <Figure label={w.columns.balance} at={row.as_of.balance} {...{ open, painted }} urgent={row.low_balance} note={row.low_balance ? w.low : null} money>
        {row.balance === null ? null : f.money(row.balance)}
      </Figure>
    </>
  );
}

function Assignees({ row }: { row: Row }) {
  const { w, f } = useSpeech();
  const [first, ...others] = row.assignees;
  if (first === undefined) {
    return row.status === "connected" ? <span className="badge warn">{w.nobody}</span> : <span className="faint">{w.nobody}</span>;
  }
  return (
    <span className="assignees" title={row.assignees.map((one) => named(one, w)).join(", ")}>
      <bdi className="cut">{named(first, w)}</bdi>
      {others.length > 0 && <span className="faint"> {w.more(f.number(others.length))}</span>}
    </span>
  );
}

interface Told {
  label: string;
  at: string | null;
  open: boolean;
  painted: boolean;
  urgent: boolean;
  note?: string | null;
  money?: boolean;
  children: ReactNode;
}

/** A figure with its age; what was never heard of is no zero (L7). */
function Figure({ label, at, open, painted, urgent, note, money = false, children }: Told) {
  const { w, f } = useSpeech();
  const className = `figure${money ? " money" : ""}`;
  if (children === null) {
    return (
      <td className={className} data-label={label}>
        <span className="faint" aria-hidden="true">–</span>
        <span className={open ? "age" : "hidden"}>{w.unknown}</span>
      </td>
    );
  }
  return (
    <td className={className} data-label={label}>
      <span className={urgent ? "urgent" : children === "0" ? "faint" : undefined}>{children}</span>
      {note && <span className="badge bad">{note}</span>}
      {at !== null && (
        <span className="age" title={painted ? f.moment(at) : undefined}>
          {w.asOf(f.shortDay(at))}
        </span>
      )}
    </td>
  );
}
