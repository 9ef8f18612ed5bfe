-- Names of deleted users stay taken: whoever took one would be taken for them by other services.

CREATE TABLE former_usernames (
    username_folded TEXT PRIMARY KEY,
    deleted_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
