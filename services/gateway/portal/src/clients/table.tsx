/** The table of clients: native, with fixed columns and one tab stop; arrows move between rows and within one. */

import { type Dispatch, type KeyboardEvent, memo, type ReactNode, type SetStateAction, useLayoutEffect, useRef } from "react";
import type { View } from "../address.ts";
import type { Row, Tab } from "../api/contract.ts";
import { go } from "../navigation.ts";
import { usePainted } from "../ui/painted.ts";
import { useSpeech } from "../words/words.tsx";
import type { Opened } from "./dots.tsx";
import { ClientRow } from "./row.tsx";
import type { Wish } from "./rowdialogs.tsx";

const SKELETON_ROWS = 12;
const SCREENFUL = Math.max(6, Math.ceil((window.innerHeight - 310) / 48)); // between head and pager; no row is lower

interface Shown {
  view: View;
  rows: Row[];
  admin: boolean;
  chosen: ReadonlyMap<string, Row>;
  setChosen: Dispatch<SetStateAction<ReadonlyMap<string, Row>>>;
  opened: Opened | null;
  openMenu: (opened: Opened) => void;
  ask: (wish: Wish) => void;
}

/** Drawn again only when something of its own changes: what arrives beside the rows must not cost them. */
export const ClientTable = memo(function ClientTable({ view, rows, admin, chosen, setChosen, opened, openMenu, ask }: Shown) {
  const { w } = useSpeech();
  const body = useRef<HTMLTableSectionElement>(null);
  const painted = usePainted();
  const shown = painted ? rows : rows.slice(0, SCREENFUL);
  useRoving(body, shown);
  const selectable = view.tab === "mine" || view.tab === "all";
  const choose = (row: Row, on: boolean): void =>
    setChosen((before) => {
      const after = new Map(before);
      if (on) after.set(row.client_id, row);
      else after.delete(row.client_id);
      return after;
    });
  return (
    <Frame tab={view.tab}>
      <thead>
        <tr>
          {selectable && <SelectPage {...{ rows, chosen, choose }} />}
          <Heads view={view} admin={admin} />
        </tr>
      </thead>
      <tbody ref={body} onKeyDown={moved}>
        {shown.map((row) => (
          <ClientRow
            key={row.client_id}
            {...{ row, admin, openMenu, ask, painted }}
            menuOpen={opened?.row.client_id === row.client_id}
            tab={view.tab}
            chosen={selectable ? chosen.has(row.client_id) : null}
            choose={(on) => choose(row, on)}
            select={w.select(row.name)}
          />
        ))}
      </tbody>
    </Frame>
  );
});

function Frame({ tab, children }: { tab: Tab; children: ReactNode }) {
  const { w } = useSpeech();
  return (
    <div className="card">
      <table className={`clients ${tab}`} aria-label={w.table(w.tabs[tab])}>
        {children}
      </table>
    </div>
  );
}

/** Real rows' height and columns, before the first rows are there. */
export function Skeleton({ tab }: { tab: Tab }) {
  const { w } = useSpeech();
  return (
    <div className="card" role="status" aria-label={w.loading}>
      <div className={`skeleton ${tab}`} aria-hidden="true">
        {Array.from({ length: SKELETON_ROWS }, (_, at) => (
          <div key={at} className="skeleton-row">
            <span />
            <span />
            <span />
          </div>
        ))}
      </div>
    </div>
  );
}

function SelectPage({ rows, chosen, choose }: { rows: Row[]; chosen: ReadonlyMap<string, Row>; choose: (row: Row, on: boolean) => void }) {
  const { w } = useSpeech();
  const all = rows.every(({ client_id }) => chosen.has(client_id));
  const some = !all && rows.some(({ client_id }) => chosen.has(client_id));
  return (
    <th scope="col" className="box">
      <input
        type="checkbox"
        aria-label={w.selectPage}
        checked={all}
        ref={(input) => {
          if (input) input.indeterminate = some;
        }}
        onChange={() => rows.forEach((row) => choose(row, !all))}
      />
    </th>
  );
}

function Heads({ view, admin }: { view: View; admin: boolean }) {
  const { w } = useSpeech();
  const sorted = (by: string) => (view.sort === by ? "ascending" : view.sort === `-${by}` ? "descending" : undefined);
  const name = (
    <th scope="col" className="name" aria-sort={sorted("name")}>
      {w.columns.client}
    </th>
  );
  const status = (
    <th scope="col" className="status">
      {w.columns.status}
    </th>
  );
  if (view.tab === "invitations") {
    return (
      <>
        {name}
        {status}
        <th scope="col" className="people">{w.columns.proposed}</th>
        {admin && <th scope="col" className="answer">{w.columns.actions}</th>}
      </>
    );
  }
  const missing = sorted("missing_receipts");
  return (
    <>
      {name}
      {status}
      <th scope="col" className="people">{w.columns.assignees}</th>
      <th scope="col" className="figure sortable" aria-sort={missing}>
        <button
          type="button"
          className="head"
          onClick={() => go({ sort: view.sort === "-missing_receipts" ? "missing_receipts" : "-missing_receipts" })}
        >
          <span className="arrow" aria-hidden="true">{missing === "ascending" ? "↑" : missing === "descending" ? "↓" : "↑↓"}</span>
          {w.columns.missing}
        </button>
      </th>
      <th scope="col" className="figure">{w.columns.ready}</th>
      <th scope="col" className="figure money">{w.columns.balance}</th>
    </>
  );
}

const STOPS = "[data-stop]";

/** Keep exactly one tab stop among the rows, and the focus in the table when its row has gone. */
function useRoving(body: React.RefObject<HTMLTableSectionElement | null>, rows: Row[]): void {
  const last = useRef<{ id: string; at: number } | null>(null);
  useLayoutEffect(() => {
    const table = body.current;
    if (table === null) return;
    const lost = last.current !== null && document.activeElement === document.body && !rows.some(({ client_id }) => client_id === last.current?.id);
    const stops = [...table.querySelectorAll<HTMLElement>(STOPS)];
    const held = stops.find((stop) => stop.tabIndex === 0 && stop.closest("tr")?.dataset["id"] === last.current?.id);
    const fallback = table.rows[Math.min(last.current?.at ?? 0, table.rows.length - 1)]?.querySelector<HTMLElement>(`.name ${STOPS}`);
    only(stops, held ?? fallback ?? stops[0]);
    if (lost) fallback?.focus();
  }, [body, rows]);
  useLayoutEffect(() => {
    const table = body.current;
    const noted = ({ target }: FocusEvent): void => {
      const stop = target instanceof HTMLElement ? target.closest<HTMLElement>(STOPS) : null;
      const row = stop?.closest("tr");
      if (!stop || !row || !table) return;
      last.current = { id: row.dataset["id"] ?? "", at: row.sectionRowIndex };
      only([...table.querySelectorAll<HTMLElement>(STOPS)], stop);
    };
    const left = ({ relatedTarget, target }: FocusEvent): void => {
      const goes = relatedTarget instanceof Node && !table?.contains(relatedTarget);
      if (goes && target instanceof HTMLElement && target.isConnected) last.current = null;
    };
    table?.addEventListener("focusin", noted);
    table?.addEventListener("focusout", left);
    return () => {
      table?.removeEventListener("focusin", noted);
      table?.removeEventListener("focusout", left);
    };
  }, [body]);
}

function only(stops: HTMLElement[], held: HTMLElement | undefined): void {
  for (const stop of stops) stop.tabIndex = stop === held ? 0 : -1;
}

/** Arrows: up and down to the same place of another row, left and right within a row; Home and End to the ends. */
function moved(event: KeyboardEvent<HTMLTableSectionElement>): void {
  const stop = (event.target as HTMLElement).closest<HTMLElement>(STOPS);
  const row = stop?.closest("tr");
  if (!stop || !row || event.defaultPrevented) return;
  const rows = [...event.currentTarget.rows];
  const within = [...row.querySelectorAll<HTMLElement>(STOPS)];
  const place = within.indexOf(stop);
  const beside = (at: number): HTMLElement | undefined => {
    const stops = [...(rows[at]?.querySelectorAll<HTMLElement>(STOPS) ?? [])];
    return stops[Math.min(place, stops.length - 1)];
  };
  const targets: Record<string, HTMLElement | undefined> = {
    ArrowDown: beside(row.sectionRowIndex + 1),
    ArrowUp: beside(row.sectionRowIndex - 1),
    ArrowLeft: within[place - 1],
    ArrowRight: within[place + 1],
    Home: beside(0),
    End: beside(rows.length - 1),
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  target.focus();
  target.scrollIntoView({ block: "nearest" });
}
