//! What must never be of leases.

use std::collections::HashMap;

use surmise_fence::FencingToken;
use surmise_time::Instant;

use super::{Action, Anomaly, Answer, Event, Rule};

/// Checks the events of one resource, which are as they were sent.
pub(super) fn check(events: &[&Event]) -> Result<(), Anomaly> {
    check_reissues(events)?;
    check_failures(events)?;
    check_order(events)?;
    check_overlaps(events)
}

/// Who was said to hold the lease, under which nonce if that was said.
fn holder(event: &Event) -> Option<(FencingToken, Option<u64>)> {
    match (&event.action, &event.answer) {
        (Action::Grant { nonce }, Answer::Granted(grant)) => Some((grant.token, Some(*nonce))),
        (Action::Extend { .. }, Answer::Granted(grant)) => Some((grant.token, None)),
        (_, Answer::Held { token, nonce }) => Some((*token, Some(*nonce))),
        _ => None,
    }
}

fn check_reissues(events: &[&Event]) -> Result<(), Anomaly> {
    let mut grants: HashMap<FencingToken, (u64, &Event)> = HashMap::new();
    for &event in events {
        let Some((token, Some(nonce))) = holder(event) else { continue };
        let (before, first) = *grants.entry(token).or_insert((nonce, event));
        let is_grant = |event: &Event| matches!(event.answer, Answer::Granted(_));
        // A request without a nonce has no retries; of many who see its lease, none need be its holder.
        let is_another = nonce == 0 && event != first && is_grant(event) && is_grant(first);
        if before != nonce || is_another {
            return Err(Anomaly::new(Rule::TokenReissued, [first, event]));
        }
    }
    Ok(())
}

/// Nobody is a holder all of whose requests until then had failed.
fn check_failures(events: &[&Event]) -> Result<(), Anomaly> {
    // Of each nonce, the first request that failed, and the first that did not.
    let mut asked: HashMap<u64, [Option<&Event>; 2]> = HashMap::new();
    for &event in events {
        if let Action::Grant { nonce: nonce @ 1.. } = event.action {
            let [failed, other] = asked.entry(nonce).or_default();
            let first = if event.answer == Answer::Failed { failed } else { other };
            first.get_or_insert(event);
        }
    }
    for &event in events {
        let Some((_, Some(nonce))) = holder(event) else { continue };
        if let Some(&[Some(failed), other]) = asked.get(&nonce)
            && other.is_none_or(|other| other.invoked > event.end())
        {
            return Err(Anomaly::new(Rule::FailedGrantHeld, [failed, event]));
        }
    }
    Ok(())
}

/// Goes through the events as they were sent, with the highest token that had surely been granted, and the highest that
/// had surely been given back.
fn check_order(events: &[&Event]) -> Result<(), Anomaly> {
    let mut over: Vec<&Event> = events.to_vec();
    over.sort_by_key(|event| event.end());
    let mut over = over.into_iter().peekable();
    let mut granted: Option<(FencingToken, &Event)> = None;
    let mut released: Option<(FencingToken, &Event)> = None;
    for &event in events {
        while let Some(past) = over.next_if(|past| past.precedes(event)) {
            if let Some((token, _)) = holder(past) {
                raise(&mut granted, token, past);
            }
            if let (Action::Revoke { token }, Answer::Done) = (&past.action, &past.answer) {
                raise(&mut released, *token, past);
            }
        }
        let above =
            |known: Option<(FencingToken, _)>, token| known.is_some_and(|(known, _)| known > token);
        let at_least = |known: Option<(FencingToken, _)>, token| {
            known.is_some_and(|(known, _)| known >= token)
        };
        let kept = match (&event.action, &event.answer) {
            (Action::Extend { token }, Answer::Granted(_))
            | (Action::Revoke { token }, Answer::Done) => Some(*token),
            _ => None,
        };
        // The asker's token before that of an answer, which may be another's.
        let claimed = kept.or_else(|| holder(event).map(|(token, _)| token));
        let Some(token) = claimed else { continue };
        let rule = if kept.is_some() { Rule::LostLeaseKept } else { Rule::TokenNotAbove };
        for (known, wrong) in
            [(granted, above(granted, token)), (released, at_least(released, token))]
        {
            if wrong {
                return Err(Anomaly::new(
                    rule,
                    known.map(|(_, past)| past).into_iter().chain([event]),
                ));
            }
        }
    }
    Ok(())
}

fn raise<'a>(known: &mut Option<(FencingToken, &'a Event)>, token: FencingToken, event: &'a Event) {
    if known.is_none_or(|(known, _)| known < token) {
        *known = Some((token, event));
    }
}

/// Until when a lease was promised, counted from before it was asked for.
#[derive(Clone, Copy)]
struct Promise<'a> {
    until: Instant,
    by: &'a Event,
    /// When its first grant was surely there.
    known: &'a Event,
}

/// A grant must not be answered before every lease with a lower token is over, or is being given back.
fn check_overlaps(events: &[&Event]) -> Result<(), Anomaly> {
    let mut promises: HashMap<FencingToken, Promise<'_>> = HashMap::new();
    for &event in events {
        let Answer::Granted(grant) = &event.answer else { continue };
        let until = event.invoked + grant.valid_for;
        let promise =
            promises.entry(grant.token).or_insert(Promise { until, by: event, known: event });
        if until > promise.until {
            (promise.until, promise.by) = (until, event);
        }
        if event.end() < promise.known.end() {
            promise.known = event;
        }
    }
    for &event in events {
        // One that was refused did not end it; and that the lease was over does not excuse that it was.
        if let (Action::Revoke { token }, Answer::Done | Answer::Unknown) =
            (&event.action, &event.answer)
            && let Some(promise) = promises.get_mut(token)
        {
            promise.until = promise.until.min(event.invoked);
        }
    }
    let mut promises: Vec<_> = promises.into_iter().collect();
    promises.sort_by_key(|(token, _)| *token);
    let mut longest: Option<Promise<'_>> = None;
    for (_, promise) in promises {
        if let Some(longest) = longest.filter(|longest| longest.until > promise.known.end()) {
            return Err(Anomaly::new(Rule::LeasesOverlap, [longest.by, promise.known]));
        }
        if longest.is_none_or(|longest| longest.until < promise.until) {
            longest = Some(promise);
        }
    }
    Ok(())
}
