"""Crawling and patching the interpreter: it holds nothing of the host, and is thrown away."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pytest

from tests.escape.siege import Attack, Siege

ATTACKS = [
    Attack(
        "all objects of the collector",
        """
        words = ("wasmtime", "Backend", "sqlite3.Connection", "Engine'", "Worker'", "Channel'", "Seat'", "msgspec", "httpx")
        kinds = {repr(type(each)) for each in gc.get_objects()}
        gc.unfreeze()
        kinds |= {repr(type(each)) for each in gc.get_objects()}
        found = sorted(kind for kind in kinds if any(word in kind for word in words))
        texts = [each for each in gc.get_objects() if isinstance(each, (str, bytes)) and "xyzzy" in str(each)]
        return found + texts
        """,
        value=[],
    ),
    Attack(
        "referrers of the request path",
        """
        gc.unfreeze()
        seen, todo = set(), [host.call, self, sys.modules, asyncio.get_running_loop()]
        while todo and len(seen) < 3000:
            each = todo.pop()
            if id(each) not in seen:
                seen.add(id(each))
                todo += gc.get_referrers(each)[:20]
        return [repr(type(each)) for each in todo if "wasmtime" in repr(type(each))]
        """,
        outcomes="ok over_cpu over_memory",
    ),
    Attack(
        "frames up to the entry",
        """
        frame, names = sys._getframe(), []
        while frame:
            names.append(frame.f_code.co_name)
            frame.f_globals["pwned"] = True
            frame.f_builtins["pwned"] = True
            for name, value in list(frame.f_locals.items()):
                if isinstance(value, dict) and name in ("invocation", "given"):
                    value.clear()
            frame = frame.f_back
        return names[-1]
        """,
        outcomes="ok error",
    ),
    Attack(
        "subclasses of object",
        """
        found = []
        for each in object.__subclasses__() + type.__subclasses__(type):
            if each.__name__ in ("Popen", "FileIO", "socket", "WasiConfig", "_wrap_close", "CDLL"):
                found.append(each.__name__)
            for name in ("pwned", "__init__"):
                try:
                    setattr(each, name, lambda *a, **k: None)
                except (TypeError, AttributeError):
                    pass
        return found
        """,
        outcomes="ok error crashed",
    ),
    Attack(
        "builtins and modules",
        """
        for module in list(sys.modules.values()):
            for name in list(vars(module)):
                if not name.startswith("__") and name not in ("sys", "host"):
                    vars(module)[name] = None
        for name in list(vars(builtins)):
            setattr(builtins, name, None)
        """,
        outcomes="ok error crashed",
    ),
    Attack(
        "modules replaced and imports hooked",
        """
        class Hook:
            def find_spec(self, *a): raise SystemExit("pwned")
        sys.meta_path[:] = [Hook()]
        sys.modules.clear()
        sys.modules["json"] = sys.modules["asyncio"] = Hook()
        builtins.__import__ = None
        """,
        outcomes="ok error crashed",
    ),
    Attack(
        "the classes of the twist's own API",
        """
        import plot_nb.twist.request, plot_nb.twist.store, plot_nb.sandbox.guest.app as app
        for each in (Twist, *Twist.__mro__[:-1], type(self.tools.store), plot_nb.twist.request.Request, app.Sandbox, app.WitWorld):
            for name in list(vars(each)):
                try:
                    setattr(each, name, lambda *a, **k: "pwned")
                except (TypeError, AttributeError):
                    pass
        app.sandbox = app.host = app.json = None
        """,
        outcomes="ok error crashed",
    ),
    Attack(
        "trace, profile and audit",
        """
        def pwned(*args):
            builtins.seen = args
            return pwned
        sys.settrace(pwned); sys.setprofile(pwned); sys.addaudithook(pwned)
        sys.monitoring.use_tool_id(0, "pwned")
        sys.setrecursionlimit(10**6); sys.setswitchinterval(1e-9)
        gc.disable(); gc.set_threshold(1); gc.callbacks.append(pwned); gc.set_debug(gc.DEBUG_SAVEALL)
        """,
        outcomes="ok error crashed over_memory",
    ),
    Attack(
        "numbers and texts that everyone shares",
        """
        import sys
        cell = (lambda x: lambda: x)(1)
        type.__dict__["__dict__"].__get__(int)
        d = type.__dict__["__dict__"].__get__(dict)
        found = gc.get_referents(d)[0]
        found["pwned"] = lambda self: 1
        found["get"] = None
        import _ctypes
        """,
        outcomes="error crashed",
    ),
    Attack(
        "a hostile loop",
        """
        loop = asyncio.get_running_loop()
        type(loop).select = lambda self, timeout=None: []
        type(loop).run_until_complete = lambda *a: "pwned"
        asyncio.tasks._current_tasks.clear()
        loop.main = None
        asyncio.set_event_loop_policy(None) if hasattr(asyncio, "set_event_loop_policy") else None
        await self.set("a", 1)
        """,
        outcomes="ok error over_cpu crashed",
        requests=None,
    ),
    Attack("the loop is stopped", "asyncio.get_running_loop().stop(); await asyncio.sleep(1)", "error"),
    Attack(
        "the loop is closed",
        "asyncio.get_running_loop().close(); await asyncio.sleep(1); await self.set('a', 1)",
        "ok error",
        requests=None,
    ),
    Attack(
        "the method's own task is cancelled",
        "asyncio.current_task().cancel(); await asyncio.sleep(1)",
        "error",
        says="Cancelled",
    ),
    Attack(
        "random's state is taken over",
        "random.seed(1); random.setstate(random.getstate()); random.random = None",
    ),
    Attack(
        "a class that lies about itself",
        """
        class Meta(type):
            __name__ = property(lambda cls: exec("raise SystemExit"))
            __module__ = __qualname__ = property(lambda cls: 1 / 0)
            def __instancecheck__(cls, other): return True
            def __eq__(cls, other): return True
            def __hash__(cls): raise SystemExit
        class Liar(Exception, metaclass=Meta):
            __class__ = property(lambda self: str)
            def __str__(self): raise SystemExit
            __repr__ = __str__
            def __getattribute__(self, name): raise SystemExit(name)
        raise Liar
        """,
        outcomes="error crashed",
    ),
    Attack(
        "a value that lies about itself",
        """
        class Liar(dict):
            __class__ = property(lambda self: str)
            def __iter__(self): raise SystemExit
            def items(self):
                while True: yield ("a", self)
            keys = values = items
            def __reduce__(self): return os._exit, (0,)
            def __getattr__(self, name): return self
        return Liar(a=1)
        """,
        outcomes="ok error over_memory over_cpu",
    ),
    Attack(
        "arguments that lie about themselves",
        """
        class Key(str):
            def encode(self, *a): return b""
            def __len__(self): return 1
            def __eq__(self, other): return True
            def __hash__(self): return 1
            def __str__(self): return "honest"
        class Number(int):
            def __repr__(self): return "0], [99, 'store.clear_all', [], 1"
            __str__ = __repr__
        for value in (Key("k" * 3000), Number(5)):
            try:
                await self.set(Key("a" * 2000), value)
            except ValueError:
                pass
            try:
                await self.set(Key("b"), value)
            except TypeError:
                pass
        await self.set("c", [1, {"d": Number(1)}] if 0 else 1)
        """,
        requests=None,
    ),
]


@pytest.mark.rule("2.1", "2.2", "2.11", "2.19")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_nothing_of_the_host_is_inside_and_nothing_lasts(siege: Siege, attack: Attack) -> None:
    siege.endure(attack)
