/** Inviting a company to Pleo (O1); what is wrong stands under its field, what was typed stays. */

import { useMemo, useState } from "react";
import { api, command, Trouble } from "../api/client.ts";
import { useRefresh } from "../api/queries.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Choice, Field } from "../ui/fields.tsx";
import { useNotice } from "../ui/notices.tsx";
import { People } from "../ui/people.tsx";
import { useSpeech } from "../words/words.tsx";

const COUNTRIES = ["DE", "AT", "CH", "BE", "BG", "CY", "CZ", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK", "US"];
const NAMES = ["company_name", "contact_name", "contact_email", "client_number"] as const;
type Name = (typeof NAMES)[number];

export function InviteDialog({ close }: { close: () => void }) {
  const { w } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  const [typed, setTyped] = useState<Record<Name, string>>({ company_name: "", contact_name: "", contact_email: "", client_number: "" });
  const [country, setCountry] = useState("DE");
  const [assign, setAssign] = useState<string[]>([]);
  const [asked, setAsked] = useState(false);
  const inviting = useCommand(
    () => {
      const { client_number, ...named } = trimmed(typed);
      const body = { ...named, country, assign, ...(client_number && { client_number }) };
      return command((header) => api.POST("/v1/onboarding", { params: { header }, body }));
    },
    () => {
      say(w.invite.done(typed.company_name));
      refresh();
      close();
    },
  );
  const wrong = useWrong(typed, asked, inviting.error);
  const text = (name: Name, label: string, more: object = {}) => (
    <Field
      label={label}
      value={typed[name]}
      error={wrong[name]}
      maxLength={200}
      dir="auto"
      autoComplete="off"
      onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
      {...more}
    />
  );
  return (
    <Dialog title={w.invite.title} close={close}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (Object.keys(missing(typed)).length === 0) inviting.issue(undefined);
        }}
      >
        <div className="dialog-body">
          {text("company_name", w.invite.company, { required: true })}
          {text("contact_name", w.invite.contact, { required: true })}
          {text("contact_email", w.invite.email, { required: true, type: "email", inputMode: "email", maxLength: 254 })}
          <Countries chosen={country} choose={setCountry} />
          {text("client_number", w.invite.number, { hint: w.reminders.optional, maxLength: 64 })}
          <People legend={w.invite.assign} chosen={assign} choose={setAssign} />
          <Outcome of={{ ...inviting, error: Object.keys(wrong).length > 0 ? null : inviting.error }} />
        </div>
        <footer className="dialog-foot">
          <button type="button" className="quiet" onClick={close}>
            {w.cancel}
          </button>
          <Go busy={inviting.busy} submit>
            {w.invite.go}
          </Go>
        </footer>
      </form>
    </Dialog>
  );
}

function Countries({ chosen, choose }: { chosen: string; choose: (code: string) => void }) {
  const { w, locale } = useSpeech();
  const names = useMemo(() => new Intl.DisplayNames(locale, { type: "region" }), [locale]);
  return (
    <Choice label={w.invite.country} value={chosen} onChange={(event) => choose(event.target.value)}>
      {COUNTRIES.map((code) => (
        <option key={code} value={code}>
          {names.of(code)}
        </option>
      ))}
    </Choice>
  );
}

function trimmed(typed: Record<Name, string>): Record<Name, string> {
  return Object.fromEntries(NAMES.map((name) => [name, typed[name].trim()])) as Record<Name, string>;
}

function missing(typed: Record<Name, string>): Partial<Record<Name, true>> {
  return Object.fromEntries(NAMES.filter((name) => name !== "client_number" && typed[name].trim() === "").map((name) => [name, true]));
}

/** Return what is wrong by field: what is missing at once, what the portal found until the field changes. */
function useWrong(typed: Record<Name, string>, asked: boolean, error: Error | null): Partial<Record<Name, string>> {
  const { w } = useSpeech();
  const [seen, setSeen] = useState<{ error: Error | null; typed: Record<Name, string> }>({ error: null, typed });
  if (error !== seen.error) setSeen({ error, typed });
  const found: Partial<Record<Name, string>> = {};
  for (const { field, code } of error instanceof Trouble ? error.errors : []) {
    const name = NAMES.find((one) => one === field);
    if (name !== undefined && seen.typed[name] === typed[name]) found[name] = w.fieldErrors[code] ?? w.fieldErrors["other"] ?? "";
  }
  if (asked) for (const name of Object.keys(missing(typed)) as Name[]) found[name] = w.invite.required;
  return found;
}
