//! Showing people what the bot is doing: typing, sending a photo and the like.

use std::{fmt, future::Future, pin::pin, time::Duration};

use tokio::{runtime::Handle, select, sync::oneshot};

use crate::{
    api::{
        SendAction,
        types::{ActionRequestBody, SenderAction},
    },
    client::bot::Bot,
    id::ChatId,
};

/// Actions: what people see the bot doing.
impl Bot {
    /// Shows the bot typing until the guard is dropped.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # async fn think_hard() -> &'static str { "42" }
    /// let typing = bot.typing(alice.chat_id());
    /// let answer = think_hard().await;
    /// bot.send(alice.chat_id(), answer).await?;
    /// drop(typing);
    /// # Ok(())
    /// # }
    /// ```
    pub fn typing(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::TypingOn)
    }

    /// Shows the bot sending a photo until the guard is dropped.
    pub fn sending_photo(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::SendingPhoto)
    }

    /// Shows the bot sending a video until the guard is dropped.
    pub fn sending_video(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::SendingVideo)
    }

    /// Shows the bot sending an audio recording until the guard is dropped.
    pub fn sending_audio(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::SendingAudio)
    }

    /// Shows the bot sending a file until the guard is dropped.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let path = b"a report";
    /// let _sending = bot.sending_file(alice.chat_id());
    /// bot.send(alice.chat_id(), bot.upload_file(path)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sending_file(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::SendingFile)
    }

    /// Marks the messages of a chat as read by the bot.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// bot.mark_seen(alice.chat_id()).await?;
    /// # assert!(tamtam.transcript().contains("mark_seen"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn mark_seen(&self, chat: impl Into<ChatId>) -> SendAction {
        self.action(chat, SenderAction::MarkSeen)
    }

    /// Shows an action once; people see it for a few seconds.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::types::SenderAction;
    ///
    /// bot.action(alice.chat_id(), SenderAction::TypingOn).await?;
    /// # assert!(tamtam.transcript().contains("typing_on"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn action(&self, chat: impl Into<ChatId>, action: impl Into<SenderAction>) -> SendAction {
        self.api().send_action(chat, ActionRequestBody::new(action))
    }

    fn show(&self, chat: impl Into<ChatId>, action: SenderAction) -> ActionGuard {
        let (stop, stopped) = oneshot::channel();
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(repeat(self.clone(), chat.into(), action, stopped))),
            Err(_) => tracing::warn!(%action, error = "no tokio runtime", "action not shown"),
        }
        ActionGuard { _stop: stop }
    }
}

/// Shows an action until it is dropped; made by [`Bot::typing`] and its like.
///
/// The action is sent at once, by a task of its own, and again every [`INTERVAL`](Self::INTERVAL). Nothing waits for it, so
/// a message that is sent at the same time may be there before it. Its failures disturb nobody: the log tells of them. It is
/// given up when the server refuses it (the bot is not in the chat, say); what passes is tried at the next interval, or as
/// late as the server asks.
///
/// It may be dropped anywhere, and then is not sent again; how long people still see it is up to their clients, which hide
/// it when a message comes. It must be made in a tokio runtime: outside of one nothing is shown, and the log says so.
///
/// Bind it to a name: `let _ = bot.typing(chat)` drops it at once.
#[must_use = "the action is shown only until this is dropped"]
pub struct ActionGuard {
    /// Dropping it ends the task.
    _stop: oneshot::Sender<()>,
}

impl ActionGuard {
    /// How often the action is sent: every 4 s. The API does not say how long clients show it; those of most messengers
    /// show it for 5 s or a little more.
    pub const INTERVAL: Duration = Duration::from_secs(4);
}

impl fmt::Debug for ActionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionGuard").finish_non_exhaustive()
    }
}

/// Sends an action again and again, until there is somebody who stops it or no use in it.
async fn repeat(bot: Bot, chat: ChatId, action: SenderAction, stopped: impl Future) {
    let mut stopped = pin!(stopped);
    // Who is that quick needs no action: it would only come behind the answer.
    select! {
        biased;
        _ = &mut stopped => return,
        () = std::future::ready(()) => {}
    }
    loop {
        // Waits here, not at the gate, so that a stop cancels the action: after a pause, the answer may be sent first.
        if let Some(pause) = bot.transport().gate.health().pause {
            select! {
                biased;
                _ = &mut stopped => return,
                () = bot.transport().clock.sleep(pause) => {}
            }
        }
        // One that takes longer than the interval is of no use. It is not cut off by a stop: that would cost a connection.
        let sent = bot.action(chat, action.clone()).no_retry().request_timeout(ActionGuard::INTERVAL).await;
        let mut pause = ActionGuard::INTERVAL;
        if let Err(error) = sent {
            if !error.is_retryable() {
                tracing::warn!(chat = chat.0, %action, error = error.reason_unquoted(), "action given up");
                return;
            }
            tracing::debug!(chat = chat.0, %action, error = error.reason_unquoted(), "action failed");
            pause = pause.max(error.retry_after().unwrap_or_default());
        }
        let sleep = bot.transport().clock.sleep(pause);
        select! {
            biased;
            _ = &mut stopped => return,
            () = sleep => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        sync::{
            Arc, Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use tokio::{
        sync::Semaphore,
        time::{Instant, timeout},
    };
    use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

    use super::*;
    use crate::client::clock::Clock;

    /// No test takes that long, unless it has failed.
    const LONG: Duration = Duration::from_secs(60);

    /// A clock whose waits end when the test lets them, one after the other. Time passes only by these waits.
    #[derive(Debug)]
    struct Stepped {
        start: Instant,
        passed: Arc<Mutex<Duration>>,
        waits: Mutex<Vec<Duration>>,
        waiting: Arc<Semaphore>,
        steps: Arc<Semaphore>,
    }

    impl Clock for Stepped {
        fn now(&self) -> Instant {
            self.start + *self.passed.lock().unwrap()
        }

        fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
            self.waits.lock().unwrap().push(duration);
            self.waiting.add_permits(1);
            let (steps, passed) = (Arc::clone(&self.steps), Arc::clone(&self.passed));
            Box::pin(async move {
                steps.acquire().await.unwrap().forget();
                *passed.lock().unwrap() += duration;
            })
        }

        fn chance(&self) -> f64 {
            0.5
        }
    }

    struct World {
        server: MockServer,
        bot: Bot,
        clock: Arc<Stepped>,
    }

    /// A bot in the time of the test, and a server that gives these answers, the last one for ever.
    async fn world(answers: Vec<ResponseTemplate>) -> World {
        let server = MockServer::builder().start().await;
        let next = AtomicUsize::new(0);
        let answer = move |_: &Request| {
            let at = next.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            answers[at].clone()
        };
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let clock = Arc::new(Stepped {
            start: Instant::now(),
            passed: Arc::default(),
            waits: Mutex::default(),
            waiting: Arc::new(Semaphore::new(0)),
            steps: Arc::new(Semaphore::new(0)),
        });
        let bot = Bot::builder("token").base_url(server.uri()).http(|http| http.no_proxy());
        let bot = bot.clock(Arc::clone(&clock) as _).build().unwrap();
        World { server, bot, clock }
    }

    impl World {
        /// Waits until the guard waits.
        async fn paused(&self) {
            timeout(LONG, self.clock.waiting.acquire()).await.expect("the guard does not wait").unwrap().forget();
        }

        /// Lets the time of the guard's wait pass.
        fn time_passes(&self) {
            self.clock.steps.add_permits(1);
        }

        fn waits(&self) -> Vec<u64> {
            self.clock.waits.lock().unwrap().iter().map(Duration::as_secs).collect()
        }

        async fn sent(&self) -> Vec<String> {
            let requests = self.server.received_requests().await.unwrap();
            requests.iter().map(|request| String::from_utf8(request.body.clone()).unwrap()).collect()
        }

        /// Sends typing until it ends by itself.
        async fn typing_ends(&self) {
            let typing = repeat(self.bot.clone(), ChatId(7), SenderAction::TypingOn, std::future::pending::<()>());
            timeout(LONG, typing).await.expect("typing does not end");
        }
    }

    fn done() -> ResponseTemplate {
        ResponseTemplate::new(200).set_body_string(r#"{"success":true}"#)
    }

    #[tokio::test]
    async fn an_action_is_sent_at_once_and_at_every_interval_until_the_guard_is_dropped() {
        let world = world(vec![done()]).await;
        let typing = world.bot.typing(7);
        for times in 1..=3 {
            world.paused().await;
            assert_eq!(world.sent().await, vec![r#"{"action":"typing_on"}"#; times]);
            if times < 3 {
                world.time_passes();
            }
        }
        assert_eq!(world.waits(), [4, 4, 4]);
        drop(typing);
        // The task's wait holds the steps as well.
        let steps = &world.clock.steps;
        timeout(LONG, async {
            while Arc::strong_count(steps) > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the task does not end");
        world.time_passes();
        world.bot.mark_seen(7).await.unwrap();
        assert_eq!(world.sent().await.len(), 4);
        assert_eq!(world.sent().await[3], r#"{"action":"mark_seen"}"#);
    }

    #[tokio::test]
    async fn a_guard_that_is_dropped_at_once_sends_nothing() {
        let world = world(vec![done()]).await;
        drop(world.bot.typing(7));
        // The task gets its turn while this call waits for the server.
        world.bot.mark_seen(7).await.unwrap();
        assert_eq!(world.sent().await, [r#"{"action":"mark_seen"}"#]);
    }

    #[tokio::test]
    async fn what_the_server_refuses_is_not_sent_again() {
        for (status, body) in [
            (403, r#"{"code":"chat.denied","message":"error.dialog.suspended"}"#),
            (404, r#"{"code":"chat.not.found","message":"no"}"#),
            (401, r#"{"code":"verify.token","message":"no"}"#),
            (200, r#"{"success":false,"message":"no"}"#),
        ] {
            let world = world(vec![done(), ResponseTemplate::new(status).set_body_string(body)]).await;
            world.time_passes();
            world.typing_ends().await;
            assert_eq!(world.sent().await.len(), 2, "{status}");
        }
    }

    #[tokio::test]
    async fn what_passes_is_sent_again_at_the_next_interval_or_when_the_server_asks() {
        let later = |status| ResponseTemplate::new(status).insert_header("retry-after", "9");
        let world =
            world(vec![ResponseTemplate::new(500), later(429), later(503), done(), ResponseTemplate::new(403)]).await;
        world.clock.steps.add_permits(4);
        world.typing_ends().await;
        assert_eq!(world.waits(), [4, 9, 9, 4]);
        assert_eq!(world.sent().await.len(), 5);
    }

    #[test]
    fn outside_of_a_runtime_nothing_is_shown_and_nothing_panics() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = runtime.block_on(world(vec![done()]));
        drop(world.bot.typing(7));
        let typing = runtime.block_on(async {
            let typing = world.bot.typing(7);
            world.paused().await;
            typing
        });
        assert_eq!(runtime.block_on(world.sent()).len(), 1);
        drop(runtime);
        drop(typing);
    }
}
