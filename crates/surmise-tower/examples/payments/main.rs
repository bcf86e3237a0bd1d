//! A client pays, gets no answer, and asks again: `cargo run -p surmise-tower --features idempotency --example payments`.

extern crate alloc;

mod service;

use alloc::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use surmise_store::memory::{MemoryConfig, MemoryStore};
use surmise_time::OsClock;
use surmise_tower::BoxError;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let store = MemoryStore::new(MemoryConfig::default(), OsClock)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = service::app(store, Arc::default());
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
