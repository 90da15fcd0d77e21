"""How far a mail came, told by a mail server of the test's own that fails where it is told to (N12, invariant 9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from services.notifier.smtp import Away, NotTaken, Pool, Result, Taken, Turned, Unknown

MESSAGE = b"Subject: s\r\n\r\n.dot\r\n..two\r\nend"
DROP = "drop"


class Sink:
    """A mail server: *faults* answers the next command of that name otherwise, once each; ``drop`` hangs up."""

    def __init__(self, pipelines: bool = False, **faults: str) -> None:
        self.pipelines = pipelines
        self.faults = faults
        self.taken: list[bytes] = []
        self.connections = 0
        self.open: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve until either side hangs up, and leave nothing open behind."""
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            await self.serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self.open.discard(task)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            command = line.split(b" ")[0].split(b"\r")[0].decode().lower()
            if command == "data" and "data" not in self.faults:
                writer.write(b"354 go on\r\n")
                body = b""
                while not body.endswith(b"\r\n.\r\n") and not self.faults.get("body"):
                    if not (text := await reader.readline()):
                        return
                    body += text
                command = "body" if self.faults.get("body") else "dot"
                if command == "dot":
                    self.taken.append(body)
            answer = self.faults.pop(
                command, "250-sink\r\n250 PIPELINING" if self.pipelines and command == "ehlo" else "250 fine"
            )
            if answer == DROP:
                return
            writer.write(answer.encode() + b"\r\n")


@asynccontextmanager
async def pool_to(sink: Sink) -> AsyncIterator[Pool]:
    server = await asyncio.start_server(sink.accept, "127.0.0.1", 0)
    pool = Pool("127.0.0.1", server.sockets[0].getsockname()[1], at_once=1)
    yield pool
    pool.close()
    server.close()
    for task in list(sink.open):
        task.cancel()
    await asyncio.gather(*sink.open, return_exceptions=True)
    await asyncio.sleep(0.01)  # transports say goodbye in the loop's next turn


def sent(sink: Sink, times: int = 1, leases: Iterator[bool] | None = None) -> list[Result]:
    async def story() -> list[Result]:
        results = []
        async with pool_to(sink) as pool:
            for _ in range(times):
                async with pool.line() as line:
                    results.append(await line.send("a@x.example", "b@x.example", MESSAGE, lambda: next(leases or iter(()), True)))
        return results

    return asyncio.run(story())


def test_mails_share_a_connection_and_dots_are_kept() -> None:
    """facts, "Mail": one connection for many; RFC 5321 4.5.2."""
    sink = Sink()
    assert sent(sink, 2) == [Taken(), Taken()]
    assert sink.connections == 1
    assert sink.taken == [b"Subject: s\r\n\r\n..dot\r\n...two\r\nend\r\n.\r\n"] * 2


@pytest.mark.parametrize(
    ("faults", "result"),
    [
        ({"rcpt": "550 no such mailbox"}, Turned),
        ({"rcpt": "451 greylisted"}, NotTaken),
        ({"mail": "503 bad sequence"}, NotTaken),
        ({"data": "451 not now"}, NotTaken),
        ({"rcpt": DROP}, NotTaken),
        ({"body": DROP}, NotTaken),
        ({"dot": "554 spam"}, Turned),
        ({"dot": "451 disk full"}, NotTaken),
        ({"dot": DROP}, Unknown),
        ({"dot": "what?"}, Unknown),
    ],
)
@pytest.mark.parametrize("pipelines", [False, True])
def test_only_what_is_lost_at_the_final_dot_is_unknown(faults: dict[str, str], result: type[Result], pipelines: bool) -> None:
    """N12: and the next, innocent mail goes out, whatever happened to the one before; in one breath, too (RFC 2920)."""
    first, second = sent(Sink(pipelines, **faults), 2)
    if faults == {"body": DROP} and isinstance(first, Unknown):
        pytest.skip("the system told us of the hang-up only after the dot")
    assert isinstance(first, result)
    assert second == Taken()


def test_without_a_lease_the_final_dot_is_not_sent() -> None:
    """Invariant 9: another sender may have begun by then."""
    sink = Sink()
    first, second = sent(sink, 2, iter([False, True]))
    assert isinstance(first, NotTaken)
    assert (second, len(sink.taken), sink.connections) == (Taken(), 1, 2)


def test_a_mail_server_that_is_away_touches_no_mail() -> None:
    """E3: an outage waits."""

    async def story() -> None:
        async with Pool("127.0.0.1", 1).line():
            pass

    with pytest.raises(Away):
        asyncio.run(story())


def test_a_mail_server_that_went_away_is_not_taken_for_one_that_is_there() -> None:
    """E3: a connection that rests says so as long as it stands; nothing is claimed for a server that is gone."""

    async def story() -> None:
        async with pool_to(Sink()) as pool:
            await pool.reached()
            async with pool.line():
                await pool.reached()  # it is the only one, and in use
        with pytest.raises(Away):
            await pool.reached()

    asyncio.run(story())


def test_many_who_ask_at_once_whether_the_mail_server_is_there_learn_the_same() -> None:
    """E3: by one connection; of a server that answers nobody, all know after one deadline."""

    async def story() -> None:
        sink = Sink()
        async with pool_to(sink) as pool:
            await asyncio.gather(*(pool.reached() for _ in range(50)))
            assert sink.connections == 1
        answers = await asyncio.gather(*(pool.reached() for _ in range(50)), return_exceptions=True)
        assert len(set(answers)) == 1
        assert isinstance(answers[0], Away)

    asyncio.run(story())


def test_a_connection_that_was_lost_while_it_rested_is_no_mail_server() -> None:
    """E3: the pool looks at what it keeps."""

    async def story() -> None:
        async with pool_to(Sink()) as pool:
            await pool.reached()
            (resting,) = pool._resting
            pool._port = 1
            await pool.reached()
            resting.close()
            with pytest.raises(Away):
                await pool.reached()

    asyncio.run(story())
