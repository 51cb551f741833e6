//! Limits of the server: rates of requests, the time of a poll, the size of a page, and the retention of updates.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use serde_json::json;
use tamtam::{Bot, Service, settings::RetryPolicy};
use tamtam_sandbox::{Fault, RateLimit, Sandbox, SandboxBuilder};
use tokio::time::timeout;

use super::unlimited;
use crate::client::{Answer, callback, dialog_on, keyboard, mid};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than any answer on the slowest machine, and shorter than the 90 s of a poll.
const ENOUGH: Duration = MINUTE;

/// Returns a builder of a sandbox with the limits of MAX.
fn limited() -> SandboxBuilder {
    Sandbox::builder().service(Service::Max)
}

/// Runs `act` within one second, after a second without requests. Repeats it if the machine was too slow, because the
/// sandbox's clock runs in real time.
async fn in_a_second<T>(sandbox: &Sandbox, mut act: impl AsyncFnMut() -> T) -> T {
    loop {
        sandbox.time_passes(SECOND);
        let began = Instant::now();
        let outcome = act().await;
        if began.elapsed() < SECOND {
            return outcome;
        }
    }
}

/// Sends `times` requests and returns their statuses.
async fn statuses(times: usize, mut ask: impl AsyncFnMut() -> Answer) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        let answer = ask().await;
        if answer.status != 200 {
            assert_eq!((answer.status, &answer.json["code"]), (429, &json!("too.many.requests")), "{}", answer.text);
        }
        statuses.push(answer.status);
    }
    statuses
}

#[tokio::test]
async fn a_busy_sandbox_counts_requests_in_real_time() {
    let (max, api, _) = dialog_on(limited()).await;
    // Messages are dated one after the other, so their clock runs ahead of real time.
    for number in 0..1_000 {
        max.user(format!("Person {number}")).starts();
    }
    let seen = in_a_second(&max, async || statuses(30, async || api.get("/me").await).await).await;
    assert_eq!(seen, [200; 30]);
    let seen = in_a_second(&max, async || statuses(30, async || api.get("/me").await).await).await;
    assert_eq!(seen, [200; 30], "a second later, requests must be accepted again");
}

#[tokio::test]
async fn the_31st_request_of_a_bot_in_a_second_is_refused() {
    let (max, api, _) = dialog_on(limited()).await;
    let helper = api.of_bot(&max.add_bot("Helper", "helper_bot"));
    let (seen, refused) = in_a_second(&max, async || {
        let before = max.rate_limited();
        let seen = statuses(32, async || api.get("/me").await).await;
        helper.get("/me").await.ok();
        (seen, max.rate_limited() - before)
    })
    .await;
    assert_eq!((&seen[..30], &seen[30..]), (&[200; 30][..], &[429; 2][..]));
    assert_eq!(refused, 2);
    max.time_passes(SECOND);
    api.get("/me").await.ok();
}

#[tokio::test]
async fn the_third_request_of_a_kind_per_chat_and_second_is_refused() {
    let (max, api, alice) = dialog_on(limited()).await;
    let bob = max.user("Bob");
    bob.starts();
    let team = max.group("Team", [&alice]);
    let asked = json!({ "text": "?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let asked = mid(&api.post(team.chat_id().0, asked).await.ok()["message"]);
    alice.in_chat(&team).presses("Yes");
    let pressed = api.updates().await.0.pop().unwrap()["callback"]["callback_id"].as_str().unwrap().to_owned();
    let send = async |query: String| {
        let text = json!({ "text": "hi" });
        statuses(3, async || api.call("POST", &format!("/messages?{query}"), text.clone()).await).await
    };
    let edit = async || api.call("PUT", &format!("/messages?message_id={asked}"), json!({ "text": "!" })).await;
    let delete = async || {
        let said = alice.in_chat(&team).says("gone");
        api.delete(&format!("/messages?message_id={said}")).await
    };
    let answer =
        async || api.call("POST", &format!("/answers?callback_id={pressed}"), json!({ "notification": "!" })).await;
    let over = [200, 200, 429];
    let seen = in_a_second(&max, async || {
        [
            send(format!("chat_id={}", team.chat_id())).await,
            send(format!("user_id={}", alice.user_id())).await,
            send(format!("chat_id={}", bob.chat_id())).await,
            statuses(3, edit).await,
            statuses(3, delete).await,
            statuses(3, answer).await,
        ]
    })
    .await;
    assert_eq!(seen, [over; 6]);
    let (by_user, by_chat, known) = in_a_second(&max, async || {
        let by_user = api.call("POST", &format!("/messages?user_id={}", alice.user_id()), json!({ "text": "a" })).await;
        let by_chat = send(format!("chat_id={}", alice.chat_id())).await;
        (by_user.status, by_chat, statuses(3, async || api.get(&format!("/messages/{asked}")).await).await)
    })
    .await;
    assert_eq!((by_user, by_chat, known), (200, vec![200, 429, 429], vec![200; 3]), "a dialog is one chat by both ids");
}

#[tokio::test]
async fn a_refused_request_has_no_effect_and_does_not_count() {
    let (max, api, alice) = dialog_on(limited()).await;
    let send = async || api.post(alice.chat_id().0, json!({ "text": "hi" })).await;
    let shown = in_a_second(&max, async || {
        let before = alice.sees().len();
        statuses(20, send).await;
        alice.sees().len() - before
    })
    .await;
    assert_eq!(shown, 2);
    max.time_passes(SECOND);
    send().await.ok();
    // A fault is not a limit.
    let before = max.rate_limited();
    max.fails("getMyInfo", Fault::status(429));
    assert_eq!((api.get("/me").await.status, max.rate_limited()), (429, before));
}

#[tokio::test]
async fn the_third_poll_in_a_second_is_refused_and_polls_count_as_requests() {
    let (max, api, _) = dialog_on(limited().rate_limit(RateLimit::max().requests_per_second(5))).await;
    let poll = async || api.get("/updates?timeout=0").await;
    let (polls, others) =
        in_a_second(&max, async || (statuses(4, poll).await, statuses(4, async || api.get("/me").await).await)).await;
    assert_eq!(polls, [200, 200, 429, 429]);
    assert_eq!(others, [200, 200, 200, 429]);
    max.time_passes(SECOND);
    poll().await.ok();
}

#[tokio::test]
async fn a_refusal_has_a_retry_after_header_if_set() {
    for (limit, expected) in [(RateLimit::max().retry_after(7), Some("7")), (RateLimit::max(), None)] {
        let (max, api, _) = dialog_on(unlimited().rate_limit(limit.requests_per_second(1))).await;
        let refused = in_a_second(&max, async || {
            api.get("/me").await.ok();
            api.request("GET", "/me").send().await.unwrap()
        })
        .await;
        let header = refused.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!((refused.status().as_u16(), header), (429, expected));
        let builder = Bot::builder(max.token()).service(Service::Max).base_url(max.base_url());
        let bot = builder.retry(RetryPolicy::none()).no_proxy().build().unwrap();
        let error = in_a_second(&max, async || {
            bot.me().await.unwrap();
            bot.me().await.unwrap_err()
        })
        .await;
        assert!(error.is_rate_limited() && error.retry_after().is_some() == expected.is_some(), "{error}");
    }
}

#[tokio::test]
async fn tamtam_has_no_limits_by_default() {
    let (tamtam, api, _) = dialog_on(Sandbox::builder()).await;
    let seen = in_a_second(&tamtam, async || statuses(9, async || api.get("/updates?timeout=0").await).await).await;
    assert_eq!((seen, tamtam.rate_limited()), (vec![200; 9], 0));
    let (tamtam, api, _) = dialog_on(Sandbox::builder().rate_limit(RateLimit::max())).await;
    let seen = in_a_second(&tamtam, async || statuses(3, async || api.get("/updates?timeout=0").await).await).await;
    assert_eq!(seen, [200, 200, 429]);
    let (max, api, alice) = dialog_on(unlimited().rate_limit(RateLimit::none().chat_requests_per_second(1))).await;
    let send = async || api.post(alice.chat_id().0, json!({ "text": "hi" })).await;
    assert_eq!(in_a_second(&max, async || statuses(3, send).await).await, [200, 429, 429]);
    let (max, api, _) = dialog_on(unlimited().rate_limit(RateLimit::none().polls_per_second(1))).await;
    let poll = async || api.get("/updates?timeout=0").await;
    assert_eq!(in_a_second(&max, async || statuses(2, poll).await).await, [200, 429]);
}

#[tokio::test]
async fn a_page_has_at_most_a_hundred_updates() {
    let page = async |limit: Option<RateLimit>| {
        let builder = limit.into_iter().fold(limited(), SandboxBuilder::rate_limit);
        let (_max, api, alice) = dialog_on(builder).await;
        for number in 0..149 {
            alice.says(number.to_string());
        }
        let first = api.get("/updates?timeout=0&limit=1000").await.ok();
        let rest = api.get(&format!("/updates?timeout=0&limit=1000&marker={}", first["marker"])).await.ok();
        [first, rest].map(|page| page["updates"].as_array().unwrap().len())
    };
    assert_eq!(page(None).await, [100, 50]);
    assert_eq!(page(Some(RateLimit::none().largest_page(NonZeroUsize::new(70)))).await, [70, 70]);
    for unlimited in [RateLimit::none(), RateLimit::max().largest_page(None)] {
        assert_eq!(page(Some(unlimited)).await, [150, 0]);
    }
}

#[tokio::test]
async fn a_poll_is_held_no_longer_than_the_limit() {
    let limit = RateLimit::max().longest_poll(Duration::from_millis(1));
    let (max, api, alice) = dialog_on(unlimited().rate_limit(limit)).await;
    api.drain().await;
    max.time_passes(SECOND);
    let page = timeout(ENOUGH, api.get("/updates?timeout=90")).await.expect("an answer").ok();
    assert_eq!(page["updates"], json!([]));
    alice.says("hi");
    let page = timeout(ENOUGH, api.get(&format!("/updates?timeout=90&marker={}", page["marker"]))).await;
    assert_eq!(page.expect("an answer").ok()["updates"][0]["message"]["body"]["text"], "hi");
}

#[tokio::test]
async fn an_update_is_kept_for_a_day() {
    let texts = async |limit: RateLimit, time: Duration| {
        let (max, api, alice) = dialog_on(unlimited().rate_limit(limit)).await;
        alice.says("old");
        max.time_passes(time);
        alice.says("new");
        let (updates, _) = api.updates().await;
        let texts = updates.iter().filter_map(|update| update["message"]["body"]["text"].as_str().map(str::to_owned));
        texts.collect::<Vec<_>>()
    };
    assert_eq!(texts(RateLimit::max(), DAY - MINUTE).await, ["old", "new"]);
    assert_eq!(texts(RateLimit::max(), DAY + MINUTE).await, ["new"]);
    assert_eq!(texts(RateLimit::none().retention(MINUTE), 2 * MINUTE).await, ["new"]);
    for unlimited in [RateLimit::none(), RateLimit::max().retention(None)] {
        assert_eq!(texts(unlimited, 100 * DAY).await, ["old", "new"]);
    }
}
