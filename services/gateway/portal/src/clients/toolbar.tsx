/** Search, filters, order and export of a tab; all of it stands in the address. */

import { useEffect, useRef, useState } from "react";
import { narrowed, questionOf, type View } from "../address.ts";
import { api, told } from "../api/client.ts";
import { useMembers } from "../api/queries.ts";
import { FilterChoice } from "../later.tsx";
import { go } from "../navigation.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { useSpeech } from "../words/words.tsx";

const TYPING = 200;

export function Toolbar({ view, admin }: { view: View; admin: boolean }) {
  const { w } = useSpeech();
  const down = view.sort === "-name";
  const byName = view.sort === "name" || down;
  return (
    <div className="toolbar">
      <Search asked={view.search} />
      <Filters view={view} admin={admin} />
      <button
        type="button"
        className="quiet"
        aria-description={byName ? (down ? w.descending : w.ascending) : undefined}
        onClick={() => go({ sort: view.sort === "name" ? "-name" : "name" })}
      >
        {w.sortByName} <span aria-hidden="true">{byName ? (down ? "↓" : "↑") : "↑↓"}</span>
      </button>
      <Export view={view} admin={admin} />
      <Chips view={view} admin={admin} />
    </div>
  );
}

/** Searches as one types, a moment after the last key; `/` leads here. */
function Search({ asked }: { asked: string }) {
  const { w } = useSpeech();
  const [text, setText] = useState(asked);
  const input = useRef<HTMLInputElement>(null);
  const typed = useRef(asked);
  useEffect(() => {
    if (asked !== typed.current) setText(asked); // the address changed: back, forward, a reset
    typed.current = asked;
  }, [asked]);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text === typed.current) return;
      typed.current = text;
      go({ search: text }, "replace");
    }, TYPING);
    return () => clearTimeout(timer);
  }, [text]);
  useSlash(input);
  return (
    <div className="search">
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="7" cy="7" r="4.5" />
        <path d="m10.5 10.5 3.5 3.5" />
      </svg>
      <input
        ref={input}
        type="search"
        aria-label={w.search}
        placeholder={w.searchHint}
        maxLength={100}
        value={text}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && setText("")}
      />
    </div>
  );
}

function useSlash(input: React.RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const heard = (event: KeyboardEvent): void => {
      const writing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [role=dialog] *");
      if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", heard);
    return () => document.removeEventListener("keydown", heard);
  }, [input]);
}

function Filters({ view, admin }: { view: View; admin: boolean }) {
  const { w, f } = useSpeech();
  const [button, setButton] = useState<HTMLButtonElement | null>(null);
  const active = narrowed(questionOf(view, admin));
  return (
    <>
      <button
        type="button"
        className="quiet"
        aria-label={w.moreFilters}
        aria-haspopup="dialog"
        aria-expanded={button !== null}
        onClick={({ currentTarget }) => {
          currentTarget.focus(); // not every browser does
          setButton(currentTarget);
        }}
      >
        {w.moreFilters}
        {active > 0 && <span className="count">{f.number(active)}</span>}
      </button>
      {button && <FilterChoice {...{ view, admin, button }} close={() => setButton(null)} />}
    </>
  );
}

/** The filters at work, each with its way out. */
function Chips({ view, admin }: { view: View; admin: boolean }) {
  const { w } = useSpeech();
  const asked = questionOf(view, admin);
  const members = useMembers(admin && asked.assignee !== undefined).data ?? [];
  const name = members.find(({ id }) => id === asked.assignee)?.name ?? asked.assignee;
  const chips: [string, Partial<View>][] = [];
  if (asked.missing_receipts) chips.push([w.filters.missing, { missing: false }]);
  if (asked.unassigned) chips.push([w.filters.unassigned, { unassigned: false }]);
  if (asked.assignee) chips.push([`${w.filters.assignee}: ${name}`, { assignee: null }]);
  if (chips.length === 0) return null;
  return (
    <div className="chips">
      {chips.map(([label, out]) => (
        <button key={label} type="button" className="chip" aria-label={w.filters.remove(label)} onClick={() => go(out)}>
          <bdi>{label}</bdi> <span aria-hidden="true">×</span>
        </button>
      ))}
    </div>
  );
}

/** The CSV file of what is shown, all pages of it (L9). */
function Export({ view, admin }: { view: View; admin: boolean }) {
  const { w } = useSpeech();
  const fetching = useCommand(
    async () => {
      const query = questionOf(view, admin);
      const options = { params: { query }, parseAs: "blob" as const };
      await told<Blob>(api.GET("/v1/clients/export", options)).then((file) => save(file, w.language === "de" ? "mandanten.csv" : "clients.csv"));
    },
    () => undefined,
  );
  return (
    <>
      <Go busy={fetching.busy} kind="quiet" onPress={() => fetching.issue(undefined)}>
        {w.exportCsv}
      </Go>
      {fetching.error && <Outcome of={fetching} />}
    </>
  );
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
