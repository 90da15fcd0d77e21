/** Who works on the client: admins assign and unassign, everybody may leave (M2). */

import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Details, Me, Person } from "../api/contract.ts";
import { useMembers, useRefresh } from "../api/queries.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { Choice } from "../ui/fields.tsx";
import { useNotice } from "../ui/notices.tsx";
import { named } from "../words/named.ts";
import { useSpeech } from "../words/words.tsx";
import { Part } from "./sheet.tsx";

export function Assignees({ client, me }: { client: Details; me: Me }) {
  const { w } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  const admin = me.member.role === "admin";
  const [leaving, setLeaving] = useState<string | null>(null);
  const unassigning = useCommand(
    (person: Person) => {
      const path = { client_id: client.client_id, member_id: person.id };
      return command((header) => api.DELETE("/v1/clients/{client_id}/assignments/{member_id}", { params: { path, header } }));
    },
    (_, person) => {
      say(w.details.unassigned(named(person, w)));
      refresh(client.client_id);
    },
  );
  const asked = (person: Person) => () => {
    setLeaving(person.id);
    unassigning.issue(person);
  };
  return (
    <Part title={w.details.assignees}>
      {client.assignees.length === 0 && <p className="faint">{w.nobody}</p>}
      <ul className="assigned">
        {client.assignees.map((person) => (
          <li key={person.id}>
            <span className="cut">
              <bdi>{named(person, w)}</bdi>
              {person.id === me.member.id && <span className="faint"> ({w.details.you})</span>}
            </span>
            {(admin || person.id === me.member.id) && (
              <Go busy={unassigning.busy && leaving === person.id} kind="quiet" onPress={asked(person)} label={person.id === me.member.id ? w.details.leave : w.details.unassign(named(person, w))}>
                {person.id === me.member.id ? w.details.leave : w.details.unassignShort}
              </Go>
            )}
          </li>
        ))}
      </ul>
      <Outcome of={unassigning} />
      {admin && client.status !== "ended" && client.status !== "invitation" && <Assign client={client} />}
    </Part>
  );
}

function Assign({ client }: { client: Details }) {
  const { w } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  const members = useMembers(true).data ?? [];
  const [memberId, setMemberId] = useState("");
  const free = members.filter(({ id, active }) => active && !client.assignees.some((one) => one.id === id));
  const assigning = useCommand(
    (member_id: string) => {
      const path = { client_id: client.client_id };
      return command((header) => api.POST("/v1/clients/{client_id}/assignments", { params: { path, header }, body: { member_id } }));
    },
    (_, id) => {
      say(w.details.assigned(named(members.find((one) => one.id === id) ?? { name: id }, w)));
      setMemberId("");
      refresh(client.client_id);
    },
  );
  if (free.length === 0 && memberId === "") return null;
  return (
    <>
      <form
        className="beside"
        onSubmit={(event) => {
          event.preventDefault();
          if (memberId !== "") assigning.issue(memberId);
        }}
      >
        <Choice label={w.details.addMember} value={memberId} onChange={(event) => setMemberId(event.target.value)}>
          <option value="">{w.details.choose}</option>
          {free.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Choice>
        <Go busy={assigning.busy} kind="quiet" submit>
          {w.details.assign}
        </Go>
      </form>
      <Outcome of={assigning} />
    </>
  );
}
