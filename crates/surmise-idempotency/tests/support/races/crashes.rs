//! Executors that die, or take longer than their lease.

use surmise_idempotency::Keep;

use super::Contender;

/// The key of whoever died is held up until the lease is over. Then one caller, and no other, is told that nobody knows.
pub(crate) async fn crash_midway<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    let died = cache.token(&cache.begin("a", 0).await.execute());
    assert_eq!(cache.begin("a", 0).await.in_flight(), lease);
    cache.pass(lease - C::TICK).await;
    assert_eq!(cache.begin("a", 0).await.in_flight(), C::TICK);
    cache.pass(C::TICK).await;
    let (recoverer, checkpoint) = cache.begin("a", 0).await.recover();
    assert_eq!(checkpoint, None);
    assert!(cache.token(&recoverer) > died);
    assert_eq!(cache.begin("a", 0).await.in_flight(), lease);
    cache.complete(recoverer, "recovered", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("recovered");
}

/// Whoever recovers may die as well.
pub(crate) async fn crash_of_the_recoverer<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    let mut last = cache.token(&cache.begin("a", 0).await.execute());
    for _ in 0..3 {
        cache.pass(lease).await;
        let (recoverer, _) = cache.begin("a", 0).await.recover();
        assert!(cache.token(&recoverer) > last);
        last = cache.token(&recoverer);
        cache.pass(lease - C::TICK).await;
        assert_eq!(cache.begin("a", 0).await.in_flight(), C::TICK);
    }
}

/// Who is late, and whom nobody replaced, is not too late.
pub(crate) async fn late_but_not_superseded<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    let ticket = cache.begin("a", 0).await.execute();
    cache.pass(2 * lease).await;
    assert!(cache.renew(&ticket).await);
    assert_eq!(cache.begin("a", 0).await.in_flight(), lease);
    cache.pass(2 * lease).await;
    cache.complete(ticket, "late", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("late");

    let ticket = cache.begin("b", 0).await.execute();
    cache.pass(2 * lease).await;
    assert!(cache.release(ticket).await);
    cache.begin("b", 0).await.execute();
}

/// Who renews in time is not replaced, for as long as that may be.
pub(crate) async fn renewed_lease<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    let ticket = cache.begin("a", 0).await.execute();
    let token = cache.token(&ticket);
    for _ in 0..3 {
        cache.pass(lease - C::TICK).await;
        assert!(cache.renew(&ticket).await);
        assert_eq!(cache.begin("a", 0).await.in_flight(), lease);
    }
    assert_eq!(cache.token(&ticket), token);
    cache.pass(lease).await;
    cache.begin("a", 0).await.recover();
    assert!(!cache.renew(&ticket).await);
}

/// Whoever recovers is told how far the one before came, or the one before that.
pub(crate) async fn checkpoints_are_handed_on<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    let first = cache.begin("a", 0).await.execute();
    cache.save(&first, "charged").await.expect("nobody took over");
    cache.save(&first, "shipped").await.expect("nobody took over");
    assert!(cache.renew(&first).await);
    for _ in 0..2 {
        cache.pass(lease).await;
        let (_, checkpoint) = cache.begin("a", 0).await.recover();
        assert_eq!(checkpoint.as_deref(), Some("shipped"));
    }
    assert_eq!(cache.save(&first, "charged twice").await, Err("charged twice".to_owned()));
    cache.pass(lease).await;
    let (last, checkpoint) = cache.begin("a", 0).await.recover();
    assert_eq!(checkpoint.as_deref(), Some("shipped"));
    cache.complete(last, "arrived", Keep::Briefly).await.expect("nobody took over");
    cache.pass(cache.config().brief_retention).await;

    let fresh = cache.begin("a", 0).await.execute();
    cache.pass(lease).await;
    assert_eq!(cache.begin("a", 0).await.recover().1, None);
    assert!(!cache.release(fresh).await);
}

/// Who was to recover and gives up knows no more than before, and says nothing of the one who died.
pub(crate) async fn released_recovery<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    let died = cache.begin("a", 0).await.execute();
    cache.save(&died, "charged").await.expect("nobody took over");
    cache.pass(lease).await;
    for _ in 0..3 {
        let (recoverer, checkpoint) = cache.begin("a", 0).await.recover();
        assert_eq!(checkpoint.as_deref(), Some("charged"));
        cache.begin("a", 0).await.in_flight();
        assert!(cache.release(recoverer).await);
        cache.begin("a", 1).await.mismatches();
    }
    let (last, _) = cache.begin("a", 0).await.recover();
    assert_eq!(cache.complete(died, "late", Keep::Long).await, Err("late".to_owned()));
    cache.complete(last, "recovered", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("recovered");
}

/// That something was begun and never ended is remembered for a retention after its lease.
pub(crate) async fn the_abandoned_is_forgotten_in_the_end<C: Contender>(cache: &C) {
    let (lease, retention) = (cache.config().lease, cache.config().retention);
    let _died = cache.begin("a", 0).await.execute();
    let _died = cache.begin("b", 0).await.execute();
    cache.pass(lease + retention - C::TICK).await;
    cache.begin("a", 0).await.recover();
    cache.pass(C::TICK).await;
    cache.begin("a", 0).await.in_flight();
    cache.begin("b", 0).await.execute();
}
