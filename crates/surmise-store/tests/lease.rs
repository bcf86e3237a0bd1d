//! What a lease is to its holder, on a store that answers late, wrongly or not at all.

#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

#[path = "support/moody.rs"]
mod moody;

use core::{error::Error, time::Duration};
use std::sync::Arc;

use surmise_fence::{DriftAllowance, Pass, Refusal};
use surmise_store::{
    AcquireError, FencedStore as _, Lease, LeaseRequest, LeaseStore, LostReply, NotApplied,
    Outcome, ReleaseError, RenewError, Resource, StoreError,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::{Instant, ManualClock, MonotonicClock as _};

use self::moody::{Mood, Moody};

const TTL: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);
const EXACT: DriftAllowance = DriftAllowance::from_ppm(0);

fn request(nonce: u64) -> LeaseRequest<'static> {
    LeaseRequest::new("ledger", "somebody", nonce, TTL).unwrap()
}

async fn acquire<'a>(
    store: &Moody<'a>,
    nonce: u64,
    clock: &'a ManualClock,
) -> Result<Lease<&'a ManualClock>, AcquireError> {
    Lease::acquire(store, request(nonce), EXACT, clock).await
}

async fn is_held(store: &impl LeaseStore) -> bool {
    store.holding(Resource::new("ledger").unwrap()).await.unwrap().is_some()
}

#[tokio::test]
async fn time_counts_from_before_the_request_was_sent() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    store.is(Mood { takes: SECOND, ..Mood::GOOD });
    let start = clock.now();
    let lease = acquire(&store, 7, &clock).await.unwrap();
    assert_eq!(clock.now(), start + 2 * SECOND);
    assert_eq!((lease.guard().sent(), lease.guard().expires_at()), (start, start + TTL));
    assert_eq!(lease.remaining(), 8 * SECOND);

    let start = clock.now();
    lease.renew(&store).await.unwrap();
    assert_eq!((lease.guard().sent(), lease.guard().expires_at()), (start, start + TTL));
    clock.advance(8 * SECOND);
    assert!(lease.token().is_err() && lease.pass().is_err() && lease.next_pass().is_err());
}

/// The store's clock may be the faster one.
#[tokio::test]
async fn time_is_shortened_by_the_allowance() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let lease = store.acquire("ledger", "somebody", TTL).await.unwrap();
    let guard = lease.guard();
    assert_eq!(guard.expires_at() - guard.sent(), Duration::from_millis(9_990));
    lease.release(&store).await.unwrap();

    let tenth = DriftAllowance::from_ppm(100_000);
    let lease = Lease::acquire(&store, request(7), tenth, &clock).await.unwrap();
    assert_eq!(lease.remaining(), 9 * SECOND);
}

#[tokio::test]
async fn a_grant_without_a_reply_is_found_by_its_nonce() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    store.is(Mood { takes: SECOND, grants_lose_replies: true, ..Mood::GOOD });
    let lease = acquire(&store, 7, &clock).await.unwrap();
    assert_eq!(lease.nonce(), 7);
    // Sent at 0, granted at 1 until 11, given up at 2, looked up from 2, when it had 8 s at 3.
    let at = |second| Instant::ORIGIN + second * SECOND;
    assert_eq!((lease.guard().sent(), lease.guard().expires_at()), (at(2), at(10)));

    // The next one finds that it is another's.
    let lost = acquire(&store, 8, &clock).await.unwrap_err();
    assert!(matches!(lost, AcquireError::Indeterminate { nonce: 8, .. }), "{lost:?}");
    assert!(lost.to_string().contains("nonce 0x8"), "{lost}");
}

/// As when the clock of the store was set back, and what was granted lasts for longer.
#[tokio::test]
async fn what_is_found_is_no_more_than_was_asked_for() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let long = LeaseRequest::new("ledger", "somebody", 7, 60 * SECOND).unwrap();
    _ = store.grant(long).await.unwrap();
    store.is(Mood { grants_lose_replies: true, ..Mood::GOOD });
    assert_eq!(acquire(&store, 7, &clock).await.unwrap().remaining(), TTL);
}

#[tokio::test]
async fn no_nonce_finds_no_lease() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let theirs = acquire(&store, 0, &clock).await.unwrap();
    store.is(Mood { grants_lose_replies: true, ..Mood::GOOD });
    let lost = acquire(&store, 0, &clock).await.unwrap_err();
    assert!(matches!(lost, AcquireError::Indeterminate { nonce: 0, .. }), "{lost:?}");
    assert!(theirs.token().is_ok());
}

#[tokio::test]
async fn who_was_not_answered_asks_again_with_the_same_nonce() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    store.is(Mood { grants_lose_replies: true, is_silent: true, ..Mood::GOOD });
    let lost = store.acquire("ledger", "somebody", TTL).await.unwrap_err();
    let AcquireError::Indeterminate { nonce, .. } = lost else { panic!("{lost}") };
    store.is(Mood::GOOD);
    let anew = store.acquire("ledger", "somebody", TTL).await.unwrap_err();
    assert!(matches!(anew, AcquireError::Held(_)), "locked out by its own request: {anew:?}");
    let again = acquire(&store, nonce, &clock).await.unwrap();
    assert_eq!(again.token_unchecked().counter().get(), 1);
}

#[tokio::test]
async fn a_lease_that_the_store_says_is_lost_is_over() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let lease = acquire(&store, 7, &clock).await.unwrap();
    let token = lease.token_unchecked();
    // An operator ends it, say.
    _ = store.revoke(Resource::new("ledger").unwrap(), token).await.unwrap();
    assert!(lease.token().is_ok());
    for requests in [1, 1] {
        let lost = lease.renew(&store).await.unwrap_err();
        assert!(matches!(lost, RenewError::Lost { token: same } if same == token), "{lost:?}");
        assert!(lease.token().is_err() && lease.guard().is_lost());
        assert_eq!((lease.remaining(), store.renewals()), (Duration::ZERO, requests));
    }
}

#[tokio::test]
async fn a_renewal_that_failed_changes_nothing() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let lease = acquire(&store, 7, &clock).await.unwrap();
    let before = lease.guard();
    clock.advance(SECOND);
    store.is(Mood { is_silent: true, ..Mood::GOOD });
    assert!(matches!(lease.renew(&store).await, Err(RenewError::Indeterminate(_))));
    store.is(Mood { is_away: true, ..Mood::GOOD });
    assert!(matches!(lease.renew(&store).await, Err(RenewError::Store(_))));
    assert_eq!(lease.guard(), before);
    store.is(Mood::GOOD);
    lease.renew(&store).await.unwrap();
}

#[tokio::test]
async fn a_lease_is_over_for_who_releases_it_and_is_released_again_if_that_failed() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let lease = acquire(&store, 7, &clock).await.unwrap();
    store.is(Mood { is_away: true, ..Mood::GOOD });
    assert!(matches!(lease.release(&store).await, Err(ReleaseError::Store(_))));
    assert!(lease.token().is_err());
    assert!(matches!(lease.renew(&store).await, Err(RenewError::Lost { .. })));
    store.is(Mood::GOOD);
    assert!(is_held(&store).await);
    for _ in 0..2 {
        lease.release(&store).await.unwrap();
        assert!(!is_held(&store).await);
    }
    store.is(Mood { is_silent: true, ..Mood::GOOD });
    assert!(matches!(lease.release(&store).await, Err(ReleaseError::Indeterminate(_))));
}

/// Of two renewals under way, the first to be answered may be the one that was sent last.
#[tokio::test]
async fn the_reply_to_an_early_renewal_does_not_bring_a_released_lease_back() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let lease = acquire(&store, 7, &clock).await.unwrap();
    clock.advance(SECOND);
    store.is(Mood { hangs: true, ..Mood::GOOD });
    let (renewed, released) = tokio::join!(lease.renew(&store), async {
        let released = lease.release(&store).await;
        store.go_on();
        released
    });
    released.unwrap();
    assert!(matches!(renewed, Err(RenewError::Lost { .. })), "{renewed:?}");
    assert!(lease.token().is_err());
}

#[tokio::test]
async fn passes_are_numbered_from_one() {
    let clock = ManualClock::default();
    let store = Moody::new(&clock);
    let lease = acquire(&store, 7, &clock).await.unwrap();
    let pass = Pass::from(lease.token().unwrap()).with_nonce(7);
    assert_eq!(lease.pass().unwrap(), pass);
    for number in 1..4 {
        assert_eq!(lease.next_pass().unwrap(), pass.with_sequence(number));
    }
    assert_eq!(lease.pass().unwrap(), pass);
}

/// What was not answered may be done later, whatever was read in the meantime.
#[tokio::test]
async fn only_numbers_keep_late_writes_of_the_same_holder_out() {
    let clock = ManualClock::default();
    let store = MemoryStore::new(MemoryConfig::default(), &clock).unwrap();
    let lease = Lease::acquire(&store, request(7), EXACT, &clock).await.unwrap();
    let last = async |key: &[u8], [first, second]: [Pass; 2]| {
        // The first is under way: it is not read.
        assert_eq!(store.read("ledger", key).await.unwrap(), None);
        store.write("ledger", key, b"second", second).await.unwrap().applied().unwrap();
        let late = store.write("ledger", key, b"first", first).await.unwrap();
        (late.applied(), store.read("ledger", key).await.unwrap().unwrap().value.unwrap())
    };
    let (late, value) = last(b"a", [(); 2].map(|()| lease.next_pass().unwrap())).await;
    let refusal = Refusal::OutOfOrder { offered: 1, highest: 2 };
    assert!(matches!(late, Err(NotApplied::Refused(found)) if found == refusal), "{late:?}");
    assert_eq!(value, b"second");

    let (late, value) = last(b"b", [(); 2].map(|()| lease.pass().unwrap())).await;
    assert!(late.is_ok());
    assert_eq!(value, b"first", "an acknowledged write is lost");
}

/// Those who want no more of a store.
#[tokio::test]
async fn a_token_alone_is_enough_to_write() -> Result<(), Box<dyn Error>> {
    let (key, value, me) = (b"key", b"value", "somebody".to_owned());
    let store = MemoryStore::new(MemoryConfig::default(), ManualClock::default())?;
    let lease = store.acquire("ledger", &me, Duration::from_secs(10)).await?;
    let outcome = store.write("ledger", key, value, lease.token()?).await?;
    assert!(matches!(outcome, Outcome::Applied), "{outcome:?}");
    // But then it is never shown with the nonce.
    let pass = store.write("ledger", key, value, lease.next_pass()?).await?;
    assert!(matches!(pass, Outcome::Collision { seen: 0, .. }), "{pass:?}");
    Ok(())
}

#[tokio::test]
async fn a_pointer_to_a_store_is_one() {
    async fn use_it<S: LeaseStore + surmise_store::FencedStore>(store: S) {
        let lease = store.acquire("ledger", "somebody", TTL).await.unwrap();
        store.raise("ledger", lease.pass().unwrap()).await.unwrap().applied().unwrap();
        let pass = lease.next_pass().unwrap();
        store.write("ledger", b"key", b"value", pass).await.unwrap().applied().unwrap();
        assert_eq!(store.read("ledger", b"key").await.unwrap().unwrap().pass, pass);
        let resource = Resource::new("ledger").unwrap();
        assert_eq!(store.floor(resource).await.unwrap(), Some(pass.with_sequence(0)));
        assert_eq!(store.holding(resource).await.unwrap().unwrap().nonce, lease.nonce());
        lease.renew(&store).await.unwrap();
        lease.release(&store).await.unwrap();
        assert!(store.advance_epoch().await.unwrap() > 1);
    }
    let store =
        Arc::new(MemoryStore::new(MemoryConfig::default(), ManualClock::default()).unwrap());
    use_it(&*store).await;
    use_it(Arc::clone(&store)).await;
    use_it(&&store).await;
}

#[test]
fn errors_say_everything_once() {
    let cause = || std::io::Error::other(Cut);
    let store = || StoreError::Unavailable { store: "it".into(), source: cause().into() };
    let lost = || LostReply::new("it", cause());
    assert!(lost().cause().is::<std::io::Error>());
    let errors: [Box<dyn Error>; 9] = [
        store().into(),
        lost().into(),
        AcquireError::Store(store()).into(),
        AcquireError::Indeterminate { nonce: 7, lost: lost() }.into(),
        RenewError::Store(store()).into(),
        RenewError::Indeterminate(lost()).into(),
        ReleaseError::Store(store()).into(),
        ReleaseError::Indeterminate(lost()).into(),
        Outcome::Indeterminate(lost()).applied().unwrap_err().into(),
    ];
    for error in &errors {
        let mut texts = vec![error.to_string()];
        let mut below = error.source();
        while let Some(error) = below {
            texts.push(error.to_string());
            below = error.source();
        }
        let times: usize = texts.iter().map(|text| text.matches(CUT).count()).sum();
        assert_eq!(times, 1, "{texts:?}");
    }
    let limit = StoreError::from(Resource::new("").unwrap_err());
    assert!(limit.source().is_none() && limit.to_string().contains("1 to 255 bytes"), "{limit}");
}

const CUT: &str = "somebody cut the wire";

#[derive(Debug)]
struct Cut;

impl core::fmt::Display for Cut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(CUT)
    }
}

impl Error for Cut {}
