//! Webhooks: `getSubscriptions`, `subscribe`, `unsubscribe`.

use serde_json::{Value, json};

use super::call::Call;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::service::Service;
use crate::protocol::success;
use crate::state::State;
use crate::state::updates::subscription::{self, Subscription, WebhookSettings};

pub(crate) fn get_subscriptions(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let bot = state.bots.get(&call.bot).ok_or_else(ApiError::token)?;
    let subscriptions = bot.mailbox.subscriptions().iter();
    let subscriptions: Vec<_> = subscriptions.map(|one| subscription_json(one, state.service)).collect();
    Ok(json!({ "subscriptions": subscriptions }))
}

/// Adds or changes a webhook. Fails if another bot has a webhook with this URL.
pub(crate) fn subscribe(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let settings = read_settings(Fields(&call.body()?), state.service)?;
    let is_same = |one: &Subscription| one.settings.url == settings.url;
    let mut others = state.bots.iter().filter(|(id, _)| **id != call.bot);
    if others.any(|(_, bot)| bot.mailbox.subscriptions().iter().any(is_same)) {
        return Err(ApiError::payload("url: is the webhook of another bot"));
    }
    let (id, time, now) = (state.issue(), state.clock.tick(), state.clock.now());
    let bot = state.bots.get_mut(&call.bot).ok_or_else(ApiError::token)?;
    bot.mailbox.subscribe(id, settings, time, now);
    state.touched = true;
    Ok(success::done())
}

pub(crate) fn unsubscribe(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let url = call.required_text("url")?;
    let now = state.clock.now();
    let bot = state.bots.get_mut(&call.bot).ok_or_else(ApiError::token)?;
    if !bot.mailbox.unsubscribe(url, now) {
        return Ok(success::refused(&format!("{url} is not subscribed")));
    }
    state.touched = true;
    Ok(success::done())
}

fn read_settings(body: Fields<'_>, service: Service) -> Result<WebhookSettings, ApiError> {
    let url = body.required_text("url")?;
    subscription::check_url(url, service)?;
    // `version` and `secret` are unknown fields on a service that does not have them.
    let has_secret = service.traits().webhook.secret_header.is_some();
    let version = if service.traits().has_versions { body.text("version")? } else { None };
    let secret = if has_secret { body.text("secret")?.map(str::to_owned) } else { None };
    version.map(subscription::check_version).transpose()?;
    let mut update_types: Vec<String> = Vec::new();
    for kind in body.list("update_types")?.unwrap_or_default() {
        let kind = kind.as_str().ok_or_else(|| ApiError::body("update_types are not strings"))?;
        subscription::check_update_type(kind, service)?;
        if !update_types.iter().any(|known| known == kind) {
            update_types.push(kind.to_owned());
        }
    }
    Ok(WebhookSettings { url: url.to_owned(), update_types, version: version.map(str::to_owned), secret })
}

/// Writes a `Subscription`.
fn subscription_json(subscription: &Subscription, service: Service) -> Value {
    let WebhookSettings { url, update_types, version, .. } = &subscription.settings;
    let mut json = json!({
        "url": url,
        "time": subscription.time,
        // All types are null, not an empty list.
        "update_types": if update_types.is_empty() { Value::Null } else { json!(update_types) },
    });
    if service.traits().has_versions {
        json["version"] = json!(version);
    }
    json
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use bytes::Bytes;

    use super::*;
    use crate::state::ids::UserId;

    fn ask(bot: UserId, url: &str) -> Call {
        let body = Bytes::from(json!({ "url": url }).to_string());
        let query = vec![("url".to_owned(), url.to_owned())];
        Call { bot, path: Vec::new(), query, body, connection: Weak::new() }
    }

    #[test]
    fn two_bots_cannot_subscribe_the_same_url() {
        let mut state = State::default();
        let mut bot = |name: &str| state.add_bot(name.to_owned(), name.to_owned(), name.to_owned());
        let (one, other) = (bot("one"), bot("other"));
        let url = "https://bot.example/hook";
        assert_eq!(subscribe(&mut state, &ask(one, url)), Ok(success::done()));
        let error = subscribe(&mut state, &ask(other, url)).unwrap_err();
        assert_eq!((error.status(), &error.json()["message"]), (400, &json!("url: is the webhook of another bot")));
        assert_eq!(unsubscribe(&mut state, &ask(other, url)).unwrap()["success"], false);
        assert_eq!(unsubscribe(&mut state, &ask(one, url)), Ok(success::done()));
        assert_eq!(subscribe(&mut state, &ask(other, url)), Ok(success::done()));
        let none = get_subscriptions(&mut state, &ask(one, url)).unwrap();
        assert_eq!(none, json!({ "subscriptions": [] }));
    }
}
