//! The statements of executions. What they do not decide, the rules of all stores do, by what they return.

/// `$1` key, `$2` fingerprint, `$3` nonce, `$4` lease and `$5` lease and retention in microseconds, `$6` how many rows to forget.
///
/// * A row that is there is returned by the snapshot, and not locked: whoever is answered with a result, or has to wait,
///   locks and writes nothing.
/// * Where there is none, the key is locked before the token is drawn: so, of two tokens of a key, the one that is in a row
///   later was drawn later, even if the row of the other is forgotten by then. Keys of one hash share the lock,
///   which costs time only.
/// * The epoch is the last value of a sequence, which is read as it is now and not as the snapshot has it. The subquery
///   refers to the row of the lock, and so is not run before it is held.
/// * What is over is deleted by the statement's time, since an index is not searched by one that changes as it goes on;
///   and what others have locked is left to them.
///
/// One row: what was there, if anything, or the token of what is there now. If there is neither, a concurrent claim made
/// a row, and the statement is to be run again.
pub(super) const CLAIM: &str = "\
WITH before AS MATERIALIZED (
    SELECT fingerprint, epoch, counter, version, nonce, state, recovers, lease_ends, forgotten_at, value
    FROM surmise.execution WHERE key = $1
), turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(1937076846, hashtext(encode($1, 'hex')))
    WHERE NOT EXISTS (SELECT FROM before)
), moment AS MATERIALIZED (
    SELECT clock_timestamp() AS now FROM turn
), fresh AS (
    INSERT INTO surmise.execution
        (key, fingerprint, epoch, counter, version, nonce, state, recovers, lease_ends, forgotten_at)
    SELECT $1, $2,
        (SELECT last_value FROM surmise.execution_epoch WHERE moment.now IS NOT NULL),
        nextval('surmise.execution_counter'), 0, $3, 'in flight', false,
        now + $4::float8 * interval '1 microsecond', now + $5::float8 * interval '1 microsecond'
    FROM moment
    ON CONFLICT (key) DO NOTHING
    RETURNING epoch, counter
), forgotten AS (
    DELETE FROM surmise.execution
    WHERE $6::int8 > 0 AND key = ANY (ARRAY(
        SELECT key FROM surmise.execution
        WHERE forgotten_at <= statement_timestamp() AND EXISTS (SELECT FROM turn)
        ORDER BY forgotten_at LIMIT $6 FOR UPDATE SKIP LOCKED))
)
SELECT before.*, fresh.epoch AS new_epoch, fresh.counter AS new_counter, clock_timestamp() AS now
FROM (SELECT) AS one LEFT JOIN before ON true LEFT JOIN fresh ON true";

/// `$1` key, `$2` epoch, `$3` counter and `$4` version of the row as it was seen, `$5` fingerprint, `$6` nonce, `$7` whether it
/// goes on with what was saved, `$8` lease and `$9` lease and retention in microseconds.
///
/// The row is locked, and only then the time looked up and the token drawn. One row, with the token and what was saved,
/// if the row was still as it was seen.
pub(super) const TAKE: &str = "\
WITH seen AS MATERIALIZED (
    SELECT key FROM surmise.execution
    WHERE key = $1 AND epoch = $2 AND counter = $3 AND version = $4
    FOR UPDATE
), moment AS MATERIALIZED (
    SELECT key, clock_timestamp() AS now FROM seen
)
UPDATE surmise.execution AS execution SET
    fingerprint = $5,
    epoch = (SELECT last_value FROM surmise.execution_epoch WHERE moment.now IS NOT NULL),
    counter = nextval('surmise.execution_counter'),
    version = 0,
    nonce = $6,
    state = 'in flight',
    recovers = $7,
    lease_ends = now + $8::float8 * interval '1 microsecond',
    forgotten_at = now + $9::float8 * interval '1 microsecond',
    value = CASE WHEN $7 THEN value END
FROM moment
WHERE execution.key = moment.key
RETURNING execution.epoch, execution.counter, execution.value";

/// `$1` key, `$2` epoch, `$3` counter, `$4` state that it gets, `$5` value, `$6` lease in microseconds, `$7` in how many microseconds
/// it is forgotten. Without a lease, the value is written and the lease left as it is; without the last, so is when it is
/// forgotten. Where a recovery is released, what was to recover from stays, and only the lease is over.
///
/// The row is locked, and only then the time looked up. No row if the token is not the record's; else one: whether it was
/// settled, and what was there, with the result if that is why it was not.
pub(super) const SETTLE: &str = "\
WITH seen AS MATERIALIZED (
    SELECT key, state, forgotten_at, value, $4::text = 'released' AND recovers AS gives_back
    FROM surmise.execution
    WHERE key = $1 AND epoch = $2 AND counter = $3
    FOR UPDATE
), moment AS MATERIALIZED (
    SELECT *, clock_timestamp() AS now FROM seen
), settled AS (
    UPDATE surmise.execution AS execution SET
        version = execution.version + 1,
        state = CASE WHEN gives_back THEN execution.state ELSE $4 END,
        value = CASE WHEN gives_back OR $6::int8 IS NOT NULL THEN execution.value ELSE $5 END,
        lease_ends = CASE WHEN gives_back THEN least(execution.lease_ends, now)
            ELSE coalesce(now + $6::float8 * interval '1 microsecond', execution.lease_ends) END,
        forgotten_at = CASE WHEN gives_back THEN execution.forgotten_at
            ELSE coalesce(now + $7::float8 * interval '1 microsecond', execution.forgotten_at) END
    FROM moment
    WHERE execution.key = moment.key AND moment.state = 'in flight' AND now < moment.forgotten_at
    RETURNING true
)
SELECT done, state, forgotten_at, now, CASE WHEN NOT done AND state = 'completed' THEN value END AS value
FROM moment, (SELECT EXISTS (SELECT FROM settled) AS done) AS outcome";

/// `$1` how many rows at most. One row: how many were deleted.
pub(super) const FORGET: &str = "\
WITH forgotten AS (
    DELETE FROM surmise.execution
    WHERE key = ANY (ARRAY(
        SELECT key FROM surmise.execution WHERE forgotten_at <= statement_timestamp()
        ORDER BY forgotten_at LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING true
)
SELECT count(*) AS count FROM forgotten";
