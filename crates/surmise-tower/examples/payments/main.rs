//! A client pays, gets no answer, and asks again: `cargo run -p surmise-tower --features idempotency --example payments`.
//!
//! Given the name of a file, as in `… --example payments -- /tmp/payments`, it remembers there what was paid, so that the
//! next run pays nothing.

extern crate alloc;

mod service;

use std::{env, fs::OpenOptions, io};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use service::{Bank, once, payments};
use surmise_store::{
    LeaseClock,
    memory::{MemoryConfig, MemoryStore},
    redb::{RedbConfig, RedbStore},
};
use surmise_tower::BoxError;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = open(env::args().nth(1))?;
    tokio::spawn(async { axum::serve(listener, app).await });

    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    for order in ["3 apples", "3 apples", "4 apples"] {
        let request = Request::post(format!("http://{address}/payments"))
            .header("x-account", "acme")
            .header("idempotency-key", r#""8e03978e-40d5-43dd-bc93-6894a57f9324""#)
            .body(Body::from(order))?;
        let (head, body) = client.request(request).await?.into_parts();
        let replayed = head.headers.contains_key("idempotency-replayed");
        let text = to_bytes(Body::new(body), 10_000).await?;
        println!(
            "{} {}{}",
            head.status,
            String::from_utf8_lossy(&text),
            if replayed { " (again)" } else { "" }
        );
    }
    Ok(())
}

/// Opens the service, in a file or in memory.
fn open(file: Option<String>) -> Result<Router, BoxError> {
    let Some(file) = file else {
        let store = MemoryStore::new(MemoryConfig::default(), LeaseClock)?;
        return Ok(payments(Bank::new(io::sink())).route_layer(once(store)));
    };
    let ledger = OpenOptions::new().create(true).append(true).open(format!("{file}.ledger"))?;
    let store = RedbStore::open(file, RedbConfig::default())?;
    Ok(payments(Bank::new(ledger)).route_layer(once(store)))
}
