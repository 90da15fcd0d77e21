/** Dialogs and the sheet: a title, a body, an end; Escape closes, and the focus goes back where it was. */

import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useSpeech } from "../words/words.tsx";
import { useReturn } from "./return.ts";

interface Asked {
  title: string;
  children: ReactNode;
  close: () => void;
  /** Dialogs stand in the middle, the sheet at the right edge. */
  shape?: "middle" | "sheet" | "wide";
  /** What is under way must not be closed by a click beside it. */
  dismissable?: boolean;
  alert?: boolean;
}

export function Dialog({ title, children, close, shape = "middle", dismissable = true, alert = false }: Asked) {
  const { w } = useSpeech();
  useReturn();
  return (
    <ModalOverlay
      className={`overlay ${shape}`}
      isOpen
      isDismissable={dismissable}
      isKeyboardDismissDisabled={!dismissable}
      onOpenChange={(open) => !open && close()}
    >
      <Modal className={`modal ${shape}`}>
        <AriaDialog className="dialog" role={alert ? "alertdialog" : "dialog"}>
          <header className="dialog-head">
            <Heading slot="title" level={2}>
              <bdi>{title}</bdi>
            </Heading>
            {dismissable && (
              <button type="button" className="plain icon" aria-label={w.close} onClick={close}>
                ×
              </button>
            )}
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
