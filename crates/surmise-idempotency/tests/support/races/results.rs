//! What is kept, for how long, and by which clock.

use surmise_idempotency::Keep;

use super::Contender;

/// Who knows that nothing was done lets the next one do it.
pub(crate) async fn error_is_released<C: Contender>(cache: &C) {
    let failed = cache.begin("a", 0).await.execute();
    let token = cache.token(&failed);
    assert!(cache.release(failed).await);
    // It is as if there had been no request, so that the next may be another one.
    let next = cache.begin("a", 1).await.execute();
    assert!(cache.token(&next) > token);
    cache.complete(next, "done", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 1).await.replays("done");
}

/// An error that may not last is repeated for a while, and then tried again.
pub(crate) async fn error_is_kept_briefly<C: Contender>(cache: &C) {
    let brief = cache.config().brief_retention;
    let failed = cache.begin("a", 0).await.execute();
    cache.complete(failed, "503", Keep::Briefly).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("503");
    cache.pass(brief - C::TICK).await;
    cache.begin("a", 0).await.replays("503");
    cache.pass(C::TICK).await;
    cache.begin("a", 0).await.execute();
}

/// An error that lasts is a result like any other, and so is one that says nothing.
pub(crate) async fn error_is_kept_like_a_result<C: Contender>(cache: &C) {
    for (key, value) in [("a", "402"), ("b", "")] {
        let ticket = cache.begin(key, 0).await.execute();
        cache.complete(ticket, value, Keep::Long).await.expect("nobody took over");
    }
    cache.pass(cache.config().retention - C::TICK).await;
    for (key, value) in [("a", "402"), ("b", "")] {
        cache.begin(key, 0).await.replays(value);
    }
    cache.pass(C::TICK).await;
    for key in ["a", "b"] {
        cache.begin(key, 0).await.execute();
    }
}

/// However long it took, the result is kept for the whole retention.
pub(crate) async fn retention_counts_from_completion<C: Contender>(cache: &C) {
    let (lease, retention) = (cache.config().lease, cache.config().retention);
    let ticket = cache.begin("a", 0).await.execute();
    for _ in 0..4 {
        cache.pass(lease - C::TICK).await;
        assert!(cache.renew(&ticket).await);
    }
    cache.complete(ticket, "done", Keep::Long).await.expect("nobody took over");
    // Replays do not prolong it.
    for _ in 0..2 {
        cache.pass((retention - C::TICK) / 2).await;
        cache.begin("a", 0).await.replays("done");
    }
    cache.pass(2 * C::TICK).await;
    cache.begin("a", 0).await.execute();
}

/// Where time steps back, nothing is kept for less than its retention, and what is over stays over.
pub(crate) async fn time_steps_back<C: Contender>(cache: &C) {
    let retention = cache.config().retention;
    cache.pass(10 * retention).await;
    let ticket = cache.begin("a", 0).await.execute();
    cache.set_back(5 * retention);
    cache.complete(ticket, "done", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("done");
    cache.pass(5 * retention).await;
    cache.begin("a", 0).await.replays("done");
    cache.pass(retention - C::TICK).await;
    cache.begin("a", 0).await.replays("done");
    cache.pass(C::TICK).await;
    let ticket = cache.begin("a", 0).await.execute();
    cache.set_back(retention);
    cache.begin("a", 0).await.in_flight();
    assert!(cache.release(ticket).await);
}

/// A lease is neither over because time stepped back, nor begun anew.
pub(crate) async fn time_steps_back_in_flight<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    cache.pass(10 * lease).await;
    let ticket = cache.begin("a", 0).await.execute();
    cache.set_back(5 * lease);
    assert_eq!(cache.begin("a", 0).await.in_flight(), lease);
    cache.pass(6 * lease - C::TICK).await;
    assert_eq!(cache.begin("a", 0).await.in_flight(), C::TICK);
    cache.set_back(5 * lease);
    assert!(cache.renew(&ticket).await);
    assert_eq!(cache.begin("a", 0).await.in_flight(), lease);
    cache.pass(6 * lease).await;
    cache.begin("a", 0).await.recover();
    cache.set_back(5 * lease);
    assert_eq!(cache.begin("a", 0).await.in_flight(), lease);
    assert!(!cache.renew(&ticket).await);
}
