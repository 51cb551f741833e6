//! An update that was not handled: why, and what to do with it.

use std::{error::Error as StdError, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{api::types::Update, client::bot::Bot, error::Error};

/// The decision about an update whose handler failed, or about a webhook request whose body is not an update. Returned
/// by the function that you pass to [`Run::on_error`](crate::updates::Run::on_error) or `Webhook::on_error`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Retries the update: runs the whole handler again, including the calls that succeeded before.
    ///
    /// With [`Run`](crate::updates::Run), the handler runs again after a [delay](crate::updates::Run::backoff). Later
    /// updates of the same [lane](crate::updates::Lane), usually a chat, wait. A bot that polls without a journal (a
    /// queue of updates in a file) also delays the next poll, and so the new updates of all chats.
    ///
    /// A journal and [`Delivery::dead_letter_after`](crate::updates::Delivery::dead_letter_after) limit the number of
    /// attempts. If a `Run` uses neither, limit the number in your function: see [`Failed::attempts`].
    ///
    /// A webhook without a journal responds with status 503, and the server delivers the update again. If the body of a
    /// request is not an update, a webhook with a journal also responds with status 503.
    Retry,
    /// Skips the update: the handler does not run again. `Recovery::default()` returns `Skip`.
    #[default]
    Skip,
    /// Keeps the update for inspection as a dead letter. The handler does not run again.
    ///
    /// Dead letters exist in a journal, in a queue of `tamtam-nats`, and for deliveries with
    /// [`Delivery::dead_letter_after`](crate::updates::Delivery::dead_letter_after). In all other cases,
    /// `DeadLetter` has the same effect as [`Skip`](Self::Skip).
    DeadLetter,
}

/// A trait for the return types of the function that you pass to [`Run::on_error`](crate::updates::Run::on_error) or
/// `Webhook::on_error`. Implemented for [`Recovery`], and for futures that return a `Recovery`.
///
/// This trait is sealed: other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`on_error` returns a `Recovery`, or a future of a `Recovery`, not `{Self}`",
    note = "for example `on_error(|failed| Recovery::Skip)` or `on_error(async |failed| Recovery::Skip)`"
)]
pub trait Decision: sealed::Decision {}

mod sealed {
    use super::{Recovery, RecoveryFuture};

    pub trait Decision {
        fn into_future(self) -> RecoveryFuture;
    }

    impl Decision for Recovery {
        fn into_future(self) -> RecoveryFuture {
            Box::pin(std::future::ready(self))
        }
    }

    impl<F: Future<Output = Recovery> + Send + 'static> Decision for F {
        fn into_future(self) -> RecoveryFuture {
            Box::pin(self)
        }
    }
}

impl<D: sealed::Decision> Decision for D {}

/// A boxed decision.
pub(crate) type RecoveryFuture = Pin<Box<dyn Future<Output = Recovery> + Send>>;

/// An `on_error` function.
pub(crate) type OnError = Arc<dyn Fn(Failed) -> RecoveryFuture + Send + Sync>;

/// Boxes an `on_error` function.
pub(crate) fn boxed<D: Decision>(on_error: impl Fn(Failed) -> D + Send + Sync + 'static) -> OnError {
    Arc::new(move |failed| on_error(failed).into_future())
}

/// An update whose handler failed, or a webhook request whose body is not an update, and the reason. Passed to the
/// function that you set with [`Run::on_error`](crate::updates::Run::on_error) or `Webhook::on_error`. Clones share the
/// update.
#[derive(Debug, Clone)]
pub struct Failed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bot: Bot,
    update: Option<Box<Update>>,
    cause: Cause,
    attempts: u32,
}

/// The reason why an update or a webhook request was not handled. Returned by [`Failed::cause`].
#[non_exhaustive]
pub enum Cause {
    /// The error that the handler returned.
    Error(Box<dyn StdError + Send + Sync>),
    /// The message of the panic in the handler. If the panic has no message, the string is
    /// `without a message`.
    Panic(String),
    /// The time limit that the handler exceeded: see
    /// [`Run::handler_timeout`](crate::updates::Run::handler_timeout) and `Webhook::handler_timeout`. The handler was
    /// dropped at its current `await`.
    TimedOut(Duration),
    /// The body of a webhook request, if the body is not an update. A body that is incomplete or larger than
    /// `Webhook::body_limit` is not reported.
    NotAnUpdate(Bytes),
}

/// Writes the length of a body instead of its bytes, because the body can be private.
impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => f.debug_tuple("Error").field(error).finish(),
            Self::Panic(message) => f.debug_tuple("Panic").field(message).finish(),
            Self::TimedOut(limit) => f.debug_tuple("TimedOut").field(limit).finish(),
            Self::NotAnUpdate(body) => write!(f, "NotAnUpdate({} bytes)", body.len()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => write!(f, "the handler failed: {error}"),
            Self::Panic(message) => write!(f, "the handler panicked: {message}"),
            Self::TimedOut(limit) => write!(f, "the handler took longer than {limit:?}"),
            Self::NotAnUpdate(body) => write!(f, "the delivery of {} bytes is not an update", body.len()),
        }
    }
}

impl Failed {
    pub(crate) fn new(bot: Bot, update: Option<Box<Update>>, cause: Cause, attempts: u32) -> Self {
        Self(Arc::new(Inner { bot, update, cause, attempts }))
    }

    /// Takes the update, or clones it if another clone of this value exists.
    pub(crate) fn take_update(&mut self) -> Option<Box<Update>> {
        match Arc::get_mut(&mut self.0) {
            Some(inner) => inner.update.take(),
            None => self.0.update.clone(),
        }
    }

    /// Returns the bot that received the update or the webhook request.
    #[must_use]
    pub fn bot(&self) -> &Bot {
        &self.0.bot
    }

    /// Returns the update. `None` if the body of the webhook request was not an update.
    #[must_use]
    pub fn update(&self) -> Option<&Update> {
        self.0.update.as_deref()
    }

    /// Returns the error of the handler if the error is a [`tamtam::Error`](Error), for example the error of a call to
    /// the API. `None` in all other cases, for example if the handler panicked or exceeded its time limit.
    ///
    /// The server may have applied the call although the call failed. For example, the server may have posted the
    /// message. So check [`Error::may_have_been_applied`] before you retry the update.
    #[must_use]
    pub fn call_error(&self) -> Option<&Error> {
        match &self.0.cause {
            Cause::Error(error) => error.downcast_ref(),
            _ => None,
        }
    }

    /// Returns the reason why the update or the webhook request was not handled.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Returns the number of attempts to handle the update, including the attempt that just failed. For a webhook
    /// without a journal (a queue of updates in a file), the number is always 1.
    ///
    /// If the bot has a journal, the number includes failed attempts before a restart, and attempts that the end
    /// of the process interrupted in a later run. In [`Bot::run_deliveries`], the
    /// number includes the attempts that you set with
    /// [`Delivery::earlier_attempts`](crate::updates::Delivery::earlier_attempts).
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }
}
