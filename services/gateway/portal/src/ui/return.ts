/** Where the focus goes when a dialog closes that was opened from a menu: the menu's item is gone, its button is not. */

import { useEffect } from "react";

const ABOVE = "[role=dialog], [role=alertdialog], [role=menu]";
let lastBelow = document.activeElement instanceof HTMLElement ? document.activeElement : null;

document.addEventListener("focusin", ({ target }) => {
  if (target instanceof HTMLElement && target.closest(ABOVE) === null) lastBelow = target;
});

/** Lead the focus back to where it was on the page if, after closing, it is nowhere. */
export function useReturn(): void {
  useEffect(() => () => void setTimeout(comeBack, 50), []); // after the library has tried
}

function comeBack(): void {
  const nowhere = document.activeElement === null || document.activeElement === document.body;
  if (nowhere && lastBelow?.isConnected) lastBelow.focus();
}
