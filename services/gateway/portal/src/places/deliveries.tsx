/** "Meine Zustellungen": one line for every instant that has passed, newest first (N10). */

import { useInfiniteQuery } from "@tanstack/react-query";
import { api, told } from "../api/client.ts";
import type { Deliveries, Delivery } from "../api/contract.ts";
import { Empty } from "../clients/list.tsx";
import { go } from "../navigation.ts";
import { textOf } from "../ui/command.tsx";
import { useSpeech } from "../words/words.tsx";
import { Settings } from "./settings.tsx";

const LATE_AFTER = 5; // minutes; before that it was on time
const TONES: Record<string, string> = { sent: "good", failed: "bad", missed: "warn", outcome_unknown: "warn" };

export function DeliveriesPage() {
  const { w, locale } = useSpeech();
  const read = useInfiniteQuery({
    queryKey: ["deliveries", { locale }],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => told<Deliveries>(api.GET("/v1/me/deliveries", { params: { query: pageParam ? { cursor: pageParam } : {} }, signal })),
    getNextPageParam: (page) => page.next_cursor,
  });
  const lines = read.data?.pages.flatMap(({ items }) => items);
  return (
    <>
      <div className="page-head">
        <h1>{w.deliveries.title}</h1>
      </div>
      <Settings />
      {lines === undefined && (read.error ? <Empty title={w.failed.title} text={textOf(read.error, w)} /> : <p role="status">{w.loading}</p>)}
      {lines?.length === 0 && <Empty title={w.deliveries.none} text={w.deliveries.noneText} />}
      {lines !== undefined && lines.length > 0 && <Lines lines={lines} />}
      {read.hasNextPage && (
        <button type="button" className="quiet" aria-disabled={read.isFetchingNextPage} onClick={() => void read.fetchNextPage()}>
          {w.deliveries.more}
        </button>
      )}
    </>
  );
}

function Lines({ lines }: { lines: Delivery[] }) {
  const { w, f } = useSpeech();
  return (
    <div className="card">
      <table className="plain-table" aria-label={w.deliveries.table}>
        <thead>
          <tr>
            <th scope="col">{w.deliveries.due}</th>
            <th scope="col">{w.deliveries.client}</th>
            <th scope="col">{w.deliveries.status}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={`${line.due_at} ${line.client_id}`}>
              <td className="when">{f.moment(line.due_at)}</td>
              <th scope="row">
                <button type="button" className="link" onClick={() => go({ place: "clients", client: line.client_id })}>
                  <bdi>{line.client_name ?? line.client_id}</bdi>
                </button>
              </th>
              <td>
                <span className={`badge ${TONES[line.status] ?? "none"}`}>{w.deliveryStatus[line.status] ?? line.status}</span>{" "}
                <span className="faint">{because(line)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );

  function because({ reason, due_at, sent_at }: Delivery): string {
    if (reason !== null) return w.skipReasons[reason] ?? reason;
    const late = sent_at === null ? 0 : Math.floor((Date.parse(sent_at) - Date.parse(due_at)) / 60_000);
    return late >= LATE_AFTER ? w.deliveries.late(f.number(late)) : "";
  }
}
