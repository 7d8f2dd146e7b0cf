"""SPEC 9: webhooks on a real port of this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from plot_nb import PlotError, Runtime
from plot_nb.cli import main
from plot_nb.engine.clock import EPOCH
from plot_nb.journal import frames
from plot_nb.tools.webhooks import BASE, token_of
from tests.runtime.test_webhooks import HEAD, HOOKS, hooked, stored
from tests.runtime.twists import methods, on_runtime

T = TypeVar("T")


def at(server: Any, url: str) -> str:
    """A webhook's URL where it is served."""
    return f"{server.url}/{token_of(url)}"


def served(work: Callable[[Runtime, Any, Any, httpx.AsyncClient], Awaitable[T]], **settings: Any) -> T:
    """Run `work` with a runtime, a twist that has webhooks, a server and a client."""

    async def serving(runtime: Runtime, twist: Any) -> T:
        async with await runtime.serve_webhooks() as server, client() as outside:
            return await work(runtime, twist, server, outside)

    return hooked(serving, **settings)


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A program of this machine."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as outside:
        yield outside


@pytest.mark.rule("9.31")
def test_what_is_posted_to_the_port_is_answered_and_runs_though_nobody_awaits_it() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url, sync = (await twist.hook()).value, (await twist.hook("on_event", 1, 2, sync=True)).value
        before = runtime.last_run
        async with await runtime.serve_webhooks() as server, client() as outside:
            assert server.url == f"http://127.0.0.1:{server.port}"
            answers = await asyncio.gather(
                *(outside.post(at(server, url), content=str(n)) for n in range(50))
            )
            assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"queued": true}')}
            waited = await outside.post(at(server, sync), content="sync")
            assert (waited.status_code, waited.json()) == (200, 2)
        assert sorted(text for text, *_ in stored(twist)["events"]) == sorted([*map(str, range(50)), "sync"])
        assert runtime.webhooks()["posts"].tolist() == [50, 1]
        assert runtime.last_run is before

    hooked(work)


def test_a_post_that_fails_is_tried_again_though_nobody_awaits_it() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        url = (await twist.hook("fails")).value
        async with await runtime.serve_webhooks() as server, client() as outside:
            assert (await outside.post(at(server, url))).status_code == 200
        assert stored(twist)["tries"] == 3
        assert len(runtime.dead_letters()) == 1

    hooked(work)


@pytest.mark.rule("7.48")
def test_tokens_are_random_on_a_runtime_that_serves_also_when_it_is_opened_again(tmp_path: Path) -> None:
    body = HOOKS + "async def made(self): return await self.callback(self.later)\n"

    def tokens(name: str, *, serve: bool) -> list[Any]:
        async def work(runtime: Runtime) -> list[Any]:
            twist: Any = await runtime.deploy(methods(body, head=HEAD))
            if serve:
                await runtime.serve_webhooks()
            return [token_of((await twist.hook()).value), (await twist.made()).value]

        return on_runtime(work, path=tmp_path / name)

    assert tokens("a", serve=False) == tokens("b", serve=False)
    first, second = tokens("c", serve=True), tokens("d", serve=True)
    assert not set(first) & set(second)
    assert all(len(token) == 31 for token in (*first, *second))
    again = [tokens("c", serve=False), tokens("d", serve=False)]
    assert len({token for pair in again for token in pair}) == 4


def test_urls_are_those_of_the_server_while_there_is_one() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        async with await runtime.serve_webhooks() as server:
            url = (await twist.hook()).value
            assert url.startswith(f"{server.url}/wh_")
            assert runtime.webhooks()["url"].tolist() == [url]
            assert (await runtime.post_webhook(url)).status_code == 200
            with pytest.raises(PlotError, match=f"served already, at {server.url}"):
                await runtime.serve_webhooks()
        assert runtime.webhooks()["url"].tolist() == [f"{BASE}/{token_of(url)}"]
        assert (await runtime.post_webhook(url)).status_code == 200

    hooked(work)


def test_who_serves_webhooks_whose_tokens_follow_from_the_seed_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        await twist.hook()
        with caplog.at_level(logging.WARNING, "plot_nb"):
            async with await runtime.serve_webhooks():
                await twist.hook()
            assert (
                "tokens of webhooks made before now (1 of them) follow from the runtime's seed" in caplog.text
            )

    hooked(work)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("[::1]:{port}", 200),
        ("127.0.0.1", 400),
        ("127.0.0.1:1", 400),
        ("evil.example:{port}", 400),
        ("127.0.0.1.evil.example:{port}", 400),
        ("localhost.evil.example:{port}", 400),
        ("0.0.0.0:{port}", 400),
        ("", 400),
    ],
)
def test_only_who_names_this_machine_is_answered(host: str, status: int) -> None:
    """A page of a browser can have its own name point to 127.0.0.1; it cannot give another one."""

    async def work(_: Runtime, twist: Any, server: Any, outside: httpx.AsyncClient) -> None:
        url = (await twist.hook("on_event", sync=True)).value
        answer = await outside.post(url, headers={"host": host.format(port=server.port)})
        assert answer.status_code == status
        assert (b"0" if status == 200 else b"") == answer.content
        assert not any(name.startswith("access-control") for name in answer.headers)

    served(work)


@pytest.mark.rule("9.24", "9.25", "9.28")
def test_errors_say_nothing_more_to_the_port() -> None:
    async def work(runtime: Runtime, twist: Any, server: Any, outside: httpx.AsyncClient) -> None:
        url, fails = (await twist.hook()).value, (await twist.hook("fails", sync=True)).value
        unknown = f"{server.url}/wh_{'0' * 28}"
        given = [
            (404, "POST", unknown, b"x"),
            (404, "POST", unknown, b"x" * 2**21),
            (404, "GET", server.url, b""),
            (405, "OPTIONS", url, b""),
            (413, "POST", url, b"x" * (2**20 + 1)),
            (500, "POST", fails, b"x"),
        ]
        for status, method, where, body in given:
            answer = await outside.request(method, where, content=body)
            assert (answer.status_code, answer.content) == (status, b""), where
        await runtime.suspend(twist)
        assert (await outside.post(fails)).status_code == 503
        await runtime.resume(twist)
        await twist.deactivate()
        assert (await outside.post(url)).status_code == 404

    served(work)


def test_a_body_without_an_end_is_cut_off() -> None:
    async def work(_: Runtime, twist: Any, server: Any, outside: httpx.AsyncClient) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 2**16
                yield b"x" * 2**16

        try:
            answer = await outside.post((await twist.hook()).value, content=endless())
        except httpx.TransportError:
            pass
        else:
            assert answer.status_code == 413
        assert sent < 64 * 2**20
        assert twist.tasks.empty

    served(work)


def test_closing_the_runtime_closes_the_server() -> None:
    async def work() -> None:
        runtime = Runtime(seed=1)
        server = await runtime.serve_webhooks()
        await runtime.aclose()
        with pytest.raises(OSError):  # noqa: PT011  whatever a closed port answers
            socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
        await server.aclose()
        assert "closed" in repr(server)

    asyncio.run(work())


def test_a_port_that_cannot_be_had_is_named() -> None:
    async def work(runtime: Runtime, _: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(PlotError, match=f"port {port} cannot be had"):
                await runtime.serve_webhooks(port)
        with pytest.raises(ValueError, match="port 65536 does not exist"):
            await runtime.serve_webhooks(65536)
        with pytest.raises(TypeError, match="serve_webhooks takes a port"):
            await runtime.serve_webhooks("8000")  # type: ignore[arg-type]
        await (await runtime.serve_webhooks(0)).aclose()

    hooked(work)


@pytest.mark.parametrize("package", ["uvicorn", "starlette.requests"])
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    async def work(runtime: Runtime, _: Any) -> None:
        with pytest.raises(PlotError, match=r"pip install 'plot_nb\[webhooks\]'"):
            await runtime.serve_webhooks()

    hooked(work)


# the command


NOTED = (
    HOOKS
    + """
async def noted(self, request):
    await self.set(f"noted:{request.raw_body}", True)
async def records(self, request):
    await self.schedule_drain("inbox", self.drained, [request.raw_body], delay=timedelta(milliseconds=100))
async def drained(self, ids):
    await self.set("drained", ids)
async def plan(self):
    await self.run_task(await self.callback(self.later), run_at=now() + timedelta(hours=1))
"""
)


def made(path: Path, method: str = "on_event") -> str:
    """A state file with a webhook; returns its token."""

    async def work(runtime: Runtime) -> str:
        twist: Any = await runtime.deploy(methods(NOTED, head=HEAD + "from datetime import timedelta"))
        return str(token_of((await twist.hook(method)).value))

    return on_runtime(work, path=path)


def command(path: Path, *options: str) -> tuple[subprocess.Popen[str], str, str]:
    """`plot-nb webhooks` in a process of its own, where it serves, and what it says of its only webhook."""
    process = subprocess.Popen(
        [sys.executable, "-m", "plot_nb.cli", "webhooks", str(path), "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    return process, first.split(" is served at ")[1].split()[0], process.stdout.readline().strip()


@pytest.mark.rule("9.34")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_a_state_file_until_it_is_interrupted(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "state.db"
    token = made(path)
    process, url, said = command(path)
    try:
        assert said == f"Sync.on_event (queues): {url}/{token}"
        answer = httpx.post(f"{url}/{token}", content="from outside", trust_env=False)
        assert answer.json() == {"queued": True}
    finally:
        process.send_signal(how)
        process.communicate(timeout=60)
    assert process.returncode == 0

    async def work(runtime: Runtime) -> None:
        await runtime.run_until_idle()
        assert stored(runtime.twists()[0])["events"] == [["from outside"]]

    on_runtime(work, path=path)


@contextmanager
def serving(path: Path, *options: str) -> Iterator[str]:
    """The command while it serves a file; gives where."""
    process, url, _ = command(path, *options)
    try:
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def until(path: Path, key: str) -> Any:
    """What the twist of a file that another process serves wrote under a key."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        table = frames.store(path, 1)
        for value in table.loc[table["key"] == key, "value"]:
            return value
        time.sleep(0.02)  # nothing tells of what runs by itself in another process
    raise AssertionError(f"{key} was not written")


@pytest.mark.rule("9.36")
def test_what_a_post_to_the_command_schedules_runs_when_it_falls_due(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    token = made(path, "records")
    with serving(path) as url:
        assert httpx.post(f"{url}/{token}", content="new", trust_env=False).status_code == 200
        assert until(path, "drained") == ["new"]


async def plan(runtime: Runtime) -> None:
    """Schedule a task of the only twist an hour ahead on the file's clock."""
    await runtime.twists()[0].call("plan")


@pytest.mark.rule("7.54", "9.36")
def test_what_fell_due_while_the_file_was_closed_runs_when_the_command_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    made(path)
    on_runtime(plan, path=path)
    with serving(path):
        assert until(path, "later") is True


@pytest.mark.rule("9.36")
def test_on_the_virtual_clock_the_command_leaves_what_is_scheduled(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    token = made(path, "noted")
    on_runtime(plan, path=path)

    async def work(runtime: Runtime) -> None:
        assert runtime.now < EPOCH + timedelta(hours=1)
        waits = runtime.twists()[0].tasks
        assert waits.loc[waits["method"] == "later", "state"].tolist() == ["queued"]

    with serving(path, "--clock", "virtual") as url:
        assert httpx.post(f"{url}/{token}", content="x", trust_env=False).status_code == 200
        assert until(path, "noted:x") is True
    on_runtime(work, path=path)


def test_the_command_tells_of_a_file_whose_clock_is_ahead_of_the_wall(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    made(path)

    async def work(runtime: Runtime) -> None:
        await runtime.advance(datetime.now(UTC) - runtime.now + timedelta(days=365))

    on_runtime(work, path=path)
    process, _, said = command(path)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert "nothing that is scheduled runs before then" in said


def test_the_command_says_of_which_instance_a_webhook_is(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def work(runtime: Runtime) -> None:
        staging: Any = await runtime.deploy(methods(HOOKS, head=HEAD), instance="staging")
        await staging.hook()

    on_runtime(work, path=path)
    process, _, said = command(path)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert said.startswith("Sync/staging.on_event (queues): ")


@pytest.mark.rule("7.44")
def test_the_command_names_the_owner_of_a_file_that_is_in_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(runtime: Runtime) -> None:
        assert await asyncio.to_thread(main, ["webhooks", str(runtime.path)]) == 1
        assert f"already open in this process (pid {os.getpid()})" in capsys.readouterr().err

    on_runtime(work, path=tmp_path / "state.db")
    assert main(["webhooks", str(tmp_path / "none.db")]) == 1
    assert "there is no state file at" in capsys.readouterr().err
    for arguments in (
        [],
        ["webhooks"],
        ["webhooks", "x", "--port", "65536"],
        ["webhooks", "x", "--clock", "wall"],
    ):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2


async def post(url: str, text: str) -> int | None:
    """Post a text, with no client between that has work of its own; None if the server is gone."""
    _, _, host, path = url.split("/")
    name, _, port = host.partition(":")
    try:
        reader, writer = await asyncio.open_connection(name, int(port))
        try:
            head = f"POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
            writer.write((head + text).encode())
            answer = await reader.read()
        finally:
            writer.close()
    except OSError:
        return None
    return int(answer.split()[1]) if answer else None


async def pour(url: str, first: int, count: int, accepted: list[int]) -> None:
    """Post numbers, all at once; notes those that were accepted, also if the server goes meanwhile."""

    async def post_number(number: int) -> None:
        if await post(url, str(number)) == 200:
            accepted.append(number)

    await asyncio.gather(*(post_number(number) for number in range(first, first + count)))


def killed_while_posting(path: Path, *, posts: int, kills: int) -> tuple[int, int, int]:
    """Kill the server again and again in the middle of posts.

    Returns:
        How many posts were sent, how many accepted, and how many ran.
    """
    token = made(path, "noted")
    accepted: list[int] = []
    for turn in range(kills):
        process, url, _ = command(path)

        async def work(process: subprocess.Popen[str], url: str, first: int) -> None:
            wanted = len(accepted) + posts // 3
            pouring = asyncio.ensure_future(pour(f"{url}/{token}", first, posts, accepted))
            while len(accepted) < wanted and not pouring.done():  # noqa: ASYNC110  it is the number that counts
                await asyncio.sleep(0.001)
            process.kill()
            await pouring

        asyncio.run(work(process, url, turn * posts))
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL

    async def finish(runtime: Runtime) -> set[str]:
        await runtime.run_until_idle()
        twist = runtime.twists()[0]
        assert set(twist.tasks["state"]) == {"done"}
        return {key.removeprefix("noted:") for key in stored(twist)}

    ran = on_runtime(finish, path=path)
    assert set(map(str, accepted)) <= ran
    return kills * posts, len(accepted), len(ran)


@pytest.mark.rule("9.32")
def test_what_was_answered_runs_also_when_the_process_is_killed_right_after(tmp_path: Path) -> None:
    sent, accepted, _ = killed_while_posting(tmp_path / "state.db", posts=60, kills=1)
    assert 20 <= accepted <= sent
