//! What is particular to the core: its bounds, the ends of time, and what it counts.

use core::{num::NonZeroUsize, time::Duration};

use surmise_idempotency::{
    Begin, CacheConfig, CacheConfigError, Fingerprint, IdempotencyCache, Keep, Ticket, WhenFull,
};
use surmise_time::Instant;

type Cache = IdempotencyCache<&'static str, u32>;

const CONFIG: CacheConfig = CacheConfig {
    lease: Duration::from_nanos(10),
    retention: Duration::from_nanos(100),
    brief_retention: Duration::from_nanos(5),
    capacity: NonZeroUsize::MIN,
    when_full: WhenFull::Refuse,
    epoch: 1,
};

fn cache(config: CacheConfig) -> Cache {
    IdempotencyCache::new(config).expect("it is a cache")
}

fn begin(cache: &mut Cache, key: &'static str, now: u64) -> Begin<u32> {
    cache.begin(&key, Fingerprint::NONE, Instant::from_nanos(now))
}

fn execute(cache: &mut Cache, key: &'static str, now: u64) -> Ticket {
    match begin(cache, key, now) {
        Begin::Execute(ticket) => ticket,
        other => panic!("to be executed, but it says {other:?}"),
    }
}

fn complete(cache: &mut Cache, ticket: Ticket, keep: Keep, now: u64) {
    cache.complete_for(ticket, 7, keep, Instant::from_nanos(now)).expect("nobody took over");
}

fn room_for(keys: usize) -> CacheConfig {
    CacheConfig { capacity: NonZeroUsize::new(keys).expect("there is room"), ..CONFIG }
}

#[test]
fn a_cache_of_one_key_serves_one_after_another() {
    let mut cache = cache(CONFIG);
    let ticket = execute(&mut cache, "a", 0);
    assert_eq!(begin(&mut cache, "b", 0), Begin::Full);
    cache.release(ticket).expect("nobody took over");
    assert!(cache.is_empty());
    let ticket = execute(&mut cache, "b", 0);
    complete(&mut cache, ticket, Keep::Long, 1);
    assert_eq!(begin(&mut cache, "a", 100), Begin::Full);
    let ticket = execute(&mut cache, "a", 101);
    assert_eq!(begin(&mut cache, "b", 102), Begin::Full);
    complete(&mut cache, ticket, Keep::Briefly, 102);
    assert_eq!(begin(&mut cache, "a", 106), Begin::Replay(7));
    let _ = execute(&mut cache, "b", 107);
    assert_eq!((cache.len(), cache.stats().evicted), (1, 0));
}

#[test]
fn a_cache_of_one_key_may_evict_it_once_it_is_done() {
    let mut cache = cache(CacheConfig { when_full: WhenFull::EvictOldest, ..CONFIG });
    let ticket = execute(&mut cache, "a", 0);
    assert_eq!(begin(&mut cache, "b", 50), Begin::Full);
    complete(&mut cache, ticket, Keep::Long, 50);
    let ticket = execute(&mut cache, "b", 50);
    assert_eq!(cache.stats().evicted, 1);
    complete(&mut cache, ticket, Keep::Long, 50);
    // Nothing is given up whose time is over.
    let _ = execute(&mut cache, "c", 150);
    assert_eq!(cache.stats().evicted, 1);
}

#[test]
fn brief_results_make_room_before_those_that_are_to_last() {
    let mut cache = cache(CacheConfig { when_full: WhenFull::EvictOldest, ..room_for(3) });
    for (key, keep) in [("old", Keep::Long), ("brief", Keep::Briefly), ("new", Keep::Long)] {
        let ticket = execute(&mut cache, key, 0);
        complete(&mut cache, ticket, keep, 0);
    }
    let _ = execute(&mut cache, "a", 1);
    assert_eq!(begin(&mut cache, "old", 1), Begin::Replay(7));
    let _ = execute(&mut cache, "b", 1);
    assert_eq!(begin(&mut cache, "new", 1), Begin::Replay(7));
    let _ = execute(&mut cache, "c", 1);
    assert_eq!(begin(&mut cache, "new", 1), Begin::Full);
    assert_eq!(cache.stats().evicted, 3);
}

#[test]
fn the_oldest_results_make_room_first_however_often_they_are_replayed() {
    let config = CacheConfig { when_full: WhenFull::EvictOldest, ..room_for(100) };
    let mut cache = IdempotencyCache::<u32, u32>::new(config).expect("it is a cache");
    let now = Instant::ORIGIN;
    for key in 0..150 {
        let Begin::Execute(ticket) = cache.begin(&key, Fingerprint::NONE, now) else {
            panic!("{key} was never seen")
        };
        cache.complete(ticket, key, now).expect("nobody took over");
        for kept in key.saturating_sub(99)..=key {
            assert_eq!(cache.begin(&kept, Fingerprint::NONE, now), Begin::Replay(kept));
        }
    }
    assert_eq!(cache.stats().evicted, 50);
}

#[test]
fn nobody_else_executes_at_the_end_of_time() {
    for begun in [u64::MAX - 11, u64::MAX - 10, u64::MAX - 1, u64::MAX] {
        let mut cache = cache(room_for(2));
        let ticket = execute(&mut cache, "a", begun);
        assert!(matches!(begin(&mut cache, "a", begun), Begin::InFlight { .. }), "{begun}");
        if begun >= u64::MAX - 10 {
            assert!(matches!(begin(&mut cache, "a", u64::MAX), Begin::InFlight { .. }), "{begun}");
        } else {
            assert!(matches!(begin(&mut cache, "a", u64::MAX), Begin::Recover(_)));
            continue;
        }
        assert_eq!(cache.expire(Instant::MAX, usize::MAX), 0);
        complete(&mut cache, ticket, Keep::Long, u64::MAX);
        assert_eq!(cache.expire(Instant::MAX, usize::MAX), 0);
        assert_eq!(begin(&mut cache, "a", u64::MAX), Begin::Replay(7));
    }
}

#[test]
fn what_is_kept_for_ever_is_never_forgotten() {
    let ever = Duration::MAX;
    let mut cache =
        cache(CacheConfig { lease: ever, retention: ever, brief_retention: ever, ..room_for(3) });
    for (key, keep) in [("a", Keep::Long), ("b", Keep::Briefly)] {
        let ticket = execute(&mut cache, key, 0);
        complete(&mut cache, ticket, keep, 0);
    }
    let _died = execute(&mut cache, "c", 0);
    for now in [1, u64::MAX / 2, u64::MAX] {
        assert_eq!(cache.expire(Instant::from_nanos(now), usize::MAX), 0);
        assert_eq!(begin(&mut cache, "a", now), Begin::Replay(7));
        assert_eq!(begin(&mut cache, "b", now), Begin::Replay(7));
        assert!(matches!(begin(&mut cache, "c", now), Begin::InFlight { .. }));
        assert_eq!(begin(&mut cache, "d", now), Begin::Full);
    }
}

#[test]
fn so_many_of_each_kind_are_forgotten_and_those_that_never_ended_are_counted() {
    let mut cache = cache(room_for(12));
    let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];
    for (nth, key) in names.into_iter().enumerate() {
        let ticket = execute(&mut cache, key, 0);
        match nth % 3 {
            0 => complete(&mut cache, ticket, Keep::Long, 0),
            1 => complete(&mut cache, ticket, Keep::Briefly, 0),
            _ => {}
        }
    }
    let mut expire = |now, at_most| {
        let expired = cache.expire(Instant::from_nanos(now), at_most);
        (expired, cache.len(), cache.stats().forgotten_in_flight)
    };
    assert_eq!(expire(4, 9), (0, 12, 0));
    assert_eq!(expire(5, 1), (1, 11, 0));
    assert_eq!(expire(5, 0), (0, 11, 0));
    assert_eq!(expire(99, 9), (3, 8, 0));
    assert_eq!(expire(100, 3), (3, 5, 0));
    assert_eq!(expire(109, 9), (1, 4, 0));
    assert_eq!(expire(110, 3), (3, 1, 3));
    // Time never goes back.
    assert_eq!(expire(0, usize::MAX), (1, 0, 4));
}

#[test]
fn a_new_key_puts_out_two_of_each_kind() {
    let mut cache = cache(room_for(9));
    for (nth, key) in ["0", "1", "2", "3", "4", "5", "6", "7", "8"].into_iter().enumerate() {
        let ticket = execute(&mut cache, key, 0);
        match nth % 3 {
            0 => complete(&mut cache, ticket, Keep::Long, 0),
            1 => complete(&mut cache, ticket, Keep::Briefly, 0),
            _ => {}
        }
    }
    let _ = execute(&mut cache, "new", 110);
    assert_eq!((cache.len(), cache.stats().forgotten_in_flight), (4, 2));
}

#[test]
fn a_ticket_of_another_epoch_is_void() {
    let mut before = cache(CONFIG);
    let mut after = cache(CacheConfig { epoch: 2, ..CONFIG });
    let [old, other_old] = [execute(&mut before, "a", 0), execute(&mut cache(CONFIG), "a", 0)];
    let new = execute(&mut after, "a", 0);
    assert!(old.token() < new.token());
    let token = old.token();
    let now = Instant::ORIGIN;
    assert_eq!(after.renew(&old, now).unwrap_err().token, token);
    assert_eq!(after.save(&old, ()).unwrap_err().token, token);
    let fenced = after.complete(old, 9, now).unwrap_err();
    assert_eq!((fenced.token, fenced.rejected), (token, 9));
    assert_eq!(after.release(other_old).unwrap_err().token, token);
    assert_eq!(after.complete(new, 7, now), Ok(()));
}

#[test]
fn what_is_no_cache_is_refused() {
    let refused = |config| IdempotencyCache::<u8, u8>::new(config).unwrap_err();
    let zero = Duration::ZERO;
    assert_eq!(refused(CacheConfig { lease: zero, ..CONFIG }), CacheConfigError::ZeroLease);
    let config = CacheConfig { retention: zero, ..CONFIG };
    assert_eq!(refused(config), CacheConfigError::ZeroRetention);
    let config = CacheConfig { brief_retention: zero, ..CONFIG };
    assert_eq!(refused(config), CacheConfigError::ZeroRetention);
    let capacity = (1 << 31) + 1;
    let error = refused(room_for(capacity));
    assert_eq!(error, CacheConfigError::Capacity { capacity });
    assert_eq!(error.to_string(), "a capacity of 2147483649 keys is more than 2147483648");
    let memory = CacheConfigError::Memory { capacity: 7 };
    assert_eq!(memory.to_string(), "no memory for 7 keys");
    assert_eq!(CacheConfigError::ZeroLease.to_string(), "the lease is zero");
    assert_eq!(CacheConfigError::ZeroRetention.to_string(), "the retention is zero");
}

#[test]
fn too_much_memory_is_refused() {
    let capacity = 1 << 31;
    // 2⁵¹ bytes of keys are more than any address space has.
    type Large = [u8; 1 << 20];
    let error = IdempotencyCache::<Large, u8>::new(room_for(capacity)).unwrap_err();
    assert_eq!(error, CacheConfigError::Memory { capacity });
}

/// But for one of 65 536.
#[test]
fn a_ticket_of_another_cache_is_void() {
    let mut caches: Vec<_> = (0..4).map(|_| cache(CONFIG)).collect();
    let tickets: Vec<_> = caches.iter_mut().map(|cache| execute(cache, "a", 0)).collect();
    let mut refused = 0;
    for (own, cache) in caches.iter_mut().enumerate() {
        for (of, ticket) in tickets.iter().enumerate() {
            let renewed = cache.renew(ticket, Instant::ORIGIN);
            assert!(of != own || renewed.is_ok());
            refused += u32::from(renewed.is_err());
        }
    }
    assert!(refused > 0);
}

#[test]
fn the_configuration_is_the_one_that_was_given() {
    let config = CacheConfig { epoch: 9, when_full: WhenFull::EvictOldest, ..room_for(4) };
    let mut cache = cache(config);
    assert_eq!(cache.config(), config);
    let ticket = execute(&mut cache, "a", 0);
    assert_eq!(ticket.token().to_string(), "9.1");
}

#[test]
fn a_refusal_names_the_token_and_not_the_value() {
    let mut cache = IdempotencyCache::<u8, &str>::new(CONFIG).expect("it is a cache");
    let Begin::Execute(ticket) = cache.begin(&0, Fingerprint::NONE, Instant::ORIGIN) else {
        panic!("0 was never seen")
    };
    let late = Instant::from_nanos(10);
    assert!(matches!(cache.begin(&0, Fingerprint::NONE, late), Begin::Recover(_)));
    let fenced = cache.complete(ticket, "secret", late).unwrap_err();
    let (shown, debug) = (fenced.to_string(), format!("{fenced:?}"));
    assert!(shown.contains("1.1") && !shown.contains("secret"), "{shown}");
    assert!(debug.contains("counter: 1") && !debug.contains("secret"), "{debug}");
}
