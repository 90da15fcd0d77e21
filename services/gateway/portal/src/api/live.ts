/** Doorbells: the stream of `/v1/stream`, open while the page is looked at, and opened again whenever it ends (W3). */

import { createParser } from "eventsource-parser";
import { current } from "../session.ts";
import { Trouble } from "./client.ts";

const SILENCE = 40_000; // a comment comes every 15 s
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

export interface Ears {
  /** Look at everything again: the connection is new. */
  reset: () => void;
  tabs: () => void;
  client: (clientId: string) => void;
  /** The stream could not be opened. */
  trouble: (trouble: Trouble) => void;
}

/** Listen until the returned function is called. */
export function listen(ears: Ears): () => void {
  const ended = new AbortController();
  const seen = (): void => void (document.hidden ? halt() : begin());
  let running: AbortController | null = null;

  function begin(): void {
    if (running !== null || document.hidden) return;
    running = new AbortController();
    void keepOpen(ears, running.signal);
  }

  function halt(): void {
    running?.abort();
    running = null;
  }

  document.addEventListener("visibilitychange", seen, { signal: ended.signal });
  begin();
  return () => {
    ended.abort();
    halt();
  };
}

async function keepOpen(ears: Ears, signal: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      const opened = await hear(ears, signal);
      if (opened) pause = FIRST_PAUSE;
    } catch (error) {
      if (signal.aborted) return;
      const trouble = error instanceof Trouble ? error : new Trouble(0, {});
      ears.trouble(trouble);
      if (!trouble.passing) return;
      pause = Math.max(pause, trouble.retryAfter * 1000);
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
    pause = Math.min(LONGEST_PAUSE, pause * 2);
  }
}

/** Listen to one connection until it ends; says whether it ever spoke. */
async function hear(ears: Ears, signal: AbortSignal): Promise<boolean> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  const headers = { Authorization: `Bearer ${current()?.token ?? ""}`, Accept: "text/event-stream" };
  try {
    const answer = await fetch("/v1/stream", { headers, signal: AbortSignal.any([signal, silence.signal]) });
    if (!answer.ok || answer.body === null) throw await troubleOf(answer);
    const parser = createParser({ onEvent: ({ event, data }) => ring(ears, event, data) });
    let spoke = false;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      parser.feed(read.value);
      spoke = true;
    }
    return spoke;
  } finally {
    clearTimeout(timer);
  }
}

function ring(ears: Ears, event: string | undefined, data: string): void {
  if (event === "reset") ears.reset();
  if (event === "tabs") ears.tabs();
  if (event === "client") ears.client((JSON.parse(data) as { client_id: string }).client_id);
}

async function troubleOf(answer: Response): Promise<Trouble> {
  const problem = (await answer.json().catch(() => ({ code: "unavailable" }))) as { code: string };
  return new Trouble(answer.status, problem, Number(answer.headers.get("Retry-After")) || 0);
}

/** Return what calls *act* at once, and then at most once per *apart* milliseconds, however often it is called. */
export function spaced(act: () => void, apart: number): () => void {
  let last = -Infinity;
  let waiting = false;
  return () => {
    if (waiting) return;
    const left = last + apart - performance.now();
    const go = (): void => {
      waiting = false;
      last = performance.now();
      act();
    };
    if (left <= 0) return go();
    waiting = true;
    setTimeout(go, left);
  };
}
