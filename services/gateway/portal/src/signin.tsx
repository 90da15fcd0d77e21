/** Signing in at the local run: its login has no passwords, so the demo firm's people are offered by name. */

import { useState } from "react";
import { Field } from "./ui/fields.tsx";
import { signIn } from "./session.ts";
import { stand } from "./standing.ts";
import { useSpeech } from "./words/words.tsx";

const DEMO = [
  { id: "demo-leyla", name: "Leyla Özdemir", role: "admin" },
  { id: "demo-tom", name: "Tom Brandt", role: "accountant" },
  { id: "demo-nina", name: "Nina Weiß", role: "accountant" },
] as const;

type Wrong = "unknown" | "away" | "noLogin";

async function enter(memberId: string): Promise<Wrong | null> {
  const body = JSON.stringify({ member_id: memberId });
  try {
    const answer = await fetch("/dev/login", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (answer.ok) {
      const { access_token } = (await answer.json()) as { access_token: string };
      stand({ expired: false, lost: null });
      signIn({ token: access_token, memberId });
      return null;
    }
    const { code } = (await answer.json()) as { code?: string };
    return code === "no_route" ? "noLogin" : answer.status < 500 ? "unknown" : "away";
  } catch {
    return "away";
  }
}

export function Entries() {
  const { w } = useSpeech();
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const [other, setOther] = useState("");
  const go = async (memberId: string): Promise<void> => setWrong(await enter(memberId));
  return (
    <>
      <ul className="entries">
        {DEMO.map(({ id, name, role }) => (
          <li key={id}>
            <button type="button" className="entry" onClick={() => void go(id)}>
              <strong>{name}</strong> <span className="faint">{w.roles[role]}</span>
            </button>
          </li>
        ))}
      </ul>
      <form
        className="entry-other"
        onSubmit={(event) => {
          event.preventDefault();
          void go(other.trim());
        }}
      >
        <Field
          label={w.signIn.other}
          value={other}
          onChange={(event) => setOther(event.target.value)}
          error={wrong ? w.signIn[wrong] : undefined}
          required
          autoComplete="off"
        />
        <button type="submit" className="quiet">
          {w.signIn.go}
        </button>
      </form>
    </>
  );
}

export function SignIn() {
  const { w } = useSpeech();
  return (
    <main className="sign-in">
      <h1>{w.portal}</h1>
      <h2>{w.signIn.title}</h2>
      <p className="faint">{w.signIn.intro}</p>
      <Entries />
    </main>
  );
}
