//! The example, over real sockets. Nothing here depends on how long anything takes.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "../examples/axum_service/shop.rs"]
mod shop;
#[path = "../examples/axum_service/warehouse.rs"]
mod warehouse;

use axum::{Router, body::Body, http::StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use warehouse::Asked;

/// An app that is served until it is stopped.
struct Server {
    address: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let served = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Self { address, stop, served: tokio::spawn(served.into_future()) }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_shop_answers_whatever_the_warehouse_does() {
    let asked = Asked::default();
    let warehouse = Server::start(warehouse::app(Asked::clone(&asked))).await;
    let shop = Server::start(shop::app(&warehouse.address).unwrap()).await;
    let customer = Client::builder(TokioExecutor::new()).build_http::<Body>();
    for (item, status, text, least) in [
        ("apples", StatusCode::OK, "7 apples", 1),
        ("slow-pears", StatusCode::OK, "7 slow-pears", 2),
        ("busy-plums", StatusCode::OK, "7 busy-plums", 2),
        ("broken-eggs", StatusCode::INTERNAL_SERVER_ERROR, "", 1),
    ] {
        let uri = format!("{}/stock/{item}", shop.address).parse().unwrap();
        let (head, body) = customer.get(uri).await.unwrap().into_parts();
        assert_eq!(head.status, status, "{item}");
        let body = axum::body::to_bytes(Body::new(body), 100).await.unwrap();
        assert_eq!(body, text);
        let times = asked.lock().unwrap()[item];
        assert!(times >= least, "{item} was asked for {times} times");
    }
    // Connections that are kept open for more requests would keep the servers.
    drop(customer);
    shop.stop().await;
    warehouse.stop().await;
}

#[tokio::test]
async fn the_shop_answers_without_a_warehouse() {
    // A port that nobody listens on any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let shop = Server::start(shop::app(&format!("http://{gone}")).unwrap()).await;
    let customer = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let uri = format!("{}/stock/apples", shop.address).parse().unwrap();
    let response = customer.get(uri).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    drop((customer, response));
    shop.stop().await;
}
