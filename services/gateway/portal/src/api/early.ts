/** Reads begun while the page's own code is still on its way: the first rows do not wait for it. */

const begun = new Map<string, Promise<Response>>();

export function begin(path: string, token: string): void {
  const asked = fetch(path, { headers: { Authorization: `Bearer ${token}` } });
  asked.catch(() => undefined); // whoever takes it is told
  begun.set(normal(path), asked);
}

/** Return the answer begun for this address, once. */
export function taken(url: string): Promise<Response> | undefined {
  const key = normal(url);
  const asked = begun.get(key);
  begun.delete(key);
  return asked;
}

/** Wait until what was begun is there, but not longer than *most* milliseconds: then the first thing drawn are the rows. */
export async function arrived(most: number): Promise<void> {
  const all = Promise.allSettled(begun.values());
  await Promise.race([all, new Promise((enough) => setTimeout(enough, most))]);
}

function normal(url: string): string {
  const { pathname, searchParams } = new URL(url, location.origin);
  searchParams.sort();
  return `${pathname}?${searchParams}`;
}
