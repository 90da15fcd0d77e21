/** Who opened the client, and when (A4). */

import type { Access } from "../api/contract.ts";
import { named } from "../words/named.ts";
import { useSpeech } from "../words/words.tsx";
import { Part } from "./sheet.tsx";

export function AccessLog({ log }: { log: Access[] | null }) {
  const { w, f } = useSpeech();
  return (
    <Part title={w.log.title} away={log === null}>
      {log?.length === 0 && <p className="faint">{w.log.none}</p>}
      <ul className="log">
        {log?.map(({ at, member, event }) => (
          <li key={`${at} ${event} ${member.id}`}>
            <span>
              <bdi>{named(member, w)}</bdi>: {w.log[event]}
            </span>
            <time className="age" dateTime={at}>
              {f.moment(at)}
            </time>
          </li>
        ))}
      </ul>
    </Part>
  );
}
