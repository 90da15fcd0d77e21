/** The page put together: who is signed in, in which language, with which doors open. */

import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, useLayoutEffect, useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { pause, type Trouble } from "./api/client.ts";
import { loadParts } from "./later.tsx";
import { makeQueries, readFirst, useMe } from "./api/queries.ts";
import { current, rememberedLocale, rememberLocale, watch } from "./session.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./signin.tsx";
import { stand } from "./standing.ts";
import { Notices } from "./ui/notices.tsx";
import { localeOf } from "./words/format.ts";
import { Speaking } from "./words/words.tsx";

const LONGEST_WAIT = 100; // ms; whoever waits longer sees the frame meanwhile
const first = makeQueries(heed);

function heed({ status, code }: Trouble): void {
  if (status === 401) stand({ expired: true });
  if (code === "not_a_member") stand({ lost: code });
}

function App() {
  const session = useSyncExternalStore(watch, current);
  const [queries, setQueries] = useState(first);
  const [memberId, setMemberId] = useState(session?.memberId);
  if (session?.memberId !== memberId) {
    setMemberId(session?.memberId); // another person's clients are nobody else's
    setQueries(makeQueries(heed));
  }
  return (
    <QueryClientProvider client={queries} key={memberId ?? ""}>
      <Spoken signedIn={session !== null} />
    </QueryClientProvider>
  );
}

function Spoken({ signedIn }: { signedIn: boolean }) {
  const me = useMe(signedIn).data;
  const guess = rememberedLocale() ?? localeOf(navigator.language);
  const locale = me ? localeOf(me.member.locale) : guess;
  useLayoutEffect(() => {
    document.documentElement.lang = locale; // before the rows are laid out: afterwards it would be done twice
    if (me) rememberLocale(locale);
  }, [locale, me]);
  return (
    <Speaking locale={locale}>
      <Notices>{signedIn ? <Shell me={me ?? null} /> : <SignIn />}</Notices>
    </Speaking>
  );
}

const rows = current() === null ? Promise.resolve() : readFirst(first);
await Promise.race([rows, pause(LONGEST_WAIT)]);
if (document.readyState === "loading") await new Promise((parsed) => document.addEventListener("DOMContentLoaded", parsed, { once: true }));
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
void rows.then(() => ("requestIdleCallback" in window ? requestIdleCallback(loadParts) : setTimeout(loadParts)));
