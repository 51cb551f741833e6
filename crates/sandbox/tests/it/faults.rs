//! Injected faults: the reaction of the bot, and whether the operation is applied.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tamtam::{Bot, Error, MessageId, Result};
use tamtam::{ErrorKind, types::SubscriptionRequestBody};
use tamtam_sandbox::{Fault, Person, Sandbox};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::Api;
use crate::fault_server::quick;
use crate::webhook::Webhook;

/// The timeout of a client. The server takes much longer to answer.
const IMPATIENCE: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(3600);
/// More times than any client retries.
const ALWAYS: u32 = 100;

/// A bot that retries at once, and the operations and statuses of its calls.
struct Scene {
    tamtam: Sandbox,
    bot: Bot,
    alice: Person,
    seen: Arc<Mutex<Vec<(&'static str, u16)>>>,
}

impl Scene {
    async fn start() -> Self {
        let tamtam = Sandbox::start().await;
        let builder = Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(quick());
        let bot = builder.timeout(IMPATIENCE * 10).http(|http| http.no_proxy()).build().unwrap();
        let alice = tamtam.user("Alice");
        alice.starts();
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let told = Arc::clone(&seen);
        tamtam.on_exchange(move |one| told.lock().unwrap().push((one.operation().unwrap(), one.status())));
        Self { tamtam, bot, alice, seen }
    }

    async fn post(&self, text: &str) -> MessageId {
        self.bot.send(self.alice.chat_id(), text).await.unwrap().message.body.unwrap().mid
    }

    /// Returns and clears the statuses of the exchanges so far.
    fn statuses(&self) -> Vec<u16> {
        self.seen.lock().unwrap().drain(..).map(|(_, status)| status).collect()
    }
}

/// One operation of each class of the retry contract.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Read,
    Edit,
    Delete,
    Send,
}

impl Op {
    const ALL: [(Self, &str); 4] = [
        (Self::Read, "getMyInfo"),
        (Self::Edit, "editMessage"),
        (Self::Delete, "deleteMessage"),
        (Self::Send, "sendMessage"),
    ];

    async fn call(self, scene: &Scene, mid: &MessageId) -> Result<()> {
        match self {
            Self::Read => scene.bot.me().await.map(drop),
            Self::Edit => scene.bot.edit(mid.clone(), "new").await,
            Self::Delete => scene.bot.api().delete_message(mid.clone()).await,
            Self::Send => scene.bot.send(scene.alice.chat_id(), "new").await.map(drop),
        }
    }
}

#[tokio::test]
async fn a_permanent_fault_is_retried_as_the_retry_contract_says() {
    let ambiguous = |op: Op, error: &Error| error.may_have_been_applied() == (op != Op::Read);
    let certain = |_: Op, error: &Error| !error.may_have_been_applied();
    type Check = fn(Op, &Error) -> bool;
    let rows: [(Fault, [usize; 4], Check); 8] = [
        (Fault::status(503), [3, 3, 3, 3], certain),
        (Fault::status(429).retry_after(0), [3, 3, 3, 3], |_, error| {
            error.is_rate_limited() && error.retry_after() == Some(Duration::ZERO)
        }),
        (Fault::status(500), [3, 3, 3, 1], ambiguous),
        (Fault::answer(502, "<html>Bad gateway</html>"), [3, 3, 3, 1], ambiguous),
        (Fault::error(403, "chat.denied", "error.dialog.suspended"), [1, 1, 1, 1], |_, error| error.is_forbidden()),
        (Fault::reset(), [3, 3, 3, 1], ambiguous),
        (Fault::cut_body().applied(false), [3, 1, 1, 1], ambiguous),
        (Fault::garbage().applied(false), [3, 1, 1, 1], |_, error| error.kind() == ErrorKind::Decode),
    ];
    for (fault, seen, check) in rows {
        for ((op, operation), times) in Op::ALL.into_iter().zip(seen) {
            let scene = Scene::start().await;
            let mid = scene.post("old").await;
            scene.statuses();
            scene.tamtam.fails(operation, fault.clone().times(ALWAYS));
            let error = op.call(&scene, &mid).await.unwrap_err();
            assert!(check(op, &error), "{fault:?}, {op:?}: {error}");
            assert_eq!(scene.statuses().len(), times, "{fault:?}, {op:?}: {error}");
            assert_eq!(scene.alice.sees(), ["old"], "{fault:?}, {op:?}: nothing must be applied");
        }
    }
}

#[tokio::test]
async fn a_temporary_fault_is_retried_and_nothing_is_done_twice() {
    let scene = Scene::start().await;
    scene.tamtam.fails("sendMessage", Fault::status(503).times(2));
    scene.post("one").await;
    assert_eq!(scene.statuses(), [503, 503, 200]);
    scene.tamtam.fails("sendMessage", Fault::not_ready().times(5));
    scene.post("two").await;
    assert_eq!(scene.statuses(), [400, 400, 400, 400, 400, 200]);
    scene.tamtam.fails("getMyInfo", Fault::reset());
    scene.tamtam.fails("getMyInfo", Fault::cut_body());
    scene.bot.me().await.unwrap();
    assert_eq!(scene.statuses(), [0, 200, 200]);
    assert_eq!(scene.alice.sees(), ["one", "two"]);
}

#[tokio::test]
async fn a_fault_sets_whether_the_operation_is_applied() {
    for fault in [Fault::reset(), Fault::cut_body(), Fault::garbage(), Fault::status(500), Fault::answer(504, "late")] {
        for applied in [true, false] {
            let scene = Scene::start().await;
            scene.tamtam.fails("sendMessage", fault.clone().applied(applied));
            let error = scene.bot.send(scene.alice.chat_id(), "hi").await.unwrap_err();
            assert!(error.may_have_been_applied(), "{fault:?}: {error}");
            assert_eq!(error.attempts(), 1, "{fault:?}: {error}");
            assert_eq!(scene.alice.sees().len(), usize::from(applied), "{fault:?}, {applied}");
        }
    }
}

#[tokio::test]
async fn a_delayed_call_times_out_whether_or_not_it_is_applied() {
    for applied in [true, false] {
        let scene = Scene::start().await;
        scene.tamtam.fails("sendMessage", Fault::delay(LONG).applied(applied));
        let sending = scene.bot.api().send_message("hi").chat_id(scene.alice.chat_id());
        let error = sending.request_timeout(IMPATIENCE).await.unwrap_err();
        assert!(error.is_timeout() && error.may_have_been_applied(), "{error}");
        assert_eq!(scene.alice.sees().len(), usize::from(applied));
    }
    let scene = Scene::start().await;
    scene.tamtam.fails("sendMessage", Fault::delay(Duration::from_millis(1)).times(2));
    scene.post("a little later").await;
    scene.tamtam.fails("editMessage", Fault::delay(Duration::from_millis(1)).applied(false));
    let mid = scene.post("and").await;
    scene.bot.edit(mid, "and so on").await.unwrap();
    assert_eq!(scene.alice.sees(), ["a little later", "and so on"]);
}

/// Sends a request over a plain socket. Returns the received text and the result of reading to its end.
async fn bare(tamtam: &Sandbox) -> (String, std::io::Result<usize>) {
    let mut stream = TcpStream::connect(tamtam.base_url().strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!("GET /me?access_token={} HTTP/1.1\r\nhost: x\r\n\r\n", tamtam.token());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    (String::from_utf8(bytes).unwrap(), end)
}

#[tokio::test]
async fn a_reset_and_a_cut_body_are_visible_on_the_socket() {
    let tamtam = Sandbox::start().await;
    tamtam.fails("getMyInfo", Fault::reset());
    let (text, end) = bare(&tamtam).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("", std::io::ErrorKind::ConnectionReset));

    let whole = Api::of(&tamtam).get("/me").await.text;
    tamtam.fails("getMyInfo", Fault::cut_body());
    let (text, _) = bare(&tamtam).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.to_lowercase().contains(&format!("content-length: {}", whole.len())), "{head}");
    assert_eq!(body, &whole[..whole.len() / 2]);
}

#[tokio::test]
async fn an_exchange_has_the_fault_flag_and_the_requested_version() {
    let tamtam = Sandbox::start().await;
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&seen);
    tamtam.on_exchange(move |exchange| {
        let version = exchange.version().map(str::to_owned);
        told.lock().unwrap().push((version, exchange.status(), exchange.is_faulty()));
    });
    let api = Api::of(&tamtam);
    tamtam.fails("getMyInfo", Fault::status(418).retry_after(7));
    let response = api.request("GET", "/me?v=0.5.6").send().await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (418, &"7".parse().unwrap()));
    api.get("/me").await.ok();
    tamtam.bot().me().await.unwrap();
    let pinned = Some("0.5.6".to_owned());
    let expected = [(pinned.clone(), 418, true), (None, 200, false), (pinned, 200, false)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn an_unknown_operation_and_an_invalid_status_panic() {
    let tamtam = Sandbox::start().await;
    let panic = std::panic::catch_unwind(|| tamtam.fails("send_message", Fault::reset())).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("no operation send_message"));
    let panic = std::panic::catch_unwind(|| Fault::status(8)).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("8 is not a final status"));
}

#[tokio::test]
async fn an_update_can_have_an_unknown_type_or_be_repeated() {
    let tamtam = Sandbox::start().await;
    let api = Api::of(&tamtam);
    assert!(std::panic::catch_unwind(|| tamtam.repeats_update()).is_err());
    tamtam.user("Alice").says("hi");
    tamtam.repeats_update();
    tamtam.pushes(&json!({ "update_type": "moon_risen", "timestamp": 1, "over": ["sea"] }));
    let (updates, _) = api.updates().await;
    assert_eq!(api.kinds().await, ["bot_started", "message_created", "message_created", "moon_risen"]);
    assert_eq!(updates[1], updates[2]);
    assert_eq!(updates[3]["over"], json!(["sea"]));
    let filtered = api.get("/updates?timeout=0&types=moon_risen").await.ok();
    assert_eq!(filtered["updates"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_lost_delivery_is_repeated() {
    let tamtam = Sandbox::builder().redelivery(Duration::from_millis(1)).start().await;
    let webhook = Webhook::start().await;
    tamtam.bot().api().subscribe(SubscriptionRequestBody::new(webhook.url())).await.unwrap();
    let attempts = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&attempts);
    tamtam.on_delivery(move |one| {
        let error = one.error().map(str::to_owned);
        told.lock().unwrap().push((one.attempt(), one.status(), error));
    });
    tamtam.loses_deliveries(2);
    tamtam.user("Alice").starts();
    tamtam.delivers().await;
    assert_eq!(webhook.bodies().len(), 1, "the webhook must get one of three deliveries");
    let lost = |attempt| (attempt, None, Some("dropped by loses_deliveries".to_owned()));
    assert_eq!(*attempts.lock().unwrap(), [lost(1), lost(2), (3, Some(200), None)]);
    tamtam.pushes(&json!({ "update_type": "moon_risen" }));
    tamtam.repeats_update();
    tamtam.delivers().await;
    let bodies: BTreeSet<_> = webhook.bodies().into_iter().skip(1).collect();
    assert_eq!((bodies.len(), webhook.bodies().len()), (1, 3));
}
