/** The first bytes: ask for what is shown first, then let the page's code arrive. */

import "@fontsource-variable/inter/wght.css";
import "./styles/tokens.css";
import "./styles/controls.css";
import "./styles/page.css";
import "./styles/dialogs.css";
import "./styles/table.css";
import "./styles/cards.css";
import "./styles/details.css";
import { PAGE_SIZE, questionOf, viewOf } from "./address.ts";
import { begin } from "./api/early.ts";
import { current } from "./session.ts";

const session = current();
if (session !== null) {
  const view = viewOf(location.search);
  begin("/v1/me", session.token);
  begin("/v1/tabs", session.token);
  if (view.place === "clients") {
    const asked = { ...questionOf(view, true), ...(view.cursor && { cursor: view.cursor }), limit: String(PAGE_SIZE) };
    begin(`/v1/clients?${new URLSearchParams(asked)}`, session.token);
  }
}
void import("./app.tsx");
