/** What the page reads, and when it reads again. The language is part of each key: labels and reasons come translated. */

import { keepPreviousData, QueryClient, type UseQueryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { PAGE_SIZE, type Question, questionOf, viewOf } from "../address.ts";
import { localeOf } from "../words/format.ts";
import { useSpeech } from "../words/words.tsx";
import { api, Trouble, told } from "./client.ts";
import type { Details, Me, Member, NotificationSettings, Page, TabCount } from "./contract.ts";

const AGAIN_AFTER = 3000;

/** Make the store of what was read: nothing is too old by itself (the stream says what changed), outages are tried again. */
export function makeQueries(heed: (trouble: Trouble) => void): QueryClient {
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: false,
        networkMode: "always",
        refetchInterval: (query) => (query.state.error instanceof Trouble && query.state.error.passing ? AGAIN_AFTER : false),
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
  queries.getQueryCache().subscribe(({ type, query }) => {
    if (type === "updated" && query.state.error instanceof Trouble) heed(query.state.error);
  });
  return queries;
}

const ME: Read<Me> = { key: ["me"], read: (signal) => told(api.GET("/v1/me", { signal })) };
const TABS: Read<TabCount[]> = {
  key: ["tabs"],
  read: async (signal) => (await told<{ tabs: TabCount[] }>(api.GET("/v1/tabs", { signal }))).tabs,
};

function clients(question: Question, cursor: string | null): Read<Page> {
  const query = { ...question, ...(cursor !== null && { cursor }), limit: PAGE_SIZE };
  return { key: ["clients", query], read: (signal) => told(api.GET("/v1/clients", { params: { query }, signal })) };
}

/** Read what the first picture of the clients shows, so that it is drawn once and whole. */
export async function readFirst(queries: QueryClient): Promise<void> {
  const me = await queries.fetchQuery(asked(ME)).catch(() => null); // whoever draws it asks again, and hears why
  const view = viewOf(location.search);
  if (me === null || view.place !== "clients") return;
  const locale = localeOf(me.member.locale);
  const question = questionOf(view, me.member.role === "admin");
  await Promise.all([queries.prefetchQuery(spoken(TABS, locale)), queries.prefetchQuery(spoken(clients(question, view.cursor), locale))]);
}

export function useMe(enabled: boolean) {
  return useQuery({ ...asked(ME), enabled });
}

export function useTabs() {
  return useSpoken(TABS);
}

/** One page of a tab; while the next one comes, the last one stays. */
export function useClients(question: Question, cursor: string | null) {
  return useSpoken(clients(question, cursor), { placeholderData: keepPreviousData });
}

export function useDetails(clientId: string) {
  const path = { client_id: clientId };
  const read = (signal: AbortSignal): Promise<Details> => told(api.GET("/v1/clients/{client_id}", { params: { path }, signal }));
  return useSpoken({ key: ["client", clientId], read }, {
    refetchInterval: (query) => (query.state.data?.unavailable.length || passing(query.state.error) ? AGAIN_AFTER : false),
  });
}

/** The firm's members; *anew* where their standing matters, not only their names. */
export function useMembers(enabled: boolean, anew = false) {
  const read = async (signal: AbortSignal) => (await told<{ items: Member[] }>(api.GET("/v1/members", { signal }))).items;
  return useSpoken({ key: ["members"], read }, { enabled, ...(anew && { staleTime: 0 }) });
}

export function useSettings() {
  const read = (signal: AbortSignal): Promise<NotificationSettings> => told(api.GET("/v1/me/notification-settings", { signal }));
  return useSpoken({ key: ["settings"], read });
}

/** Forget what a command of ours, or somebody else's, made old. */
export function useRefresh(): (clientId?: string) => void {
  const queries = useQueryClient();
  return (clientId) => {
    for (const part of ["clients", "tabs"]) void queries.invalidateQueries({ queryKey: [part] });
    void queries.invalidateQueries({ queryKey: clientId === undefined ? ["client"] : ["client", clientId] });
  };
}

/** What is read under which key. */
interface Read<T> {
  key: unknown[];
  read: (signal: AbortSignal) => Promise<T>;
}

/** A read whose answer is in somebody's language. */
export function useSpoken<T>(what: Read<T>, more: Omit<UseQueryOptions<T>, "queryKey" | "queryFn"> = {}) {
  const { locale } = useSpeech();
  return useQuery<T>({ ...spoken(what, locale), ...more });
}

function spoken<T>({ key, read }: Read<T>, locale: string) {
  return asked({ key: [...key, { locale }], read });
}

function asked<T>({ key, read }: Read<T>) {
  return { queryKey: key, queryFn: ({ signal }: { signal: AbortSignal }) => read(signal) };
}

function passing(error: unknown): boolean {
  return error instanceof Trouble && error.passing;
}
