"""The twists of the crash scenario. What they write is the same however often they are cut off and run again."""

from __future__ import annotations

HEAD = """
from datetime import datetime, timedelta, UTC

MINUTE = timedelta(minutes=1)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Witnessed:
    prefix = ""

    async def see(self, what, item=None):
        url = f"https://witness.example/{self.who}"
        assert (await fetch(url, method="POST", json=[what, item])).ok

    async def keep(self, key, value=True):
        await self.set(key, value)
        await self.see("kept", self.prefix + key)
"""

WORKS = (
    HEAD
    + """
class Board(Witnessed, Tool):
    who = "Works"
    prefix = "__tool__:shelf.board:"

    async def pre_activate(self):
        await self.keep("ready")

    async def post_upgrade(self):
        await self.keep("ready again")

    async def put(self, left):
        await self.keep(f"book:{left}")
        if left:
            await self.run_task(await self.callback(self.put, left - 1))
        else:
            await self.schedule_task("dust", await self.callback(self.dust), run_at=now() + MINUTE)

    async def dust(self):
        await self.keep("dusted")


class Shelf(Witnessed, Tool):
    who = "Works"
    prefix = "__tool__:shelf:"

    def build(self, build):
        return {"board": build(Board)}

    async def post_activate(self):
        await self.keep("ready")

    async def fill(self):
        await self.set_many({"one": 1, "two": 2})
        await self.run_task(await self.callback(self.tidy), run_at=now() + MINUTE)
        await self.cancel_all_tasks()
        await self.delete_all_callbacks()
        await self.clear_all()
        await self.keep("filled")
        await self.tools.board.put(2)

    async def tidy(self):
        await self.keep("tidied")


class Works(Witnessed, Twist):
    who = "Works"

    def build(self, build):
        network = build(Network, urls=["https://witness.example/*"])
        return {"network": network, "shelf": build(Shelf), "plot": build(Plot)}

    async def activate(self):
        await self.keep("activated")
        callback = await self.callback(self.tick, "tick")
        await self.schedule_recurring("tick", callback, every=30 * MINUTE)

    async def upgrade(self):
        await self.keep("upgraded", {"version": VERSION})

    async def on_options_changed(self, old, new):
        await self.keep("options changed")

    async def tick(self, name):
        await self.keep(f"{name}:{(now() - EPOCH) // (30 * MINUTE):03}")

    # a chain

    async def link(self, n, last):
        await self.set_many({f"link:{n:03}:{part}": n for part in "abc"})
        await self.see("kept", f"link:{n:03}:c")
        if n < last:
            await self.run_task(await self.callback(self.link, n + 1, last))

    # locks

    async def contend(self, count):
        for n in range(count):
            await self.run_task(await self.callback("locked", n))

    async def locked(self, n):
        import asyncio
        while not await self.tools.store.acquire_lock("door", timedelta(seconds=20)):
            await asyncio.sleep(1)
        await self.keep(f"held:{n}")
        await self.tools.store.release_lock("door")
        await self.see("released", n)

    # keyed tasks, for later

    async def arrange(self):
        await self.run_task(await self.callback(self.arranging))

    async def arranging(self):
        first, second, third = [await self.callback(self.keyed, name) for name in ("first", "second", "third")]
        await self.schedule_task("one", first, run_at=now() + 5 * MINUTE)
        await self.schedule_task("one", second, run_at=now() + 5 * MINUTE)
        await self.schedule_task("one", third, run_at=now() + 3 * MINUTE, coalesce=True)
        await self.schedule_task("two", first, run_at=now() + 4 * MINUTE)
        await self.cancel_scheduled_task("two")
        await self.run_task(third, run_at=now() + 6 * MINUTE)
        never = await self.run_task(first, run_at=now() + 6 * MINUTE)
        await self.cancel_task(never)
        await self.schedule_task("own", await self.callback(self.again, 3), run_at=now() + MINUTE)

    async def keyed(self, name):
        await self.keep(f"keyed:{name}")

    async def again(self, left):
        await self.keep(f"again:{left}")
        if left:
            await self.schedule_task("own", await self.callback(self.again, left - 1), run_at=now() + MINUTE)

    # failures

    async def attempt(self):
        await self.run_task(await self.callback(self.failing))
        await self.run_task(await self.callback(self.flaky))
        await self.run_task(await self.callback(self.greedy))

    async def attempt_other(self):
        await self.run_task(await self.callback(self.mendable))

    async def failing(self):
        await self.keep("failing")
        await self.run_task(await self.callback(self.keyed, "child of failing"))
        raise ValueError("always")

    async def flaky(self):
        tried = await self.get("volatile:tried") or 0
        await self.set("volatile:tried", tried + 1)
        await self.run_task(await self.callback(self.keyed, "child of flaky"))
        if not tried:
            raise ValueError("the first time")
        await self.keep("flaky")

    async def mendable(self):
        await self.run_task(await self.callback(self.keyed, "child of mendable"))
        if not await self.get("mended"):
            raise ValueError("not mended yet")
        await self.keep("is mended")

    async def greedy(self):
        await self.keep("greedy")
        while True:
            await self.get("greedy")

    # callbacks

    async def doom(self):
        await self.run_task(await self.callback(self.dooming))

    async def dooming(self):
        token = await self.callback(self.keyed, "doomed")
        await self.schedule_task("doomed", token, run_at=now() + MINUTE)
        await self.delete_callback(token)
        await self.run(await self.callback(self.keyed, "here and now"))

    # bulk writes

    async def bulk(self):
        await self.set_many({f"bulk:{n}": list(range(n)) for n in range(10)})
        await self.clear_many([f"bulk:{n}" for n in range(0, 10, 2)])
        await self.clear("bulk:1")
        await self.see("kept", "bulk:3")

    # tools

    async def shelve(self):
        await self.run_task(await self.callback(self.shelving))

    async def shelving(self):
        await self.tools.shelf.fill()

    # drains

    async def gather(self):
        await self.run_task(await self.callback(self.gathering))

    async def gathering(self):
        ids = [f"id{n}" for n in range(5)]
        await self.schedule_drain("inbox", self.handle, ids, batch_size=3, delay=timedelta(seconds=10), max_attempts=20)
        await self.schedule_drain("never", self.handle, ["never"])
        await self.cancel_drain("never")

    async def handle(self, ids):
        again = [each for each in ids if await self.once(f"handled:{each}") and each == "id2"]
        return {"retry": again}

    async def once(self, key):
        is_first = await self.get(key) is None
        await self.keep(key)
        return is_first

    # webhooks

    async def listen(self):
        await self.run_task(await self.callback(self.listening))

    async def listening(self):
        network = self.tools.network
        await self.set("volatile:queued", await network.create_webhook(self.posted, "queued"))
        await self.set("volatile:at once", await network.create_webhook(self.asked, sync=True))
        await self.set("volatile:deleted", await network.create_webhook(self.posted, "never"))
        await network.delete_webhook(await self.get("volatile:deleted"))

    async def posted(self, request, how):
        await self.keep(f"posted:{how}:{request.body}")
        await self.run_task(await self.callback(self.keyed, "child of a post"))

    async def asked(self, request):
        await self.keep(f"asked:{request.body}")
        return {"got": request.body}

    # tools of the host

    async def enter(self):
        await self.run_task(await self.callback(self.entering))

    async def entering(self):
        for n in range(3):
            assert await self.tools.ledger.enter(f"entry:{n}") == f"entry:{n}"
            await self.keep(f"entry:{n}")

    # activities

    async def plan(self):
        await self.run_task(await self.callback(self.planning))

    async def planning(self):
        plot = self.tools.plot
        made = [Activity("no key", notes=["first"]), Activity("plan", key="plan", notes=[Note("first", key="a note")])]
        await self.see("created", await plot.create_activities(made))
        await self.keep("planned", sorted({activity.title for activity in await plot.get_activities()}))

    async def on_activity_updated(self, activity, changes):
        await self.keep(f"told of {activity.key}", changes)

    # what the user stops

    async def linger(self):
        await self.run_task(await self.callback(self.keyed, "after lingering"))
        await self.see("lingers")
"""
)

LEAVES = (
    HEAD
    + """
class Leaves(Witnessed, Twist):
    who = "Leaves"

    def build(self, build):
        return {"network": build(Network, urls=["https://witness.example/*"])}

    async def activate(self):
        await self.keep("activated")
        for name in ("hourly", "daily"):
            callback = await self.callback(self.recur, name)
            await self.schedule_recurring(name, callback, every=timedelta(hours=1 if name == "hourly" else 24))

    async def deactivate(self):
        await self.keep("deactivated")
        await self.run_task(await self.callback(self.recur, "too late"))

    async def linger(self):
        import asyncio
        await asyncio.sleep(60)
        await self.run_task(await self.callback(self.recur, "never"))

    async def recur(self, name):
        await self.keep(f"recurred:{name}")

    async def forget(self):
        await self.set_many({"one": 1, "two": 2})
        for n in range(3):
            await self.run_task(await self.callback(self.recur, f"never {n}"), run_at=now() + 15 * MINUTE)
        await self.cancel_all_tasks()
        await self.delete_all_callbacks()
        await self.clear_all()
        await self.set("volatile:url", await self.tools.network.create_webhook(self.recur))
        await self.activate()
"""
)

TEMPORARY = """
class Temporary(Twist):
    async def activate(self):
        await self.set("activated", True)

    async def go(self):
        await self.run_task(await self.callback(self.go_on))

    async def go_on(self):
        await self.set("gone on", True)
"""


def works(version: int) -> str:
    """The source of a version of `Works`."""
    return f"VERSION = {version}\n{WORKS}"
