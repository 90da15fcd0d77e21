/** How far a company is that the firm invited: every state with its time, and what is missing now (O8). */

import type { Onboarding } from "../api/contract.ts";
import { useSpeech } from "../words/words.tsx";
import { Part } from "./sheet.tsx";

export function OnboardingPart({ onboarding }: { onboarding: Onboarding | null }) {
  const { w, f } = useSpeech();
  const usual = onboarding?.usual_duration_days ?? null;
  return (
    <Part title={w.onboarding.title} away={onboarding === null}>
      {onboarding && onboarding.missing.length > 0 && (
        <div className="warning">
          <h4>{w.onboarding.missing}</h4>
          <ul className="points">
            {onboarding.missing.map(({ code, text }) => (
              <li key={code}>
                <bdi>{text}</bdi>
              </li>
            ))}
          </ul>
        </div>
      )}
      <ol className="timeline">
        {onboarding?.timeline.map(({ state, at, corrected }) => (
          <li key={`${state} ${at}`}>
            {w.stages[state] ?? state}
            {corrected && <span className="badge warn">{w.onboarding.corrected}</span>}
            <time className="age" dateTime={at}>
              {f.moment(at)}
            </time>
          </li>
        ))}
      </ol>
      <p className="faint">{usual === null ? w.onboarding.usualUnknown : w.onboarding.usual(f.number(usual))}</p>
    </Part>
  );
}
