/** Ending the connection with a client, after asking once more (I5). */

import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Details } from "../api/contract.ts";
import { Confirm } from "../dialogs/confirm.tsx";
import { useSpeech } from "../words/words.tsx";
import { Part } from "./sheet.tsx";

export function Disconnect({ client }: { client: Details }) {
  const { w } = useSpeech();
  const [asked, setAsked] = useState(false);
  const path = { client_id: client.client_id };
  return (
    <Part title={w.disconnect.title}>
      <button type="button" className="quiet danger-text" onClick={() => setAsked(true)}>
        {w.disconnect.open}
      </button>
      {asked && (
        <Confirm
          row={client}
          title={w.disconnect.title}
          text={w.disconnect.text(client.name)}
          go={w.disconnect.go}
          done={w.disconnect.done(client.name)}
          run={() => command((header) => api.POST("/v1/clients/{client_id}/disconnect", { params: { path, header }, body: { confirm: true } }))}
          close={() => setAsked(false)}
        />
      )}
    </Part>
  );
}
