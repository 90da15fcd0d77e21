/** A page of a tab: its rows, or why there are none, and the way to the other pages. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import { narrowed, PAGE_SIZE, type Question, type View } from "../address.ts";
import { Trouble } from "../api/client.ts";
import type { Me, Page, Row } from "../api/contract.ts";
import { useClients } from "../api/queries.ts";
import { RowDialogs, RowMenu } from "../later.tsx";
import { go, pagesBefore, turn } from "../navigation.ts";
import { textOf } from "../ui/command.tsx";
import { useNotice } from "../ui/notices.tsx";
import { useSpeech } from "../words/words.tsx";
import { BulkBar } from "./bulk.tsx";
import type { Opened } from "./dots.tsx";
import type { Wish } from "./rowdialogs.tsx";
import { ClientTable, Skeleton } from "./table.tsx";

export function ClientList({ view, question, me }: { view: View; question: Question; me: Me | null }) {
  const { data, error, refetch, isPlaceholderData } = useClients(question, view.cursor);
  const [wish, setWish] = useState<Wish | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [chosen, setChosen] = useState<ReadonlyMap<string, Row>>(new Map());
  const page = useHeld(useLast(data, error), opened !== null);
  useAstray(error, view);
  if (page === undefined) return error ? <Failed error={error} retry={() => void refetch()} /> : <Skeleton tab={view.tab} />;
  const admin = me?.member.role === "admin";
  return (
    <div className="list" aria-busy={isPlaceholderData || data === undefined}>
      {chosen.size > 0 && <BulkBar chosen={chosen} clear={() => setChosen(new Map())} admin={admin} />}
      {page.items.length === 0 ? (
        <Nothing question={question} />
      ) : (
        <>
          <ClientTable {...{ view, rows: page.items, admin, chosen, setChosen, opened, openMenu: setOpened, ask: setWish }} />
          <Pager view={view} page={page} stale={isPlaceholderData || data === undefined} />
        </>
      )}
      {opened && <RowMenu opened={opened} admin={admin} close={() => setOpened(null)} ask={setWish} />}
      {wish && <RowDialogs wish={wish} close={() => setWish(null)} />}
    </div>
  );
}

/** While the portal is away, what was shown last stays. */
function useLast<T>(value: T | undefined, error: Error | null): T | undefined {
  const last = useRef(value);
  if (value !== undefined) last.current = value;
  return value ?? (error instanceof Trouble && error.passing ? last.current : undefined);
}

/** While a menu is open, what is under it stays as it is. */
function useHeld<T>(value: T, hold: boolean): T {
  const held = useRef(value);
  if (!hold) held.current = value;
  return held.current;
}

/** Leave a page that belongs to another question, and a tab that is not ours any more, for one that is. */
function useAstray(error: Error | null, view: View): void {
  const { w } = useSpeech();
  const say = useNotice();
  const code = error instanceof Trouble ? error.code : null;
  useEffect(() => {
    if (code === "bad_cursor" && view.cursor !== null) turn(null, 0, { pages: [], total: null });
    if (code === "invalid" && view.assignee !== null) go({ assignee: null }, "replace");
    if (code === "tab_not_allowed" && view.tab !== "mine") {
      say(w.lost.tab_not_allowed);
      go({ tab: "mine" }, "replace");
    }
  }, [code, view.cursor, view.tab, view.assignee, say, w]);
}

function Nothing({ question }: { question: Question }) {
  const { w } = useSpeech();
  if (question.search === undefined && narrowed(question) === 0) {
    const [title, text] = w.empty[question.tab] ?? ["", ""];
    return <Empty title={title} text={text} />;
  }
  return (
    <Empty title={w.nothing.title} text={w.nothing.text}>
      <button type="button" className="quiet" onClick={() => go({ search: "", missing: false, unassigned: false, assignee: null })}>
        {w.nothing.reset}
      </button>
    </Empty>
  );
}

function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const { w } = useSpeech();
  return (
    <Empty title={w.failed.title} text={textOf(error, w)}>
      <button type="button" className="quiet" onClick={retry}>
        {w.failed.retry}
      </button>
    </Empty>
  );
}

export function Empty({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  return (
    <div className="empty" role="status">
      <p className="empty-title">{title}</p>
      <p className="faint">{text}</p>
      {children}
    </div>
  );
}

function Pager({ view, page, stale }: { view: View; page: Page; stale: boolean }) {
  const { w, f } = useSpeech();
  const kept = pagesBefore();
  const total = page.total ?? kept.total;
  const from = f.number(view.before + 1);
  const to = f.number(view.before + page.items.length);
  const next = (): void => {
    if (page.next_cursor !== null && !stale)
      turn(page.next_cursor, view.before + page.items.length, { pages: [...kept.pages, view.cursor ?? ""], total });
  };
  const back = (): void => {
    const before = kept.pages.at(-1) || null;
    turn(before, before === null ? 0 : Math.max(0, view.before - PAGE_SIZE), { pages: kept.pages.slice(0, -1), total });
  };
  return (
    <nav className="pager" aria-label={w.pager.label}>
      <span role="status">{total === null ? w.pager.openRange(from, to) : w.pager.range(from, to, f.number(total))}</span>
      <button type="button" className="quiet" disabled={view.cursor === null} onClick={back}>
        {view.cursor !== null && kept.pages.length === 0 ? w.pager.first : w.pager.back}
      </button>
      <button type="button" className="quiet" disabled={page.next_cursor === null} onClick={next}>
        {w.pager.next}
      </button>
    </nav>
  );
}
