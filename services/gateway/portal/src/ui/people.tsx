/** Choosing people: boxes in a list, with a filter where they are many. */

import { useState } from "react";
import type { Member } from "../api/contract.ts";
import { useSpeech } from "../words/words.tsx";
import { Check, Field } from "./fields.tsx";

const MANY = 8;

export function People({
  legend,
  members,
  chosen,
  choose,
  proposed = [],
}: {
  legend: string;
  members: Member[];
  chosen: string[];
  choose: (ids: string[]) => void;
  proposed?: string[];
}) {
  const { w } = useSpeech();
  const [filter, setFilter] = useState("");
  const wanted = filter.toLocaleLowerCase();
  const shown = members.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  return (
    <fieldset>
      <legend>{legend}</legend>
      {members.length > MANY && <Field label={w.assign.filter} value={filter} onChange={(event) => setFilter(event.target.value)} />}
      <div className="people">
        {shown.map(({ id, name }) => (
          <Check
            key={id}
            label={name}
            note={proposed.includes(id) && <span className="badge info">{w.invitations.proposed}</span>}
            checked={chosen.includes(id)}
            onChange={(event) => choose(event.target.checked ? [...chosen, id] : chosen.filter((one) => one !== id))}
          />
        ))}
      </div>
    </fieldset>
  );
}
