//! Webhooks, as a test sees them: each attempt to deliver an update, and the wait until all are delivered.

use std::panic::Location;
use std::sync::Arc;

use tokio::time::Instant;

use crate::Sandbox;

/// An update that was sent to a webhook, and what came of it. The `access_token` is nowhere in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    pub(crate) url: String,
    pub(crate) update: Arc<str>,
    pub(crate) attempt: u32,
    pub(crate) outcome: Result<u16, String>,
}

impl Delivery {
    /// The URL of the webhook, as it was subscribed.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The body that was sent: one update, as JSON.
    pub fn update(&self) -> &str {
        &self.update
    }

    /// How many times this update was sent to this webhook, this time included.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The HTTP status of the webhook's answer, of which only 200 says that it has taken the update; `None` if there
    /// was no answer.
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().copied()
    }

    /// Why there was no answer; `None` if there was one.
    pub fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }
}

impl Sandbox {
    /// Calls `hook` for every update that was sent to a webhook, when the webhook has answered or failed to.
    ///
    /// It is called on the server's thread, and must not wait for the bot. It has heard of everything that the webhooks
    /// have taken by the time [`delivers`](Self::delivers) returns.
    pub fn on_delivery(&self, hook: impl Fn(&Delivery) + Send + Sync + 'static) {
        self.world().on_delivery(Arc::new(hook));
    }

    /// Waits until the webhooks have taken every update that was meant for them, or there are no webhooks.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use axum::{Router, routing::post};
    /// use tamtam::types::SubscriptionRequestBody;
    /// use tamtam_sandbox::Sandbox;
    ///
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("http://{}/a-path-nobody-guesses", listener.local_addr()?);
    /// # let webhook = Router::new().route("/a-path-nobody-guesses", post(async || "OK"));
    /// # tokio::spawn(axum::serve(listener, webhook).into_future());
    /// let tamtam = Sandbox::start().await;
    /// tamtam.bot().api().subscribe(SubscriptionRequestBody::new(url)).await?;
    /// tamtam.on_delivery(|delivery| println!("{} -> {:?}", delivery.update(), delivery.status()));
    /// tamtam.user("Alice").says("hi");
    /// tamtam.delivers().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If that is not so in time (see [`SandboxBuilder::patience`](crate::SandboxBuilder::patience)), with what was not
    /// delivered and the transcript.
    #[track_caller]
    pub fn delivers(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sandbox, caller) = (self.clone(), Location::caller());
        // An `async` function does not know its caller.
        async move {
            let patience = sandbox.patience();
            let deadline = Instant::now() + patience;
            let done = sandbox.world().wait(deadline, |state| state.is_all_delivered().then_some(())).await;
            if done.is_none() {
                let undelivered = sandbox.world().act(|state| state.undelivered());
                let told = sandbox.told();
                panic!("{caller}: not everything was delivered in {patience:?}:\n{undelivered}{told}");
            }
        }
    }
}
