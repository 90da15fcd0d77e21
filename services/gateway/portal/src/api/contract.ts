/** What the public contract answers with, by the names the page uses; generated from the code into `schema.d.ts`. */

import type { components } from "./schema.d.ts";

type Schemas = components["schemas"];

export type Row = Schemas["Row"];
export type Page = Schemas["Rows"];
export type Action = Schemas["Action"];
export type Person = Schemas["Person"];
export type Money = Schemas["Money"];
export type Me = Schemas["Me"];
export type Member = Schemas["MemberLine"];
export type Details = Schemas["Details"];
export type Onboarding = Schemas["OnboardingShown"];
export type Reminder = Schemas["ReminderShown"];
export type Access = Schemas["AccessLine"];
export type Notifications = Schemas["NotificationsShown"];
export type NotificationSettings = Schemas["SettingsShown"];
export type Delivery = Schemas["Delivery"];
export type Deliveries = Schemas["Deliveries"];
export type TabCount = Schemas["Tab"];
export type Tab = TabCount["id"];
export type Status = Row["status"];
export type Verification = NonNullable<Row["verification"]>;
export type Frequency = Schemas["Frequency"];
export type Task = Schemas["Task"];
/** What became of each client of a command about many. */
export type Outcomes = Schemas["Items"];
export type Sent = Schemas["Reminded"];
export type Grant = Schemas["Granted"];
export type FieldError = NonNullable<Schemas["Problem"]["errors"]>[number];
export type Sort = "name" | "-name" | "missing_receipts" | "-missing_receipts";
