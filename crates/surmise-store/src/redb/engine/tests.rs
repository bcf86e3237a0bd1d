mod executions;

use core::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use ::redb::backends::InMemoryBackend;
use surmise_fence::FencingToken;
use surmise_time::{Instant, WallTime};

use super::*;
use crate::{
    Change, Extended, Granted, Holding, LeaseRequest, Outcome, Resource, Revoked, Ttl,
    redb::{
        file,
        operation::{Acquire, AdvanceEpoch, Answer, Ask, Extend, Operation, Revoke, Write, ask},
    },
};

fn engine(config: &RedbConfig) -> Engine {
    let database = file::initialise(InMemoryBackend::new(), config, 1, "test").unwrap();
    let shared = Arc::new(Shared::new(database, "test".to_owned()));
    Engine::new(shared, config, Reading::at(at(0))).unwrap()
}

/// What a process that starts at some time makes of the same file.
fn restarted(engine: &Engine, config: &RedbConfig, now: Instant) -> Engine {
    Engine::new(Arc::clone(&engine.shared), config, Reading::at(now)).unwrap()
}

fn at(millis: u64) -> Instant {
    Instant::ORIGIN + Duration::from_millis(millis)
}

fn now<O: Operation>(mut answer: Answer<O>) -> Result<O::Reply, StoreError> {
    match Pin::new(&mut answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(reply)) => reply,
        _ => panic!("there is no answer"),
    }
}

fn run<O: Operation>(
    engine: &mut Engine,
    operation: O,
    at: Instant,
) -> Result<O::Reply, StoreError> {
    let (waiting, answer) = ask(operation);
    engine.run(vec![waiting], Reading::at(at)).send();
    now::<O>(answer)
}

fn request(resource: &'static str, nonce: u64, millis: u64) -> Acquire {
    LeaseRequest::new(resource, "holder", nonce, Duration::from_millis(millis)).unwrap().into()
}

fn granted(engine: &mut Engine, nonce: u64, millis: u64, at: Instant) -> FencingToken {
    match run(engine, request("ledger", nonce, millis), at) {
        Ok(Granted::Granted(grant)) => grant.token,
        other => panic!("{other:?}"),
    }
}

fn holding(engine: &mut Engine, at: Instant) -> Option<Holding> {
    run(engine, Ask::new(Resource::new("ledger").unwrap()), at).unwrap()
}

fn extend(token: FencingToken, millis: u64) -> Extend {
    let ttl = Ttl::new(Duration::from_millis(millis)).unwrap();
    Extend::new(Resource::new("ledger").unwrap(), token, ttl)
}

#[test]
fn after_a_restart_a_lease_is_held_for_its_whole_time_once_more() {
    let config = RedbConfig::default();
    let mut before = engine(&config);
    let token = granted(&mut before, 7, 1000, at(0));
    // The second time that was promised is the longer one.
    let extended = run(&mut before, extend(token, 3000), at(100));
    assert!(matches!(extended, Ok(Extended::Extended(_))));

    // The clock of another boot begins anew.
    let mut after = restarted(&before, &config, at(5));
    let held = holding(&mut after, at(5)).unwrap();
    let expected = Holding::new(token, 7, "holder".to_owned(), Duration::from_millis(3000));
    assert_eq!(held, expected);
    assert!(matches!(
        run(&mut after, request("ledger", 8, 1000), at(3004)),
        Ok(Granted::Held(holding)) if holding.remaining == Duration::from_millis(1)
    ));
    let next = granted(&mut after, 8, 1000, at(3005));
    assert!(next > token, "{next}");
    assert!(matches!(run(&mut after, extend(token, 1000), at(3006)), Ok(Extended::Lost)));
}

#[test]
fn a_lease_renewed_for_no_longer_than_before_is_not_written_again() {
    let config = RedbConfig::default();
    let mut engine = engine(&config);
    let token = granted(&mut engine, 7, 1000, at(0));
    let promised = |engine: &Engine| {
        let mut after = restarted(engine, &config, at(0));
        holding(&mut after, at(0)).unwrap().remaining.as_millis()
    };
    for (millis, expected) in [(1000, 1000), (500, 1000), (1001, 1001), (1000, 1001)] {
        let extended = run(&mut engine, extend(token, millis), at(10));
        assert!(matches!(extended, Ok(Extended::Extended(_))), "{extended:?}");
        assert_eq!(promised(&engine), expected, "{millis}");
    }
}

#[test]
fn released_or_over_a_lease_does_not_come_back_and_its_token_neither() {
    let config = RedbConfig::default();
    let mut engine = engine(&config);
    let first = granted(&mut engine, 7, 1000, at(0));
    let revoke = Revoke::new(Resource::new("ledger").unwrap(), first);
    assert!(matches!(run(&mut engine, revoke, at(1)), Ok(Revoked::Revoked)));
    let mut engine = restarted(&engine, &config, at(2));
    assert_eq!(holding(&mut engine, at(2)), None);
    let second = granted(&mut engine, 8, 1000, at(3));
    assert!(second > first, "{first} {second}");
    // The lease is over, and is forgotten when another resource's is granted.
    assert!(matches!(
        run(&mut engine, request("queue", 9, 1000), at(1003)),
        Ok(Granted::Granted(_))
    ));
    let mut engine = restarted(&engine, &config, at(2000));
    assert_eq!(holding(&mut engine, at(2000)), None);
}

#[test]
fn an_epoch_goes_on_after_a_restart() {
    let config = RedbConfig::default();
    let mut before = engine(&config);
    granted(&mut before, 7, 1000, at(0));
    assert_eq!(run(&mut before, AdvanceEpoch { now: WallTime::UNIX_EPOCH }, at(1)).unwrap(), 2);
    let mut after = restarted(&before, &config, at(2));
    assert_eq!(granted(&mut after, 8, 1000, at(1002)), FencingToken::first(2));
    assert_eq!(run(&mut after, AdvanceEpoch { now: WallTime::UNIX_EPOCH }, at(1003)).unwrap(), 3);
    let mut after = restarted(&after, &config, at(1004));
    assert_eq!(granted(&mut after, 9, 1000, at(3000)), FencingToken::first(3));
}

#[test]
fn there_are_as_many_leases_as_were_allowed() {
    let config = RedbConfig { max_leases: core::num::NonZeroUsize::MIN, ..RedbConfig::default() };
    let mut engine = engine(&config);
    granted(&mut engine, 7, 1000, at(0));
    match run(&mut engine, request("queue", 8, 1000), at(999)) {
        Err(StoreError::Unusable { remedy, .. }) => assert!(remedy.contains("max_leases")),
        other => panic!("{other:?}"),
    }
    // Nothing else is the worse for it.
    assert!(holding(&mut engine, at(999)).is_some());
    let queued = run(&mut engine, request("queue", 8, 1000), at(1000));
    assert!(matches!(queued, Ok(Granted::Granted(_))), "{queued:?}");
}

#[test]
fn a_lease_that_ended_by_itself_has_a_delay() {
    let config = RedbConfig { lock_delay: Duration::from_millis(50), ..RedbConfig::default() };
    let mut engine = engine(&config);
    granted(&mut engine, 7, 1000, at(0));
    let delayed = run(&mut engine, request("ledger", 8, 1000), at(1010));
    let Ok(Granted::Delayed { remaining }) = delayed else { panic!("{delayed:?}") };
    assert_eq!(remaining, Duration::from_millis(40));
    granted(&mut engine, 8, 1000, at(1050));
}

#[test]
fn tokens_go_on_over_many_blocks_and_restarts() {
    let config = RedbConfig::default();
    let mut engine = engine(&config);
    let mut last = None;
    for nonce in 1..=2500 {
        let token = granted(&mut engine, nonce, 1000, at(nonce * 2000));
        assert!(Some(token) > last, "{token} after {last:?}");
        last = Some(token);
        if nonce % 700 == 0 {
            engine = restarted(&engine, &config, at(nonce * 2000));
        }
    }
}

#[test]
fn what_nobody_waits_for_any_more_is_not_done() {
    let mut engine = engine(&RedbConfig::default());
    let token = FencingToken::first(1);
    let write = |value| {
        let change = Change::new("ledger", b"a", Some(value), token.into()).unwrap();
        ask(Write::from(change))
    };
    let ((first, answer), (second, abandoned)) = (write(b"1"), write(b"2"));
    drop(abandoned);
    engine.run(vec![first, second], Reading::at(at(0))).send();
    assert!(matches!(now::<Write>(answer), Ok(Outcome::Applied)));
    let value = engine.shared.read(|transaction| {
        let row = transaction.open_table(crate::redb::ENTRIES)?.get(("ledger", &b"a"[..]))?;
        Ok(row.and_then(|row| row.value().1.map(<[u8]>::to_vec)))
    });
    assert_eq!(value.unwrap(), Some(b"1".to_vec()));
}
