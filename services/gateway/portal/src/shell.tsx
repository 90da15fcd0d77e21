/** The frame around every place: where one is, who one is, and how things stand with the portal. */

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import type { Place } from "./address.ts";
import { Trouble } from "./api/client.ts";
import type { Me } from "./api/contract.ts";
import { listen, spaced } from "./api/live.ts";
import { ClientsPage } from "./clients/page.tsx";
import { DeliveriesPage, MembersPage, SignInAgain } from "./later.tsx";
import { go, useView } from "./navigation.ts";
import { current, signOut, watch } from "./session.ts";
import { stand, useStanding } from "./standing.ts";
import { usePainted } from "./ui/painted.ts";
import { useSpeech } from "./words/words.tsx";

const APART = 1000; // what is shown is read again once a second at most, however much happens

export function Shell({ me }: { me: Me | null }) {
  const { place } = useView();
  const { expired, lost } = useStanding();
  const { w } = useSpeech();
  useLive(usePainted());
  useEffect(() => {
    document.title = `${w.places[place]} · ${w.portal}`;
  }, [place, w]);
  if (lost !== null) return <Lost />;
  const admin = me?.member.role === "admin";
  const clients = place === "clients" || (place === "members" && !admin);
  return (
    <>
      <Bar me={me} place={place} />
      <Outage />
      <main className={clients ? "page fills" : "page"}>
        {place === "deliveries" && <DeliveriesPage />}
        {place === "members" && admin && <MembersPage />}
        {clients && <ClientsPage me={me} />}
      </main>
      {expired && <SignInAgain />}
    </>
  );
}

function Bar({ me, place }: { me: Me | null; place: Place }) {
  const { w } = useSpeech();
  const places: Place[] = ["clients", "deliveries", ...(me?.member.role === "admin" ? ["members" as const] : [])];
  return (
    <header className="bar">
      <span className="brand">{w.portal}</span>
      <nav aria-label={w.nav}>
        {places.map((one) => (
          <a
            key={one}
            href={one === "clients" ? "/" : `/?view=${one}`}
            aria-current={one === place ? "page" : undefined}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey) return;
              event.preventDefault();
              go({ place: one, client: null });
            }}
          >
            {w.places[one]}
          </a>
        ))}
      </nav>
      <div className="who">
        {me && (
          <span className="me">
            <bdi>{me.member.name}</bdi>
            <bdi className="faint">{me.firm.name}</bdi>
          </span>
        )}
        <button type="button" className="quiet" onClick={signOut}>
          {w.signIn.out}
        </button>
      </div>
    </header>
  );
}

function Lost() {
  const { w } = useSpeech();
  return (
    <main className="sign-in">
      <h1>{w.lost.title}</h1>
      <p role="alert">{w.lost.not_a_member}</p>
      <button
        type="button"
        className="primary"
        onClick={() => {
          signOut();
          stand({ lost: null });
        }}
      >
        {w.signIn.out}
      </button>
    </main>
  );
}

/** A calm word while the portal does not answer; what is shown stays, and it goes by itself. */
function Outage() {
  const { w } = useSpeech();
  const { deaf } = useStanding();
  const queries = useQueryClient();
  const stale = useSyncExternalStore(
    (told) => queries.getQueryCache().subscribe(told),
    () => queries.getQueryCache().getAll().some((query) => query.isActive() && isOutage(query.state.error)),
  );
  const text: ReactNode = deaf || stale ? <p>{w.outage}</p> : null;
  return (
    <div className="outage" role="status">
      {text}
    </div>
  );
}

function isOutage(error: unknown): boolean {
  return error instanceof Trouble && error.passing && error.status !== 429;
}

/** Follow the stream: what it rings for is read again; a new connection reads everything again (W3). */
function useLive(on: boolean): void {
  const queries = useQueryClient();
  const token = useSyncExternalStore(watch, () => current()?.token);
  useEffect(() => {
    if (token === undefined || !on) return;
    const again = (key: string): void => void queries.invalidateQueries({ queryKey: [key] });
    const lists = spaced(() => again("clients"), APART);
    const tabs = spaced(() => again("tabs"), APART);
    let first = true;
    return listen({
      reset: () => {
        stand({ deaf: false });
        setTimeout(() => void queries.invalidateQueries(), first ? APART : 0); // the first looks began before it, and end first
        first = false;
      },
      tabs,
      client: (clientId) => {
        lists();
        void queries.invalidateQueries({ queryKey: ["client", clientId] });
        void queries.invalidateQueries({ queryKey: ["deliveries"] });
      },
      trouble: ({ status, code, passing }) => {
        if (status === 401) stand({ expired: true });
        else if (code === "not_a_member") stand({ lost: code });
        else if (passing && status !== 429) stand({ deaf: true });
      },
    });
  }, [queries, token, on]);
}
