/** Asking once more before something that cannot be taken back. */

import type { Row } from "../api/contract.ts";
import { useRefresh } from "../api/queries.ts";
import { Go, Outcome, useCommand } from "../ui/command.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useNotice } from "../ui/notices.tsx";
import { useSpeech } from "../words/words.tsx";

interface Asked {
  row: Pick<Row, "client_id">;
  title: string;
  text: string;
  /** The verb on the button. */
  go: string;
  done: string;
  run: () => Promise<unknown>;
  close: () => void;
}

export function Confirm({ row, title, text, go, done, run, close }: Asked) {
  const { w } = useSpeech();
  const say = useNotice();
  const refresh = useRefresh();
  const command = useCommand(run, () => {
    say(done);
    refresh(row.client_id);
    close();
  });
  return (
    <Dialog title={title} close={close} alert>
      <div className="dialog-body">
        <p>
          <bdi>{text}</bdi>
        </p>
        <Outcome of={command} />
      </div>
      <footer className="dialog-foot">
        <button type="button" className="quiet" onClick={close}>
          {w.cancel}
        </button>
        <Go busy={command.busy} kind="danger" onPress={() => command.issue(undefined)}>
          {go}
        </Go>
      </footer>
    </Dialog>
  );
}
