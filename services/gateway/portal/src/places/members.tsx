/** "Mitglieder": who works here, and whose mail does not arrive; an admin lifts that (N14). */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Member } from "../api/contract.ts";
import { useMembers } from "../api/queries.ts";
import { Empty } from "../clients/list.tsx";
import { Go, Outcome, textOf, useCommand } from "../ui/command.tsx";
import { useNotice } from "../ui/notices.tsx";
import { useSpeech } from "../words/words.tsx";

export function MembersPage() {
  const { w } = useSpeech();
  const { data, error } = useMembers(true, true);
  return (
    <>
      <div className="page-head">
        <h1>{w.members.title}</h1>
      </div>
      {data ? <Table members={data} /> : error ? <Empty title={w.failed.title} text={textOf(error, w)} /> : <p role="status">{w.loading}</p>}
    </>
  );
}

function Table({ members }: { members: Member[] }) {
  const { w } = useSpeech();
  const say = useNotice();
  const queries = useQueryClient();
  const [about, setAbout] = useState<string | null>(null);
  const lifting = useCommand(
    ({ id }: Member) => {
      const path = { member_id: id };
      return command((header) => api.DELETE("/v1/members/{member_id}/suppression", { params: { path, header } }));
    },
    (_, { name }) => {
      say(w.members.lifted(name));
      void queries.invalidateQueries({ queryKey: ["members"] });
    },
  );
  const lift = (member: Member) => () => {
    setAbout(member.id);
    lifting.issue(member);
  };
  return (
    <>
      <div className="card">
        <table className="plain-table" aria-label={w.members.title}>
          <thead>
            <tr>
              <th scope="col">{w.members.name}</th>
              <th scope="col">{w.members.role}</th>
              <th scope="col">{w.members.state}</th>
            </tr>
          </thead>
          <tbody>
            {members.map((member) => (
              <tr key={member.id}>
                <th scope="row">
                  <bdi>{member.name}</bdi>
                  <bdi className="about">{member.email}</bdi>
                </th>
                <td>{w.roles[member.role]}</td>
                <td>
                  <State member={member} />{" "}
                  {member.suppressed && (
                    <Go busy={lifting.busy && about === member.id} kind="quiet" onPress={lift(member)} label={w.members.liftOf(member.name)}>
                      {w.members.lift}
                    </Go>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Outcome of={lifting} />
    </>
  );
}

function State({ member }: { member: Member }) {
  const { w, f } = useSpeech();
  if (!member.active) return <span className="badge none">{w.members.removed}</span>;
  if (!member.suppressed) return <span className="badge good">{w.members.fine}</span>;
  const { reason, since } = member.suppressed;
  return (
    <>
      <span className="badge bad">{w.members.suppressed}</span>{" "}
      <span className="faint">
        {w.since(f.day(since))}: {w.members.reasons[reason] ?? w.notifications.suppressionOther}
      </span>
    </>
  );
}
