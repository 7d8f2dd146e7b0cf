"""The tables of a state file.

Times are microseconds since 1970 on the runtime's clock. Values are superjson text.
`executions` is the queue (one row an execution), `attempts` the journal's spine (one row an attempt).
"""

from __future__ import annotations

VERSION = 3

TABLES = (
    "meta",
    "instances",
    "versions",
    "store",
    "store_versions",
    "callbacks",
    "webhooks",
    "activities",
    "notes",
    "executions",
    "attempts",
    "tallies",
    "requests",
    "logs",
    "events",
    "payloads",
)

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE instances (
    id INTEGER PRIMARY KEY, twist TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, options TEXT NOT NULL,
    active INTEGER NOT NULL, former TEXT NOT NULL DEFAULT '[]', suspended TEXT, counted_from INTEGER NOT NULL DEFAULT 0,
    UNIQUE (twist, name)
);
CREATE TABLE versions (
    instance INTEGER NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, program TEXT NOT NULL,
    manifest TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (instance, version)
);

-- A key's current value is the row of store_versions that store points to; every older one is kept.
CREATE TABLE store (
    instance INTEGER NOT NULL, key TEXT NOT NULL, head INTEGER NOT NULL, PRIMARY KEY (instance, key)
) WITHOUT ROWID;
CREATE TABLE store_versions (
    id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
    updated INTEGER NOT NULL, attempt_id INTEGER, seq INTEGER, value TEXT
);
CREATE UNIQUE INDEX store_versions_by_key ON store_versions (instance, key, version);
CREATE INDEX store_versions_by_attempt ON store_versions (attempt_id);

CREATE TABLE callbacks (
    token TEXT PRIMARY KEY, instance INTEGER NOT NULL, method TEXT NOT NULL, args TEXT NOT NULL,
    version INTEGER NOT NULL, attempt_id INTEGER, created INTEGER NOT NULL, deleted INTEGER
) WITHOUT ROWID;
CREATE INDEX callbacks_live ON callbacks (instance, created) WHERE deleted IS NULL;

-- The address of a webhook is its token; `derived` tells one that follows from the seed from one that is random.
CREATE TABLE webhooks (
    token TEXT PRIMARY KEY, instance INTEGER NOT NULL, method TEXT NOT NULL, args TEXT NOT NULL,
    version INTEGER NOT NULL, sync INTEGER NOT NULL, derived INTEGER NOT NULL, attempt_id INTEGER,
    created INTEGER NOT NULL, deleted INTEGER, posts INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX webhooks_live ON webhooks (instance, created) WHERE deleted IS NULL;

-- What twists and their users wrote with the Plot tool; `document` is superjson text of all but id, key and times.
-- Ids are an instance's own: one that a twist makes up cannot take another's place.
CREATE TABLE activities (
    number INTEGER PRIMARY KEY, instance INTEGER NOT NULL, id TEXT NOT NULL, key TEXT, document TEXT NOT NULL,
    attempt_id INTEGER, created INTEGER NOT NULL, updated INTEGER NOT NULL, UNIQUE (instance, id)
);
CREATE UNIQUE INDEX activities_by_key ON activities (instance, key) WHERE key IS NOT NULL;
CREATE INDEX activities_by_instance ON activities (instance, number);
CREATE TABLE notes (
    number INTEGER PRIMARY KEY, instance INTEGER NOT NULL, id TEXT NOT NULL, activity TEXT NOT NULL, key TEXT,
    document TEXT NOT NULL, attempt_id INTEGER, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    UNIQUE (instance, id)
);
CREATE UNIQUE INDEX notes_by_key ON notes (instance, activity, key) WHERE key IS NOT NULL;
CREATE INDEX notes_by_activity ON notes (instance, activity, number);

-- Rows stay when their work is done: a task that is queued again under the same derived id is the same task.
CREATE TABLE executions (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, instance INTEGER NOT NULL, cause TEXT NOT NULL,
    method TEXT NOT NULL, callback TEXT, args TEXT NOT NULL, kwargs TEXT NOT NULL, parent TEXT, chain TEXT NOT NULL,
    due INTEGER NOT NULL, queued INTEGER NOT NULL, attempts INTEGER NOT NULL, failures INTEGER NOT NULL,
    state TEXT NOT NULL, key TEXT, every INTEGER, awaited INTEGER NOT NULL
);
-- At most one pending task for a key. The key is free again as soon as its task has begun.
CREATE UNIQUE INDEX executions_by_key ON executions (instance, key)
    WHERE key IS NOT NULL AND state = 'queued' AND attempts = 0;
CREATE INDEX executions_dead ON executions (instance) WHERE state = 'dead';
CREATE INDEX executions_unfinished ON executions (number) WHERE state IN ('queued', 'running');

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, execution TEXT NOT NULL, attempt INTEGER NOT NULL, instance INTEGER NOT NULL,
    version INTEGER NOT NULL, method TEXT NOT NULL, cause TEXT NOT NULL, parent TEXT,
    outcome TEXT, requests INTEGER, cpu_ms REAL, wall_ms REAL, memory_peak INTEGER,
    started INTEGER NOT NULL, ended INTEGER, error TEXT, line INTEGER, traceback TEXT, args TEXT, kwargs TEXT,
    result TEXT, cost REAL
);
CREATE INDEX attempts_by_execution ON attempts (execution);
CREATE INDEX attempts_running ON attempts (id) WHERE outcome IS NULL;
-- What is left of attempts that were dropped while a rate window counts them: by minute, and by what counts anew.
CREATE TABLE tallies (
    instance INTEGER NOT NULL, counted_from INTEGER NOT NULL, minute INTEGER NOT NULL, attempts INTEGER NOT NULL,
    started INTEGER NOT NULL, ended INTEGER NOT NULL, cost REAL NOT NULL,
    PRIMARY KEY (instance, counted_from, minute)
) WITHOUT ROWID;
CREATE TABLE requests (
    attempt_id INTEGER NOT NULL, seq INTEGER NOT NULL, tool TEXT NOT NULL, operation TEXT NOT NULL,
    detail TEXT NOT NULL, line INTEGER, started INTEGER NOT NULL, duration INTEGER, bytes_in INTEGER,
    bytes_out INTEGER, error TEXT, cpu_ms REAL, payload TEXT, PRIMARY KEY (attempt_id, seq)
) WITHOUT ROWID;
CREATE TABLE logs (
    attempt_id INTEGER NOT NULL, position INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL,
    level TEXT NOT NULL, line INTEGER, text TEXT NOT NULL, PRIMARY KEY (attempt_id, position)
) WITHOUT ROWID;
-- What happened to an execution outside any attempt: paused, cancelled, dropped, offered again.
CREATE TABLE events (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, execution TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX events_by_execution ON events (execution);
CREATE INDEX events_of_rates ON events (id) WHERE kind = 'rate';
-- Arguments, results and fetched bodies, once for each content.
CREATE TABLE payloads (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""
