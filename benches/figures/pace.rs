//! Measures sends at the limits of MAX: refused requests, the total time, and the delay that a broadcast causes in
//! others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use tamtam::{Bot, UserId, settings::Pace};
use tamtam_sandbox::Sandbox;
use tokio::sync::Notify;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::{
    figure::Figure,
    measure::{Server, printed, status},
};

/// Requests per second that MAX accepts.
const LIMIT: usize = 30;
/// The `Retry-After` of the server's 429.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// The time after which all requests that were sent before the first 429 have arrived.
const ON_THE_WAY: Duration = Duration::from_millis(20);
/// Longer than the time span of the limits.
const IDLE: Duration = Duration::from_secs(4);

/// Sends to `times` chats, waits until all of them are idle, and prints the growth of resident memory, in MiB.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn work(name: &str, url: &str, times: usize) {
    let pace = match name {
        "memory" => Pace::none().chat_requests_per_second(2),
        "memory-without-a-pace" => Pace::none(),
        _ => panic!("no such work: {name}"),
    };
    let bot = Bot::builder("token").base_url(url).pace(pace).build().unwrap();
    let send = async |users: std::ops::Range<usize>| {
        let sends = stream::iter(users).map(|user| bot.send(UserId(user as i64), "x").into_future());
        sends.buffer_unordered(64).for_each(async |sent| drop(sent.unwrap())).await;
    };
    send(0..1_000).await;
    let before = status("VmRSS:");
    send(0..times).await;
    tokio::time::sleep(IDLE).await;
    send(0..1).await;
    println!("{}", (status("VmRSS:") - before) / 1024.0);
}

pub(crate) fn figures() -> Vec<Figure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (failed, refused, time) = runtime.block_on(many_sends(600, 50));
    let (alone, beside) = runtime.block_on(reply_delays(2_000));
    eprintln!("reply alone {alone:?}, beside a broadcast {beside:?}");
    let refused_later = runtime.block_on(refused_after_the_first(64));
    let server = Server::start("server");
    let memory = printed(["pace", "memory", &server.url], 100_000)[0];
    vec![
        Figure::most("600 sends 50 at a time into 30/s, failed", 0.0, failed as f64),
        Figure::most("600 sends 50 at a time into 30/s, refused", 5.0, refused as f64),
        Figure::most("600 sends 50 at a time into 30/s, time / ideal", 1.1, time),
        Figure::most("reply beside a background broadcast to 2000 chats, delay in seconds", 0.1, beside - alone),
        Figure::most("64 tasks and a 429, refused after the first was received", 3.0, refused_later as f64),
        Figure::most("100,000 chats, then idle, resident memory in MiB", 2.0, memory),
    ]
}

/// Creates `count` people who have started the bot.
fn people(max: &Sandbox, count: usize) -> Vec<UserId> {
    let person = |number| {
        let person = max.user(format!("Person {number}"));
        person.starts();
        person.user_id()
    };
    (0..count).map(person).collect()
}

/// Returns the number of failed sends, the number of refused requests, and the total time over the shortest possible
/// time.
async fn many_sends(count: usize, at_a_time: usize) -> (usize, u64, f64) {
    let max = Sandbox::max().await;
    let (users, bot) = (people(&max, count / 2), max.bot());
    let began = Instant::now();
    let sends = stream::iter(0..count).map(|number| bot.send(users[number % users.len()], "news").into_future());
    let failed = sends.buffer_unordered(at_a_time).filter(|sent| std::future::ready(sent.is_err())).count().await;
    let ideal = count as f64 / LIMIT as f64;
    (failed, max.rate_limited(), began.elapsed().as_secs_f64() / ideal)
}

/// Returns the longest time of a send, in seconds: without other requests, and during a broadcast to `chats` chats.
async fn reply_delays(chats: usize) -> (f64, f64) {
    let max = Sandbox::max().await;
    let (alice, users, bot) = (people(&max, 1)[0], people(&max, chats), max.bot());
    let replies = async |ended: &Notify| {
        let mut longest = 0.0_f64;
        loop {
            tokio::select! {
                () = ended.notified() => return longest,
                () = tokio::time::sleep(Duration::from_millis(730)) => {}
            }
            let began = Instant::now();
            bot.send(alice, "reply").await.unwrap();
            longest = longest.max(began.elapsed().as_secs_f64());
        }
    };
    let ended = Notify::new();
    let (alone, ()) = tokio::join!(replies(&ended), async {
        tokio::time::sleep(Duration::from_secs(8)).await;
        ended.notify_one();
    });
    let background = bot.background();
    let (beside, ()) = tokio::join!(replies(&ended), async {
        let sends = stream::iter(&users).map(|user| background.send(*user, "news").into_future());
        let began = Instant::now();
        sends.buffer_unordered(50).for_each(async |sent| drop(sent.unwrap())).await;
        let rate = chats as f64 / began.elapsed().as_secs_f64();
        eprintln!("broadcast: {rate:.1}/s, {} requests refused", max.rate_limited());
        ended.notify_one();
    });
    (alone, beside)
}

/// Returns the number of requests that are refused after the first 429 was received, with an unknown limit and `tasks`
/// tasks.
async fn refused_after_the_first(tasks: usize) -> usize {
    let began = Instant::now();
    let millis = move || u64::try_from(began.elapsed().as_millis()).unwrap();
    let (server, refused) = (MockServer::start().await, Arc::new(AtomicUsize::new(0)));
    // Milliseconds since `began`. 0 means never.
    let (first_refused, first_received) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let taken = AtomicUsize::new(0);
    let respond = {
        let (refused, first_received) = (Arc::clone(&refused), Arc::clone(&first_received));
        move |_: &Request| {
            let now = millis().max(1);
            // The first refusal comes after the requests that one second allows.
            if taken.fetch_add(1, SeqCst) >= LIMIT {
                let _ = first_refused.compare_exchange(0, now, SeqCst, SeqCst);
                if now < first_refused.load(SeqCst) + RETRY_AFTER.as_millis() as u64 {
                    let received = first_received.load(SeqCst);
                    if received != 0 && now > received + ON_THE_WAY.as_millis() as u64 {
                        refused.fetch_add(1, SeqCst);
                    }
                    let seconds = RETRY_AFTER.as_secs().to_string();
                    return ResponseTemplate::new(429).insert_header("retry-after", seconds.as_str());
                }
            }
            ResponseTemplate::new(200).set_body_string(crate::corpus::sent())
        }
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    let noted = Arc::clone(&first_received);
    let bot = Bot::builder("token").base_url(server.uri()).no_proxy().on_retry(move |_| {
        let _ = noted.compare_exchange(0, millis(), SeqCst, SeqCst);
    });
    let bot = bot.build().unwrap();
    let sends = stream::iter(0..2 * tasks).map(|user| bot.send(UserId(user as i64), "x").into_future());
    sends.buffer_unordered(tasks).for_each(async |sent| drop(sent.unwrap())).await;
    assert_ne!(first_received.load(SeqCst), 0, "nothing was refused");
    refused.load(SeqCst)
}
