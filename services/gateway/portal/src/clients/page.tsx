/** "Mandanten": the tabs, what is searched and chosen in them, and the dialogs that begin at a client. */

import { useState } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { questionOf } from "../address.ts";
import type { Me, Tab as TabId } from "../api/contract.ts";
import { useMembers, useTabs } from "../api/queries.ts";
import { Sheet } from "../details/sheet.tsx";
import { InviteDialog } from "../dialogs/invite.tsx";
import { go, useView } from "../navigation.ts";
import { useSpeech } from "../words/words.tsx";
import { ClientList } from "./list.tsx";
import { Toolbar } from "./toolbar.tsx";

export function ClientsPage({ me }: { me: Me | null }) {
  const { w } = useSpeech();
  const view = useView();
  const [inviting, setInviting] = useState(false);
  const admin = me?.member.role === "admin";
  useMembers(admin); // the dialogs in which people are chosen open with them
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
      <TabsOf shown={view.tab}>
        <Toolbar view={view} admin={admin} />
        <TabPanel key={view.tab} id={view.tab} className="panel">
          <ClientList view={view} question={questionOf(view, admin || me === null)} me={me} />
        </TabPanel>
      </TabsOf>
      {view.client !== null && <Sheet key={view.client} clientId={view.client} me={me} />}
      {inviting && <InviteDialog close={() => setInviting(false)} />}
    </>
  );
}

function TabsOf({ shown, children }: { shown: TabId; children: React.ReactNode }) {
  const { w, f } = useSpeech();
  const visible = useTabs().data ?? [];
  const ids = visible.map(({ id }) => id);
  const all = ids.includes(shown) ? visible : [...visible, { id: shown, label: w.tabs[shown], count: null }];
  return (
    <Tabs selectedKey={shown} onSelectionChange={(tab) => go({ tab: tab as TabId })} className="tabs">
      <TabList aria-label={w.places.clients} className="tab-list">
        {all.map(({ id, label, count }) => (
          <Tab key={id} id={id} className="tab">
            {label}
            {count !== null && <span className="count">{f.number(count)}</span>}
          </Tab>
        ))}
      </TabList>
      {children}
    </Tabs>
  );
}
