//! Webhook subscriptions: on the sandbox, and on wiremock for a server that does not remove them.

use serde_json::json;
use tamtam::{Bot, ErrorKind, UpdateType, settings::RetryPolicy};
use tamtam_sandbox::Fault;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{any, method},
};

use crate::{
    common::{bot, mock_server, parameter, requests},
    conformance,
};

const ONE: &str = "https://bot.example/7Qm2xV9sKd4TzB8f";
const OTHER: &str = "https://other.example/Lw3JhN6yRc5GpA1e";

#[tokio::test]
async fn webhooks_are_listed_added_and_removed() {
    let tamtam = conformance::start().await;
    let bot = tamtam.bot();
    let urls = async || {
        let webhooks = bot.subscriptions().await.unwrap().subscriptions;
        webhooks.into_iter().map(|webhook| webhook.url).collect::<Vec<_>>()
    };
    bot.subscribe_webhook(ONE, [UpdateType::MessageCreated]).await.unwrap();
    bot.subscribe_webhook(OTHER, []).await.unwrap();
    assert_eq!(urls().await, [ONE, OTHER]);
    bot.unsubscribe_webhook(ONE).await.unwrap();
    assert_eq!(urls().await, [OTHER]);
    bot.subscribe_webhook(ONE, []).await.unwrap();
    // The future does not borrow the bot.
    tokio::spawn(bot.unsubscribe_all()).await.unwrap().unwrap();
    assert!(urls().await.is_empty());
    bot.unsubscribe_all().await.unwrap();
}

#[tokio::test]
async fn removing_a_webhook_that_is_not_there_is_refused_without_showing_it() {
    let tamtam = conformance::start().await;
    let error = tamtam.bot().unsubscribe_webhook(ONE).await.unwrap_err();
    assert!(error.is_refused());
    assert!(!format!("{error} {error:?}").contains("7Qm2xV9sKd4TzB8f"), "{error:?}");
}

#[tokio::test]
async fn a_webhook_that_cannot_be_removed_is_an_error_without_its_url() {
    let server = mock_server().await;
    // The second webhook has invalid properties. It must be removed, too.
    let list = json!({"subscriptions": [{"url": ONE, "time": 1}, {"url": OTHER, "time": "?", "update_types": 7}]});
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"success": false, "message": "no"})))
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .with_priority(9)
        .mount(&server)
        .await;
    let error = bot(&server).unsubscribe_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WebhookSubscribed);
    assert_eq!(error.operation(), Some("unsubscribe"));
    let text = format!("{error} {error:?}");
    assert!(text.contains("https://bot.example, https://other.example"), "{text}");
    assert!(!text.contains("7Qm2xV9sKd4TzB8f") && !text.contains("Lw3JhN6yRc5GpA1e"), "{text}");
    let removed: Vec<_> = requests(&server).await.iter().flat_map(|request| parameter(request, "url")).collect();
    assert_eq!(removed, [ONE, OTHER]);
}

#[tokio::test]
async fn a_failure_to_remove_a_webhook_is_returned() {
    let server = mock_server().await;
    let list = json!({"subscriptions": [{"url": ONE, "time": 1}]});
    Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .with_priority(9)
        .mount(&server)
        .await;
    let error = bot(&server).unsubscribe_all().await.unwrap_err();
    assert_eq!(error.operation(), Some("unsubscribe"));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(500));
}

#[tokio::test]
async fn an_error_with_one_webhook_does_not_prevent_removing_the_others() {
    let tamtam = conformance::start().await;
    let builder = Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(RetryPolicy::none());
    let bot = builder.http(|http| http.no_proxy()).build().unwrap();
    for url in [ONE, OTHER] {
        bot.subscribe_webhook(url, []).await.unwrap();
    }
    tamtam.fails("unsubscribe", Fault::status(502));
    let error = bot.unsubscribe_all().await.unwrap_err();
    assert_eq!((error.operation(), error.status().map(|status| status.as_u16())), (Some("unsubscribe"), Some(502)));
    let left = bot.subscriptions().await.unwrap().subscriptions;
    assert_eq!(left.into_iter().map(|webhook| webhook.url).collect::<Vec<_>>(), [ONE]);
    // A webhook that was removed despite an error response is not an error.
    tamtam.fails("unsubscribe", Fault::status(502).applied(true));
    bot.unsubscribe_all().await.unwrap();
    assert!(bot.subscriptions().await.unwrap().subscriptions.is_empty());
}
