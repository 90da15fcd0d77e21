/** "Details anzeigen": everything about one client, at the right edge, beside the list it came from. */

import { type ReactNode, useEffect, useState } from "react";
import { Trouble } from "../api/client.ts";
import type { Details, Me } from "../api/contract.ts";
import { useDetails } from "../api/queries.ts";
import { Badges } from "../clients/badges.tsx";
import { useOpenClient } from "../clients/opening.ts";
import { ReminderDialog } from "../dialogs/reminder.tsx";
import { go } from "../navigation.ts";
import { textOf } from "../ui/command.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useNotice } from "../ui/notices.tsx";
import { useSpeech } from "../words/words.tsx";
import { AccessLog } from "./accesslog.tsx";
import { Assignees } from "./assignees.tsx";
import { Disconnect } from "./disconnect.tsx";
import { Figures } from "./figures.tsx";
import { NotificationsPart } from "./notifications.tsx";
import { OnboardingPart } from "./onboarding.tsx";
import { Reminders } from "./reminders.tsx";

export function Sheet({ clientId, me }: { clientId: string; me: Me | null }) {
  const { w } = useSpeech();
  const { data, error, refetch } = useDetails(clientId);
  const close = (): void => go({ client: null });
  useGone(error);
  return (
    <Dialog title={data?.name ?? w.details.title} close={close} shape="sheet">
      <div className="dialog-body sheet-body">
        {data === undefined && error === null && <p role="status">{w.loading}</p>}
        {data === undefined && error !== null && (
          <div role="status">
            <p>{textOf(error, w)}</p>
            <button type="button" className="quiet" onClick={() => void refetch()}>
              {w.failed.retry}
            </button>
          </div>
        )}
        {data && me && <Parts client={data} me={me} />}
      </div>
    </Dialog>
  );
}

/** A client that one may not see any more is closed, with the reason (T10, E1). */
function useGone(error: Error | null): void {
  const { w } = useSpeech();
  const say = useNotice();
  const gone = error instanceof Trouble && error.status === 404;
  useEffect(() => {
    if (!gone) return;
    say(w.lost.client);
    go({ client: null }, "replace");
  }, [gone, say, w]);
}

function Parts({ client, me }: { client: Details; me: Me }) {
  const admin = me.member.role === "admin";
  const onboarding = (client.onboarding || client.unavailable.includes("onboarding")) && <OnboardingPart onboarding={client.onboarding} />;
  const underWay = client.status !== "ended" && client.verification !== "verified" && client.verification !== "rejected";
  return (
    <>
      <Head client={client} />
      {underWay && onboarding}
      <Figures client={client} />
      <Assignees client={client} me={me} />
      <NotificationsPart client={client} />
      {!underWay && onboarding}
      <Reminders client={client} />
      <AccessLog log={client.access_log} />
      {admin && client.status === "connected" && <Disconnect client={client} />}
    </>
  );
}

function Head({ client }: { client: Details }) {
  const { w } = useSpeech();
  const open = useOpenClient();
  const [reminding, setReminding] = useState(false);
  const { access, remind } = client.actions;
  return (
    <div className="sheet-head">
      <p className="faint">
        <bdi>{client.client_number ? w.details.number(client.client_number) : w.noNumber}</bdi> · <bdi>{client.reason}</bdi>
      </p>
      <Badges row={client} />
      <div className="actions">
        <Allowed action={access}>
          {(off) => (
            <button type="button" className="primary" aria-disabled={off} onClick={off ? undefined : () => void open(client.client_id)}>
              {w.menu.open}
            </button>
          )}
        </Allowed>
        {remind.reason !== "admin_only" && (
          <Allowed action={remind}>
            {(off) => (
              <button type="button" className="quiet" aria-disabled={off} onClick={off ? undefined : () => setReminding(true)}>
                {w.menu.remind}
              </button>
            )}
          </Allowed>
        )}
      </div>
      {reminding && <ReminderDialog row={client} close={() => setReminding(false)} />}
    </div>
  );
}

/** What may not be done stays, with the reason below it. */
function Allowed({ action, children }: { action: Details["actions"]["access"]; children: (off: boolean) => ReactNode }) {
  const { w } = useSpeech();
  return (
    <span className="allowed">
      {children(!action.allowed)}
      {action.reason && <span className="hint">{w.reasons[action.reason] ?? w.notNow}</span>}
    </span>
  );
}

/** A part of the details, with its heading; or that its owner is away. */
export function Part({ title, away = false, children }: { title: string; away?: boolean; children: ReactNode }) {
  const { w } = useSpeech();
  return (
    <section className="part" aria-label={title}>
      <h3>{title}</h3>
      {away ? <p className="faint">{w.details.away}</p> : children}
    </section>
  );
}
