/** What the contract promises and the generated schema does not name yet. */

import type { paths } from "./schema.d.ts";
import type { Frequency } from "./contract.ts";

interface Answers {
  responses: { 200: { headers: Record<string, unknown>; content: { "application/json": unknown } } };
}

interface CommandHeaders {
  parameters: { header?: { Prefer?: string; "Idempotency-Key"?: string } };
}

type Body<T> = { requestBody: { content: { "application/json": T } } };
type Which = { client_ids: string[] } | { scope: "mine" };

interface Coming {
  "/v1/notifications": {
    put: Answers & CommandHeaders & Body<Which & { email: boolean; frequency?: Frequency; even_if_nothing?: boolean }>;
  };
  "/v1/me/notification-settings": {
    get: Answers & { parameters: Record<string, never> };
    put: Answers & CommandHeaders & Body<{ default_frequency: Frequency | null; paused_until: string | null }>;
  };
  "/v1/clients/{client_id}/notifications/preview": {
    get: { parameters: { path: { client_id: string }; query?: { format?: "html" | "text" } } } & {
      responses: { 200: { headers: Record<string, unknown>; content: { "text/html": string } } };
    };
  };
  "/v1/members/{member_id}/suppression": {
    delete: Answers & { parameters: { path: { member_id: string } } & CommandHeaders["parameters"] };
  };
}

export type Contract = Omit<Coming, keyof paths> & paths;
