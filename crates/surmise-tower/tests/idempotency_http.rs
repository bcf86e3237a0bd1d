//! The layer over real sockets. Nothing here depends on how long anything takes.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/once.rs"]
mod once;
#[path = "../examples/payments/service.rs"]
mod service;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header::LOCATION},
    routing,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use once::{Answer, memory};
use surmise_tower::idempotency::IdempotencyLayer;
use tokio::{net::TcpListener, sync::Semaphore};

/// A client of a server that is served for as long as the test's runtime lives.
#[derive(Clone)]
struct Customer {
    address: String,
    client: Client<HttpConnector, Body>,
}

impl Customer {
    async fn of(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn pay(&self, account: &str, key: &str, order: &'static str) -> Answer {
        let request = Request::post(format!("{}/payments", self.address))
            .header("x-account", account)
            .header("idempotency-key", key)
            .body(Body::from(order))
            .unwrap();
        Answer::read(self.client.request(request).await.unwrap()).await
    }

    /// Pays, and asks again for as long as the payment is under way.
    async fn insist(&self, key: &str, order: &'static str) -> Answer {
        loop {
            let answer = self.pay("acme", key, order).await;
            if answer.status != StatusCode::CONFLICT {
                return answer;
            }
            assert_eq!(answer.problem(), (409, "idempotency-key-in-flight"));
        }
    }
}

/// A till whose payments wait for the test.
#[derive(Clone)]
struct Till {
    begun: Arc<Semaphore>,
    may_end: Arc<Semaphore>,
    charges: Arc<AtomicU64>,
}

impl Till {
    fn new() -> Self {
        let [begun, may_end] = [(); 2].map(|()| Arc::new(Semaphore::new(0)));
        Self { begun, may_end, charges: Arc::default() }
    }

    fn app(&self) -> Router {
        let till = self.clone();
        let pay = async move || {
            till.begun.add_permits(1);
            till.may_end.acquire().await.unwrap().forget();
            let nth = till.charges.fetch_add(1, Ordering::Relaxed) + 1;
            (
                StatusCode::CREATED,
                [(LOCATION, format!("/payments/{nth}"))],
                format!("payment {nth}"),
            )
        };
        let once = IdempotencyLayer::single_tenant(memory());
        Router::new().route("/payments", routing::post(pay)).layer(once)
    }

    fn charges(&self) -> u64 {
        self.charges.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn fifty_duplicates_at_once_are_charged_once_and_get_the_same_bytes() {
    let till = Till::new();
    let customer = Customer::of(till.app()).await;
    let answers = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    let early = Arc::new(Semaphore::new(0));
    let duplicates = (0..50).map(|_| {
        let (customer, answers, early) = (customer.clone(), answers.clone(), early.clone());
        tokio::spawn(async move {
            let mut answer = customer.pay("acme", r#""once""#, "apples").await;
            if answer.status == StatusCode::CONFLICT {
                assert_eq!(answer.problem(), (409, "idempotency-key-in-flight"));
                early.add_permits(1);
                answer = customer.insist(r#""once""#, "apples").await;
            }
            answers.lock().await.push(answer);
        })
    });
    let duplicates: Vec<_> = duplicates.collect();
    // One executes, and all others were told so.
    early.acquire_many(49).await.unwrap().forget();
    till.may_end.add_permits(50);
    for duplicate in duplicates {
        duplicate.await.unwrap();
    }
    assert_eq!(till.charges(), 1);
    let answers = answers.lock().await;
    for answer in answers.iter() {
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::CREATED, &b"payment 1"[..]));
        assert_eq!(answer.headers[LOCATION], "/payments/1");
    }
    assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_finds_its_payment_made() {
    let till = Till::new();
    let customer = Customer::of(till.app()).await;
    let impatient = customer.clone();
    let leaving = tokio::spawn(async move { impatient.pay("acme", "once", "apples").await });
    till.begun.acquire().await.unwrap().forget();
    // Its connection is closed with it.
    leaving.abort();
    leaving.await.unwrap_err();

    assert_eq!(customer.pay("acme", "once", "apples").await.problem().0, 409);
    assert_eq!(
        customer.pay("acme", "once", "pears").await.problem(),
        (422, "idempotency-key-reused")
    );
    till.may_end.add_permits(1);
    let answer = customer.insist("once", "apples").await;
    assert_eq!((&answer.body[..], answer.is_replayed()), (&b"payment 1"[..], true));
    assert_eq!(till.charges(), 1);
    assert_eq!(
        customer.pay("acme", "once", "pears").await.problem(),
        (422, "idempotency-key-reused")
    );
}

#[tokio::test]
async fn the_example_charges_each_account_once_for_a_key() {
    let ledger = tempfile::NamedTempFile::new().unwrap();
    let bank = service::Bank::new(ledger.reopen().unwrap());
    let customer = Customer::of(service::payments(bank).layer(service::once(memory()))).await;
    let first = customer.pay("acme", "once", "apples").await;
    assert_eq!((first.status, first.is_replayed()), (StatusCode::CREATED, false));
    let again = customer.pay("acme", r#""once""#, "apples").await;
    assert_eq!((&again.body, again.is_replayed()), (&first.body, true));
    let other = customer.pay("zenith", "once", "apples").await;
    assert_eq!((other.status, other.is_replayed()), (StatusCode::CREATED, false));
    assert_ne!(other.body, first.body);
    assert_eq!(std::fs::read_to_string(&ledger).unwrap().lines().count(), 2);
    let nameless = Request::post(format!("{}/payments", customer.address));
    let response = customer.client.request(nameless.body(Body::empty()).unwrap()).await.unwrap();
    let answer = Answer::read(response).await;
    assert_eq!(answer.problem(), (400, "idempotency-key-missing"));
}
