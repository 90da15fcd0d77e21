/** What the page reads, and when it reads again. The language is part of each key: labels and reasons come translated. */

import { keepPreviousData, QueryClient, type UseQueryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { PAGE_SIZE, type Question } from "../address.ts";
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

export function useMe(enabled: boolean) {
  return useQuery({ queryKey: ["me"], queryFn: ({ signal }) => told<Me>(api.GET("/v1/me", { signal })), enabled });
}

export function useTabs() {
  return useSpoken<TabCount[]>(["tabs"], async (signal) => (await told<{ tabs: TabCount[] }>(api.GET("/v1/tabs", { signal }))).tabs);
}

/** One page of a tab; while the next one comes, the last one stays. */
export function useClients(question: Question, cursor: string | null) {
  const query = { ...question, ...(cursor !== null && { cursor }), limit: PAGE_SIZE };
  return useSpoken<Page>(["clients", query], (signal) => told(api.GET("/v1/clients", { params: { query }, signal })), {
    placeholderData: keepPreviousData,
  });
}

export function useDetails(clientId: string) {
  const path = { client_id: clientId };
  return useSpoken<Details>(["client", clientId], (signal) => told(api.GET("/v1/clients/{client_id}", { params: { path }, signal })), {
    refetchInterval: (query) => (query.state.data?.unavailable.length || passing(query.state.error) ? AGAIN_AFTER : false),
  });
}

/** The firm's members; *anew* where their standing matters, not only their names. */
export function useMembers(enabled: boolean, anew = false) {
  return useSpoken<Member[]>(
    ["members"],
    async (signal) => (await told<{ items: Member[] }>(api.GET("/v1/members", { signal }))).items,
    { enabled, ...(anew && { staleTime: 0 }) },
  );
}

export function useSettings() {
  return useSpoken<NotificationSettings>(["settings"], (signal) => told(api.GET("/v1/me/notification-settings", { signal })));
}

/** Forget what a command of ours, or somebody else's, made old. */
export function useRefresh(): (clientId?: string) => void {
  const queries = useQueryClient();
  return (clientId) => {
    for (const part of ["clients", "tabs"]) void queries.invalidateQueries({ queryKey: [part] });
    void queries.invalidateQueries({ queryKey: clientId === undefined ? ["client"] : ["client", clientId] });
  };
}

/** A read whose answer is in somebody's language. */
export function useSpoken<T>(
  key: unknown[],
  read: (signal: AbortSignal) => Promise<T>,
  more: Omit<UseQueryOptions<T>, "queryKey" | "queryFn"> = {},
) {
  const { locale } = useSpeech();
  return useQuery<T>({ queryKey: [...key, { locale }], queryFn: ({ signal }) => read(signal), ...more });
}

function passing(error: unknown): boolean {
  return error instanceof Trouble && error.passing;
}
