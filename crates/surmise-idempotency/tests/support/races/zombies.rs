//! Executors that come back after they were given up. Whatever they do is refused, what they bring comes back, and
//! nothing changes.

use surmise_idempotency::Keep;

use super::Contender;

/// Somebody else is at it.
pub(crate) async fn expiry_while_running<C: Contender>(cache: &C) {
    let lease = cache.config().lease;
    let [zombie, other_zombie] =
        [cache.begin("a", 0).await.execute(), cache.begin("b", 0).await.execute()];
    cache.save(&zombie, "half").await.expect("nobody took over");
    cache.pass(lease).await;
    let (successor, checkpoint) = cache.begin("a", 0).await.recover();
    assert_eq!(checkpoint.as_deref(), Some("half"));
    let (other, _) = cache.begin("b", 0).await.recover();
    cache.pass(lease / 2).await;

    assert!(!cache.renew(&zombie).await);
    assert_eq!(cache.save(&zombie, "more").await, Err("more".to_owned()));
    assert_eq!(cache.complete(zombie, "late", Keep::Long).await, Err("late".to_owned()));
    assert!(!cache.release(other_zombie).await);

    for key in ["a", "b"] {
        assert_eq!(cache.begin(key, 0).await.in_flight(), lease - lease / 2);
    }
    assert!(cache.renew(&other).await);
    cache.complete(successor, "done", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("done");
    cache.pass(lease).await;
    cache.begin("b", 0).await.recover();
}

/// Somebody else did it.
pub(crate) async fn zombie_after_completion<C: Contender>(cache: &C) {
    let [zombie, other_zombie] = superseded(cache, async |successor| {
        cache.complete(successor, "done", Keep::Long).await.expect("nobody took over");
    })
    .await;
    assert!(!cache.renew(&zombie).await);
    assert_eq!(cache.save(&zombie, "more").await, Err("more".to_owned()));
    assert_eq!(cache.complete(zombie, "late", Keep::Briefly).await, Err("late".to_owned()));
    assert!(!cache.release(other_zombie).await);
    cache.pass(cache.config().retention - C::TICK).await;
    for key in ["a", "b"] {
        cache.begin(key, 0).await.replays("done");
    }
}

/// Somebody else was to recover and released it, and perhaps a third one recovers.
pub(crate) async fn zombie_after_release<C: Contender>(cache: &C) {
    let [zombie, other_zombie] = superseded(cache, async |successor| {
        assert!(cache.release(successor).await);
    })
    .await;
    assert!(!cache.renew(&zombie).await);
    let (third, _) = cache.begin("a", 0).await.recover();
    assert!(!cache.renew(&zombie).await);
    assert_eq!(cache.save(&zombie, "more").await, Err("more".to_owned()));
    assert_eq!(cache.complete(zombie, "late", Keep::Long).await, Err("late".to_owned()));
    assert_eq!(cache.complete(other_zombie, "late", Keep::Long).await, Err("late".to_owned()));
    cache.complete(third, "done", Keep::Long).await.expect("nobody took over");
    cache.begin("a", 0).await.replays("done");
    cache.begin("b", 0).await.recover();
}

/// It is so long ago that nobody remembers: somebody executes anew, and perhaps another key lies where this one lay.
pub(crate) async fn zombie_after_oblivion<C: Contender>(cache: &C) {
    let (lease, retention) = (cache.config().lease, cache.config().retention);
    let [zombie, other_zombie] =
        [cache.begin("a", 0).await.execute(), cache.begin("b", 0).await.execute()];
    cache.pass(lease + retention).await;
    let mut others = Vec::new();
    for key in ["c", "a", "d", "b"] {
        others.push((key, cache.begin(key, 0).await.execute()));
    }
    assert!(!cache.renew(&zombie).await && !cache.renew(&other_zombie).await);
    assert_eq!(cache.save(&zombie, "more").await, Err("more".to_owned()));
    assert_eq!(cache.complete(zombie, "late", Keep::Long).await, Err("late".to_owned()));
    assert!(!cache.release(other_zombie).await);
    for (key, other) in others {
        cache.complete(other, key, Keep::Long).await.expect("nobody took over");
        cache.begin(key, 0).await.replays(key);
    }
}

/// Returns tickets of two keys whose successors did something.
async fn superseded<C: Contender>(cache: &C, ended: impl AsyncFn(C::Ticket)) -> [C::Ticket; 2] {
    let zombies = [cache.begin("a", 0).await.execute(), cache.begin("b", 0).await.execute()];
    cache.pass(cache.config().lease).await;
    for key in ["a", "b"] {
        ended(cache.begin(key, 0).await.recover().0).await;
    }
    zombies
}
