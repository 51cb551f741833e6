//! The update stream: long polling that loses nothing.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until};

use crate::{Bot, Result, Update, UpdateType, request, transport::CallOptions};

/// The shortest time from one poll to the next when the first brought nothing: a server that does not hold its polls, or
/// fails them at once, is not asked in a loop.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// The updates of a bot by long polling; made by [`Bot::updates`].
///
/// Every update comes at least once and in order. The server is told that a page of updates is done (its marker is sent)
/// when the update after its last one is asked for; so asking for more means that all before is dealt with. What was not
/// dealt with when the program ends comes again at the next start.
///
/// An update that the crate does not know, or cannot read, is [`Update::Unknown`] and holds nobody up.
///
/// A poll that fails is an item of its own, and is not tried again by itself: ask again, and the stream polls again from
/// the same place. Between polls that bring nothing it pauses for a moment. A `?` on a call of yours inside the loop ends
/// the bot, and the same update comes again at the next start.
///
/// Two pollers with one token steal updates from each other: have one per bot. Adapters that ask early, such as
/// `buffered` or `peekable`, tell the server early that all is done.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam::sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # tamtam.user("Alice").says("hi");
/// let mut updates = bot.updates();
/// while let Some(update) = updates.try_next().await? {
///     println!("{update:?}");
/// #   break;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping a pending [`next`](Self::next) or [`try_next`](Self::try_next) loses nothing: the poll in flight stays in the
/// stream, and the next call goes on with it.
#[must_use = "a stream does nothing until it is asked for updates"]
pub struct Updates {
    bot: Bot,
    settings: Settings,
    /// What the next poll commits.
    marker: Option<i64>,
    /// The updates of the page that were not handed out yet.
    page: VecDeque<Update>,
    poll: Option<Pin<Box<dyn Future<Output = Result<Page>> + Send + Sync>>>,
    /// When the next poll may begin, if the last one brought nothing.
    not_before: Option<Instant>,
}

#[derive(Debug, Clone, Default)]
struct Settings {
    limit: Option<u32>,
    hold_seconds: Option<u32>,
    types: Vec<UpdateType>,
}

/// A page as the server sends it, read.
#[derive(Debug, Default, PartialEq)]
struct Page {
    updates: VecDeque<Update>,
    marker: Option<i64>,
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates")
            .field("bot", &self.bot)
            .field("settings", &self.settings)
            .field("marker", &self.marker)
            .field("waiting", &self.page.len())
            .field("polling", &self.poll.is_some())
            .finish()
    }
}

impl Updates {
    pub(crate) fn new(bot: Bot) -> Self {
        Self { bot, settings: Settings::default(), marker: None, page: VecDeque::new(), poll: None, not_before: None }
    }

    /// How many updates a page has at most, from 1 to 1000; the server takes 100 if not set.
    pub fn limit(mut self, limit: u32) -> Self {
        self.settings.limit = Some(limit);
        self
    }

    /// For how long the server holds a poll when there is nothing new: from 0 to 90 s, rounded up to whole seconds; 30 s if
    /// not set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
        self.settings.hold_seconds = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
    }

    /// The kinds of updates to get; all if not set.
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<UpdateType>>) -> Self {
        self.settings.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// The next update. Asking for it says that all before are dealt with. The stream itself never ends.
    ///
    /// # Errors
    ///
    /// An item is an error when a poll fails. Asking again polls again, from the same place.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Update>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The next update, or the error of a poll that failed.
    ///
    /// # Errors
    ///
    /// When a poll fails. Asking again polls again, from the same place.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<Update>> {
        self.next().await.transpose()
    }
}

impl Stream for Updates {
    type Item = Result<Update>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(update) = this.page.pop_front() {
                return Poll::Ready(Some(Ok(update)));
            }
            let poll = this.poll.get_or_insert_with(|| {
                let (bot, settings) = (this.bot.clone(), this.settings.clone());
                let (marker, not_before) = (this.marker, this.not_before.take());
                Box::pin(async move {
                    if let Some(instant) = not_before {
                        sleep_until(instant).await;
                    }
                    fetch(bot, settings, marker).await
                })
            });
            let page = ready!(poll.as_mut().poll(context));
            this.poll = None;
            if !page.as_ref().is_ok_and(|page| !page.updates.is_empty()) {
                this.not_before = Some(Instant::now() + LEAST_INTERVAL);
            }
            match page {
                Ok(page) => {
                    this.page = page.updates;
                    // A null marker says nothing: it must not make the server forget where we are.
                    this.marker = page.marker.or(this.marker);
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// One poll.
async fn fetch(bot: Bot, settings: Settings, marker: Option<i64>) -> Result<Page> {
    let mut request = bot.api().get_updates();
    if let Some(limit) = settings.limit {
        request = request.limit(limit.into());
    }
    if let Some(seconds) = settings.hold_seconds {
        request = request.timeout(seconds.into());
    }
    if let Some(marker) = marker {
        request = request.marker(marker);
    }
    if !settings.types.is_empty() {
        request = request.types(settings.types);
    }
    // The stream decides itself what a failed poll means, and reads the pages itself.
    let options = CallOptions { no_retry: true, ..CallOptions::default() };
    let read = |text: &str| page(text).map(|page| Box::new(page) as _);
    Ok(request::fetch(&request, &bot, options, read).await?.value)
}

/// Reads a page: the envelope first, then each update by itself, so that a strange one costs nobody but itself.
fn page(text: &str) -> serde_json::Result<Page> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow, default)]
        updates: Option<Vec<&'a RawValue>>,
        marker: Option<i64>,
    }
    if text.trim_ascii().is_empty() {
        return Ok(Page::default());
    }
    let Envelope { updates, marker } = serde_json::from_str(text)?;
    let updates =
        updates.unwrap_or_default().into_iter().map(|raw| Update::read(raw.get())).collect::<Result<_, _>>()?;
    Ok(Page { updates, marker })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_body_is_an_empty_page() {
        assert_eq!(page("").unwrap(), Page::default());
        assert_eq!(page(" \n").unwrap(), Page::default());
        assert_eq!(page("{}").unwrap(), Page::default());
        assert_eq!(page(r#"{"updates":null,"marker":null}"#).unwrap(), Page::default());
    }

    #[test]
    fn strange_updates_do_not_fail_their_page() {
        let page =
            page(r#"{"updates":[5,{"update_type":"new"},{"update_type":"bot_started"},null],"marker":7}"#).unwrap();
        assert_eq!(page.marker, Some(7));
        let tags: Vec<&str> = page.updates.iter().map(Update::tag).collect();
        assert_eq!(tags, ["", "new", "bot_started", ""]);
        assert!(page.updates.iter().all(|update| matches!(update, Update::Unknown(_))));
    }

    #[test]
    fn a_body_that_is_no_page_is_an_error() {
        for body in ["<html>", r#"{"updates":[{"#, "[]", r#"{"updates":{}}"#] {
            assert!(page(body).is_err(), "{body}");
        }
    }
}
