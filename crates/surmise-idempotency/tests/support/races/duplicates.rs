//! Requests that come twice, and keys that come for something else.

use surmise_idempotency::Keep;

use super::Contender;

/// Of all that ask at once one executes, and the others get its result.
pub(crate) async fn concurrent_duplicate<C: Contender>(cache: &C) {
    let ticket = cache.begin("a", 0).await.execute();
    for _ in 0..50 {
        let retry_after = cache.begin("a", 0).await.in_flight();
        assert!(!retry_after.is_zero() && retry_after <= cache.config().lease, "{retry_after:?}");
    }
    let other = cache.begin("b", 0).await.execute();
    cache.complete(ticket, "done", Keep::Long).await.expect("nobody took over");
    for _ in 0..50 {
        cache.begin("a", 0).await.replays("done");
        cache.begin("b", 0).await.in_flight();
    }
    assert!(cache.release(other).await);
}

/// A key is not the answer to another request.
pub(crate) async fn other_payload_while_done<C: Contender>(cache: &C) {
    let ticket = cache.begin("a", 0).await.execute();
    cache.complete(ticket, "done", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 1).await.mismatches();
    cache.begin("a", 0).await.replays("done");
}

/// Nor is it while the request that it was used for is in flight.
pub(crate) async fn other_payload_while_in_flight<C: Contender>(cache: &C) {
    let ticket = cache.begin("a", 0).await.execute();
    cache.begin("a", 1).await.mismatches();
    cache.begin("a", 0).await.in_flight();
    cache.complete(ticket, "done", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("done");
}

/// Another request does not take over what is not its own.
pub(crate) async fn other_payload_while_indeterminate<C: Contender>(cache: &C) {
    let ticket = cache.begin("a", 0).await.execute();
    cache.pass(cache.config().lease).await;
    cache.begin("a", 1).await.mismatches();
    assert!(cache.renew(&ticket).await, "the other request took over");
    cache.pass(cache.config().lease).await;
    cache.begin("a", 1).await.mismatches();
    cache.begin("a", 0).await.recover();
}
