/** The button of a row's menu: the three dots beside a client's name. */

import type { Row } from "../api/contract.ts";
import { useSpeech } from "../words/words.tsx";

/** A row's open menu: one for the whole table, as fifty would cost a third of the time until the first rows. */
export interface Opened {
  row: Row;
  dots: HTMLButtonElement;
  byKey: boolean;
}

export function Dots({ row, open, press }: { row: Row; open: boolean; press: (opened: Opened) => void }) {
  const { w } = useSpeech();
  return (
    <button
      type="button"
      className="plain icon dots"
      aria-label={w.menu.of(row.name)}
      aria-haspopup="menu"
      aria-expanded={open}
      data-stop
      tabIndex={-1}
      onClick={({ currentTarget: dots }) => {
        dots.focus(); // not every browser does
        press({ row, dots, byKey: false });
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault(); // the click that would follow
        press({ row, dots: event.currentTarget, byKey: true });
      }}
    >
      ···
    </button>
  );
}
