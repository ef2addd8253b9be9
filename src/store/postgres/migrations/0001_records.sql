-- All records of all kinds: the server knows keys, bytes and versions, and nothing of what they mean.
CREATE TABLE records (
    kind    text   NOT NULL,
    id      bytea  NOT NULL,
    value   bytea  NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (kind, id)
);

-- One number for each commit. Gaps do not matter, repetitions would.
CREATE SEQUENCE write_numbers;

-- The right to do something alone for a while, over all nodes.
CREATE TABLE leases (
    name   text        PRIMARY KEY,
    holder text        NOT NULL,
    fence  bigint      NOT NULL,
    until  timestamptz NOT NULL
);

CREATE SEQUENCE lease_fences;
