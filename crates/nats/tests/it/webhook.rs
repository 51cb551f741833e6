//! Updates by a webhook: a delivery is confirmed when it is stored.

use tamtam::webhook::{Webhook, axum};

use crate::{Seen, World, until};

const PATH: &str = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";

#[tokio::test]
async fn deliveries_are_stored_and_refused_while_the_server_is_down() {
    let mut world = World::start().await;
    let queue = world.queue().await;
    let app = queue.writer().router(Webhook::new(world.bot.clone(), PATH).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    world.bot.subscribe_webhook(url.clone(), []).await.unwrap();
    let alice = world.sandbox.user("Alice");
    alice.says("one");
    until("it is stored", async || queue.lag().await.is_ok_and(|lag| lag.waiting == 2)).await;
    world.nats.kill();
    let client = tamtam::reqwest::Client::builder().no_proxy().build().unwrap();
    let update = r#"{"update_type":"bot_started","timestamp":1,"chat_id":5,"user":{"user_id":7,"name":"A"}}"#;
    let send = async || client.post(&url).body(update).send().await.unwrap().status().as_u16();
    assert_eq!(send().await, 503);
    world.nats.restart();
    until("it is stored later", async || send().await == 200).await;
    assert_eq!(send().await, 200, "a repeat is confirmed, too");
    let seen = Seen::default();
    let sees = seen.clone();
    let worker = tokio::spawn(
        queue
            .work(world.bot.clone(), move |_, update| {
                sees.add(&update);
                async {}
            })
            .run(),
    );
    seen.reaches(1).await;
    until("all are handled", async || queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0)).await;
    worker.abort();
    server.abort();
}
