mod executions;

use tokio_postgres::types::Type;

use self::executions::{CLAIM, FORGET, SETTLE, TAKE};

/// Which statement.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Grant,
    Extend,
    Revoke,
    Holding,
    AdvanceEpoch,
    Write,
    Raise,
    Check,
    Lay,
    Floor,
    Read,
    Claim,
    Take,
    Settle,
    Forget,
}

/// The text of a statement, and of which types its parameters are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql {
    which: Which,
    pub(super) text: &'static str,
    pub(super) types: &'static [Type],
}

/// One of each statement, in the order of [`Which`].
pub(super) type Statements = [Sql; 15];

/// The statements. All names have their schema, so that no `search_path` leads astray.
pub(super) const SQL: Statements = [
    Sql {
        which: Which::Grant,
        text: GRANT,
        types: &[Type::TEXT, Type::TEXT, Type::INT8, Type::INT8],
    },
    Sql {
        which: Which::Extend,
        text: EXTEND,
        types: &[Type::TEXT, Type::INT8, Type::INT8, Type::INT8],
    },
    Sql { which: Which::Revoke, text: REVOKE, types: &[Type::TEXT, Type::INT8, Type::INT8] },
    Sql { which: Which::Holding, text: HOLDING, types: &[Type::TEXT] },
    Sql { which: Which::AdvanceEpoch, text: ADVANCE_EPOCH, types: &[] },
    Sql {
        which: Which::Write,
        text: WRITE,
        types: &[Type::TEXT, Type::BYTEA, Type::BYTEA, Type::BYTEA],
    },
    Sql { which: Which::Raise, text: RAISE, types: &[Type::TEXT, Type::BYTEA] },
    Sql { which: Which::Check, text: CHECK, types: &[Type::TEXT] },
    Sql { which: Which::Lay, text: LAY, types: &[Type::TEXT] },
    Sql { which: Which::Floor, text: FLOOR, types: &[Type::TEXT] },
    Sql { which: Which::Read, text: READ, types: &[Type::TEXT, Type::BYTEA] },
    Sql {
        which: Which::Claim,
        text: CLAIM,
        types: &[Type::BYTEA, Type::BYTEA, Type::INT8, Type::INT8, Type::INT8, Type::INT8],
    },
    Sql {
        which: Which::Take,
        text: TAKE,
        types: &[
            Type::BYTEA,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::BYTEA,
            Type::INT8,
            Type::BOOL,
            Type::INT8,
            Type::INT8,
        ],
    },
    Sql {
        which: Which::Settle,
        text: SETTLE,
        types: &[
            Type::BYTEA,
            Type::INT8,
            Type::INT8,
            Type::TEXT,
            Type::BYTEA,
            Type::INT8,
            Type::INT8,
        ],
    },
    Sql { which: Which::Forget, text: FORGET, types: &[Type::INT8] },
];

/// Each is where it is looked for.
#[expect(clippy::indexing_slicing, reason = "it is found out when this is compiled")]
const _: () = {
    let mut at = 0;
    while at < SQL.len() {
        assert!(SQL[at].which as usize == at);
        at += 1;
    }
};

/// `$1` resource, `$2` holder, `$3` nonce, `$4` TTL in microseconds.
///
/// * The row is found, locked and judged by `ON CONFLICT … WHERE`, which sees the newest version whatever the
///   statement's snapshot. The time is that of `clock_timestamp()`, after the wait for the lock; `now()`
///   would be from before it.
/// * Whether a retry finds its lease still there is judged once for both halves of the token: were the lease to end
///   between two looks at the clock, the old epoch would get a new counter. A subquery with a volatile column is never
///   merged into the one around it.
/// * The row of the epoch stays locked until the commit, so that no token of an epoch is granted after
///   `advance_epoch` ended it.
/// * Whoever sees the lease held locks and writes nothing: candidates that ask again and again cost no WAL.
/// * No lease that somebody was told of is cut short, hence `greatest`.
///
/// One row: whether it was granted, and the lease that was or that is in the way. The latter is from the
/// snapshot: if it does not refuse (a concurrent grant did), the statement is to be run again. Counter 0, which is no
/// token's, says that there is no epoch.
const GRANT: &str = "\
WITH era AS MATERIALIZED (
    SELECT epoch FROM surmise.store
    WHERE NOT EXISTS (
        SELECT FROM surmise.lease
        WHERE resource = $1 AND expires > clock_timestamp() AND (nonce <> $3 OR nonce = 0))
    FOR SHARE
), granted AS (
    INSERT INTO surmise.lease AS held (resource, epoch, counter, nonce, holder, expires)
    SELECT $1, era.epoch, 1, $3, $2, clock_timestamp() + $4::float8 * interval '1 microsecond' FROM era
    ON CONFLICT (resource) DO UPDATE SET
        (epoch, counter) = (
            SELECT CASE WHEN live THEN held.epoch ELSE greatest(held.epoch, excluded.epoch) END,
                CASE WHEN live THEN held.counter
                    WHEN held.epoch < excluded.epoch THEN 1 ELSE held.counter + 1 END
            FROM (
                SELECT held.nonce = excluded.nonce AND held.nonce <> 0
                    AND held.expires > clock_timestamp() AS live
            ) AS seen),
        nonce = excluded.nonce,
        holder = excluded.holder,
        expires = greatest(held.expires, clock_timestamp() + $4::float8 * interval '1 microsecond')
    WHERE held.nonce = excluded.nonce AND held.nonce <> 0 AND held.expires > clock_timestamp()
        OR (held.expires > clock_timestamp()) IS NOT TRUE
            AND (held.epoch < excluded.epoch OR held.counter < 9223372036854775807)
    RETURNING epoch, counter, nonce, holder, expires
)
SELECT true AS granted, epoch, counter, nonce, holder,
    (extract(epoch FROM expires - clock_timestamp()) * 1000000)::int8 AS remaining,
    false AS exhausted
FROM granted
UNION ALL
SELECT false, epoch, counter, nonce, holder,
    (extract(epoch FROM expires - clock_timestamp()) * 1000000)::int8,
    counter = 9223372036854775807 AND epoch >= (SELECT era.epoch FROM era)
FROM surmise.lease WHERE resource = $1 AND NOT EXISTS (SELECT FROM granted)
UNION ALL
SELECT false, 0, 0, 0, '', NULL, false WHERE NOT EXISTS (SELECT FROM surmise.store)";

/// `$1` resource, `$2` epoch, `$3` counter, `$4` TTL in microseconds. One row if the lease is held.
const EXTEND: &str = "\
UPDATE surmise.lease
SET expires = greatest(expires, clock_timestamp() + $4::float8 * interval '1 microsecond')
WHERE resource = $1 AND epoch = $2 AND counter = $3 AND expires > clock_timestamp()
RETURNING (extract(epoch FROM expires - clock_timestamp()) * 1000000)::int8 AS remaining";

/// `$1` resource, `$2` epoch, `$3` counter. One row if the lease was held; the row stays, with the counter.
const REVOKE: &str = "\
UPDATE surmise.lease SET expires = NULL
WHERE resource = $1 AND epoch = $2 AND counter = $3 AND expires > clock_timestamp()
RETURNING true AS revoked";

/// `$1` resource. One row if the lease is held.
const HOLDING: &str = "\
SELECT epoch, counter, nonce, holder,
    (extract(epoch FROM expires - clock_timestamp()) * 1000000)::int8 AS remaining
FROM surmise.lease WHERE resource = $1 AND expires > clock_timestamp()";

/// Waits for the grants that are under way. The seconds of the clock are greater than any epoch that a backup
/// does not remember, if there was less than one a second.
///
/// Executions, which are many, lock nothing that is everybody's: their epoch is the last value of a sequence.
const ADVANCE_EPOCH: &str = "\
WITH advanced AS (
    UPDATE surmise.store
    SET epoch = greatest(epoch + 1, extract(epoch FROM clock_timestamp())::int8)
    RETURNING epoch
)
SELECT setval('surmise.execution_epoch', epoch) AS epoch FROM advanced";

/// `$1` resource, `$2` key, `$3` value, `$4` pass.
///
/// * The floor is read with a share lock: if it is being raised, that is waited for and the new one read, and until
///   the commit it is not raised. A mere `SELECT` would read the snapshot.
/// * Share locks of rows are granted past those who wait to change the row, so that writers without a pause would keep a
///   raise waiting for ever. Hence the advisory lock before it, which is first come, first served: who
///   comes after a raise waits for it. Names of one hash share it, which costs time only.
/// * The last write to the key is found, locked and judged by `ON CONFLICT … WHERE`, which sees the newest
///   version whatever the snapshot.
///
/// No row if there is no floor to lock: lay one, and run it again. Else one: whether it was written, the floor,
/// and, if it was not written, the last write by the snapshot. If neither of them refuses (a concurrent write did), the
/// statement is to be run again.
const WRITE: &str = "\
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(1937076845, hashtext($1))
), fence AS MATERIALIZED (
    SELECT floor FROM turn, surmise.fence WHERE resource = $1 FOR SHARE OF fence
), written AS (
    INSERT INTO surmise.entry AS last (resource, key, value, pass)
    SELECT $1, $2, $3, $4 FROM fence
    WHERE floor IS NULL
        OR substring(floor, 1, 16) < substring($4, 1, 16)
        OR substring(floor, 1, 24) = substring($4, 1, 24)
    ON CONFLICT (resource, key) DO UPDATE SET value = excluded.value, pass = excluded.pass
    WHERE substring(last.pass, 1, 16) < substring(excluded.pass, 1, 16)
        OR substring(last.pass, 1, 24) = substring(excluded.pass, 1, 24)
            AND (last.pass < excluded.pass
                OR last.pass = excluded.pass AND substring(last.pass, 25, 8) = '\\x0000000000000000')
    RETURNING true
)
SELECT EXISTS (SELECT FROM written) AS done, floor,
    CASE WHEN NOT EXISTS (SELECT FROM written)
        THEN (SELECT pass FROM surmise.entry WHERE resource = $1 AND key = $2) END AS last
FROM fence";

/// `$1` resource, `$2` pass with sequence 0. Waits for the writes that are under way.
///
/// At the levels that go by a snapshot it does nothing: what comes after it in the same transaction would not see what it
/// waited for, since those who checked have only locked the floor's row, and not changed it.
///
/// One row: whether it was raised; if not, the floor by the snapshot, and the isolation level if that is why. If neither
/// refuses (a concurrent raise did), the statement is to be run again.
const RAISE: &str = "\
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(1937076845, hashtext($1))
    WHERE current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
), raised AS (
    INSERT INTO surmise.fence AS under (resource, floor) SELECT $1, $2 FROM turn
    ON CONFLICT (resource) DO UPDATE SET floor = excluded.floor
    WHERE under.floor IS NULL
        OR substring(under.floor, 1, 16) < substring(excluded.floor, 1, 16)
        OR substring(under.floor, 1, 24) = substring(excluded.floor, 1, 24)
    RETURNING true
)
SELECT EXISTS (SELECT FROM raised) AS done,
    CASE WHEN NOT EXISTS (SELECT FROM turn) THEN current_setting('transaction_isolation') END AS level,
    CASE WHEN NOT EXISTS (SELECT FROM raised)
        THEN (SELECT floor FROM surmise.fence WHERE resource = $1) END AS floor";

/// `$1` resource. No row if there is no floor to lock: lay one, and run it again.
const CHECK: &str = "\
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(1937076845, hashtext($1))
)
SELECT floor FROM turn, surmise.fence WHERE resource = $1 FOR SHARE OF fence";

/// `$1` resource. Makes a row that a writer can lock, where no floor was raised yet.
const LAY: &str =
    "INSERT INTO surmise.fence (resource) VALUES ($1) ON CONFLICT (resource) DO NOTHING";

/// `$1` resource.
const FLOOR: &str = "SELECT floor FROM surmise.fence WHERE resource = $1 AND floor IS NOT NULL";

/// `$1` resource, `$2` key.
const READ: &str = "SELECT value, pass FROM surmise.entry WHERE resource = $1 AND key = $2";
