//! Operations and values that the service of a bot does not have: they are refused or left out.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tamtam::{
    AttachmentRequest, Button, ErrorKind, Keyboard, NewMessageBody, Service,
    types::{
        CallbackAnswer, CallbackButton, ChatButton, ClipboardButton, ConstructedMessageBody, ConstructorAnswer, Intent,
        MessageButton, OpenAppButton, QuoteMarkup, SubscriptionRequestBody,
    },
};
use tracing::level_filters::LevelFilter;

use super::{Case, check, does, max, operations_of, reads};
use crate::{
    common::{CHILD, bot_of, in_a_process_of_its_own, message, mock_server, requests},
    document,
    traced::Traced,
};

const NOT_SENT: &str = "unsupported field omitted";

#[tokio::test]
async fn an_operation_of_the_other_service_is_not_sent() {
    const OF_TAMTAM: [&str; 4] = ["PATCH /me", "GET /chats", "GET /chats/@team_1-x", "POST /answers/constructor"];
    const OF_MAX: [&str; 9] = [
        "PATCH /me/commands",
        "POST /chats/-7/members/admins",
        "DELETE /chats/-7/members/admins/101",
        "GET /videos/video-token_1",
        "GET /messages/mid.post/comments",
        "POST /messages/mid.post/comments",
        "PUT /messages/mid.post/comments",
        "DELETE /messages/mid.post/comments",
        "GET /messages/mid.post/comments/mid.c3",
    ];
    let [of_tamtam, of_max] = ["tamtam", "max"].map(|name| operations_of(&document::load(name)));
    for (service, own, others, cases, lines) in [
        (Service::Max, &of_max, &of_tamtam, super::all(), &OF_TAMTAM[..]),
        (Service::TamTam, &of_tamtam, &of_max, max::all(), &OF_MAX[..]),
    ] {
        let server = mock_server().await;
        let api = bot_of(&service, &server).api();
        let mut refused = BTreeSet::new();
        for Case { line, answer, call, .. } in cases.into_iter().filter(|case| lines.contains(&case.line)) {
            let error = call(&api, answer).await.expect_err(line);
            let operation = error.operation().unwrap();
            assert!(
                error.kind() == ErrorKind::Unsupported
                    && error.kind() != ErrorKind::InvalidRequest
                    && !error.is_retryable(),
                "{error:?}"
            );
            assert_eq!((error.attempts(), error.may_have_been_applied()), (0, false), "{error:?}");
            let reason = format!("{} has no operation `{operation}`", service.name());
            assert_eq!(error.to_string(), format!("{operation}: not sent: {reason}"));
            refused.insert(operation.to_owned());
        }
        let missing: BTreeSet<String> = others.keys().filter(|id| !own.contains_key(*id)).cloned().collect();
        assert_eq!((refused.len(), refused), (lines.len(), missing));
        assert!(requests(&server).await.is_empty(), "{} received a request", service.name());
    }
}

#[tokio::test]
async fn a_button_that_the_service_does_not_have_is_an_error() {
    for (service, button) in [
        (Service::Max, Button::from(ChatButton::new("Discuss", "About the party"))),
        (Service::TamTam, MessageButton::new("Yes").into()),
        (Service::TamTam, OpenAppButton::new("Shop", "shop_bot").into()),
        (Service::TamTam, ClipboardButton::new("Copy", "A-1").into()),
    ] {
        let reason = format!("{} has no `{}` in `Button`", service.name(), button.tag());
        let server = mock_server().await;
        let api = bot_of(&service, &server).api();
        let message = NewMessageBody::from("hi").keyboard(Keyboard::new(vec![vec![button]]));
        let answer = CallbackAnswer::new().message(message.clone());
        let errors = [
            api.send_message(message.clone()).chat_id(-7).await.unwrap_err(),
            api.edit_message("mid.1", message).await.unwrap_err(),
            api.answer_on_callback("cb", answer).await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.kind() == ErrorKind::Unsupported && error.kind() != ErrorKind::InvalidRequest, "{error:?}");
            assert_eq!(error.to_string(), format!("{}: not sent: {reason}", error.operation().unwrap()));
        }
        assert!(requests(&server).await.is_empty(), "{reason}");
    }
}

#[tokio::test]
async fn a_constructor_accepts_neither_buttons_nor_markup_of_max() {
    let server = mock_server().await;
    let api = bot_of(&Service::TamTam, &server).api();
    let keyboard = Keyboard::new(vec![vec![MessageButton::new("Yes").into()]]);
    let quote = ConstructedMessageBody::new().text("hi").markup([QuoteMarkup::new(0, 2)]);
    let attached = ConstructedMessageBody::new().attachments([AttachmentRequest::from(keyboard.clone())]);
    for (answer, reason) in [
        (ConstructorAnswer::new().keyboard(keyboard), "`message` in `Button`"),
        (ConstructorAnswer::new().messages([attached]), "`message` in `Button`"),
        (ConstructorAnswer::new().messages([quote]), "`quote` in `MarkupElement`"),
    ] {
        let error = api.construct("session", answer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert_eq!(error.to_string(), format!("construct: not sent: TamTam has no {reason}"));
    }
    assert!(requests(&server).await.is_empty());
}

/// Returns requests with a value that the service does not have: the service, the name of the value in the log, and the
/// case without the value.
fn with_a_value_of_the_other_service() -> Vec<(Service, &'static str, Case)> {
    let keyboard = Keyboard::new(vec![vec![CallbackButton::new("No", "no").intent(Intent::Negative).into()]]);
    let question = NewMessageBody::from("Coming?").keyboard(keyboard);
    let hook = || SubscriptionRequestBody::new("https://bot.example/hook");
    let sent = json!({"message": message("mid.1", "Coming?")});
    vec![
        (
            Service::Max,
            "CallbackButton.intent",
            reads("POST /messages", sent, |api| api.send_message(question).chat_id(-7), |_| {})
                .query("chat_id", "-7")
                .body(json!({"text": "Coming?", "attachments": [{"type": "inline_keyboard", "payload": {"buttons": [
                    [{"type": "callback", "text": "No", "payload": "no"}],
                ]}}]})),
        ),
        (
            Service::Max,
            "SubscriptionRequestBody.version",
            does("POST /subscriptions", move |api| api.subscribe(hook().version("0.5.6")))
                .body(json!({"url": "https://bot.example/hook"})),
        ),
        (
            Service::TamTam,
            "answerOnCallback.disable_link_preview",
            does("POST /answers", |api| {
                let answer = CallbackAnswer::new().notification("Done");
                api.answer_on_callback("cb", answer).disable_link_preview(true)
            })
            .query("callback_id", "cb")
            .body(json!({"notification": "Done"})),
        ),
    ]
}

#[tokio::test]
async fn a_value_that_changes_the_meaning_of_the_request_is_an_error() {
    let server = mock_server().await;
    let bot = bot_of(&Service::TamTam, &server);
    let hook = SubscriptionRequestBody::new("https://bot.example/hook").secret("0123456789_abc-DEF");
    let error = bot.api().subscribe(hook).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert_eq!(error.to_string(), "subscribe: not sent: TamTam has no `SubscriptionRequestBody.secret`");
    let error = bot.describe(-7, "All of us.").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert_eq!(error.to_string(), "editChat: not sent: TamTam has no `ChatPatch.description`");
    for request in [bot.api().get_messages().before(5), bot.api().get_messages().after(5)] {
        let error = request.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert!(error.to_string().starts_with("getMessages: not sent: TamTam has no `getMessages."), "{error}");
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn other_values_of_the_other_service_are_left_out_with_one_warning() {
    // The warning is logged once per process, and other tests also cause it.
    in_a_process_of_its_own("wire::other_service::leaves_values_out_and_logs_each_once", &[]).await;
}

/// Runs only in a separate process.
#[tokio::test]
async fn leaves_values_out_and_logs_each_once() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let (traced, _guard) = Traced::json(LevelFilter::WARN);
    for _ in 0..2 {
        for (service, _, case) in with_a_value_of_the_other_service() {
            check(service, vec![case]).await;
        }
    }
    let logged: Vec<Value> =
        traced.events().into_iter().map(|event| json!([event["level"], event["fields"]])).collect();
    let expected: Vec<Value> = with_a_value_of_the_other_service()
        .into_iter()
        .map(|(service, field, _)| json!(["WARN", {"message": NOT_SENT, "field": field, "service": service.name()}]))
        .collect();
    assert_eq!(logged, expected);
}
