/** Who is signed in, for this browser tab only; the token says who, the portal says what they may (T10). */

export interface Session {
  token: string;
  memberId: string;
}

const PLACE = "portal.session";
const LANGUAGE = "portal.language";

let session = read();
const watchers = new Set<() => void>();

export function current(): Session | null {
  return session;
}

export function signIn(entered: Session): void {
  session = entered;
  sessionStorage.setItem(PLACE, JSON.stringify(entered));
  for (const watcher of watchers) watcher();
}

export function signOut(): void {
  session = null;
  sessionStorage.removeItem(PLACE);
  sessionStorage.removeItem(LANGUAGE);
  for (const watcher of watchers) watcher();
}

export function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** The language last spoken here, so that a reload does not begin in another one. */
export function rememberedLocale(): string | null {
  return sessionStorage.getItem(LANGUAGE);
}

export function rememberLocale(locale: string): void {
  sessionStorage.setItem(LANGUAGE, locale);
}

function read(): Session | null {
  const kept = sessionStorage.getItem(PLACE);
  return kept === null ? null : (JSON.parse(kept) as Session);
}
