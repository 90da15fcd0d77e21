/** Over whatever was being done: sign in again and go on. */

import { signOut } from "./session.ts";
import { Entries } from "./signin.tsx";
import { stand } from "./standing.ts";
import { Dialog } from "./ui/dialog.tsx";
import { useSpeech } from "./words/words.tsx";

export function SignInAgain() {
  const { w } = useSpeech();
  return (
    <Dialog title={w.signIn.expired} close={() => undefined} dismissable={false}>
      <div className="dialog-body">
        <p>{w.signIn.expiredText}</p>
        <Entries />
      </div>
      <footer className="dialog-foot">
        <button
          type="button"
          className="quiet"
          onClick={() => {
            stand({ expired: false });
            signOut();
          }}
        >
          {w.signIn.out}
        </button>
      </footer>
    </Dialog>
  );
}
