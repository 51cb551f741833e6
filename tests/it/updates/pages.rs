//! Pages with updates that do not fit, and pages with invalid JSON in the middle.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tamtam::{Attachment, Update};

use super::{MOMENT, Pages, page, started};

/// Returns the chats of the next `count` updates, with `None` for unknown updates.
async fn chats(updates: &mut tamtam::updates::Updates, count: usize) -> Vec<Option<i64>> {
    let mut chats = Vec::new();
    while chats.len() < count {
        chats.push(match updates.try_next().await.unwrap().unwrap() {
            Update::BotStarted(started) => Some(started.chat_id.0),
            _ => None,
        });
    }
    chats
}

#[tokio::test]
async fn unknown_updates_in_a_page_do_not_affect_the_others() {
    let is_unknown = |chat: i64| chat % 10 == 3;
    let update = |chat: i64| match is_unknown(chat) {
        true => json!({"chat_id": {"no": chat}, "update_type": "dialog_muted", "user": chat}),
        false => started(chat),
    };
    let updates: Vec<Value> = (0..1000).map(update).collect();
    let body = json!({"updates": updates, "marker": 10});
    let expected: Vec<Option<i64>> = (0..1000).map(|chat| (!is_unknown(chat)).then_some(chat)).collect();

    let (_server, bot, pages) = Pages::serve([body.clone(), page(&[], 10)]).await;
    assert_eq!(chats(&mut bot.updates(), 1000).await, expected);
    assert_eq!(pages.polls(), 1);
    let list = serde_json::from_value::<tamtam::types::UpdateList>(body).unwrap();
    let read: Vec<bool> = list.updates.iter().map(|update| matches!(update, Update::BotStarted(_))).collect();
    assert_eq!(read, expected.iter().map(Option::is_some).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_unknown_attachment_does_not_affect_the_rest_of_its_update() {
    let message = json!({
        "recipient": {"chat_id": 5, "chat_type": "chat"}, "timestamp": 1,
        "body": {"mid": "mid.1", "seq": 1, "text": "hi", "attachments": [
            {"payload": {"url": "https://example.com/a", "token": "t"}, "type": "audio"},
            {"poll": {"question": "?"}, "type": "poll"},
            {"latitude": 1.5, "longitude": 2.5, "type": "location"},
        ]},
    });
    let body =
        json!({"updates": [{"timestamp": 1, "message": message, "update_type": "message_created"}], "marker": 10});
    let (_server, bot, _) = Pages::serve([body, page(&[], 10)]).await;
    let Update::MessageCreated(created) = bot.updates().try_next().await.unwrap().unwrap() else { panic!() };
    let body = created.message.unwrap().body.unwrap();
    assert_eq!(body.text.as_deref(), Some("hi"));
    let [Attachment::Audio(_), Attachment::Unknown(poll), Attachment::Location(_)] = &body.attachments.unwrap()[..]
    else {
        panic!()
    };
    assert_eq!((poll.tag.as_str(), poll.error.as_ref()), ("poll", None));
    assert_eq!(poll.to_value(), json!({"poll": {"question": "?"}, "type": "poll"}));
}

/// Returns a page whose third update is not JSON, and the same page without the error.
fn broken_and_whole() -> [String; 2] {
    let whole = page(&[1, 2, 3, 4], 10).to_string();
    let broken = whole.replace(r#""chat_id":3,"#, r#""chat_id":3;"#);
    assert_ne!(broken, whole);
    [broken, whole]
}

#[tokio::test]
async fn a_broken_page_is_requested_again_and_each_update_is_returned_once() {
    let [broken, whole] = broken_and_whole();
    let bodies = [page(&[0], 9).to_string(), broken.clone(), broken, whole, page(&[5], 11).to_string()];
    let (_server, bot, pages) = Pages::serve(bodies).await;
    let mut updates = bot.updates().backoff(MOMENT, MOMENT);
    assert_eq!(chats(&mut updates, 6).await, (0..=5).map(Some).collect::<Vec<_>>());
    let nine = Some("9".to_owned());
    assert_eq!(pages.markers(), [None, nine.clone(), nine.clone(), nine, Some("10".to_owned())]);
}

#[tokio::test]
async fn a_run_requests_a_broken_page_again_and_handles_each_update_once() {
    let [broken, whole] = broken_and_whole();
    let (_server, bot, pages) =
        Pages::serve([broken, whole, page(&[5], 11).to_string(), page(&[], 11).to_string()]).await;
    let handled = Arc::new(Mutex::new(Vec::new()));
    let (told, mut all_handled) = tokio::sync::mpsc::unbounded_channel();
    let writes = Arc::clone(&handled);
    let run = bot.updates().backoff(MOMENT, MOMENT).run(move |_, update: Update| {
        let (handled, told) = (Arc::clone(&writes), told.clone());
        async move {
            handled.lock().unwrap().push(update.chat_id().unwrap().0);
            told.send(()).unwrap();
        }
    });
    let all = async move {
        for _ in 0..5 {
            all_handled.recv().await;
        }
    };
    run.graceful_shutdown_on(all).await.unwrap();
    let mut handled = handled.lock().unwrap().clone();
    handled.sort_unstable();
    assert_eq!(handled, [1, 2, 3, 4, 5]);
    assert_eq!(pages.markers()[..3], [None, None, Some("10".to_owned())]);
}

#[tokio::test]
async fn no_update_is_handled_before_its_page_is_complete() {
    let [broken, whole] = broken_and_whole();
    let (_server, bot, pages) = Pages::serve([broken, whole, page(&[], 10).to_string()]).await;
    let handled = Arc::new(Mutex::new(Vec::new()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    let (writes, polled) = (Arc::clone(&handled), pages.clone());
    let run = bot.updates().backoff(MOMENT, MOMENT).run(move |_, update: Update| {
        let chat = update.chat_id().unwrap().0;
        let mut handled = writes.lock().unwrap();
        handled.push((chat, polled.polls()));
        if handled.len() == 4 {
            stop.lock().unwrap().take();
        }
        async {}
    });
    run.graceful_shutdown_on(stopped).await.unwrap();
    let mut handled = handled.lock().unwrap().clone();
    handled.sort_unstable();
    assert_eq!(handled, [(1, 2), (2, 2), (3, 2), (4, 2)]);
}
