//! Caches that have room for a few keys, and too many callers.

use surmise_idempotency::{Keep, WhenFull};

use super::Contender;

/// Where there is room, or the oldest results may be forgotten for it, none that is new gets lost, however often the old
/// ones are asked for.
pub(crate) async fn fresh_among_hot<C: Contender>(cache: &C) {
    let room = cache.config().capacity.get();
    let fresh = room.min(100);
    let hot = match cache.config().when_full {
        WhenFull::EvictOldest => room,
        _ => room - fresh,
    };
    fill(cache, "hot", hot).await;
    for _ in 0..10 {
        for hot in 0..hot {
            cache.begin(&format!("hot-{hot}"), 0).await.replays("done");
        }
    }
    for nth in 0..fresh {
        let ticket = cache.begin(&format!("fresh-{nth}"), 0).await.execute();
        cache.complete(ticket, "new", Keep::Long).await.expect("nobody took over");
    }
    for nth in 0..fresh {
        cache.begin(&format!("fresh-{nth}"), 0).await.replays("new");
    }
}

/// Otherwise what was promised is kept, and what is new is refused before anything is done.
pub(crate) async fn full_of_what_was_promised<C: Contender>(cache: &C) {
    assert_eq!(cache.config().when_full, WhenFull::Refuse);
    let room = cache.config().capacity.get();
    fill(cache, "old", room).await;
    cache.pass(cache.config().retention - C::TICK).await;
    for nth in 0..100 {
        cache.begin(&format!("fresh-{nth}"), 0).await.refuses();
    }
    for old in 0..room {
        cache.begin(&format!("old-{old}"), 0).await.replays("done");
        cache.begin(&format!("old-{old}"), 1).await.mismatches();
    }
}

/// What is in flight is not forgotten for anything, nor what nobody knows about.
pub(crate) async fn full_of_what_is_in_flight<C: Contender>(cache: &C) {
    let (room, lease) = (cache.config().capacity.get(), cache.config().lease);
    let mut tickets = Vec::new();
    for nth in 0..room {
        tickets.push(cache.begin(&format!("old-{nth}"), 0).await.execute());
    }
    cache.begin("fresh", 0).await.refuses();
    cache.pass(lease).await;
    cache.begin("fresh", 0).await.refuses();
    for (nth, ticket) in tickets.into_iter().enumerate() {
        cache.begin(&format!("old-{nth}"), 1).await.mismatches();
        cache.complete(ticket, "done", Keep::Long).await.expect("nobody took over");
        cache.begin(&format!("old-{nth}"), 0).await.replays("done");
    }
}

/// Results whose retention is over are no reason to refuse, and those whose is not do not make room for them.
pub(crate) async fn room_of_the_expired<C: Contender>(cache: &C) {
    let (room, retention) = (cache.config().capacity.get(), cache.config().retention);
    fill(cache, "old", room).await;
    cache.pass(retention).await;
    for nth in 0..room {
        let ticket = cache.begin(&format!("new-{nth}"), 0).await.execute();
        cache.complete(ticket, "new", Keep::Long).await.expect("nobody took over");
    }
    for nth in 0..room {
        cache.begin(&format!("new-{nth}"), 0).await.replays("new");
    }
}

async fn fill<C: Contender>(cache: &C, name: &str, records: usize) {
    for nth in 0..records {
        let ticket = cache.begin(&format!("{name}-{nth}"), 0).await.execute();
        cache.complete(ticket, "done", Keep::Long).await.expect("nobody took over");
    }
}
