-- The smallest tables that can do the work of the calls that are measured.
DROP SCHEMA IF EXISTS bench_reference CASCADE;
CREATE SCHEMA bench_reference;
SET LOCAL search_path = bench_reference;
CREATE TABLE plan (app integer PRIMARY KEY, name text NOT NULL, seats integer);
INSERT INTO plan VALUES (1, 'pro', NULL);
CREATE TABLE person (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app integer NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    avatar text NOT NULL DEFAULT '',
    is_banned boolean NOT NULL DEFAULT false,
    registered_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (app, user_id)
);
CREATE TABLE token (
    hash bytea PRIMARY KEY, person bigint NOT NULL, issued_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE ban (
    person bigint PRIMARY KEY, ends_at timestamptz NOT NULL, since timestamptz DEFAULT now()
);
CREATE INDEX ON ban (ends_at);
CREATE TABLE listed (owner text, other text, PRIMARY KEY (owner, other));
CREATE TABLE online (user_id text PRIMARY KEY, since timestamptz DEFAULT now());
INSERT INTO person (app, user_id, name)
SELECT 1, 'user-' || number, 'Ada' FROM generate_series(1, %(users)s) AS number;
CREATE INDEX ON person (app, id);
INSERT INTO ban (person, ends_at)
SELECT id, now() + id * interval '1 minute' FROM person
 WHERE id > 20000 AND id <= 20000 + %(bans)s;
INSERT INTO listed
SELECT 'user-1', 'listed-' || number FROM generate_series(1, 3000) AS number;
