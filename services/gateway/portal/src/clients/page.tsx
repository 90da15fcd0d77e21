/** "Mandanten": the tabs, what is searched and chosen in them, and the dialogs that begin at a client. */

import { useState } from "react";
import { questionOf } from "../address.ts";
import type { Me } from "../api/contract.ts";
import { useMembers } from "../api/queries.ts";
import { InviteDialog, Sheet } from "../later.tsx";
import { useView } from "../navigation.ts";
import { usePainted } from "../ui/painted.ts";
import { useSpeech } from "../words/words.tsx";
import { ClientList } from "./list.tsx";
import { TabList, TabPanel } from "./tabs.tsx";
import { Toolbar } from "./toolbar.tsx";

export function ClientsPage({ me }: { me: Me | null }) {
  const { w } = useSpeech();
  const view = useView();
  const [inviting, setInviting] = useState(false);
  const admin = me?.member.role === "admin";
  useMembers(usePainted() && admin); // the dialogs in which people are chosen open with them
  return (
    <>
      <div className="page-head">
        <h1>{w.places.clients}</h1>
        {admin && (
          <button type="button" className="primary" onClick={() => setInviting(true)}>
            {w.invite.open}
          </button>
        )}
      </div>
      <div className="tabs">
        <TabList shown={view.tab} />
        <Toolbar view={view} admin={admin} />
        <TabPanel key={view.tab} tab={view.tab}>
          <ClientList view={view} question={questionOf(view, admin || me === null)} me={me} />
        </TabPanel>
      </div>
      {view.client !== null && <Sheet key={view.client} clientId={view.client} me={me} />}
      {inviting && <InviteDialog close={() => setInviting(false)} />}
    </>
  );
}
