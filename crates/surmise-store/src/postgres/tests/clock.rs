//! Leases that end while a statement is at work.

use core::num::NonZeroU64;

use surmise_fence::FencingToken;
use tokio_postgres::Client;

use super::{Trial, request};
use crate::{Granted, LeaseStore as _, postgres::sql::SQL};

/// Has each reading of the clock in the database's statements be a minute after the one before.
const STRETCH: &str = "\
CREATE SCHEMA stretched;
CREATE SEQUENCE stretched.reading MINVALUE 0;
CREATE FUNCTION stretched.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT 'epoch'::timestamptz + nextval('stretched.reading') * interval '1 minute' $$;
ALTER DATABASE \"stretched\" SET search_path = stretched, pg_catalog";

/// Sets the clock to zero, for a lease of an earlier epoch that is over after so many readings.
async fn ends_after(client: &Client, readings: i32) -> FencingToken {
    let lease = "UPDATE surmise.lease SET epoch = 1, counter = 3, nonce = 13,
         expires = 'epoch'::timestamptz + $1::int4 * interval '1 minute' - interval '1 second'";
    assert_eq!(client.execute(lease, &[&readings]).await.unwrap(), 1);
    client.batch_execute("ALTER SEQUENCE stretched.reading RESTART").await.unwrap();
    FencingToken::new(1, NonZeroU64::new(3).unwrap())
}

/// The retry of a request whose lease ends between any two readings of the clock: it is granted again, or anew.
#[tokio::test]
async fn whether_a_lease_is_over_is_judged_once() {
    let Some(plain) = Trial::new("stretched", SQL).await else { return };
    let client = plain.client().await;
    plain.grant(13).await;
    client.batch_execute(STRETCH).await.unwrap();
    client.batch_execute("UPDATE surmise.store SET epoch = 2").await.unwrap();
    // Connections that were there before have the old path.
    let trial = plain.again().await;
    let [mut again, mut anew] = [0, 0];
    for readings in 0..12 {
        let first = ends_after(&client, readings).await;
        match trial.store.grant(request(13)).await.unwrap() {
            Granted::Granted(grant) if grant.token == first => again += 1,
            Granted::Granted(grant) => {
                assert_eq!(grant.token, FencingToken::first(2), "after {readings} readings");
                anew += 1;
            }
            other => panic!("{other:?} after {readings} readings"),
        }
    }
    assert!(again > 1 && anew > 1, "{again} granted again, {anew} anew");
}
