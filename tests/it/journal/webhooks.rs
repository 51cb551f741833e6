//! Webhooks with a journal.

use super::*;
use tamtam::{
    ErrorKind,
    reqwest::{Body, Client, StatusCode},
    updates::Recovery,
    webhook::{
        Webhook,
        axum::{self, Router},
    },
};
use tokio::net::TcpListener;

const PATH: &str = "/h00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c";

/// Serves a router, and returns its URL.
async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn post(url: &str, body: impl Into<Body>) -> StatusCode {
    let client = Client::builder().no_proxy().build().unwrap();
    client.post(url).body(body).send().await.unwrap().status()
}

fn webhook(bot: &Bot) -> Webhook {
    Webhook::new(bot.clone(), PATH).unwrap()
}

#[tokio::test]
async fn the_answer_is_200_once_the_update_is_stored_before_its_handler_ends() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[], 1)]).await;
    let journal = directory.open();
    let (app, run) = webhook(&bot).journal(journal).run(async |_, _| std::future::pending::<()>().await);
    let url = listen(app).await;
    let health = run.health();
    let deliver = async {
        for number in 1..=3 {
            assert_eq!(post(&url, numbered(1, number).to_string()).await, StatusCode::OK);
        }
        wait_until(|| health.in_flight() == 1).await;
        assert_eq!(depth(&health), 3);
    };
    tokio::select! {
        result = run.run() => panic!("{result:?}"),
        () = deliver => {}
    }
}

#[tokio::test]
async fn updates_stored_without_a_run_are_handled_in_order_after_a_restart() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[], 1)]).await;
    {
        let (app, _run) = webhook(&bot).journal(directory.open()).run(async |_, _| {});
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let server = tokio::spawn(axum::serve(listener, app).into_future());
        for number in 1..=20 {
            assert_eq!(post(&url, numbered(1, number).to_string()).await, StatusCode::OK);
        }
        server.abort();
        let _ = server.await;
    }
    wait_until(|| Journal::open(directory.path()).is_ok()).await;
    let numbers: Arc<Mutex<Vec<i64>>> = Arc::default();
    let seen = Arc::clone(&numbers);
    let (_app, run) = webhook(&bot).journal(directory.open()).run(move |_, update| {
        seen.lock().unwrap().push(update.timestamp().unwrap());
        async {}
    });
    until(run, 20).await;
    assert_eq!(*numbers.lock().unwrap(), (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_journal_is_answered_with_503_until_there_is_room() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[], 1)]).await;
    let journal = Journal::builder(directory.path()).capacity(2).open().unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let closed = Arc::clone(&gate);
    let (app, run) = webhook(&bot).journal(journal).run(move |_, _| {
        let gate = Arc::clone(&closed);
        async move { gate.acquire().await.unwrap().forget() }
    });
    let url = listen(app).await;
    let health = run.health();
    let deliver = async {
        for number in 1..=2 {
            assert_eq!(post(&url, numbered(number, 1).to_string()).await, StatusCode::OK);
        }
        assert_eq!(post(&url, numbered(3, 1).to_string()).await, StatusCode::SERVICE_UNAVAILABLE);
        gate.add_permits(3);
        wait_until(|| depth(&health) == 0).await;
        assert_eq!(post(&url, numbered(3, 1).to_string()).await, StatusCode::OK);
    };
    tokio::join!(until(run, 3), deliver);
}

#[tokio::test]
async fn an_update_delivered_twice_is_handled_once() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[], 1)]).await;
    let diary = Diary::default();
    let (app, run) = webhook(&bot).journal(directory.open()).run(writing(&diary));
    let url = listen(app).await;
    let deliver = async {
        for chat in [1, 1, 2, 1] {
            assert_eq!(post(&url, numbered(chat, 1).to_string()).await, StatusCode::OK);
        }
    };
    tokio::join!(until(run, 2), deliver);
    assert_eq!(diary.chats(), [1, 2]);
}

#[tokio::test]
async fn a_body_that_is_not_an_update_is_refused_unless_on_error_skips_it() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[], 1)]).await;
    let journal = directory.open();
    let (app, _run) = webhook(&bot).journal(journal.clone()).run(async |_, _| {});
    let url = listen(app).await;
    assert_eq!(post(&url, "<html>").await, StatusCode::SERVICE_UNAVAILABLE);
    let skipping = webhook(&bot).on_error(|_| Recovery::Skip);
    let (app, _run) = skipping.journal(journal.clone()).run(async |_, _| {});
    let url = listen(app).await;
    assert_eq!(post(&url, "<html>").await, StatusCode::OK);
    assert_eq!(journal.health().depth, 0);
}

#[tokio::test]
async fn on_error_and_handler_timeout_of_the_webhook_apply_to_the_run() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[], 1)]).await;
    let causes: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&causes);
    let webhook = webhook(&bot).handler_timeout(Duration::from_millis(50)).on_error(move |failed| {
        told.lock().unwrap().push(failed.cause().to_string());
        Recovery::Skip
    });
    let (app, run) = webhook.journal(directory.open()).run(async |_, _| std::future::pending::<()>().await);
    let url = listen(app).await;
    let deliver = async { assert_eq!(post(&url, numbered(1, 1).to_string()).await, StatusCode::OK) };
    tokio::join!(until(run, 1), deliver);
    assert_eq!(*causes.lock().unwrap(), ["the handler took longer than 50ms"]);
}

#[tokio::test]
async fn a_journal_of_another_bot_stores_nothing() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[], 1)]).await;
    kill_when(bot.updates().journal(directory.open()).run(async |_, _| {}), |health| health.last_poll().is_some())
        .await;
    let (_other_server, other, _) = serve([page(&[], 1)]).await;
    let journal = directory.open();
    let (app, run) = webhook(&other).journal(journal.clone()).run(async |_, _| {});
    let url = listen(app).await;
    assert_eq!(post(&url, numbered(1, 1).to_string()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(run.await.unwrap_err().kind(), ErrorKind::Journal);
    assert_eq!(journal.health().depth, 0);
}
