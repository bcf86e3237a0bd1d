//! A shop asks a warehouse that is slow, busy or broken now and then.
//!
//! Both are axum services; `shop.rs` has all of surmise that there is, in its function `client`. Run it with
//! `cargo run -p surmise-tower --example axum_service`.

extern crate alloc;

mod shop;
mod warehouse;

use axum::{Router, body::Body};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use surmise_tower::BoxError;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let warehouse = serve(warehouse::app(warehouse::Asked::default())).await?;
    let shop = serve(shop::app(&warehouse)?).await?;
    let customer = Client::builder(TokioExecutor::new()).build_http::<Body>();
    for item in ["apples", "slow-pears", "busy-plums", "broken-eggs"] {
        let response = customer.get(format!("{shop}/stock/{item}").parse()?).await?;
        println!("{item}: {}", response.status());
    }
    Ok(())
}

/// Serves an app on a free port, and returns its address.
async fn serve(app: Router) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}
