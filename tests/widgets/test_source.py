from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from plot_nb import Runtime
from plot_nb.runtime.watching import unwatch
from plot_nb.widgets.bundle import bundle
from plot_nb.widgets.following import Following
from plot_nb.widgets.source import Source, Sources
from tests.runtime.twists import line_of, methods, on_runtime
from tests.widgets.page import Clock, Page

SYNC = methods(
    """
    async def go(self):
        await self.set("page", 1)
        print("one page")
        return "done"

    async def slow(self, n=0):
        await self.set(f"page:{n}", n)
        if n < 200:
            await self.run_task(await self.callback("slow", n + 1))
    """
)


@pytest.fixture
def following() -> Iterator[Following]:
    following = Following(Clock(), threaded=False)
    yield following
    unwatch(following)


def page_of(subject: Any, following: Following, view: str = "v") -> Page:
    return Page(Source(subject), following, Clock(), view=view)


def test_the_detail_of_an_attempt_has_its_requests_logs_and_source(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        run = await (await runtime.deploy(SYNC)).go()
        answer = page_of(run, following).ask(ask="detail", id=run._attempts[0])

        assert answer["detail"]["result"] == "'done'"
        assert answer["detail"]["lines"]["line"] == [line_of(SYNC, '"page", 1')]
        assert answer["detail"]["logs"]["text"] == ["one page"]
        assert answer["source"]["text"] == SYNC

    on_runtime(work)


def test_an_attempt_that_never_was_is_an_error_in_words(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        run = await (await runtime.deploy(SYNC)).go()

        assert "no attempt 999" in page_of(run, following).ask(ask="detail", id=999)["error"]

    on_runtime(work)


def test_values_are_texts_by_the_ids_of_writes(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SYNC)
        await twist.go()
        twist.load({"long": json.dumps({"json": "x" * 100_000})})
        answer = page_of(twist, following).ask(ask="values", ids=[2, 1, 77])

        assert {each["id"]: len(each["text"]) for each in answer["values"]} == {1: 10, 2: 100_012}

    on_runtime(work)


def test_values_that_are_too_much_for_one_message_are_left_out(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SYNC)
        large = json.dumps({"json": "x" * 900_000})
        twist.load({"a": large, "b": large, "c": large})
        answer = page_of(twist, following).ask(ask="values", ids=[1, 2, 3])

        assert len(answer["values"]) == 1

    on_runtime(work)


def test_a_write_by_hand_is_journaled_without_an_attempt(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SYNC)
        run = await twist.go()
        page = page_of(run, following)
        done = page.ask(ask="write", twist="Sync", key="page", text='{"json":7}')

        assert done == {"view": "v", "number": 1, "done": True}
        assert twist.dump() == {"page": '{"json":7}'}
        written = twist.store_history
        assert list(written["version"]) == [1, 2]
        assert written["execution"].isna().tolist() == [False, True]

    on_runtime(work)


def test_a_clear_by_hand_is_journaled_too(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SYNC)
        await twist.go()
        page = page_of(runtime, following)

        assert page.ask(ask="write", twist="Sync", key="page", text=None)["done"] is True
        assert page.ask(ask="write", twist="Sync", key="never there", text=None)["done"] is True
        assert twist.dump() == {}
        assert list(twist.store_history["type"]) == ["int", "cleared"]

    on_runtime(work)


@pytest.mark.parametrize(
    ("twist", "key", "text", "words"),
    [
        ("Sync", "__lock__:a", '{"json":1}', "are locks"),
        ("Sync", "__lock__:a", None, "are locks"),
        ("Sync", "k" * 1025, '{"json":1}', "at most 1024"),
        ("Sync", "half \ud800", '{"json":1}', "surrogate"),
        ("Sync", "a", "no json", "not superjson"),
        ("Sync", "a", '{"other":1}', "not superjson"),
        ("Sync", "a", '{"json":1,"meta":{"values":["nonsense"]}}', ""),
        ("Sync", "a", json.dumps({"json": "x" * 2**20}), "at most 1048576"),
        ("Other", "a", '{"json":1}', "no twist 'Other'"),
        ("Sync/other", "a", '{"json":1}', "no twist"),
    ],
)
def test_what_the_store_cannot_hold_is_refused_in_words(
    following: Following, twist: str, key: str, text: str | None, words: str
) -> None:
    async def work(runtime: Runtime) -> None:
        handle = await runtime.deploy(SYNC)
        answer = page_of(handle, following).ask(ask="write", twist=twist, key=key, text=text)

        assert words in answer["error"]
        assert handle.dump() == {}

    on_runtime(work)


def test_instances_of_one_class_are_written_apart(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        one = await runtime.deploy(SYNC)
        other = await runtime.deploy(SYNC, "other")
        page = page_of(runtime, following)
        page.ask(ask="write", twist="Sync/other", key="a", text='{"json":2}')

        assert (one.dump(), other.dump()) == ({}, {"a": '{"json":2}'})

    on_runtime(work)


def test_the_store_is_written_while_a_chain_runs_and_from_any_thread(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SYNC)
        page = page_of(twist, following)
        chain = asyncio.ensure_future(twist.slow())
        while not runtime.running:  # noqa: ASYNC110  # it runs on another thread
            await asyncio.sleep(0)
        here = page.ask(ask="write", twist="Sync", key="here", text='{"json":1}')
        there = await asyncio.to_thread(page.ask, ask="write", twist="Sync", key="there", text='{"json":2}')

        assert here["done"] is there["done"] is True
        assert not chain.done()
        assert (await chain).ok
        assert {"here", "there"} <= set(twist.dump())

    on_runtime(work)


def test_on_the_engines_own_thread_a_write_does_not_wait_for_itself(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SYNC)
        page = page_of(twist, following)

        async def on_the_engine() -> Any:
            return page.ask(ask="write", twist="Sync", key="a", text='{"json":1}')

        assert (await runtime._submit(on_the_engine()))["done"] is True
        assert twist.dump() == {"a": '{"json":1}'}

    on_runtime(work)


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        "follow",
        [],
        {},
        {"ask": "follow"},
        {"ask": "no such ask", "view": "v"},
        {"ask": "follow", "view": "v", "after": {"attempt": -1, "write": 0}, "running": []},
        {"ask": "follow", "view": "v", "after": {"attempt": 0, "write": 0}, "running": ["1; DROP TABLE"]},
        {"ask": "follow", "view": "v" * 1000, "after": {"attempt": 0, "write": 0}, "running": []},
        {"ask": "select", "view": "v", "id": 2**70},
        {"ask": "select", "view": None, "id": 1},
    ],
)
def test_what_is_no_ask_is_dropped(following: Following, data: Any) -> None:
    async def work(runtime: Runtime) -> None:
        page = page_of(await runtime.deploy(SYNC), following)
        page.connection.hear(data)

        assert page.answers == []
        assert len(following) == 0

    on_runtime(work)


@pytest.mark.parametrize(
    "ask",
    [
        {"ask": "detail", "id": "1 OR 1=1"},
        {"ask": "detail", "id": 1.5},
        {"ask": "values", "ids": [[1]]},
        {"ask": "values", "ids": list(range(1001))},
        {"ask": "write", "twist": "Sync", "key": 1, "text": "x"},
        {"ask": "write", "twist": "Sync", "key": "a", "text": {"json": 1}},
        {"ask": "write", "twist": "Sync", "key": "a"},
    ],
)
def test_a_wrong_ask_that_waits_for_an_answer_gets_words(following: Following, ask: dict[str, Any]) -> None:
    async def work(runtime: Runtime) -> None:
        page = page_of(await runtime.deploy(SYNC), following)

        assert "did not understand" in page.ask(**ask)["error"]

    on_runtime(work)


def test_a_selection_is_told_to_all_other_pictures_of_the_source(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        source = Source(await (await runtime.deploy(SYNC)).go())
        one, other = (Page(source, following, Clock(), view=view) for view in ("a", "b"))
        one.say(ask="select", id=None)
        other.say(ask="select", id=None)
        one.say(ask="select", id=1)

        assert source.selected == 1
        assert (one.answers, other.answers) == ([], [{"view": "b", "selected": 1}])
        source.select(None)
        assert one.answers == [{"view": "a", "selected": None}]
        other.connection.close()
        source.select(1)
        assert len(other.answers) == 2

    on_runtime(work)


def test_the_latest_sources_answer_and_older_ones_are_gone() -> None:
    async def work(runtime: Runtime) -> None:
        sources = Sources(kept=3)
        runs = [await (await runtime.deploy(SYNC)).go() for _ in range(4)]
        keys = [sources.of(run).key for run in runs]

        assert [sources.get(key) is not None for key in keys] == [False, True, True, True]
        assert sources.of(runs[1]).key == keys[1]
        assert sources.of(runs[0]).key != keys[0]
        assert [sources.get(key) is not None for key in keys] == [False, True, False, True]
        assert sources.get(None) is sources.get(["key"]) is sources.get("guess") is None

    on_runtime(work)


def test_a_source_keeps_no_runtime_alive() -> None:
    async def work(runtime: Runtime) -> tuple[Source, ...]:
        twist = await runtime.deploy(SYNC)
        return Source(await twist.go()), Source(twist), Source(runtime)

    import gc
    import weakref

    seen: list[weakref.ref[Runtime]] = []

    async def noted(runtime: Runtime) -> tuple[Source, ...]:
        seen.append(weakref.ref(runtime))
        return await work(runtime)

    kept = on_runtime(noted)
    gc.collect()

    assert seen[0]() is None
    assert len(kept) == 3


@pytest.mark.parametrize("which", ["run", "twist", "runtime"])
def test_a_picture_of_each_subject_tells_what_ran_and_who_answers(which: str) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SYNC)
        run = await twist.go()
        source = Source({"run": run, "twist": twist, "runtime": runtime}[which], "chain")  # type: ignore[arg-type]
        picture = source.picture()

        assert (picture["source"], picture["panel"]) == (source.key, "chain")
        assert picture["rows"]["executions"]["id"] == run._attempts
        assert picture["rows"]["running"] is False

    on_runtime(work)


SECRET = methods(
    """
    async def go(self):
        secret = self.options["token"]
        await self.set("state", {"token": secret, "page": 1})
        await self.set(f"by {secret}", [secret, 471199])
        await self.schedule_task(f"later {secret}", await self.callback("go"), now() + timedelta(days=1))
        await self.schedule_task(f"later {secret}", await self.callback("go"), now() + timedelta(days=2))
        await self.run_task(await self.callback("fail"))

    async def fail(self):
        raise ValueError(self.options["token"])
    """,
    head="from datetime import timedelta",
)
HIDDEN = {"token": "sesame-oil", "pin": 471199}


@pytest.mark.rule("4.29")
def test_options_are_in_no_table_and_no_row_that_a_source_gives(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SECRET, options=HIDDEN)
        run = await twist.go()
        later = await runtime.advance(timedelta(hours=1))
        for subject in (twist, runtime, run, later):
            for panel in ("inspector", "store", "progress", "budget", "chain", "execution"):
                progress = "state" if panel == "progress" else None
                source = Source(subject, panel, progress=progress)
                shown = str(bundle(source)) + str(Page(source, following, Clock()).ask(ask="detail", id=1))
                assert "•••" in shown
                assert "sesame" not in shown
                assert "471199" not in shown

    on_runtime(work)


@pytest.mark.rule("4.29")
def test_options_of_earlier_deploys_are_in_no_row_either(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SECRET, options=HIDDEN)
        await twist.go()
        twist = await runtime.deploy(SECRET, options={"token": "walnut-oil"})
        run = await twist.go()
        for subject in (twist, runtime, run):
            for panel in ("inspector", "store", "progress", "chain", "execution"):
                progress = "state" if panel == "progress" else None
                source = Source(subject, panel, progress=progress)
                page = Page(source, following, Clock())
                shown = str(bundle(source)) + "".join(
                    str(page.ask(**ask))
                    for ask in (
                        {"ask": "detail", "id": 1},
                        {"ask": "values", "ids": [*range(1, 9)]},
                    )
                )
                assert "•••" in shown
                for secret in ("sesame", "471199", "walnut"):
                    assert secret not in shown

    on_runtime(work)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("state", '{"json":{"token":"•••","page":2}}'),
        ("state", r'{"json":{"token":"\u2022\u2022\u2022","page":2}}'),
        ("by •••", '{"json":1}'),
        ("by •••", None),
    ],
)
def test_what_is_shown_in_place_of_an_option_is_not_written_back(
    following: Following, key: str, text: str | None
) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SECRET, options=HIDDEN)
        await twist.go()
        before = twist.dump()
        answer = page_of(twist, following).ask(ask="write", twist="Sync", key=key, text=text)

        assert "options are never shown" in answer["error"]
        assert twist.dump() == before

    on_runtime(work)


def test_a_key_that_names_an_option_is_masked_where_it_is_found_to_count(following: Following) -> None:
    cell = methods(
        """
        async def go(self, n=1):
            await self.set(f"state of {self.options['token']}", {"page": n, "processed": 10 * n})
            if n < 5:
                await self.run_task(await self.callback("go", n + 1))
        """
    )

    async def work(runtime: Runtime) -> None:
        run = await (await runtime.deploy(cell, options=HIDDEN)).go()
        progress = Source(run).picture()["rows"]["progress"]

        assert progress is not None
        assert progress["key"] == "state of •••"
        assert progress["total"] == [10, 20, 30, 40, 50]

    on_runtime(work)


def test_a_twist_without_options_can_hold_the_mask_like_any_other_text(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(SYNC, options={"short": "abc"})
        page = page_of(runtime, following)

        assert page.ask(ask="write", twist="Sync", key="•••", text='{"json":"•••"}')["done"] is True

    on_runtime(work)


HOLDS = methods(
    """
    def build(self, build):
        return {"network": build(Network), "plot": build(Plot)}
    async def go(self):
        await self.callback(self.fails, "kept: hidden-secret")
        await self.schedule_task("soon", await self.callback(self.fails), now() + timedelta(hours=1))
        await self.schedule_recurring("hourly", await self.callback(self.fails), every=timedelta(hours=2))
        await self.run_task(await self.callback(self.fails))
        await self.tools.network.create_webhook(self.fails, sync=True)
        await self.tools.plot.create_activity({"key": "k", "type": "action", "title": "Look at hidden-secret"})
    async def fails(self, *_):
        raise ValueError("no: hidden-secret")
    """,
    head="from datetime import timedelta",
)


def table(page: Page, name: str) -> tuple[list[dict[str, Any]], int]:
    """A table of the runtime's state, as a picture gets it, and how many rows there are."""
    [found] = [each for each in page.ask(ask="state")["state"] if each["name"] == name]
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]], found["total"]


def test_the_state_has_all_that_a_twist_holds_with_options_masked(following: Following) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(HOLDS, options={"token": "hidden-secret"})
        await twist.go()
        await runtime.deploy(HOLDS, options={"token": "hidden-secret"}, instance="second")
        page = page_of(twist, following)
        waits, number = table(page, "Tasks")
        assert (number, [(row["key"], row["every, s"], row["state"]) for row in waits]) == (
            2,
            [("soon", None, "queued"), ("hourly", 7200.0, "queued")],
        )
        assert waits[0]["run at"].startswith("2026-01-01 01:00:00.")
        [dead], _ = table(page, "Dead letters")
        assert (dead["method"], dead["attempts"], dead["error"]) == ("fails", 3, "ValueError: no: •••")
        callbacks, number = table(page, "Callbacks")
        assert number == len(callbacks) == 4
        assert {row["args"] for row in callbacks} == {"", "'kept: •••'"}
        [webhook], _ = table(page, "Webhooks")
        assert (webhook["method"], webhook["kind"], webhook["posts"]) == ("fails", "answers", 0)
        [activity], _ = table(page, "Activities")
        assert (activity["key"], activity["type"], activity["title"], activity["notes"]) == (
            "k",
            "action",
            "Look at •••",
            0,
        )
        limits, _ = table(page, "Limits")
        assert [(row["in any"], row["used"], row["of"]) for row in limits][:2] == [
            ("5 minutes", "4", "200"),
            ("24 hours", "4", "500"),
        ]

    on_runtime(work)


def test_the_state_of_a_runtime_has_all_twists_by_name_and_says_how_many_rows_there_are(
    following: Following,
) -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def go(self):
            for number in range(250):
                await self.callback(self.go, number)
        """
        for instance in ("default", "second"):
            await (await runtime.deploy(methods(body), instance=instance)).go()
        rows, number = table(page_of(runtime, following), "Callbacks")
        assert (len(rows), number) == (200, 500)
        limits, _ = table(page_of(runtime, following), "Limits")
        assert [row["twist"] for row in limits] == ["Sync"] * 4 + ["Sync/second"] * 4

    on_runtime(work)
