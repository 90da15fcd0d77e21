/** Reads begun while the page's own code is still on its way: the first rows do not wait for it. */

const begun = new Map<string, Promise<Response>>();

export function begin(path: string, token: string): void {
  const asked = fetch(path, { headers: { Authorization: `Bearer ${token}` } }).then(whole);
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

/** Read a body as it comes: whoever takes the answer need not wait for it again. */
async function whole(answer: Response): Promise<Response> {
  return new Response(await answer.arrayBuffer(), answer);
}

function normal(url: string): string {
  const { pathname, searchParams } = new URL(url, location.origin);
  searchParams.sort();
  return `${pathname}?${searchParams}`;
}
