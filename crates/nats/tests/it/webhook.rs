//! Updates by webhook: a delivery is confirmed after it is stored.

use tamtam::webhook::{Webhook, axum};

use crate::{NatsServer, Seen, World, until};

const PATH: &str = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";

#[tokio::test]
async fn deliveries_are_stored_but_refused_while_the_server_is_down() {
    let mut world = World::start().await;
    let queue = world.queue().await;
    let app = queue.writer().router(Webhook::new(world.bot.clone(), PATH).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    world.bot.subscribe_webhook(url.clone(), []).await.unwrap();
    let alice = world.sandbox.user("Alice");
    alice.says("one");
    until("the update is stored", async || queue.lag().await.is_ok_and(|lag| lag.waiting == 2)).await;
    world.nats.kill();
    let client = tamtam::reqwest::Client::builder().no_proxy().build().unwrap();
    let update = r#"{"update_type":"bot_started","timestamp":1,"chat_id":5,"user":{"user_id":7,"name":"A"}}"#;
    let send = async || client.post(&url).body(update).send().await.unwrap().status().as_u16();
    assert_eq!(send().await, 503);
    world.nats.restart();
    until("the update is stored later", async || send().await == 200).await;
    assert_eq!(send().await, 200, "a repeated update is confirmed, too");
    let seen = Seen::default();
    let worker = tokio::spawn(queue.work(world.bot.clone(), seen.handler()).run());
    seen.reaches(1).await;
    until("all are handled", async || queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0)).await;
    worker.abort();
    server.abort();
}

#[tokio::test]
async fn a_too_large_delivery_is_skipped_and_an_invalid_one_is_refused() {
    let world = World::with(NatsServer::with("max_payload: 10KB")).await;
    let queue = world.queue().await;
    let app = queue.writer().router(Webhook::new(world.bot.clone(), PATH).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let client = tamtam::reqwest::Client::builder().no_proxy().build().unwrap();
    let send = async |body: String| client.post(&url).body(body).send().await.unwrap().status().as_u16();
    let large = format!(r#"{{"update_type":"weather","timestamp":1,"chat_id":5,"new":"{}"}}"#, "x".repeat(5_000));
    assert_eq!(send(large).await, 200, "a too large update is skipped");
    assert_eq!(send("nonsense".to_owned()).await, 503, "invalid JSON is refused, because a proxy may have changed it");
    assert_eq!(queue.lag().await.unwrap().waiting, 0);
    server.abort();
}

#[tokio::test]
async fn a_full_stream_accepts_deliveries_as_workers_make_room() {
    let world = World::start().await;
    let queue = world.opening().await.max_bytes(64 * 1024).await.unwrap();
    let worker = tokio::spawn(queue.work(world.bot.clone(), async |_, _| {}).run());
    let writer = queue.writer();
    // Four times the size of the stream. All updates are younger than the deduplication window.
    for number in 0..500 {
        let json = format!(
            r#"{{"update_type":"weather","timestamp":{number},"chat_id":{},"new":"{}"}}"#,
            number % 7,
            "x".repeat(300)
        );
        let raw = serde_json::from_str(&json).unwrap();
        until("the update is stored", async || writer.store(&raw).await.is_ok()).await;
    }
    worker.abort();
}
