/** A command from a button: under way, refused or done, as the button and the text beside it show. */

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { Trouble } from "../api/client.ts";
import { stand } from "../standing.ts";
import type { Words } from "../words/de.ts";
import { useSpeech } from "../words/words.tsx";

const SLOW_AFTER = 2500;
const OURS = new Set(["offline", "unavailable", "unauthenticated", "too_many_requests", "no_route", "too_large"]);

/** Return what a person is told about *error*: the portal's own sentence, or ours where it did not get to speak. */
export function textOf(error: unknown, w: Words): string {
  if (!(error instanceof Trouble) || OURS.has(error.code) || error.message === "") return w.notNow;
  return error.message;
}

export interface Issued<V> {
  issue: (value: V) => void;
  busy: boolean;
  slow: boolean;
  error: Error | null;
  clear: () => void;
}

/** Return a command that is issued once at a time; *done* hears its result. */
export function useCommand<V, R>(run: (value: V) => Promise<R>, done: (result: R, value: V) => void): Issued<V> {
  const mutation = useMutation({
    mutationFn: run,
    onSuccess: done,
    onError: (error) => {
      if (error instanceof Trouble && error.status === 401) stand({ expired: true });
    },
  });
  const slow = useSlow(mutation.isPending);
  return {
    issue: (value) => !mutation.isPending && mutation.mutate(value),
    busy: mutation.isPending,
    slow,
    error: mutation.error,
    clear: mutation.reset,
  };
}

function useSlow(busy: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (!busy) return;
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER);
    return () => clearTimeout(timer);
  }, [busy]);
  return slow;
}

/** What became of a command, where it was issued: read out as soon as it is there. */
export function Outcome({ of, children }: { of: Pick<Issued<never>, "slow" | "error">; children?: ReactNode }) {
  const { w } = useSpeech();
  return (
    <div className="outcome" role="status">
      {of.slow && <p className="faint">{w.slow}</p>}
      {of.error && <p className="wrong">{textOf(of.error, w)}</p>}
      {children}
    </div>
  );
}

/** The button that issues a command: keeps its place and its focus while it is under way. */
export function Go({
  busy,
  children,
  kind = "primary",
  submit = false,
  onPress,
  label,
}: {
  busy: boolean;
  children: ReactNode;
  kind?: "primary" | "danger" | "quiet";
  submit?: boolean;
  onPress?: () => void;
  label?: string;
}) {
  const { w } = useSpeech();
  return (
    <button
      type={submit ? "submit" : "button"}
      className={kind}
      aria-disabled={busy}
      aria-busy={busy}
      aria-label={busy ? undefined : label}
      onClick={busy ? (event) => event.preventDefault() : onPress}
    >
      {busy ? w.busy : children}
    </button>
  );
}
