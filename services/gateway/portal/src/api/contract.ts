/** What the public contract answers with (its section 1); requests are typed by `schema.d.ts`, generated from the code. */

export type Tab = "invitations" | "onboarding" | "mine" | "all";
export type Sort = "name" | "-name" | "missing_receipts" | "-missing_receipts";
export type Role = "admin" | "accountant";
export type Frequency = "daily" | "weekly" | "monthly";
export type Task = "missing_receipts" | "export_ready" | "low_balance";
export type Verification = "pending" | "in_review" | "information_required" | "verified" | "rejected";
export type Status = "connected" | "invitation" | "accepted" | "invited" | "ended";

export interface Person {
  id: string;
  name: string;
}

export interface Member extends Person {
  email: string;
  role: Role;
  active: boolean;
  suppressed: Suppression | boolean | null;
}

export interface Me {
  member: Person & { email: string; role: Role; locale: string | null };
  firm: Person;
}

export interface Money {
  amount_minor: number;
  currency: string;
}

export interface Action {
  allowed: boolean;
  reason: string | null;
}

export interface Row {
  client_id: string;
  name: string;
  client_number: string | null;
  status: Status;
  reason: string;
  reason_code: string;
  verification: Verification | null;
  assignees: Person[];
  missing_receipts: number | null;
  export_ready: number | null;
  balance: Money | null;
  low_balance: boolean;
  as_of: { missing_receipts: string | null; export_ready: string | null; balance: string | null };
  actions: { access: Action; notify: Action; remind: Action };
  proposed_assignees?: Person[];
}

export interface Page {
  items: Row[];
  next_cursor: string | null;
  total: number | null;
}

export interface TabCount {
  id: Tab;
  label: string;
  count: number;
}

export interface Suppression {
  reason: string;
  since: string;
}

export interface Notifications {
  email: boolean;
  frequency: Frequency | null;
  even_if_nothing: boolean;
  next_deliveries: string[];
  suppressed: Suppression | null;
}

export interface NotificationSettings {
  default_frequency: Frequency | null;
  paused_until: string | null;
}

export interface Onboarding {
  state: string;
  timeline: { state: string; at: string; corrected: boolean }[];
  missing: { code: string; text: string }[];
  usual_duration_days: number | null;
}

export interface Reminder {
  reminder_id: string;
  sent_at: string;
  by: Person;
  tasks: { task: Task; figure: number | Money | null; resolved_at: string | null }[];
  comment: string | null;
  recipients: (Person & { status: string; reason: string | null })[];
}

export interface Access {
  at: string;
  member: { id: string; name: string | null };
  event: "granted" | "redeemed";
}

/** A part whose owner is away is null and named in `unavailable`. */
export interface Details extends Row {
  onboarding: Onboarding | null;
  reminders: Reminder[] | null;
  access_log: Access[] | null;
  notifications: Notifications | null;
  unavailable: string[];
}

export interface Delivery {
  client_id: string;
  client_name: string | null;
  due_at: string;
  status: string;
  reason: string | null;
  sent_at: string | null;
  message_id: string | null;
}

export interface Deliveries {
  items: Delivery[];
  next_cursor: string | null;
}

/** What became of each client of a command about many. */
export interface Outcomes {
  items: { client_id: string; status: "succeeded" | "refused"; code: string | null }[];
}

export interface Sent {
  reminder_id: string;
  recipients: Person[];
}

export interface Grant {
  url: string | null;
  expires_at: string;
}

export interface FieldError {
  field: string;
  code: string;
  detail: string;
}
