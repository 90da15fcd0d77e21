/** The portal's API as the page calls it: typed by the generated schema; refusals and outages are `Trouble`. */

import createClient from "openapi-fetch";
import { current } from "../session.ts";
import type { FieldError } from "./contract.ts";
import { taken } from "./early.ts";
import type { paths } from "./schema.d.ts";

/** Why something did not happen: a problem of the API, or `offline` when nobody answered. */
export class Trouble extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: FieldError[];
  readonly commandId: string | null;
  readonly retryAfter: number;

  constructor(status: number, problem: Partial<Problem>, retryAfter = 0) {
    super(problem.detail ?? "");
    this.status = status;
    this.code = problem.code ?? "offline";
    this.errors = problem.errors ?? [];
    this.commandId = problem.command_id ?? null;
    this.retryAfter = retryAfter;
  }

  /** Whether it may go by itself: nobody answered, a part is away, or we asked too fast. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 502 || this.code === "too_many_requests";
  }
}

interface Problem {
  code: string;
  detail: string;
  errors: FieldError[];
  command_id: string;
}

interface Fetched {
  data?: unknown;
  error?: unknown;
  response: Response;
}

type Outcome<R> = { command_id: string; status: "pending" } | { status: "succeeded"; result: R };

export const api = createClient<paths>({ baseUrl: location.origin, fetch: carried });

const WAIT = "wait=10";
const LONGEST_PAUSE = 8000;
const PATIENCE = 600_000;

async function carried(request: Request): Promise<Response> {
  const begun = request.method === "GET" ? taken(request.url) : undefined;
  if (begun !== undefined) return begun;
  request.headers.set("Authorization", `Bearer ${current()?.token ?? ""}`);
  return fetch(request);
}

/** Return what a call answered; throws `Trouble`. */
export async function told<T>(asked: Promise<Fetched>): Promise<T> {
  let fetched: Fetched;
  try {
    fetched = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Trouble(0, {});
  }
  const { data, error, response } = fetched;
  if (response.ok) return data as T;
  throw new Trouble(response.status, problemOf(error), Number(response.headers.get("Retry-After")) || 0);
}

/**
 * Issue a command and return its result, however long it takes: one key for all tries, so that it happens once.
 * Throws `Trouble` for a refusal, or when nobody took it for ten minutes.
 */
export async function command<R>(send: (headers: { "Idempotency-Key": string; Prefer: string }) => Promise<Fetched>): Promise<R> {
  const headers = { "Idempotency-Key": crypto.randomUUID(), Prefer: WAIT };
  const until = Date.now() + PATIENCE;
  for (let tries = 0; ; tries += 1) {
    try {
      const outcome = await told<Outcome<R>>(send(headers));
      if (outcome.status === "succeeded") return outcome.result;
      await pause(500); // the same command again waits for the same outcome
    } catch (error) {
      if (!(error instanceof Trouble) || !error.passing || Date.now() > until) throw error;
      await pause(Math.max(error.retryAfter * 1000, Math.min(LONGEST_PAUSE, 500 * 2 ** tries)));
    }
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function problemOf(error: unknown): Partial<Problem> {
  return typeof error === "object" && error !== null ? (error as Partial<Problem>) : { code: "unavailable" };
}
