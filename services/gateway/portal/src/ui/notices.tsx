/** Short words about what just happened: read out, and gone by themselves or at a click. */

import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from "react";
import { useSpeech } from "../words/words.tsx";

const SHOWN_FOR = 10_000;
const AT_ONCE = 3;

interface Notice {
  id: number;
  text: string;
  link?: string | undefined;
}

type Say = (text: string, link?: string) => () => void;

const Saying = createContext<Say>(() => () => undefined);

/** Return what says something to the user, with a link if there is one to follow; it returns what takes that back. */
export function useNotice(): Say {
  return useContext(Saying);
}

/** What is said while something else still stands joins it: nobody has read the first by then. */
export function Notices({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([]);
  const last = useRef(0);
  const close = useCallback((id: number) => setNotices((shown) => shown.filter((one) => one.id !== id)), []);
  const say = useCallback<Say>(
    (text, link) => {
      last.current += 1;
      const id = last.current;
      setNotices((shown) => [...shown.filter((one) => one.text !== text), { id, text, link }].slice(-AT_ONCE));
      return () => close(id);
    },
    [close],
  );
  return (
    <Saying value={say}>
      {children}
      <div className="notices" role="status" aria-atomic="false" data-react-aria-top-layer="true">
        {notices.map((notice) => (
          <Shown key={notice.id} notice={notice} close={close} />
        ))}
      </div>
    </Saying>
  );
}

function Shown({ notice, close }: { notice: Notice; close: (id: number) => void }) {
  const { w } = useSpeech();
  const { id } = notice;
  useEffect(() => {
    const timer = setTimeout(() => close(id), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [close, id]);
  return (
    <div className="notice">
      <span>{notice.text}</span>
      {notice.link && (
        <a href={notice.link} target="_blank" rel="noreferrer">
          {w.menu.open}
        </a>
      )}
      <button type="button" className="plain icon" aria-label={w.dismiss} onClick={() => close(id)}>
        ×
      </button>
    </div>
  );
}
