//! The lane engine, with deliveries made by the tests.

use std::{
    collections::HashMap,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use serde_json::json;
use tamtam::{
    Bot, Update,
    updates::{Delivery, Recovery, Settled},
};
use tokio::sync::{oneshot, watch};

use crate::common::bot_at;

/// Longer than a test takes. It passes at once if the time is paused.
const HOUR: Duration = Duration::from_secs(60 * 60);

fn bot() -> Bot {
    bot_at("http://127.0.0.1:1").build().unwrap()
}

/// Returns an update in a chat, with a number as its timestamp.
fn update(chat: i64, number: i64) -> Update {
    let json = json!({"update_type": "bot_started", "timestamp": number, "chat_id": chat,
        "user": {"user_id": 7, "name": "A"}});
    serde_json::from_value(json).unwrap()
}

/// Returns the chat and the number of an update.
fn what(update: &Update) -> (i64, i64) {
    (update.chat_id().unwrap().0, update.timestamp().unwrap())
}

/// The chat and the number of a delivery, and its outcome.
type Line = ((i64, i64), Settled);

/// The settled deliveries, in order.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Vec<Line>>>);

impl Ledger {
    fn delivery(&self, chat: i64, number: i64) -> Delivery {
        let ledger = self.clone();
        Delivery::new(update(chat, number), async move |settled| {
            ledger.0.lock().unwrap().push(((chat, number), settled));
        })
    }

    fn settled(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[tokio::test]
async fn deliveries_are_settled_with_their_outcome() {
    let ledger = Ledger::default();
    let deliveries = [ledger.delivery(1, 1), ledger.delivery(1, 2), ledger.delivery(1, 3).dead_letter_after(1)];
    let run = bot().run_deliveries(stream::iter(deliveries), async |_, update| match what(&update).1 {
        1 => Ok(()),
        _ => Err("no luck"),
    });
    let health = run.health();
    run.await.unwrap();
    let dead = Settled::Dead { attempts: 1, cause: "the handler failed: no luck".to_owned() };
    assert_eq!(ledger.settled(), [((1, 1), Settled::Handled), ((1, 2), Settled::Skipped), ((1, 3), dead)]);
    assert_eq!((health.handled(), health.skipped()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_retried_up_to_its_limit_and_then_its_lane_continues() {
    let (ledger, attempts) = (Ledger::default(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&attempts);
    let deliveries = [
        ledger.delivery(1, 1).earlier_attempts(1).dead_letter_after(3),
        ledger.delivery(1, 2).earlier_attempts(3).dead_letter_after(3),
        ledger.delivery(1, 3),
    ];
    let run = bot().run_deliveries(stream::iter(deliveries), async |_, update| match what(&update).1 {
        3 => Ok(()),
        _ => Err("no luck"),
    });
    let run = run.on_error(move |failed| {
        seen.lock().unwrap().push((what(failed.update().unwrap()).1, failed.attempts()));
        Recovery::Retry
    });
    run.await.unwrap();
    assert_eq!(*attempts.lock().unwrap(), [(1, 2), (1, 3)], "the second delivery is not retried");
    let dead = |attempts, cause: &str| Settled::Dead { attempts, cause: cause.to_owned() };
    let expected = [
        ((1, 1), dead(3, "the handler failed: no luck")),
        ((1, 2), dead(3, "the process ended during its handler, 3 times")),
        ((1, 3), Settled::Handled),
    ];
    assert_eq!(ledger.settled(), expected);
}

#[tokio::test]
async fn the_next_delivery_of_a_lane_waits_until_the_previous_one_is_settled() {
    let (diary, written) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let delivery = |number| {
        let diary = Arc::clone(&diary);
        Delivery::new(update(1, number), async move |_| {
            tokio::task::yield_now().await;
            diary.lock().unwrap().push(format!("settled {number}"));
        })
    };
    let deliveries = [delivery(1), delivery(2)];
    let handled = Arc::clone(&diary);
    bot()
        .run_deliveries(stream::iter(deliveries), move |_, update| {
            handled.lock().unwrap().push(format!("handled {}", what(&update).1));
            async {}
        })
        .await
        .unwrap();
    written.lock().unwrap().extend(diary.lock().unwrap().clone());
    assert_eq!(*written.lock().unwrap(), ["handled 1", "settled 1", "handled 2", "settled 2"]);
}

#[tokio::test]
async fn a_canceled_handler_is_not_settled() {
    for ends_in_order in [true, false] {
        let ledger = Ledger::default();
        let (began, begun) = oneshot::channel::<()>();
        let began = Mutex::new(Some(began));
        let deliveries = stream::iter([ledger.delivery(1, 1), ledger.delivery(2, 1)]).chain(stream::pending());
        let run = bot().run_deliveries(deliveries, move |_, update| {
            let began = (what(&update).0 == 2).then(|| began.lock().unwrap().take());
            async move {
                drop(began);
                if what(&update).0 == 2 {
                    std::future::pending::<()>().await;
                }
            }
        });
        if ends_in_order {
            run.graceful_shutdown_on(begun).shutdown_deadline(Duration::ZERO).await.unwrap();
        } else {
            tokio::select! {
                result = run.run() => panic!("{result:?}"),
                _ = begun => {}
            }
        }
        assert_eq!(ledger.settled(), [((1, 1), Settled::Handled)]);
    }
}

#[tokio::test]
async fn a_shutdown_starts_no_handlers_and_waits_for_running_ones() {
    let (ledger, (stop, stopped)) = (Ledger::default(), oneshot::channel::<()>());
    let stop = Mutex::new(Some(stop));
    let deliveries: Vec<_> = (0..10).map(|number| ledger.delivery(number % 2, number)).collect();
    let run = bot().run_deliveries(stream::iter(deliveries).chain(stream::pending()), move |_, _| {
        let stop = stop.lock().unwrap().take();
        async move {
            drop(stop);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
    });
    run.graceful_shutdown_on(stopped).await.unwrap();
    let mut settled = ledger.settled();
    settled.sort_by_key(|(what, _)| *what);
    assert_eq!(settled, [((0, 0), Settled::Handled), ((1, 1), Settled::Handled)]);
}

#[tokio::test]
async fn a_stream_is_not_polled_while_a_thousand_deliveries_wait() {
    let (ledger, polled) = (Ledger::default(), Arc::new(AtomicUsize::new(0)));
    let (deliveries, counted) = (ledger.clone(), Arc::clone(&polled));
    let endless = stream::iter(0..).map(move |number| {
        counted.fetch_add(1, Ordering::SeqCst);
        deliveries.delivery(number, number)
    });
    let run = bot().run_deliveries(endless, async |_, _| std::future::pending::<()>().await).concurrency(1);
    let health = run.health();
    let watch = async {
        while health.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = run.run() => panic!("{result:?}"),
        () = watch => {}
    }
    let polled = polled.load(Ordering::SeqCst);
    assert!((1000..1200).contains(&polled), "{polled}");
}

/// The handlers wait for each other, so they must run at the same time on different threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn handlers_use_all_cores() {
    let (ledger, all) = (Ledger::default(), Arc::new(Barrier::new(3)));
    let deliveries: Vec<_> = (0..3).map(|chat| ledger.delivery(chat, 1)).collect();
    let run = bot().run_deliveries(stream::iter(deliveries), move |_, _| {
        let all = Arc::clone(&all);
        async move {
            all.wait();
        }
    });
    run.await.unwrap();
    assert_eq!(ledger.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_does_not_stop_the_others() {
    let ledger = Ledger::default();
    let (others, done) = std::sync::mpsc::channel::<()>();
    let (done, count) = (Mutex::new(done), Arc::new(AtomicUsize::new(0)));
    let done = Arc::new(done);
    // The blocking handler comes first. Each of the others comes after the previous one is settled.
    let settled = ledger.clone();
    let rest = stream::unfold(1, move |chat| {
        let settled = settled.clone();
        async move {
            while settled.len() + 1 < chat {
                tokio::task::yield_now().await;
            }
            (chat <= 20).then(|| (settled.delivery(chat as i64, 1), chat + 1))
        }
    });
    let deliveries = stream::iter([ledger.delivery(0, 1)]).chain(rest);
    let run = bot().run_deliveries(deliveries, move |_, update| {
        let (done, others, count) = (Arc::clone(&done), others.clone(), Arc::clone(&count));
        async move {
            if what(&update).0 == 0 {
                done.lock().unwrap().recv().unwrap();
            } else if count.fetch_add(1, Ordering::SeqCst) == 19 {
                others.send(()).unwrap();
            }
        }
    });
    run.await.unwrap();
    assert_eq!(ledger.len(), 21);
    // The last of the other handlers unblocks the first one before its own delivery is settled.
    assert!(
        ledger.settled()[19..].iter().any(|(what, _)| *what == (0, 1)),
        "the blocked handler is one of the last two"
    );
}

/// A handler may block the worker that waits for timers and sockets. A timer of another task must still fire.
#[test]
fn a_handler_that_blocks_its_thread_does_not_stop_timers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    for round in 0..20 {
        runtime.block_on(async {
            let begun = Arc::new(AtomicUsize::new(0));
            let begins = Arc::clone(&begun);
            let (release, released) = std::sync::mpsc::channel::<()>();
            let sender = tokio::spawn(async move {
                // The handler must not wake this task: the task would then wait on the blocked thread.
                while begins.load(Ordering::SeqCst) == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                release.send(()).unwrap();
            });
            let released = Arc::new(Mutex::new(released));
            let deliveries = stream::once(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Delivery::new(update(1, 1), async |_| {})
            });
            let run = bot().run_deliveries(deliveries, move |_, _| {
                let (begun, released) = (Arc::clone(&begun), Arc::clone(&released));
                async move {
                    begun.store(1, Ordering::SeqCst);
                    let released = released.lock().unwrap().recv_timeout(Duration::from_secs(10));
                    assert!(released.is_ok(), "round {round}");
                }
            });
            let health = run.health();
            tokio::spawn(run.run()).await.unwrap().unwrap();
            assert_eq!((health.handled(), health.skipped()), (1, 0), "round {round}");
            sender.await.unwrap();
        });
    }
}

/// Yields the deliveries one by one, with a pause in which all drivers fall asleep.
fn slowly(deliveries: Vec<Delivery>) -> impl Stream<Item = Delivery> {
    stream::iter(deliveries).then(|delivery| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        delivery
    })
}

/// If only a full driver is woken, another driver must be woken, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_lane_does_not_wait_for_a_full_driver() {
    let ledger = Ledger::default();
    let deliveries: Vec<_> = (0..10).map(|chat| ledger.delivery(chat, 1)).collect();
    // Each driver has room for one lane, and the first lane never ends.
    let run = bot().run_deliveries(slowly(deliveries).chain(stream::pending()), async |_, update| {
        if what(&update).0 == 0 {
            std::future::pending::<()>().await;
        }
    });
    let run = run.concurrency(3);
    let watched = ledger.clone();
    let all = async move {
        while watched.len() < 9 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        result = run.run() => panic!("{result:?}"),
        all = tokio::time::timeout(Duration::from_secs(30), all) => all.expect("the other deliveries are not handled"),
    }
}

/// A sleeping driver is also woken by its handlers, and may then be blocked by one of them. This test does not use
/// tokio's timers, because the blocked thread may be the one that drives them.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_lane_does_not_wait_for_a_driver_that_a_handler_has_woken_and_blocked() {
    for _ in 0..20 {
        let ledger = Ledger::default();
        let (others, done) = std::sync::mpsc::channel::<()>();
        let (block, blocks) = oneshot::channel::<()>();
        let (is_blocked, blocked) = std::sync::mpsc::channel::<()>();
        let first = Arc::new(Mutex::new(Some((blocks, is_blocked, done))));
        let (send, mut received) = tokio::sync::mpsc::unbounded_channel();
        let deliveries = stream::poll_fn(move |context| received.poll_recv(context));
        let run = bot().run_deliveries(deliveries, move |_, update| {
            let first = (what(&update).0 == 0).then(|| first.lock().unwrap().take().unwrap());
            let others = others.clone();
            async move {
                if let Some((blocks, is_blocked, done)) = first {
                    let _ = blocks.await;
                    is_blocked.send(()).unwrap();
                    done.recv_timeout(Duration::from_secs(30)).expect("the last delivery is not handled");
                } else if what(&update).0 == 3 {
                    others.send(()).unwrap();
                }
            }
        });
        let delivered: Vec<_> = (0..4).map(|chat| ledger.delivery(chat, 1)).collect();
        std::thread::spawn(move || {
            let mut block = Some(block);
            for delivery in delivered {
                send.send(delivery).unwrap();
                // Lets the drivers fall asleep.
                std::thread::sleep(Duration::from_millis(2));
                if let Some(block) = block.take() {
                    block.send(()).unwrap();
                    blocked.recv().unwrap();
                }
            }
        });
        run.await.unwrap();
        assert_eq!(ledger.len(), 4);
        assert!(ledger.settled().iter().all(|(_, settled)| *settled == Settled::Handled));
    }
}

#[tokio::test]
async fn a_handler_waiting_for_its_retry_does_not_delay_a_shutdown() {
    let ledger = Ledger::default();
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    let deliveries = stream::iter([ledger.delivery(1, 1)]).chain(stream::pending());
    let run = bot().run_deliveries(deliveries, async |_, _| Err::<(), _>("no luck")).backoff(HOUR, HOUR);
    let run = run.on_error(move |_| {
        drop(stop.lock().unwrap().take());
        Recovery::Retry
    });
    let run = run.graceful_shutdown_on(stopped).shutdown_deadline(HOUR);
    tokio::time::timeout(Duration::from_secs(30), run.run()).await.expect("the run does not end early").unwrap();
    assert_eq!(ledger.settled(), [], "the delivery is not settled, so it is redelivered");
}

#[tokio::test]
async fn a_panic_while_settling_affects_only_its_delivery() {
    let ledger = Ledger::default();
    let panics = Delivery::new(update(1, 1), async |_| panic!("oh no"));
    let deliveries = [panics, ledger.delivery(1, 2)];
    bot().run_deliveries(stream::iter(deliveries), async |_, _| {}).await.unwrap();
    assert_eq!(ledger.settled(), [((1, 2), Settled::Handled)]);
}

/// The behavior of a handler in one attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Succeeds,
    Yields(u8),
    Fails,
    Panics,
    Hangs,
}

/// A delivery of the property test.
#[derive(Debug, Clone)]
struct Planned {
    chat: i64,
    number: i64,
    acts: Vec<Act>,
    limit: Option<u32>,
}

/// The way in which a run ends.
#[derive(Debug, Clone, Copy)]
enum Ending {
    ByItself,
    Shutdown { after: usize, deadline: Duration },
    Dropped { after: usize },
}

/// The record of what the handlers did.
#[derive(Default)]
struct Seen {
    /// The number of the running delivery, by chat.
    running: HashMap<i64, i64>,
    /// The number of attempts, by delivery.
    attempts: HashMap<(i64, i64), usize>,
    /// Deliveries whose last attempt was not canceled.
    ended: Vec<(i64, i64)>,
    begun: watch::Sender<usize>,
    most: usize,
    is_over: bool,
    /// Deliveries whose handler began after the end of the run.
    late: Vec<(i64, i64)>,
}

/// Records a running handler until it is dropped.
struct Running(Arc<Mutex<Seen>>, (i64, i64));

impl Running {
    fn begin(seen: &Arc<Mutex<Seen>>, what: (i64, i64)) -> (Self, usize) {
        let mut all = seen.lock().unwrap();
        if all.is_over {
            all.late.push(what);
        }
        let other = all.running.insert(what.0, what.1);
        assert_eq!(other, None, "two handlers of one chat run at a time, the second for {what:?}");
        let attempts = all.attempts.entry(what).or_default();
        *attempts += 1;
        let attempt = *attempts;
        all.begun.send_modify(|begun| *begun += 1);
        all.most = all.most.max(all.running.len());
        (Self(Arc::clone(seen), what), attempt)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).running.remove(&self.1.0);
    }
}

/// Plans random deliveries. Handlers hang only if the time is paused.
fn plan(chance: &mut fastrand::Rng, is_paused: bool) -> Vec<Planned> {
    let (chats, number) = (chance.i64(1..20), chance.usize(0..200));
    let mut next = HashMap::new();
    let mut planned = |_| {
        let chat = chance.i64(0..chats);
        let number = next.entry(chat).or_insert(0);
        *number += 1;
        let act = |chance: &mut fastrand::Rng| match chance.u8(0..20) {
            0 => Act::Fails,
            1 => Act::Panics,
            2 if is_paused => Act::Hangs,
            yields @ 3..8 => Act::Yields(yields),
            _ => Act::Succeeds,
        };
        let acts = (0..4).map(|_| act(chance)).collect();
        let limit = chance.bool().then(|| chance.u32(1..4));
        Planned { chat, number: *number, acts, limit }
    };
    (0..number).map(&mut planned).collect()
}

/// Yields the deliveries in bursts.
fn bursts(deliveries: Vec<Delivery>, mut chance: fastrand::Rng) -> impl Stream<Item = Delivery> {
    stream::iter(deliveries).then(move |delivery| {
        let yields = chance.u8(0..4);
        async move {
            for _ in 0..yields.saturating_sub(1) {
                tokio::task::yield_now().await;
            }
            delivery
        }
    })
}

/// Returns the expected outcome and number of attempts of a delivery that is not canceled. `retries` is the decision
/// of `on_error`, or `None` if it is not set.
fn expected(planned: &Planned, retries: Option<bool>) -> (Settled, usize) {
    for (attempt, act) in (1..).zip(planned.acts.iter().chain(std::iter::repeat(&Act::Succeeds))) {
        let cause = match act {
            Act::Succeeds | Act::Yields(_) => return (Settled::Handled, attempt),
            Act::Fails => "the handler failed: no luck",
            Act::Panics => "the handler panicked: oh no",
            Act::Hangs => "the handler took longer than 60s",
        };
        let dead = || Settled::Dead { attempts: u32::try_from(attempt).unwrap(), cause: cause.to_owned() };
        match (retries, planned.limit) {
            (None, Some(_)) => return (dead(), attempt),
            (None, None) | (Some(false), _) => return (Settled::Skipped, attempt),
            (Some(true), Some(limit)) if attempt >= limit as usize => return (dead(), attempt),
            (Some(true), _) => {}
        }
    }
    unreachable!("the last attempt succeeds")
}

async fn drive(seed: u64, is_paused: bool) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let planned = plan(&mut chance, is_paused);
    let retries = *chance.choice(&[None, Some(false), Some(is_paused)]).unwrap();
    let concurrency = chance.usize(1..10);
    let after = chance.usize(0..planned.len().max(1) * 2);
    let ending = match chance.u8(0..4) {
        0 | 1 => Ending::ByItself,
        2 => Ending::Shutdown { after, deadline: *chance.choice(&[Duration::ZERO, HOUR]).unwrap() },
        _ => Ending::Dropped { after },
    };
    let context = format!("seed {seed}, {ending:?}, concurrency {concurrency}, retries {retries:?}");

    let (ledger, seen) = (Ledger::default(), Arc::<Mutex<Seen>>::default());
    let plans: HashMap<_, _> =
        planned.iter().map(|planned| ((planned.chat, planned.number), planned.clone())).collect();
    let deliveries = planned.iter().map(|planned| {
        let delivery = ledger.delivery(planned.chat, planned.number);
        if let Some(limit) = planned.limit { delivery.dead_letter_after(limit) } else { delivery }
    });
    let stream = bursts(deliveries.collect(), chance.fork());
    let (plans, noted) = (Arc::new(plans), Arc::clone(&seen));
    let handlers_plans = Arc::clone(&plans);
    let mut run = bot()
        .run_deliveries(stream, move |_, update| {
            let what = what(&update);
            let (running, attempt) = Running::begin(&noted, what);
            let act = handlers_plans[&what].acts.get(attempt - 1).copied().unwrap_or(Act::Succeeds);
            async move {
                match act {
                    Act::Hangs => std::future::pending().await,
                    Act::Panics => {
                        // A handler that was not canceled is no longer recorded as running.
                        drop(running);
                        std::panic::resume_unwind(Box::new("oh no"));
                    }
                    Act::Yields(times) => {
                        for _ in 0..times {
                            tokio::task::yield_now().await;
                        }
                    }
                    Act::Fails | Act::Succeeds => {}
                }
                running.0.lock().unwrap().ended.push(what);
                if act == Act::Fails { Err("no luck") } else { Ok(()) }
            }
        })
        .concurrency(concurrency)
        .handler_timeout(Duration::from_secs(60));
    if let Some(retries) = retries {
        run = run.on_error(move |_| if retries { Recovery::Retry } else { Recovery::Skip });
    }
    let watched = Arc::clone(&seen);
    let begun = async move |after: usize| {
        let mut begun = watched.lock().unwrap().begun.subscribe();
        let _ = begun.wait_for(|begun| *begun >= after).await;
    };
    match ending {
        Ending::ByItself => run.await.unwrap(),
        Ending::Shutdown { after, deadline } => {
            run.graceful_shutdown_on(async move { begun(after).await }).shutdown_deadline(deadline).await.unwrap();
        }
        Ending::Dropped { after } => tokio::select! {
            result = run.run() => result.unwrap(),
            () = begun(after) => {}
        },
    }
    {
        let mut seen = seen.lock().unwrap();
        if !matches!(ending, Ending::Dropped { .. }) {
            assert!(seen.running.is_empty(), "{context}: {:?} still run", seen.running);
        }
        seen.is_over = true;
    }
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }

    let seen = seen.lock().unwrap();
    // On each thread, a handler that was just being called when the run was dropped may still begin.
    assert!(seen.late.len() <= if is_paused { 0 } else { 4 }, "{context}: {:?} began after the end", seen.late);
    assert!(seen.most <= concurrency, "{context}: {} handlers ran at a time", seen.most);
    let settled = ledger.settled();
    let mut next: HashMap<i64, i64> = HashMap::new();
    for (what, settled) in &settled {
        let next = next.entry(what.0).or_insert(1);
        assert_eq!(what.1, *next, "{context}: chat {} is out of order, or settled twice", what.0);
        *next += 1;
        let (expected, attempts) = expected(&plans[what], retries);
        assert_eq!((settled, seen.attempts[what]), (&expected, attempts), "{context}: {what:?}");
        if *settled == Settled::Handled {
            assert!(seen.ended.contains(what), "{context}: {what:?} was canceled, but counts as handled");
        }
    }
    if matches!(ending, Ending::ByItself) {
        assert_eq!(settled.len(), planned.len(), "{context}: deliveries were lost");
    }
}

/// Returns the seeds of a property test: `TAMTAM_SEED`, or `number` random ones.
fn seeds(number: usize) -> Vec<u64> {
    let seed = std::env::var("TAMTAM_SEED").ok();
    let seed = seed.map(|seed| vec![seed.parse().expect("TAMTAM_SEED must be a number")]);
    seed.unwrap_or_else(|| (0..number).map(|_| fastrand::u64(..)).collect())
}

#[test]
fn random_runs_keep_the_guarantees_of_the_engine() {
    for seed in seeds(300) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(drive(seed, true));
    }
}

#[test]
fn random_runs_on_several_threads_keep_the_guarantees_of_the_engine() {
    for seed in seeds(100) {
        let threads = 1 + usize::try_from(seed % 4).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
        runtime.block_on(drive(seed, false));
    }
}
