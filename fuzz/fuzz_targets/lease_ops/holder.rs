//! What a holder knows of its lease, and when it renews it.

use core::time::Duration;

use arbitrary::Arbitrary;
use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseGuard, RenewSchedule, Renewal};
use surmise_time::Instant;

use crate::Span;

#[derive(Arbitrary, Debug)]
pub(crate) struct Input {
    ppm: u32,
    spacing: Span,
    first: Reply,
    ops: Vec<Op>,
}

/// The reply to a request that was sent at some time.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Reply {
    sent: Span,
    valid_for: Span,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op {
    Renewed(Reply),
    OtherToken(Reply),
    At(Span),
}

pub(crate) fn check(input: &Input) {
    let drift = DriftAllowance::from_ppm(input.ppm);
    let mut guard = LeaseGuard::new(input.first.grant(TOKEN), input.first.sent(), drift);
    let spacing = input.spacing.duration();
    let Ok(schedule) = RenewSchedule::new(&guard, spacing) else {
        assert!(spacing.is_zero());
        return;
    };
    let mut model = Model::new(input.first, input.ppm, spacing, schedule);
    for &op in &input.ops {
        match op {
            Op::Renewed(reply) => {
                guard.renewed(reply.grant(TOKEN), reply.sent()).expect("it is the same token");
                model.renew(reply, input.ppm, &guard);
            }
            Op::OtherToken(reply) => {
                let before = guard;
                guard.renewed(reply.grant(OTHER), reply.sent()).unwrap_err();
                assert_eq!(guard, before);
            }
            Op::At(now) => model.at(now.nanos(), &guard),
        }
        model.check(&guard);
    }
}

/// The nanosecond that the lease is over at, and what the schedule was asked.
struct Model {
    sent: u64,
    over: u64,
    spacing: u64,
    due: u64,
    /// When the last renewal was sent, if any was.
    last: Option<u64>,
    expired: bool,
    schedule: RenewSchedule,
}

impl Model {
    fn new(reply: Reply, ppm: u32, spacing: Duration, schedule: RenewSchedule) -> Self {
        let (sent, over) = (reply.sent.nanos(), reply.over(ppm));
        let spacing = u64::try_from(spacing.as_nanos()).unwrap_or(u64::MAX);
        let due = sent + (over - sent) / 3;
        Self { sent, over, spacing, due, last: None, expired: false, schedule }
    }

    fn renew(&mut self, reply: Reply, ppm: u32, guard: &LeaseGuard) {
        let over = reply.over(ppm);
        if over > self.over {
            (self.sent, self.over, self.expired) = (reply.sent.nanos(), over, false);
            self.due = self.due.max(self.sent + (over - self.sent) / 3);
        }
        self.schedule.renewed(guard);
    }

    fn at(&mut self, now: u64, guard: &LeaseGuard) {
        let time = Instant::from_nanos(now);
        let left = self.over - now.max(self.sent).min(self.over);
        assert_eq!(guard.remaining(time), Duration::from_nanos(left));
        assert_eq!(guard.is_expired(time), left == 0);
        match guard.token(time) {
            Ok(token) => assert!(token == TOKEN && left > 0),
            Err(expired) => {
                assert_eq!((expired.token, left), (TOKEN, 0));
                assert_eq!(expired.by, Duration::from_nanos(now.saturating_sub(self.over)));
            }
        }
        self.expired |= now >= self.over;
        let expected = if self.expired {
            Renewal::Expired
        } else if now < self.due {
            Renewal::Wait { until: Instant::from_nanos(self.due.min(self.over)) }
        } else {
            // However late the replies came, and whatever they gave.
            assert!(self.last.is_none_or(|last| now >= last.saturating_add(self.spacing)));
            self.last = Some(now);
            self.due = now.saturating_add(self.spacing);
            Renewal::Send
        };
        assert_eq!(self.schedule.poll(time), expected);
    }

    fn check(&self, guard: &LeaseGuard) {
        assert_eq!(guard.expires_at().as_nanos(), self.over);
        assert_eq!((guard.sent().as_nanos(), guard.token_unchecked()), (self.sent, TOKEN));
        let deadline = (!self.expired).then(|| Instant::from_nanos(self.due.min(self.over)));
        assert_eq!(self.schedule.deadline(), deadline);
    }
}

impl Reply {
    fn grant(self, token: FencingToken) -> Grant {
        Grant { token, valid_for: self.valid_for.duration() }
    }

    fn sent(self) -> Instant {
        Instant::from_nanos(self.sent.nanos())
    }

    /// Returns the nanosecond at which the lease is over for its holder.
    fn over(self, ppm: u32) -> u64 {
        let valid_for = self.valid_for.duration().as_nanos().min(u64::MAX.into());
        let valid_for = valid_for * u128::from(1_000_000 - ppm.min(1_000_000)) / 1_000_000;
        let over = u128::from(self.sent.nanos()) + valid_for;
        u64::try_from(over).unwrap_or(u64::MAX)
    }
}

const TOKEN: FencingToken = FencingToken::first(7);
const OTHER: FencingToken = FencingToken::first(8);
