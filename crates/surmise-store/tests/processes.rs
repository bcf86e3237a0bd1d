//! Holders in processes of their own, on a store in this one, which they ask by TCP.

#![cfg(all(target_os = "linux", feature = "conformance"))]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]
#![expect(clippy::unwrap_used, reason = "what two processes of a test say is well-formed")]

#[path = "support/processes.rs"]
mod processes;
#[path = "processes/remote.rs"]
mod remote;
#[path = "support/soak.rs"]
mod soak;

use core::time::Duration;

use surmise_fence::{FencingToken, Grant, Pass, Refusal};
use surmise_store::{
    Entry,
    conformance::{
        faults::Workload,
        history::{Action, Answer, Event},
    },
};
use surmise_time::Instant;

use self::{
    processes::wire::{event_from_line, event_to_line},
    remote::{Remote, Server},
};

/// Not a test: what the processes of the others run.
#[tokio::test]
async fn holder() {
    processes::serve(async |url| Remote::connect(&url)).await;
}

#[tokio::test]
async fn stopped_and_killed_holders_do_no_harm() {
    let server = Server::start();
    let ttl = Duration::from_millis(100);
    let workload = Workload { ttl, holders: 4, ..Workload::new(6) };
    let store = Remote::connect(server.url());
    let (history, harm) = processes::run(&workload, server.url(), &store, 40).await;
    history.check().unwrap_or_else(|anomaly| panic!("{anomaly}"));
    assert!(harm.stopped >= 10 && harm.killed >= 10, "{harm:?}");
    let count =
        |wanted: fn(&Event) -> bool| history.events().iter().filter(|&event| wanted(event)).count();
    let written =
        count(|event| matches!(event.action, Action::Write { .. }) && event.answer == Answer::Done);
    let stale = count(|event| matches!(event.answer, Answer::Refused(Refusal::Stale { .. })));
    assert!(written > 100 && stale > 0, "{written}, {stale}");
}

#[test]
fn what_is_sent_is_received() {
    let token = FencingToken::MAX;
    let pass = Pass { token, nonce: u64::MAX, sequence: 7 };
    let (key, value) = (vec![0xff, 0], Some(Vec::new()));
    let actions = [
        Action::Grant { nonce: 7 },
        Action::Extend { token },
        Action::Revoke { token },
        Action::Holding,
        Action::Raise { pass },
        Action::Floor,
        Action::Write { key: key.clone(), value: value.clone(), pass },
        Action::Write { key: key.clone(), value: None, pass },
        Action::Read { key },
    ];
    let answers = [
        Answer::Unknown,
        Answer::Failed,
        Answer::Granted(Grant { token, valid_for: Duration::from_nanos(1) }),
        Answer::Held { token, nonce: 7 },
        Answer::Free,
        Answer::Done,
        Answer::Refused(Refusal::Stale { offered: FencingToken::first(0), highest: token }),
        Answer::Refused(Refusal::Collision { token, offered: 1, seen: 2 }),
        Answer::Refused(Refusal::Duplicate { sequence: 3 }),
        Answer::Refused(Refusal::OutOfOrder { offered: 4, highest: 5 }),
        Answer::Floor(None),
        Answer::Floor(Some(pass)),
        Answer::Read(None),
        Answer::Read(Some(Entry::new(None, pass))),
        Answer::Read(Some(Entry::new(value, pass))),
    ];
    let invoked = Instant::from_nanos(1);
    for (action, answer) in
        actions.iter().flat_map(|action| answers.iter().map(move |answer| (action, answer)))
    {
        let (action, answer) = (action.clone(), answer.clone());
        let resource = "a ß".into();
        let event =
            Event { client: 1, number: 2, resource, invoked, returned: None, action, answer };
        let returned = Event { returned: Some(Instant::MAX), ..event.clone() };
        for event in [event, returned] {
            assert_eq!(event_from_line(&event_to_line(&event)), Some(event));
        }
    }
}
