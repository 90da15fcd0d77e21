/** Fields of forms: a label, the control, its hint and what is wrong with it, tied together for everybody. */

import { type ComponentProps, type ReactNode, useId } from "react";

interface Around {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
}

export function Field({ label, hint, error, ...input }: Around & ComponentProps<"input">) {
  return <Framed {...{ label, hint, error }}>{(told) => <input {...input} {...told} />}</Framed>;
}

export function Area({ label, hint, error, ...area }: Around & ComponentProps<"textarea">) {
  return <Framed {...{ label, hint, error }}>{(told) => <textarea {...area} {...told} />}</Framed>;
}

export function Choice({ label, hint, error, children, ...select }: Around & ComponentProps<"select">) {
  return (
    <Framed {...{ label, hint, error }}>
      {(told) => (
        <select {...select} {...told}>
          {children}
        </select>
      )}
    </Framed>
  );
}

export function Check({ label, hint, note, ...input }: { label: string; hint?: string; note?: ReactNode } & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className="check">
      <input type="checkbox" id={id} aria-describedby={hint ? `${id}-hint` : undefined} {...input} />
      <div>
        <label htmlFor={id}>
          <bdi>{label}</bdi>
        </label>
        {note}
        {hint && (
          <p id={`${id}-hint`} className="hint">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

interface Told {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

function Framed({ label, hint, error, children }: Around & { children: (told: Told) => ReactNode }) {
  const id = useId();
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {error && (
        <p id={`${id}-error`} className="wrong">
          {error}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}
