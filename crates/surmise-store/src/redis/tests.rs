//! What the scripts must not be: each mutant fails the test that the real ones pass.

mod between;
mod executions;

use super::{
    RedisConfig, RedisStore, Weakness, record,
    scripts::{LUA, Scripts},
};
use crate::{
    Extended, FencedStore as _, Granted, LeaseRequest, LeaseStore as _, Outcome, Resource, Revoked,
    Ttl,
    servers::{Redis, Server},
    stream::{Connector, boxed, plain},
};
use core::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use quickcheck::{Arbitrary, Gen};
use redis::{aio::MultiplexedConnection, cmd};
use surmise_fence::{FencingToken, Pass};

type Lua = Scripts<&'static str>;

/// A store with scripts of the test's, under a prefix of its own.
struct Trial {
    config: RedisConfig,
    store: RedisStore,
    bare: MultiplexedConnection,
}

impl Trial {
    async fn new(server: &Server, lua: &Lua) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let prefix = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
        let patience = Duration::from_secs(60);
        let config = RedisConfig {
            address: format!("127.0.0.1:{}", server.port()),
            prefix,
            connect_timeout: patience,
            request_timeout: patience,
            ..RedisConfig::default()
        };
        let client = redis::Client::open(server.url()).unwrap();
        let bare = client.get_multiplexed_async_connection().await.unwrap();
        Self { store: open(&config, boxed(plain), lua).await, config, bare }
    }

    /// Has a key hold something, which is not asked for by whom.
    async fn put(&self, key: &str, value: &[u8]) {
        let key = format!("{{{}}}{key}", self.config.prefix);
        cmd("SET").arg(key).arg(value).exec_async(&mut self.bare.clone()).await.unwrap();
    }

    async fn epoch(&self) -> u64 {
        let key = format!("{{{}}}epoch", self.config.prefix);
        let epoch: String = cmd("GET").arg(key).query_async(&mut self.bare.clone()).await.unwrap();
        epoch.parse().unwrap()
    }

    async fn grant(&self, nonce: u64, ttl: Duration) -> FencingToken {
        let request = LeaseRequest::new("ledger", "tester", nonce, ttl).unwrap();
        loop {
            match self.store.grant(request).await.unwrap() {
                Granted::Granted(grant) => return grant.token,
                Granted::Held(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn revoke(&self, token: FencingToken) {
        assert!(matches!(self.store.revoke(ledger(), token).await.unwrap(), Revoked::Revoked));
    }
}

/// It need not be durable: nothing happens to it.
async fn open(config: &RedisConfig, connector: Connector, lua: &Lua) -> RedisStore {
    let connected = RedisStore::open(config.clone(), connector, lua).await.unwrap();
    connected.accept(&[Weakness::NoLog]).unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

fn pass(counter: u64) -> Pass {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap()).into()
}

/// A pass such that any two of them are close; and where numbers of 53 bits are the same.
#[derive(Clone, Copy, Debug)]
struct Close(Pass);

impl Arbitrary for Close {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut few = |numbers: &[u64]| *g.choose(numbers).unwrap();
        let counter = NonZeroU64::new(few(&[1, 1 << 53, (1 << 53) + 1, u64::MAX])).unwrap();
        let numbers = [0, 0, 0, 1, 1 << 53, (1 << 53) + 1];
        Self(Pass {
            token: FencingToken::new(few(&[7, 7, 7, (1 << 53) + 1]), counter),
            nonce: few(&numbers),
            sequence: few(&numbers),
        })
    }
}

/// Returns no pass, another one, or one that differs in one number at most.
fn near(pass: Pass, g: &mut Gen) -> Option<Pass> {
    let Close(other) = Close::arbitrary(g);
    match g.choose(&[0, 1, 2, 3, 4, 5]) {
        Some(0) => None,
        Some(1) => Some(other),
        Some(2) => Some(Pass { token: other.token, ..pass }),
        Some(3) => Some(pass.with_nonce(other.nonce)),
        _ => Some(pass.with_sequence(other.sequence)),
    }
}

/// Returns floors, last passes and those that follow, such that each number meets each in the place of each: no mutant is
/// left to chance.
fn pairs() -> Vec<(Option<Pass>, Option<Pass>, Pass)> {
    let numbers = [0, 1, 1 << 53, (1 << 53) + 1];
    let places: [fn(u64) -> Pass; 4] = [
        |number| FencingToken::first(number).into(),
        |number| pass(number + 1),
        |number| pass(7).with_nonce(number).with_sequence(1),
        |number| pass(7).with_nonce(7).with_sequence(number),
    ];
    let mut pairs = Vec::new();
    for place in places {
        for seen in numbers {
            for offered in numbers {
                let [seen, offered] = [seen, offered].map(place);
                pairs.extend([(None, Some(seen), offered), (Some(seen), None, offered)]);
            }
        }
    }
    pairs
}

/// Whether writes and raises are judged by the rule, and do what they say.
async fn the_rule_is_kept(trial: &Trial) -> bool {
    let mut g = Gen::new(8);
    let random = (0..300).map(|_| {
        let Close(offered) = Close::arbitrary(&mut g);
        let [floor, last] = [(); 2].map(|()| near(offered, &mut g));
        (floor, last, offered)
    });
    for (case, (floor, last, offered)) in pairs().into_iter().chain(random).enumerate() {
        let name = format!("case {case}");
        let floor = floor.map(|floor| floor.with_sequence(0));
        if let Some(floor) = floor {
            trial.put(&format!("floor/{name}"), &record::floor_to_bytes(floor)).await;
        }
        if let Some(last) = last {
            let entry = record::entry_to_bytes(Some(b"last"), last);
            trial.put(&format!("value/{name}\0key"), &entry).await;
        }
        let rule = offered.check_floor(floor).and_then(|()| offered.check(last));
        let write = trial.store.write(&name, b"key", b"next", offered).await.unwrap();
        let kept = trial.store.read(&name, b"key").await.unwrap().map(|entry| entry.pass);
        let expected = if rule.is_ok() { Some(offered) } else { last };
        if !is(&write, rule.err().map(Into::into)) || kept != expected {
            return false;
        }
        let rule = offered.check_floor(floor);
        let raise = trial.store.raise(&name, offered).await.unwrap();
        let kept = trial.store.floor(Resource::new(&name).unwrap()).await.unwrap();
        let expected = if rule.is_ok() { Some(offered.with_sequence(0)) } else { floor };
        if !is(&raise, rule.err().map(Into::into)) || kept != expected {
            return false;
        }
    }
    true
}

fn is(outcome: &Outcome, refused: Option<Outcome>) -> bool {
    format!("{outcome:?}") == format!("{:?}", refused.unwrap_or(Outcome::Applied))
}

/// Leases that are given back, that end, and that are of the last epoch.
async fn each_token_is_greater(trial: &Trial) -> bool {
    let first = trial.grant(1, HOUR).await;
    trial.revoke(first).await;
    let short = trial.grant(2, Ttl::MIN).await;
    let key = format!("{{{}}}lease/ledger", trial.config.prefix);
    let expiry: i64 = cmd("PTTL").arg(key).query_async(&mut trial.bare.clone()).await.unwrap();
    let next = trial.grant(3, HOUR).await;
    trial.revoke(next).await;
    // As after a loss of data: the clock is what is left.
    let before = trial.epoch().await;
    trial.put("epoch", &[b'0'; 20]).await;
    let epoch = trial.store.advance_epoch().await.unwrap();
    let last = trial.grant(4, HOUR).await;
    expiry == -1
        && first < short
        && short < next
        && next < last
        && last.epoch() >= epoch
        && epoch > before
}

/// The counters at which numbers of 53 bits stay where they are.
async fn each_number_is_counted(trial: &Trial) -> bool {
    let epoch = trial.epoch().await;
    for last in [9, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, u64::MAX - 1] {
        let record = format!("{epoch:020}{last:020}{:040}lme", 0);
        trial.put("lease/ledger", record.as_bytes()).await;
        let request = LeaseRequest::new("ledger", "me", 1, HOUR).unwrap();
        match trial.store.grant(request).await {
            Ok(Granted::Granted(grant)) if grant.token.counter().get() == last + 1 => {}
            _ => return false,
        }
        let key = format!("{{{}}}epoch", trial.config.prefix);
        let next = (1 << 53) + last % 7;
        cmd("SET")
            .arg(key)
            .arg(format!("{next:020}"))
            .exec_async(&mut trial.bare.clone())
            .await
            .unwrap();
        if trial.store.advance_epoch().await.unwrap() != next + 1 {
            return false;
        }
        trial.put("epoch", format!("{epoch:020}").as_bytes()).await;
    }
    true
}

async fn a_lease_has_one_holder(trial: &Trial) -> bool {
    let token = trial.grant(1, HOUR).await;
    let request = |nonce| LeaseRequest::new("ledger", "me", nonce, Ttl::MIN).unwrap();
    let other = trial.store.grant(request(2)).await.unwrap();
    let nobody = |nonce| LeaseRequest::new("nobody's", "me", nonce, HOUR).unwrap();
    _ = trial.store.grant(nobody(0)).await.unwrap();
    let nobodys = trial.store.grant(nobody(0)).await.unwrap();
    let again = trial.store.grant(request(1)).await.unwrap();
    let extended = trial.store.extend(ledger(), token, Ttl::new(Ttl::MIN).unwrap()).await.unwrap();
    let holding = trial.store.holding(ledger()).await.unwrap();
    matches!(nobodys, Granted::Held(_))
        && matches!(other, Granted::Held(holding) if holding.token == token)
        && matches!(extended, Extended::Extended(_))
        && matches!(again, Granted::Granted(grant) if grant.token == token)
        && holding.is_some_and(|holding| holding.token == token && holding.remaining > HOUR / 2)
}

/// Also on a connection that does not end.
#[tokio::test]
async fn settings_are_looked_at_again() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let mut trial = Trial::new(&server, &LUA).await;
    let token = trial.grant(1, HOUR).await;
    trial.store.looks_again();
    trial.revoke(token).await;
    let mut set = async |policy| {
        let mut set = cmd("CONFIG");
        set.arg("SET").arg("appendfsync").arg(policy).exec_async(&mut trial.bare).await.unwrap();
    };
    set("everysec").await;
    trial.store.looks_again();
    for _ in 0..2 {
        let error = trial.store.write("ledger", b"k", b"v", token).await.unwrap_err();
        assert!(error.to_string().contains("weaker than when it was connected"), "{error}");
        set("always").await;
    }
}

/// Which script is mutated, what of it, and what is there instead.
type Mutant = (fn(&mut Lua) -> &mut &'static str, &'static str, &'static str);

/// Checks that something holds with the scripts as they are, and with none of the mutants.
async fn holds_but_for(holds: impl AsyncFn(&Trial) -> bool, mutants: &[Mutant]) {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&[]);
    assert!(holds(&Trial::new(&server, &LUA).await).await);
    for (script, from, to) in mutants {
        let trial = Trial::new(&server, &mutated(*script, from, to)).await;
        assert!(!holds(&trial).await, "{to:?} instead of {from:?} is not caught");
    }
}

/// Returns the scripts with something else in the place of a part of one of them.
fn mutated(script: fn(&mut Lua) -> &mut &'static str, from: &str, to: &str) -> Lua {
    let mut lua = LUA;
    let text = script(&mut lua);
    assert!(text.contains(from), "there is no {from:?}");
    *text = Box::leak(text.replace(from, to).into_boxed_str());
    lua
}

const TOKENS: &str = "if token ~= seen then return token < seen end";
const SEQUENCES: &str = "return sequence < highest";
const NONCES: &str =
    "if pass:sub(TOKEN + 1, GRANT) ~= last:sub(TOKEN + 1, GRANT) then return true end";

#[tokio::test]
async fn text_is_compared_and_not_numbers() {
    let numbers = "if token ~= seen then return tonumber(token) < tonumber(seen) end";
    let mutants: [Mutant; 4] = [
        (|lua| &mut lua.write, TOKENS, numbers),
        (|lua| &mut lua.raise, TOKENS, numbers),
        (|lua| &mut lua.write, SEQUENCES, "return tonumber(sequence) < tonumber(highest)"),
        (|lua| &mut lua.write, "sequence ~= highest", "tonumber(sequence) ~= tonumber(highest)"),
    ];
    holds_but_for(the_rule_is_kept, &mutants).await;
}

/// `>` for `>=`, and the other way round.
#[tokio::test]
async fn equality_is_let_pass_where_it_may() {
    let mutants: [Mutant; 6] = [
        (|lua| &mut lua.write, TOKENS, "do return token <= seen end"),
        (|lua| &mut lua.raise, TOKENS, "do return token <= seen end"),
        (|lua| &mut lua.write, "return sequence ~= NONE", "return true"),
        (|lua| &mut lua.write, "return sequence ~= NONE", "return false"),
        (|lua| &mut lua.write, NONCES, ""),
        (|lua| &mut lua.raise, NONCES, ""),
    ];
    holds_but_for(the_rule_is_kept, &mutants).await;
}

#[tokio::test]
async fn both_the_floor_and_the_last_write_count() {
    let mutants: [Mutant; 3] = [
        (|lua| &mut lua.write, "if refuses(floor,", "if false and refuses(floor,"),
        (|lua| &mut lua.write, "if refuses(last,", "if false and refuses(last,"),
        (|lua| &mut lua.raise, "if refuses(floor,", "if false and refuses(floor,"),
    ];
    holds_but_for(the_rule_is_kept, &mutants).await;
}

/// Delete on release, or when the lease is over.
#[tokio::test]
async fn a_token_is_granted_once() {
    let mutants: [Mutant; 5] = [
        (|lua| &mut lua.advance_epoch, "if now > following then following = now end", ""),
        (
            |lua| &mut lua.revoke,
            "redis.call('SET', KEYS[1], ending(held, 0))",
            "redis.call('DEL', KEYS[1])",
        ),
        (
            |lua| &mut lua.grant,
            "redis.call('SET', KEYS[1], record)",
            "redis.call('SET', KEYS[1], record, 'PX', ttl / 1000)",
        ),
        (|lua| &mut lua.grant, "counter = next_number(counter)", "counter = next_number(NONE)"),
        (|lua| &mut lua.grant, ">= epoch then", "~= '' then"),
    ];
    holds_but_for(each_token_is_greater, &mutants).await;
}

#[tokio::test]
async fn digits_are_counted_and_not_numbers() {
    let mutants: [Mutant; 2] = [
        (
            |lua| &mut lua.grant,
            "counter = next_number(counter)",
            "counter = text(tonumber(counter) + 1)",
        ),
        (|lua| &mut lua.advance_epoch, "next_number(epoch)", "text(tonumber(epoch) + 1)"),
    ];
    holds_but_for(each_number_is_counted, &mutants).await;
}

#[tokio::test]
async fn a_lease_is_held_until_it_ends() {
    let mutants: [Mutant; 5] = [
        (|lua| &mut lua.grant, "nonce == NONE or", ""),
        (|lua| &mut lua.grant, "ends(held) > now", "false"),
        (|lua| &mut lua.grant, "~= nonce then", "~= '' then"),
        (|lua| &mut lua.grant, "math.max(ends(held), now + ttl)", "now + ttl"),
        (|lua| &mut lua.extend, "math.max(ends(held), now + ttl)", "now + ttl"),
    ];
    holds_but_for(a_lease_has_one_holder, &mutants).await;
}
