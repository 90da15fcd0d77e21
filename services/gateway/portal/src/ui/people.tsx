/** People to choose from: a line each, with a filter where they are many. */

import { type ReactNode, useState } from "react";
import type { Member } from "../api/contract.ts";
import { useMembers } from "../api/queries.ts";
import { useSpeech } from "../words/words.tsx";
import { textOf } from "./command.tsx";
import { Check, Field } from "./fields.tsx";

const MANY = 8;

/** A line for each of the firm's active members, or that they are still on their way. */
export function Everybody({ legend, line, children }: { legend: string; line: (member: Member) => ReactNode; children?: ReactNode }) {
  const { w } = useSpeech();
  const { data, error } = useMembers(true);
  const [filter, setFilter] = useState("");
  const wanted = filter.toLocaleLowerCase();
  const members = data?.filter(({ active }) => active) ?? [];
  return (
    <fieldset>
      <legend>{legend}</legend>
      {members.length > MANY && <Field label={w.assign.filter} value={filter} onChange={(event) => setFilter(event.target.value)} />}
      {data === undefined && <p role="status">{error ? textOf(error, w) : w.loading}</p>}
      <div className="everybody">{members.filter(({ name }) => name.toLocaleLowerCase().includes(wanted)).map(line)}</div>
      {children}
    </fieldset>
  );
}

interface Chosen {
  legend: string;
  chosen: string[];
  choose: (ids: string[]) => void;
  proposed?: string[];
}

export function People({ legend, chosen, choose, proposed = [] }: Chosen) {
  const { w } = useSpeech();
  const line = ({ id, name }: Member): ReactNode => (
    <Check
      key={id}
      label={name}
      note={proposed.includes(id) && <span className="badge info">{w.invitations.proposed}</span>}
      checked={chosen.includes(id)}
      onChange={(event) => choose(event.target.checked ? [...chosen, id] : chosen.filter((one) => one !== id))}
    />
  );
  return <Everybody legend={legend} line={line} />;
}
