/** Short words about what just happened: read out, and gone by themselves or at a click. */

import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react";
import { useSpeech } from "../words/words.tsx";

const SHOWN_FOR = 10_000;

interface Notice {
  id: number;
  text: string;
  link?: string | undefined;
}

const Saying = createContext<(text: string, link?: string) => void>(() => undefined);

/** Return what says something to the user, with a link if there is one to follow. */
export function useNotice(): (text: string, link?: string) => void {
  return useContext(Saying);
}

export function Notices({ children }: { children: ReactNode }) {
  const [notice, setNotice] = useState<Notice | null>(null);
  const say = useCallback((text: string, link?: string) => setNotice((last) => ({ id: (last?.id ?? 0) + 1, text, link })), []);
  return (
    <Saying value={say}>
      {children}
      <div className="notices" role="status" data-react-aria-top-layer="true">
        {notice && <Shown key={notice.id} notice={notice} close={() => setNotice(null)} />}
      </div>
    </Saying>
  );
}

function Shown({ notice, close }: { notice: Notice; close: () => void }) {
  const { w } = useSpeech();
  useEffect(() => {
    const timer = setTimeout(close, SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [close]);
  return (
    <div className="notice">
      <span>{notice.text}</span>
      {notice.link && (
        <a href={notice.link} target="_blank" rel="noreferrer">
          {w.menu.open}
        </a>
      )}
      <button type="button" className="plain icon" aria-label={w.dismiss} onClick={close}>
        ×
      </button>
    </div>
  );
}
