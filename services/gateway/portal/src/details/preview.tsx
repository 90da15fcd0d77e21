/** The mail one would get if only this client fell due now (N15), shown as a mail program would. */

import { useEffect, useRef, useState } from "react";
import { api, Trouble } from "../api/client.ts";
import { useSpoken } from "../api/queries.ts";
import { Dialog } from "../ui/dialog.tsx";
import { useSpeech } from "../words/words.tsx";
import { shownMail } from "./mail.ts";

type Format = "html" | "text";

interface Told {
  body: string;
  /** The word of the ledger why it would not be sent; null if it would. */
  reason: string | null;
}

export function Preview({ clientId }: { clientId: string }) {
  const { w } = useSpeech();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="quiet" onClick={() => setOpen(true)}>
        {w.notifications.preview}
      </button>
      {open && <PreviewDialog clientId={clientId} close={() => setOpen(false)} />}
    </>
  );
}

function PreviewDialog({ clientId, close }: { clientId: string; close: () => void }) {
  const { w } = useSpeech();
  const n = w.notifications;
  const [format, setFormat] = useState<Format>("html");
  const preview = { key: ["client", clientId, "preview", format], read: (signal: AbortSignal) => read(clientId, format, signal) };
  const { data, error } = useSpoken(preview, { staleTime: 0 });
  return (
    <Dialog title={n.preview} close={close} shape="wide">
      <div className="dialog-body">
        <fieldset className="segments">
          <legend className="hidden">{n.preview}</legend>
          {(["html", "text"] as const).map((one) => (
            <label key={one} className="radio">
              <input type="radio" name="format" checked={format === one} onChange={() => setFormat(one)} /> {one === "html" ? n.previewHtml : n.previewText}
            </label>
          ))}
        </fieldset>
        <div role="status">
          {error && <p className="wrong">{n.unavailable}</p>}
          {!data && !error && <p>{w.loading}</p>}
          {data && <p className="faint">{data.reason === null ? n.wouldSend : n.wouldNot(w.skipReasons[data.reason] ?? data.reason)}</p>}
        </div>
        {data && (format === "html" ? <Mail html={data.body} /> : <pre className="mail-text" tabIndex={0} aria-label={n.preview}>{data.body}</pre>)}
      </div>
    </Dialog>
  );
}

function Mail({ html }: { html: string }) {
  const { w } = useSpeech();
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = host.current;
    if (place === null) return;
    const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
    root.replaceChildren(shownMail(html));
  }, [html]);
  return <div ref={host} className="mail" role="document" tabIndex={0} aria-label={w.notifications.preview} />;
}

async function read(clientId: string, format: Format, signal: AbortSignal): Promise<Told> {
  const params = { path: { client_id: clientId }, query: { format } };
  const { data, response } = await api.GET("/v1/clients/{client_id}/notifications/preview", { params, parseAs: "text", signal });
  if (!response.ok) throw new Trouble(response.status, { code: "unavailable" });
  const [, reason = null] = /reason=([a-z_]+)/.exec(response.headers.get("Portal-Would-Send") ?? "") ?? [];
  return { body: data ?? "", reason };
}
