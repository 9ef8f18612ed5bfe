-- Ids are 16 raw bytes, times are milliseconds since the Unix epoch.

CREATE TABLE users (
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),
    username        TEXT NOT NULL,
    -- Lower case. The names of deleted users are to stay reserved: deleting a user must leave its folded name behind.
    username_folded TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    hash_scheme     TEXT NOT NULL,
    hash            TEXT NOT NULL,
    enabled         INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    epoch           INTEGER NOT NULL,
    -- The session that went on when the epoch was last raised, if one did.
    kept_session    BLOB CHECK (length(kept_session) = 16),
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A failed log-in asks which schemes there are: see the loose index scan in the query.
CREATE INDEX users_by_scheme ON users (hash_scheme);

-- The visible side of sessions. Where the hot state is in Redis, this row is all that this database knows of one.
CREATE TABLE log_ins (
    session    BLOB PRIMARY KEY CHECK (length(session) = 16),
    user       BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent TEXT NOT NULL,
    address    TEXT NOT NULL,
    remembered INTEGER NOT NULL CHECK (remembered IN (0, 1)),
    at         INTEGER NOT NULL,
    until      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX log_ins_by_user ON log_ins (user, until);
CREATE INDEX log_ins_by_end ON log_ins (until);

-- The feed: a row for one session, or for everything of a user below an epoch. AUTOINCREMENT, because a reader's cursor
-- must never meet a number for the second time. No foreign key: a revocation outlives its user.
CREATE TABLE revocations (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    session    BLOB UNIQUE CHECK (length(session) = 16),
    user       BLOB NOT NULL CHECK (length(user) = 16),
    min_epoch  INTEGER,
    feed_until INTEGER NOT NULL,
    -- Never before feed_until: from here on the row may go.
    keep_until INTEGER NOT NULL,
    CHECK ((session IS NULL) <> (min_epoch IS NULL))
) STRICT;

CREATE INDEX revocations_by_end ON revocations (keep_until);

-- The hot state, where it is kept here and not in Redis. `until` never changes, so a rotation touches no index.
CREATE TABLE sessions (
    user       BLOB NOT NULL CHECK (length(user) = 16),
    session    BLOB NOT NULL CHECK (length(session) = 16),
    gen        INTEGER NOT NULL,
    spent      BLOB NOT NULL CHECK (length(spent) = 16),
    rotated_at INTEGER NOT NULL,
    idle_until INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    PRIMARY KEY (user, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_end ON sessions (until);

-- Counters of tries: when each would be empty again.
CREATE TABLE limits (
    key     TEXT PRIMARY KEY,
    counter INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX limits_by_counter ON limits (counter);

CREATE TABLE signing_keys (
    kid         TEXT PRIMARY KEY,
    algorithm   TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('next', 'active', 'retired', 'revoked')),
    sealed      BLOB NOT NULL,
    longest_ttl INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (status) WHERE status = 'active';

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
