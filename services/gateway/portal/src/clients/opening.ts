/** What the menu does without a dialog: open the client's account, send an invitation again. */

import { api, command, Trouble } from "../api/client.ts";
import type { Grant } from "../api/contract.ts";
import { useRefresh } from "../api/queries.ts";
import { stand } from "../standing.ts";
import { textOf } from "../ui/command.tsx";
import { useNotice } from "../ui/notices.tsx";
import { useSpeech } from "../words/words.tsx";

/** "Zum Mandanten": a new tab at once, as only a click may open one, and the grant's link into it (A1, A3). */
export function useOpenClient(): (clientId: string) => Promise<void> {
  const { w } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  return async (clientId) => {
    const opened = window.open("", "_blank");
    opened?.document.body.append(w.busy);
    try {
      const path = { client_id: clientId };
      const grant = await command<Grant>((header) => api.POST("/v1/clients/{client_id}/access", { params: { path, header } }));
      if (opened === null) say(w.notNow, grant.url ?? undefined); // the browser would not open a tab: here is the link
      else if (grant.url !== null) enter(opened, grant.url);
      refresh(clientId);
    } catch (error) {
      opened?.close();
      if (error instanceof Trouble && error.status === 401) stand({ expired: true });
      else say(textOf(error, w));
    }
  };
}

/** Send an invitation's mail again; what became of it is said (O6). */
export function useResend(): (clientId: string, name: string) => Promise<void> {
  const { w } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  return async (clientId, name) => {
    const over = say(w.busy);
    try {
      const path = { client_id: clientId };
      await command((header) => api.POST("/v1/onboarding/{client_id}/resend", { params: { path, header } }));
      say(w.invite.resent(name));
      refresh(clientId);
    } catch (error) {
      if (error instanceof Trouble && error.status === 401) stand({ expired: true });
      else say(textOf(error, w));
    } finally {
      over();
    }
  };
}

function enter(opened: Window, url: string): void {
  opened.opener = null; // the product needs no hold on the portal
  opened.location.replace(url);
}
