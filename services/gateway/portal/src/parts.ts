/** The parts that come later (`later.tsx`), and the library that only they need. */

export { I18nProvider } from "react-aria-components";
export { FilterChoice } from "./clients/filters.tsx";
export { RowMenu } from "./clients/menu.tsx";
export { RowDialogs } from "./clients/rowdialogs.tsx";
export { Sheet } from "./details/sheet.tsx";
export { BulkAssignDialog } from "./dialogs/bulkassign.tsx";
export { BulkNotifyDialog } from "./dialogs/bulknotify.tsx";
export { InviteDialog } from "./dialogs/invite.tsx";
export { DeliveriesPage } from "./places/deliveries.tsx";
export { MembersPage } from "./places/members.tsx";
export { SignInAgain } from "./signinagain.tsx";
