/** Assigning and unassigning members at many clients at once, with the outcome per client (M2). */

import { useState } from "react";
import { api, command } from "../api/client.ts";
import type { Member, Outcomes as Told } from "../api/contract.ts";
import { useRefresh } from "../api/queries.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Everybody } from "../ui/people.tsx";
import { useSpeech } from "../words/words.tsx";
import { Outcomes } from "./outcomes.tsx";

const MOST = 500;
type Wish = "assign" | "unassign";

export function BulkAssignDialog({ names, close }: { names: ReadonlyMap<string, string>; close: () => void }) {
  const { w, f } = useSpeech();
  const refresh = useRefresh();
  const [wishes, setWishes] = useState<Record<string, Wish | "">>({});
  const [told, setTold] = useState<Told | null>(null);
  const [asked, setAsked] = useState(false);
  const named = (wish: Wish): string[] => Object.keys(wishes).filter((id) => wishes[id] === wish);
  const nothing = named("assign").length + named("unassign").length === 0;
  const applying = useCommand(
    () => inParts([...names.keys()], named("assign"), named("unassign")),
    (outcomes) => {
      setTold(outcomes);
      refresh();
    },
  );
  const line = ({ id, name }: Member) => (
    <div key={id} className="person-wish">
      <label htmlFor={`wish-${id}`}>
        <bdi>{name}</bdi>
      </label>
      <select id={`wish-${id}`} value={wishes[id] ?? ""} onChange={(event) => setWishes({ ...wishes, [id]: event.target.value as Wish })}>
        <option value="">{w.assign.keep}</option>
        <option value="assign">{w.assign.add}</option>
        <option value="unassign">{w.assign.remove}</option>
      </select>
    </div>
  );
  return (
    <Dialog title={w.assign.title(names.size, f.number(names.size))} close={close}>
      <div className="dialog-body">
        {told ? (
          <Outcomes told={told} names={names} />
        ) : (
          <Everybody legend={w.assign.legend} line={line}>
            {asked && nothing && (
              <p className="wrong" role="alert">
                {w.assign.nothing}
              </p>
            )}
          </Everybody>
        )}
        <Outcome of={applying} />
      </div>
      <footer className="dialog-foot">
        <button type="button" className="quiet" onClick={close}>
          {told ? w.close : w.cancel}
        </button>
        {!told && (
          <Go
            busy={applying.busy}
            onPress={() => {
              setAsked(true);
              if (!nothing) applying.issue(undefined);
            }}
          >
            {w.assign.go}
          </Go>
        )}
      </footer>
    </Dialog>
  );
}

/** One command takes 500 clients; more go one after another. */
async function inParts(ids: string[], assign: string[], unassign: string[]): Promise<Told> {
  const items: Told["items"] = [];
  for (let at = 0; at < ids.length; at += MOST) {
    const body = { client_ids: ids.slice(at, at + MOST), assign, unassign };
    items.push(...(await command<Told>((header) => api.POST("/v1/assignments", { params: { header }, body }))).items);
  }
  return { items };
}
