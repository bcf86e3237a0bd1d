//! What a table of leases grants and refuses, case by case.

#![cfg(feature = "alloc")]

use core::{num::NonZeroU64, time::Duration};

use surmise_fence::{
    AcquireError, FencingToken, Grant, LeaseTable, LeaseTableConfig, LeaseTableError, ReleaseError,
    RenewError, RestoreError, TokensExhausted,
};
use surmise_time::Instant;

const CONFIG: LeaseTableConfig = LeaseTableConfig {
    epoch: 1,
    max_ttl: Duration::from_secs(10),
    lock_delay: Duration::from_secs(2),
    max_leases: 3,
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn at(second: u64) -> Instant {
    Instant::ORIGIN + seconds(second)
}

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).expect("not zero")
}

fn token(epoch: u64, counter: u64) -> FencingToken {
    FencingToken::new(epoch, number(counter))
}

/// A table with a hundred tokens.
fn table() -> LeaseTable<&'static str> {
    let mut table = LeaseTable::new(CONFIG).expect("it can grant leases");
    reserve(&mut table, 100);
    table
}

fn reserve(table: &mut LeaseTable<&'static str>, size: u64) -> FencingToken {
    let block = table.next_block(number(size)).expect("there are more tokens");
    table.reserve(block).expect("it is the next one");
    block.last()
}

/// Where leases would be deleted with their counters, the token would be granted again.
#[test]
fn no_token_is_granted_again_after_a_release() {
    let mut table = table();
    let first = table.acquire("a", 1, seconds(5), at(0)).unwrap();
    table.release(&"a", first.token, at(1)).unwrap();
    assert!(table.is_empty());
    let second = table.acquire("a", 2, seconds(5), at(1)).unwrap();
    assert!(second.token > first.token);
    table.release(&"a", second.token, at(1)).unwrap();
    assert_eq!(table.issued(), Some(second.token));
    assert!(table.acquire("b", 3, seconds(5), at(1)).unwrap().token > second.token);
}

#[test]
fn a_held_lease_is_nobody_elses_until_its_time_and_its_delay_are_over() {
    let mut table = table();
    let grant = table.acquire("a", 1, seconds(5), at(0)).unwrap();
    assert_eq!(grant, Grant { token: token(1, 1), valid_for: seconds(5) });

    let last = at(5) - Duration::from_nanos(1);
    let remaining = Duration::from_nanos(1);
    let held = AcquireError::Held { token: grant.token, remaining };
    assert_eq!(table.acquire("a", 2, seconds(5), last), Err(held));
    assert_eq!(table.holding(&"a", last).unwrap().remaining, remaining);

    assert_eq!(table.holding(&"a", at(5)), None);
    for nonce in [1, 2] {
        let delayed = AcquireError::Delayed { remaining: seconds(2) };
        assert_eq!(table.acquire("a", nonce, seconds(5), at(5)), Err(delayed));
    }
    let delayed = AcquireError::Delayed { remaining };
    assert_eq!(table.acquire("a", 1, seconds(5), at(7) - remaining), Err(delayed));
    assert_eq!(table.acquire("a", 1, seconds(5), at(7)).unwrap().token, token(1, 2));
}

#[test]
fn the_retry_of_a_lost_reply_is_granted_what_was_granted() {
    let mut table = table();
    let first = table.acquire("a", 7, seconds(5), at(0)).unwrap();
    let retry = table.acquire("a", 7, seconds(5), at(3)).unwrap();
    assert_eq!(retry, Grant { token: first.token, valid_for: seconds(5) });
    assert_eq!(table.holding(&"a", at(3)).unwrap().nonce, 7);
    assert!(table.holding(&"a", at(8) - Duration::from_nanos(1)).is_some());

    table.acquire("b", 0, seconds(5), at(3)).unwrap();
    let again = table.acquire("b", 0, seconds(5), at(3));
    assert!(matches!(again, Err(AcquireError::Held { .. })), "{again:?}");
}

/// The holder counts on what it was promised: the grantor may not end the lease before.
#[test]
fn no_renewal_makes_a_lease_shorter() {
    let mut table = table();
    let Grant { token, .. } = table.acquire("a", 7, seconds(10), at(0)).unwrap();
    let promised = Grant { token, valid_for: seconds(9) };
    assert_eq!(table.renew(&"a", token, seconds(1), at(1)), Ok(promised));
    assert_eq!(table.acquire("a", 7, seconds(1), at(1)), Ok(promised));
    assert_eq!(table.renew(&"a", token, seconds(10), at(1)).unwrap().valid_for, seconds(10));
    assert_eq!(table.holding(&"a", at(10)).unwrap().remaining, seconds(1));
}

#[test]
fn an_old_token_never_renews_and_never_releases() {
    let mut table = table();
    let old = table.acquire("a", 1, seconds(5), at(0)).unwrap().token;
    let by = seconds(1);
    let expired = RenewError::Expired { token: old, by };
    assert_eq!(table.renew(&"a", old, seconds(5), at(6)), Err(expired));
    assert_eq!(table.release(&"a", old, at(6)), Err(ReleaseError::Expired { token: old, by }));

    let new = table.acquire("a", 2, seconds(5), at(7)).unwrap().token;
    let superseded = RenewError::Superseded { token: old, by: new };
    assert_eq!(table.renew(&"a", old, seconds(5), at(7)), Err(superseded));
    let superseded = ReleaseError::Superseded { token: old, by: new };
    assert_eq!(table.release(&"a", old, at(7)), Err(superseded));
    assert_eq!(table.holding(&"a", at(7)).unwrap().token, new);

    table.release(&"a", new, at(8)).unwrap();
    let unknown = RenewError::Unknown { token: new };
    assert_eq!(table.renew(&"a", new, seconds(5), at(8)), Err(unknown));
}

#[test]
fn a_token_that_was_not_granted_for_the_resource_is_unknown() {
    let mut table = table();
    let a = table.acquire("a", 1, seconds(5), at(0)).unwrap().token;
    let b = table.acquire("b", 1, seconds(5), at(0)).unwrap().token;
    let unknown = RenewError::Unknown { token: b };
    assert_eq!(table.renew(&"a", b, seconds(5), at(0)), Err(unknown));
    assert_eq!(table.release(&"c", a, at(0)), Err(ReleaseError::Unknown { token: a }));
    for epoch in [0, 2] {
        let foreign = RenewError::ForeignEpoch { token: token(epoch, 1), epoch: 1 };
        assert_eq!(table.renew(&"a", token(epoch, 1), seconds(5), at(0)), Err(foreign));
    }
}

#[test]
fn a_release_needs_no_delay() {
    let mut table = table();
    let grant = table.acquire("a", 1, seconds(5), at(0)).unwrap();
    table.release(&"a", grant.token, at(1)).unwrap();
    assert_eq!((table.deadline(), table.holding(&"a", at(1))), (None, None));
    assert!(table.acquire("a", 2, seconds(5), at(1)).is_ok());
}

#[test]
fn a_ttl_of_nothing_or_too_much_is_refused() {
    let mut table = table();
    let max_ttl = CONFIG.max_ttl;
    let held = table.acquire("a", 1, max_ttl, at(0)).unwrap();
    for ttl in [Duration::ZERO, max_ttl + Duration::from_nanos(1), Duration::MAX] {
        let refused = Err(AcquireError::Ttl { ttl, max_ttl });
        assert_eq!(table.acquire("b", 1, ttl, at(0)), refused);
        let refused = Err(RenewError::Ttl { ttl, max_ttl });
        assert_eq!(table.renew(&"a", held.token, ttl, at(0)), refused);
    }
    assert_eq!((table.len(), table.issued()), (1, Some(held.token)));
}

#[test]
fn what_ended_is_returned_once_its_delay_is_over() {
    let mut table = table();
    for (resource, ttl) in [("a", 3), ("b", 2), ("c", 3)] {
        table.acquire(resource, ttl, seconds(ttl), at(0)).unwrap();
    }
    assert_eq!(table.deadline(), Some(at(4)));
    assert_eq!(table.expire(at(4) - Duration::from_nanos(1)).count(), 0);
    let ended: Vec<_> = table.expire(at(4)).collect();
    let [b] = ended[..] else { panic!("{ended:?}") };
    assert_eq!((b.resource, b.token, b.nonce), ("b", token(1, 2), 2));

    assert_eq!(table.deadline(), Some(at(5)));
    assert_eq!(table.expire(at(9)).next().unwrap().resource, "a");
    assert_eq!((table.len(), table.deadline()), (1, Some(at(5))));
    assert_eq!(table.expire(at(9)).map(|ended| ended.resource).collect::<Vec<_>>(), ["c"]);
    assert_eq!((table.len(), table.deadline()), (0, None));
}

#[test]
fn a_lease_that_was_granted_anew_did_not_end() {
    let mut table = table();
    table.acquire("a", 1, seconds(1), at(0)).unwrap();
    let again = table.acquire("a", 2, seconds(5), at(3)).unwrap();
    assert_eq!(table.deadline(), Some(at(10)));
    assert_eq!(table.expire(at(9)).count(), 0);
    assert_eq!(table.expire(at(10)).next().unwrap().token, again.token);
}

#[test]
fn a_full_table_has_no_room_before_what_ended_is_forgotten() {
    let mut table = table();
    for resource in ["a", "b", "c"] {
        table.acquire(resource, 1, seconds(1), at(0)).unwrap();
    }
    let full = Err(AcquireError::Full { max_leases: 3 });
    assert_eq!(table.acquire("d", 1, seconds(1), at(3)), full);
    assert_eq!(
        table.restore("d", token(1, 3), 1, seconds(1), at(3)),
        Err(RestoreError::Full { max_leases: 3 })
    );
    assert!(table.acquire("a", 1, seconds(1), at(3)).is_ok());
    assert_eq!(table.expire(at(3)).count(), 2);
    assert!(table.acquire("d", 1, seconds(1), at(3)).is_ok());
}

#[test]
fn only_reserved_tokens_are_granted() {
    let mut table = LeaseTable::new(CONFIG).unwrap();
    assert_eq!(table.acquire("a", 1, seconds(1), at(0)), Err(AcquireError::NoTokens));
    assert!(table.is_empty() && table.needs_block() && table.issued().is_none());

    let block = table.next_block(number(2)).unwrap();
    assert_eq!((block.first(), block.last()), (token(1, 1), token(1, 2)));
    assert!(table.needs_block());
    table.reserve(block).unwrap();
    assert_eq!((table.needs_block(), table.tokens_left()), (false, 2));
    assert_eq!(table.acquire("a", 1, seconds(1), at(0)).unwrap().token, token(1, 1));
    assert_eq!(table.acquire("b", 1, seconds(1), at(0)).unwrap().token, token(1, 2));
    assert_eq!(table.acquire("c", 1, seconds(1), at(0)), Err(AcquireError::NoTokens));

    let error = table.reserve(block).unwrap_err();
    assert_eq!((error.first, error.reserved, error.epoch), (token(1, 1), Some(token(1, 2)), 1));
    assert_eq!(reserve(&mut table, 1), token(1, 3));
    assert_eq!(table.acquire("c", 1, seconds(1), at(0)).unwrap().token, token(1, 3));
}

#[test]
fn a_restarted_table_goes_on_after_what_was_reserved() {
    let mut before = table();
    let held = before.acquire("a", 7, seconds(5), at(0)).unwrap();
    let last = reserve(&mut before, 50);
    assert_eq!(last, token(1, 150));

    let mut table = LeaseTable::resume(CONFIG, last).unwrap();
    assert_eq!((table.issued(), table.needs_block()), (Some(last), true));
    table.restore("a", held.token, 7, seconds(5), at(100)).unwrap();
    assert_eq!(table.holding(&"a", at(100)).unwrap().remaining, seconds(5));
    assert_eq!(table.acquire("a", 7, seconds(5), at(104)).unwrap().token, held.token);
    assert!(table.renew(&"a", held.token, seconds(5), at(104)).is_ok());
    reserve(&mut table, 1);
    assert_eq!(table.acquire("b", 1, seconds(5), at(104)).unwrap().token, token(1, 151));
}

#[test]
fn what_cannot_have_been_held_is_not_restored() {
    let mut table = LeaseTable::resume(CONFIG, token(1, 5)).unwrap();
    let restore = |table: &mut LeaseTable<_>, token, ttl| table.restore("a", token, 1, ttl, at(0));
    let issued = Some(token(1, 5));
    for token in [token(1, 6), token(2, 1)] {
        let error = RestoreError::NotIssued { token, issued };
        assert_eq!(restore(&mut table, token, seconds(1)), Err(error));
    }
    assert_eq!(restore(&mut table, token(1, 5), Duration::ZERO), Err(RestoreError::ZeroTtl));
    assert!(table.is_empty());
    // The longest TTL may have been longer before.
    assert_eq!(restore(&mut table, token(1, 5), seconds(60)), Ok(()));
    let present = RestoreError::Present { token: token(1, 5) };
    assert_eq!(restore(&mut table, token(1, 4), seconds(1)), Err(present));
    assert!(table.holding(&"a", at(59)).is_some());

    let mut new = LeaseTable::new(CONFIG).unwrap();
    let error = RestoreError::NotIssued { token: token(1, 1), issued: None };
    assert_eq!(restore(&mut new, token(1, 1), seconds(1)), Err(error));
}

/// It would be granted again, to somebody else.
#[test]
fn a_token_that_is_reserved_and_not_issued_is_not_restored() {
    let mut table = LeaseTable::resume(CONFIG, token(1, 5)).unwrap();
    assert_eq!(reserve(&mut table, 100), token(1, 105));
    let issued = Some(token(1, 5));
    let error = RestoreError::NotIssued { token: token(1, 50), issued };
    assert_eq!(table.restore("a", token(1, 50), 1, seconds(5), at(0)), Err(error));
    assert_eq!(error.to_string(), "token 1.50 was not issued: 1.5 was the last");
    // What was held before is, also after more was reserved.
    assert_eq!(table.restore("a", token(1, 5), 1, seconds(5), at(0)), Ok(()));
    assert_eq!(table.acquire("b", 1, seconds(5), at(0)).unwrap().token, token(1, 6));
}

/// Else whoever prints an error and then its sources prints the same twice.
#[test]
fn an_error_that_says_what_its_source_says_has_none() {
    let exhausted = token(1, u64::MAX).next().unwrap_err();
    let error = AcquireError::Exhausted(exhausted);
    assert_eq!(error.to_string(), exhausted.to_string());
    assert!(core::error::Error::source(&error).is_none());
}

#[test]
fn errors_say_what_to_do() {
    let mut table = LeaseTable::new(LeaseTableConfig { max_leases: 1, ..CONFIG }).unwrap();
    reserve(&mut table, 2);
    table.acquire("a", 1, seconds(1), at(0)).unwrap();
    let full = table.acquire("b", 1, seconds(1), at(3)).unwrap_err().to_string();
    assert!(full.contains("`expire`"), "{full}");
    let foreign = table.release(&"a", token(2, 1), at(3)).unwrap_err().to_string();
    assert!(foreign.ends_with("acquire the lease anew"), "{foreign}");
}

#[test]
fn a_higher_epoch_is_above_all_before() {
    let mut table = table();
    let old = table.acquire("a", 7, seconds(5), at(0)).unwrap().token;
    let stale = table.next_block(NonZeroU64::MIN).unwrap();
    for epoch in [0, 1] {
        let error = table.advance_epoch(epoch).unwrap_err();
        assert_eq!((error.offered, error.epoch), (epoch, 1));
    }
    table.advance_epoch(4).unwrap();
    assert_eq!((table.epoch(), table.issued()), (4, Some(old)));
    assert!(table.needs_block(), "what was reserved is of the old epoch");
    assert!(table.reserve(stale).is_err());
    assert_eq!(reserve(&mut table, 3), token(4, 3));
    assert_eq!(table.acquire("b", 1, seconds(5), at(1)).unwrap().token, token(4, 1));

    assert_eq!(table.renew(&"a", old, seconds(5), at(1)).unwrap().token, old);
    assert_eq!(table.acquire("a", 7, seconds(5), at(1)).unwrap().token, old);
    table.release(&"a", old, at(1)).unwrap();
    let foreign = ReleaseError::ForeignEpoch { token: old, epoch: 4 };
    assert_eq!(table.release(&"a", old, at(1)), Err(foreign));
    assert_eq!(table.acquire("a", 1, seconds(5), at(1)).unwrap().token, token(4, 2));
}

#[test]
fn a_restored_backup_needs_a_higher_epoch() {
    let config = LeaseTableConfig { epoch: 2, ..CONFIG };
    let mut table = LeaseTable::resume(config, token(1, 40)).unwrap();
    assert_eq!(reserve(&mut table, 1), token(2, 1));
    let too_low = LeaseTable::<u8>::resume(CONFIG, token(2, 1)).unwrap_err();
    assert_eq!(too_low, LeaseTableError::EpochTooLow { epoch: 1, reserved: token(2, 1) });
}

#[test]
fn an_epoch_has_a_last_token() {
    let mut table = LeaseTable::resume(CONFIG, token(1, u64::MAX - 1)).unwrap();
    assert_eq!(reserve(&mut table, u64::MAX), token(1, u64::MAX));
    let last = table.acquire("a", 1, seconds(1), at(0)).unwrap();
    assert_eq!(last.token, token(1, u64::MAX));

    let none = table.acquire("b", 1, seconds(1), at(0)).unwrap_err();
    let AcquireError::Exhausted(TokensExhausted { epoch: 1, .. }) = none else {
        panic!("{none:?}")
    };
    assert!(table.needs_block() && table.next_block(NonZeroU64::MIN).is_err());
    table.advance_epoch(2).unwrap();
    reserve(&mut table, 1);
    assert_eq!(table.acquire("b", 1, seconds(1), at(0)).unwrap().token, token(2, 1));
}

#[test]
fn time_that_steps_back_ends_no_lease_and_brings_none_back() {
    let mut table = table();
    let old = table.acquire("a", 1, seconds(5), at(0)).unwrap().token;
    assert_eq!(table.acquire("b", 2, seconds(5), at(6)).unwrap().token, token(1, 2));
    let expired = RenewError::Expired { token: old, by: seconds(1) };
    assert_eq!(table.renew(&"a", old, seconds(5), at(0)), Err(expired));
    assert_eq!(table.holding(&"a", at(0)), None);

    assert_eq!(table.holding(&"b", at(0)).unwrap().remaining, seconds(5));
    assert_eq!(table.renew(&"b", token(1, 2), seconds(5), at(2)).unwrap().valid_for, seconds(5));
    assert!(table.holding(&"b", at(11) - Duration::from_nanos(1)).is_some());
}

#[test]
fn the_end_of_time_is_an_end() {
    let config = LeaseTableConfig { max_ttl: Duration::MAX, lock_delay: Duration::MAX, ..CONFIG };
    let mut table = LeaseTable::new(config).unwrap();
    reserve(&mut table, 3);
    let long = table.acquire("a", 1, Duration::MAX, at(1)).unwrap();
    assert_eq!(long.valid_for, Instant::MAX - at(1), "no more than there is");
    let none = table.acquire("b", 1, seconds(1), Instant::MAX).unwrap();
    assert_eq!(none.valid_for, Duration::ZERO);
    assert_eq!(table.holding(&"b", Instant::MAX), None);
    assert_eq!(table.expire(Instant::MAX).count(), 2);
}

#[test]
fn a_table_that_could_grant_nothing_is_refused() {
    let table = |max_ttl, max_leases| {
        LeaseTable::<u8>::new(LeaseTableConfig { max_ttl, max_leases, ..CONFIG }).err()
    };
    assert_eq!(table(Duration::ZERO, 1), Some(LeaseTableError::ZeroMaxTtl));
    assert_eq!(table(seconds(1), 0), Some(LeaseTableError::ZeroMaxLeases));
    assert_eq!(table(Duration::from_nanos(1), 1), None);
}
