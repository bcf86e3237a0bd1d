//! The example over a file, whose process is killed between the charge, its completion and its answer: nothing is
//! charged twice, and what was answered is answered so again.
//!
//! The test starts itself again as the server that it kills.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/answer.rs"]
mod answer;
#[path = "../examples/payments/service.rs"]
mod service;

use alloc::collections::BTreeMap;
use core::{future::pending, time::Duration};
use std::{
    env,
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use answer::Answer;
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header::LOCATION},
    middleware::{Next, from_fn},
    response::Response,
};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::TokioExecutor,
};
use surmise_store::{
    Terms,
    redb::{RedbConfig, RedbStore},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

const FOLDER: &str = "SURMISE_TEST_PAYMENTS";
/// Asks the server to hold back what it has done.
const HOLD: &str = "x-hold";
/// Leases end soon, so that it is known soon that nothing is known.
const TERMS: Terms = Terms {
    lease: Duration::from_millis(200),
    retention: Duration::from_secs(3600),
    brief_retention: Duration::from_secs(3600),
};

#[tokio::test]
async fn what_was_paid_is_answered_alike_by_the_next_process() {
    let folder = TempDir::new().unwrap();
    let mut first: Option<Vec<Answer>> = None;
    for _ in 0..3 {
        let server = Server::start(folder.path()).await;
        let mut answers = Vec::new();
        for order in ["apples", "pears", "plums"] {
            let answer = server.pay(order, order).await.unwrap();
            assert_eq!(
                (answer.status, answer.is_replayed()),
                (StatusCode::CREATED, first.is_some())
            );
            answers.push(answer);
        }
        assert_eq!(
            server.pay("apples", "pears").await.unwrap().problem(),
            (422, "idempotency-key-reused")
        );
        // Its answer is there, and nothing else is waited for.
        server.kill();
        let first = first.get_or_insert_with(|| answers.clone());
        for (answer, first) in answers.iter().zip(first) {
            assert_eq!(said(answer), said(first));
        }
    }
    let charges = charges(folder.path());
    assert_eq!(charges.values().copied().collect::<Vec<_>>(), [1, 1, 1], "{charges:?}");
}

#[tokio::test]
async fn a_payment_that_was_charged_and_not_completed_is_not_charged_again() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::start(folder.path()).await;
    let paying = tokio::spawn(server.held("cut", "apples"));
    assert_eq!(server.hears().await, "charged");
    assert_eq!(charges(folder.path())["apples"], 1);
    server.kill();
    paying.await.unwrap().unwrap_err();

    for restart in 0..3 {
        let server = Server::start(folder.path()).await;
        // Until its lease ends, it may be under way.
        let answer = server.insist("cut", "apples").await.unwrap();
        assert_eq!(answer.problem(), (409, "idempotency-outcome-unknown"));
        // It is not what the handler answered.
        assert!(!answer.is_replayed());
        let other = server.pay("cut", "pears").await.unwrap();
        assert_eq!(other.problem(), (422, "idempotency-key-reused"));
        let fresh = server.pay(&format!("fresh-{restart}"), "plums").await.unwrap();
        assert_eq!(fresh.status, StatusCode::CREATED);
        server.kill();
    }
    assert_eq!(charges(folder.path()), [("apples".into(), 1), ("plums".into(), 3)].into());
}

#[tokio::test]
async fn whenever_the_server_is_killed_nobody_is_charged_twice() {
    let folder = TempDir::new().unwrap();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut answered = BTreeMap::new();
    for round in 0..10 {
        let mut server = Server::start(folder.path()).await;
        let orders: Vec<_> = (0..20).map(|nth| format!("order-{round}-{nth}")).collect();
        let mut paying = JoinSet::new();
        for order in &orders {
            let (payment, order) = (server.pay(order, order), order.clone());
            paying.spawn(async move { (order, payment.await) });
        }
        // After so many charges, wherever the others are.
        let charged = rng.usize(..orders.len());
        for _ in 0..charged {
            remember(&mut answered, paying.join_next().await.unwrap().unwrap());
        }
        server.kill();
        for paid in paying.join_all().await {
            remember(&mut answered, paid);
        }

        server = Server::start(folder.path()).await;
        for order in &orders {
            let answer = server.insist(order, order).await;
            remember(&mut answered, (order.clone(), answer));
        }
        server.kill();
    }

    let server = Server::start(folder.path()).await;
    let charges = charges(folder.path());
    let mut unknown = 0;
    for (order, first) in &answered {
        let again = server.pay(order, order).await.unwrap();
        assert_eq!(again.is_replayed(), again.status == StatusCode::CREATED);
        assert_eq!(said(&again), *first);
        match again.status {
            StatusCode::CREATED => assert_eq!(charges[order], 1),
            _ => {
                assert_eq!(again.problem(), (409, "idempotency-outcome-unknown"));
                assert!(charges.get(order).is_none_or(|charges| *charges == 1), "{order}");
                unknown += 1;
            }
        }
    }
    assert_eq!(answered.len(), 200);
    assert!(unknown < 200, "there was no payment");
    server.kill();
}

/// Keeps the first answer to an order, and fails if another one differs.
fn remember(
    answered: &mut BTreeMap<String, Said>,
    (order, answer): (String, Result<Answer, Error>),
) {
    let Ok(answer) = answer else { return };
    let said = said(&answer);
    let first = answered.entry(order).or_insert_with(|| said.clone());
    assert_eq!(*first, said);
}

/// The server, in a process of its own.
#[tokio::test]
#[ignore = "is started by the other tests, and killed by them"]
async fn server() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let ledger = OpenOptions::new().create(true).append(true).open(folder.join("ledger")).unwrap();
    let store = RedbStore::open(folder.join("store"), RedbConfig::default()).unwrap();
    let app = service::payments(service::Bank::new(ledger))
        .layer(from_fn(hold))
        .layer(service::once(store).terms(TERMS).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    say(&listener.local_addr().unwrap().to_string());
    axum::serve(listener, app).await.unwrap();
}

/// Stands between the payment and its completion.
async fn hold(request: Request, next: Next) -> Response {
    let is_held = request.headers().contains_key(HOLD);
    let response = next.run(request).await;
    if is_held {
        say("charged");
        pending::<()>().await;
    }
    response
}

/// Writes a line at once.
fn say(said: &str) {
    // If the other end is gone, so is the test.
    let _ = std::io::stdout().lock().write_all(format!("> {said} <\n").as_bytes());
}

/// A server that is killed in the end, and what a client of it needs.
struct Server {
    process: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    address: String,
    client: Client<HttpConnector, Body>,
}

impl Server {
    async fn start(folder: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "server", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut server = Self { process, lines: Some(lines), address: String::new(), client };
        server.address = server.hears().await;
        server
    }

    /// Returns what the server says next.
    async fn hears(&mut self) -> String {
        let mut lines = self.lines.take().unwrap();
        // Meanwhile the client goes on.
        let heard = tokio::task::spawn_blocking(move || {
            let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
                let (_, said) = line.split_once("> ")?;
                Some(said.strip_suffix(" <")?.to_owned())
            });
            (said.unwrap(), lines)
        });
        let (said, lines) = heard.await.unwrap();
        self.lines = Some(lines);
        said
    }

    /// Kills the process, by a signal that it does not see where there are signals.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn pay(&self, key: &str, order: &str) -> impl Future<Output = Result<Answer, Error>> + use<> {
        self.send(key, order, HeaderMap::new())
    }

    /// Pays, and the server does not complete it.
    fn held(&self, key: &str, order: &str) -> impl Future<Output = Result<Answer, Error>> + use<> {
        self.send(key, order, [(HOLD.parse().unwrap(), "1".parse().unwrap())].into_iter().collect())
    }

    /// Pays, and asks again for as long as the payment may be under way.
    async fn insist(&self, key: &str, order: &str) -> Result<Answer, Error> {
        loop {
            let answer = self.pay(key, order).await?;
            if answer.status == StatusCode::CREATED
                || answer.problem() != (409, "idempotency-key-in-flight")
            {
                return Ok(answer);
            }
        }
    }

    fn send(
        &self,
        key: &str,
        order: &str,
        headers: HeaderMap,
    ) -> impl Future<Output = Result<Answer, Error>> + use<> {
        let mut request = Request::post(format!("http://{}/payments", self.address))
            .header("x-account", "acme")
            .header("idempotency-key", key)
            .body(Body::from(order.to_owned()))
            .unwrap();
        request.headers_mut().extend(headers);
        let response = self.client.request(request);
        async { Ok(Answer::read(response.await?).await) }
    }
}

/// What has to be the same in each answer.
type Said = (StatusCode, Option<String>, Vec<u8>);

fn said(answer: &Answer) -> Said {
    let location = answer.headers.get(LOCATION).map(|location| location.to_str().unwrap().into());
    (answer.status, location, answer.body.to_vec())
}

/// Returns how often each order was charged.
fn charges(folder: &Path) -> BTreeMap<String, usize> {
    let mut charges = BTreeMap::new();
    for line in fs::read_to_string(folder.join("ledger")).unwrap().lines() {
        let (order, _token) = line.split_once(' ').unwrap();
        *charges.entry(order.to_owned()).or_insert(0) += 1;
    }
    charges
}
