/** The page's language, at hand everywhere: its words, and how it writes figures and times. */

import { createContext, type ReactNode, useContext, useMemo } from "react";
import { de, type Words } from "./de.ts";
import { en } from "./en.ts";
import { Format } from "./format.ts";

export interface Speech {
  w: Words;
  f: Format;
  locale: string;
}

const Spoken = createContext<Speech | null>(null);

export function Speaking({ locale, children }: { locale: string; children: ReactNode }) {
  const speech = useMemo(() => ({ w: locale.startsWith("de") ? de : en, f: new Format(locale), locale }), [locale]);
  return <Spoken value={speech}>{children}</Spoken>;
}

export function useSpeech(): Speech {
  const speech = useContext(Spoken);
  if (speech === null) throw new Error("nobody speaks here");
  return speech;
}
