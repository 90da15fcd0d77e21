/** The first picture first: what it does not show waits until it is on the screen. */

import { startTransition, useEffect, useState } from "react";

/** Return whether what was drawn with this is on the screen. */
export function usePainted(): boolean {
  const [painted, setPainted] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setTimeout(() => startTransition(() => setPainted(true))));
    return () => cancelAnimationFrame(frame);
  }, []);
  return painted;
}
