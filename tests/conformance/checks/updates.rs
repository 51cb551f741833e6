//! Updates: polls, webhooks, and answers with unknown ids.

use serde_json::json;
use tamtam::{
    UpdateType,
    http::Method,
    types::{ConstructorAnswer, Subscription, SubscriptionRequestBody},
};

use crate::{
    outcome::{Done, PAYLOAD, Skip, assert_refused, is_missing},
    place::Place,
};

/// A URL whose host does not exist, so no update is delivered.
const NOWHERE: &str = "https://conformance.invalid/tamtam";
/// [`NOWHERE`] without TLS.
const PLAIN: &str = "http://conformance.invalid/tamtam";

pub(super) async fn an_unknown_callback_is_an_error(place: Place) -> Done {
    let error = place.bot.answer("conformance").notification("for nobody").await.unwrap_err();
    assert!(is_missing(&error), "{error}");
    Ok(())
}

pub(super) async fn an_unknown_session_is_an_error(place: Place) -> Done {
    let answer = ConstructorAnswer::new().hint("for nobody");
    let error = place.bot.api().construct("conformance", answer).await.unwrap_err();
    assert!(is_missing(&error), "{error}");
    Ok(())
}

pub(super) async fn subscriptions_are_listed(place: Place) -> Done {
    let list = place.bot.subscriptions().await.unwrap().subscriptions;
    assert!(list.iter().all(|one| one.url.starts_with("http")), "{} subscriptions", list.len());
    Ok(())
}

pub(super) async fn an_unknown_webhook_is_not_unsubscribed(place: Place) -> Done {
    let error = place.bot.unsubscribe_webhook(NOWHERE).await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    Ok(())
}

/// Unsubscribes a webhook after the check.
fn unsubscribes_afterwards(place: &Place, url: &'static str) {
    let bot = place.bot.clone();
    place.afterwards(async move {
        match bot.unsubscribe_webhook(url).await {
            // The check may have unsubscribed it.
            Err(error) if error.is_refused() => Ok(()),
            done => done,
        }
    });
}

/// Subscribes a webhook, and unsubscribes it after the check. Returns its subscription.
async fn subscribe(place: &Place, webhook: SubscriptionRequestBody) -> Result<Subscription, Skip> {
    place.may_take_updates().await?;
    unsubscribes_afterwards(place, NOWHERE);
    place.bot.api().subscribe(webhook).await.unwrap();
    let [subscription] = <[_; 1]>::try_from(place.bot.subscriptions().await.unwrap().subscriptions).unwrap();
    assert_eq!(subscription.url, NOWHERE);
    Ok(subscription)
}

pub(super) async fn a_webhook_is_subscribed_and_unsubscribed(place: Place) -> Done {
    let types = vec![UpdateType::MessageCreated];
    let webhook = SubscriptionRequestBody::new(NOWHERE).update_types(types.clone());
    assert_eq!(subscribe(&place, webhook).await?.update_types, Some(types));
    // The document allows both answers to a poll.
    match place.bot.api().get_updates().timeout(0).await {
        Ok(page) => assert_eq!(page.updates, [], "a webhook is subscribed"),
        Err(error) => assert_eq!(error.status().map(|status| status.as_u16()), Some(405), "{error}"),
    }
    place.bot.unsubscribe_webhook(NOWHERE).await.unwrap();
    assert!(place.bot.subscriptions().await.unwrap().subscriptions.is_empty());
    Ok(())
}

pub(super) async fn a_webhook_keeps_its_version(place: Place) -> Done {
    let version = place.bot.version().expect("TamTam has versions");
    let subscription = subscribe(&place, SubscriptionRequestBody::new(NOWHERE).version(version)).await?;
    assert_eq!((subscription.version.as_deref(), subscription.update_types), (Some(version), None));
    Ok(())
}

pub(super) async fn the_secret_of_a_webhook_is_not_returned(place: Place) -> Done {
    const SECRET: &str = "s3cret-of_the-suite";
    subscribe(&place, SubscriptionRequestBody::new(NOWHERE).secret(SECRET)).await?;
    let list = place.bot.request(Method::GET, "/subscriptions").await.unwrap();
    assert!(!list.to_string().contains(SECRET), "{list}");
    Ok(())
}

pub(super) async fn a_webhook_needs_https_and_a_proper_secret(place: Place) -> Done {
    place.may_take_updates().await?;
    for url in [NOWHERE, PLAIN] {
        unsubscribes_afterwards(&place, url);
    }
    for webhook in [
        json!({ "url": PLAIN }),
        json!({ "url": NOWHERE, "secret": "four" }),
        json!({ "url": NOWHERE, "secret": "two words" }),
        json!({ "url": NOWHERE, "secret": "a".repeat(257) }),
    ] {
        let request = place.bot.request(Method::POST, "/subscriptions").json(&webhook);
        assert_refused(request.await, 400, PAYLOAD);
    }
    Ok(())
}

pub(super) async fn polls_continue_from_a_marker(place: Place) -> Done {
    place.may_take_updates().await?;
    let api = place.bot.api();
    let page = api.get_updates().timeout(0).limit(1).await.unwrap();
    assert!(page.updates.len() <= 1);
    let marker = page.marker.unwrap();
    let next = api.get_updates().timeout(0).marker(marker).await.unwrap();
    assert!(next.updates.iter().all(|update| !page.updates.contains(update)), "{next:?} repeats {page:?}");
    Ok(())
}
