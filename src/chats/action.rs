//! Actions of the bot that chats show, such as typing or sending a photo.

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

/// Methods for actions. An action is an activity of the bot that members of a chat can see, such as typing.
impl Bot {
    /// Shows in a chat that the bot is typing, until the returned guard is dropped.
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

    /// Shows in a chat that the bot is sending a photo, until the returned guard is dropped.
    pub fn sending_photo(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::SendingPhoto)
    }

    /// Shows in a chat that the bot is sending a video, until the returned guard is dropped.
    pub fn sending_video(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::SendingVideo)
    }

    /// Shows in a chat that the bot is sending an audio recording, until the returned guard is dropped.
    pub fn sending_audio(&self, chat: impl Into<ChatId>) -> ActionGuard {
        self.show(chat, SenderAction::SendingAudio)
    }

    /// Shows in a chat that the bot is sending a file, until the returned guard is dropped.
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

    /// Shows an action of the bot once. Members of the chat see the action for a few seconds. To show an action for
    /// longer, use [`typing`](Self::typing) or one of the methods `sending_...`.
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
    #[doc(alias = "send_chat_action")]
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

/// A guard that shows an action of the bot, such as typing, until the guard is dropped. Created by [`Bot::typing`] and
/// the methods `sending_...` of [`Bot`].
///
/// A background task sends the action immediately, and then sends it again every 4 s ([`INTERVAL`](Self::INTERVAL)).
/// Other requests of the bot do not wait for this task. So a message that you send at the same time may arrive before
/// the action.
///
/// # Errors
///
/// The task logs errors, and does not return them. After a temporary error
/// ([`Error::is_retryable`](crate::Error::is_retryable)), the task sends the action again at the next interval. If the
/// server asks for a longer delay (`Retry-After`), the task waits for this delay. After a permanent error, for example
/// because the bot is not in the chat, the task ends.
///
/// # When the action ends
///
/// When the guard is dropped, the task stops sending the action. The messenger apps hide the action after a few
/// seconds, or when a message arrives. If a message arrives before the guard is dropped, the task still sends the
/// action at the next interval.
///
/// # How to create the guard
///
/// - Create the guard in a tokio runtime. Without a runtime, the action is not shown, and a warning is logged.
/// - Keep the guard in a named variable, such as `_typing`. The statement `let _ = bot.typing(chat);` drops the guard
///   immediately.
#[must_use = "the action is shown only until the guard is dropped"]
pub struct ActionGuard {
    /// Dropping it ends the task.
    _stop: oneshot::Sender<()>,
}

impl ActionGuard {
    /// The interval at which the action is sent: 4 s. The API does not document how long the apps of MAX and TamTam
    /// show an action. Other messengers show an action for about 5 s, so the interval is shorter than 5 s.
    pub const INTERVAL: Duration = Duration::from_secs(4);
}

impl fmt::Debug for ActionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionGuard").finish_non_exhaustive()
    }
}

/// Sends an action at every interval, until `stopped` completes or the server refuses the action.
async fn repeat(bot: Bot, chat: ChatId, action: SenderAction, stopped: impl Future) {
    let mut stopped = pin!(stopped);
    // The guard is already dropped: skip the request.
    select! {
        biased;
        _ = &mut stopped => return,
        () = std::future::ready(()) => {}
    }
    loop {
        // Waits here, not at the gate, so that dropping the guard during the pause cancels the action.
        if let Some(pause) = bot.transport().gate.health().pause {
            select! {
                biased;
                _ = &mut stopped => return,
                () = bot.transport().clock.sleep(pause) => {}
            }
        }
        // A slower request is useless. Dropping the guard does not cancel the request: that would close the connection.
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

    /// Timeout of a failing test.
    const LONG: Duration = Duration::from_secs(60);

    /// A clock whose sleeps end one by one, when the test releases them. Time passes only during these sleeps.
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

    /// Creates a bot with a stepped clock, and a server that sends `answers` in order and then repeats the last one.
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
        /// Waits until the task of the guard sleeps.
        async fn paused(&self) {
            timeout(LONG, self.clock.waiting.acquire()).await.expect("the task does not sleep").unwrap().forget();
        }

        /// Ends one sleep of the guard's task.
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

        /// Runs the typing action until it ends by itself.
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
        // The sleep of the task holds a clone of `steps`.
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
    async fn an_action_that_the_server_refuses_is_not_sent_again() {
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
    async fn an_action_is_retried_at_the_next_interval_or_after_retry_after() {
        let later = |status| ResponseTemplate::new(status).insert_header("retry-after", "9");
        let world =
            world(vec![ResponseTemplate::new(500), later(429), later(503), done(), ResponseTemplate::new(403)]).await;
        world.clock.steps.add_permits(4);
        world.typing_ends().await;
        assert_eq!(world.waits(), [4, 9, 9, 4]);
        assert_eq!(world.sent().await.len(), 5);
    }

    #[test]
    fn without_a_runtime_an_action_is_not_shown_and_does_not_panic() {
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
