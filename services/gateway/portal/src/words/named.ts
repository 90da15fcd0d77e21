/** A person's name; of somebody whom nobody knows any more, that. */

import type { Person } from "../api/contract.ts";
import type { Words } from "./de.ts";

export function named(person: Pick<Person, "name">, w: Words): string {
  return person.name ?? w.log.gone;
}
