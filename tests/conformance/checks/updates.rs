//! How updates come: webhooks, polls, and answers to what never came.

use tamtam::types::{CallbackAnswer, ConstructorAnswer, SubscriptionRequestBody};

use crate::place::{Done, Place, is_missing};

/// A name that no server has, so that nothing arrives anywhere.
const NOWHERE: &str = "https://conformance.invalid/tamtam";

pub(super) async fn an_unknown_callback_is_an_error(place: Place) -> Done {
    let answer = CallbackAnswer::new().notification("for nobody");
    let error = place.bot.api().answer_on_callback("conformance", answer).await.unwrap_err();
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
    let list = place.bot.api().get_subscriptions().await.unwrap().subscriptions;
    assert!(list.iter().all(|one| one.url.starts_with("http")), "{} subscriptions", list.len());
    Ok(())
}

pub(super) async fn what_is_not_subscribed_is_not_unsubscribed(place: Place) -> Done {
    let error = place.bot.api().unsubscribe(NOWHERE).await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    Ok(())
}

pub(super) async fn a_webhook_is_subscribed_and_unsubscribed(place: Place) -> Done {
    place.may_take_updates().await?;
    let bot = place.bot.clone();
    place.afterwards(async move {
        match bot.api().unsubscribe(NOWHERE).await {
            Err(error) if error.is_refused() => Ok(()),
            done => done,
        }
    });
    let api = place.bot.api();
    api.subscribe(SubscriptionRequestBody::new(NOWHERE).version(place.bot.version().expect("TamTam has versions")))
        .await
        .unwrap();
    let list = api.get_subscriptions().await.unwrap().subscriptions;
    assert_eq!(
        list.iter().map(|one| (one.url.as_str(), one.version.as_deref())).collect::<Vec<_>>(),
        [(NOWHERE, place.bot.version())]
    );
    let poll = api.get_updates().timeout(0).await.unwrap_err();
    assert_eq!(poll.status().map(|status| status.as_u16()), Some(405), "nobody polls beside a webhook: {poll}");
    api.unsubscribe(NOWHERE).await.unwrap();
    assert!(api.get_subscriptions().await.unwrap().subscriptions.is_empty());
    Ok(())
}

pub(super) async fn polls_go_on_by_a_marker(place: Place) -> Done {
    place.may_take_updates().await?;
    let api = place.bot.api();
    let page = api.get_updates().timeout(0).limit(1).await.unwrap();
    assert!(page.updates.len() <= 1);
    let marker = page.marker.unwrap();
    let next = api.get_updates().timeout(0).marker(marker).await.unwrap();
    assert!(next.updates.iter().all(|update| !page.updates.contains(update)), "{next:?} repeats {page:?}");
    Ok(())
}
