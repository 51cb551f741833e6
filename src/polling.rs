//! The update stream: long polling that loses nothing.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Bot, Error, Result, Update, UpdateType,
    api::GetUpdates,
    error::{Kind, Report},
    request::Request,
    transport::{Answer, CallOptions, Operation, Outgoing},
};

/// What a poll is. The stream reads the pages itself, so it does not go through the generated request.
const OPERATION: &Operation = <GetUpdates as Request>::OPERATION;

/// The updates of a bot by long polling; made by [`Bot::updates`].
///
/// Every update comes at least once and in order. The server is told that a page of updates is done (its marker is sent)
/// when the update after its last one is asked for; so asking for more means that all before is dealt with. What was not
/// dealt with when the program ends comes again at the next start.
///
/// An update that the crate does not know, or cannot read, is [`Update::Unknown`] and holds nobody up.
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
}

#[derive(Debug, Clone, Default)]
struct Settings {
    limit: Option<u32>,
    hold_seconds: Option<u64>,
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
        Self { bot, settings: Settings::default(), marker: None, page: VecDeque::new(), poll: None }
    }

    /// How many updates a page has at most, from 1 to 1000; the server takes 100 if not set.
    pub fn limit(mut self, limit: u32) -> Self {
        self.settings.limit = Some(limit);
        self
    }

    /// For how long the server holds a poll when there is nothing new: whole seconds, from 0 to 90; 30 if not set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.hold_seconds = Some(timeout.as_secs());
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
            let (bot, settings, marker) = (&this.bot, &this.settings, this.marker);
            let poll = this.poll.get_or_insert_with(|| Box::pin(fetch(bot.clone(), settings.clone(), marker)));
            let page = ready!(poll.as_mut().poll(context));
            this.poll = None;
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
    let (hold_parameter, default_hold) = OPERATION.hold.unwrap_or_default();
    let hold = settings.hold_seconds.unwrap_or(default_hold);
    let mut url = bot
        .join(OPERATION.path)
        .map_err(|invalid| Error::new(Kind::Invalid(invalid)).of(OPERATION.id, Report::default()))?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair(hold_parameter, &hold.to_string());
        if let Some(limit) = settings.limit {
            query.append_pair("limit", &limit.to_string());
        }
        if let Some(marker) = marker {
            query.append_pair("marker", &marker.to_string());
        }
        if !settings.types.is_empty() {
            let types: Vec<&str> = settings.types.iter().map(UpdateType::as_str).collect();
            query.append_pair("types", &types.join(","));
        }
    }
    let outgoing = Outgoing {
        operation: Cow::Borrowed(OPERATION.id),
        class: OPERATION.class,
        method: Method::GET,
        url,
        body: None,
        hold: Some(Duration::from_secs(hold)),
        // The stream decides itself what a failed poll means.
        options: CallOptions { no_retry: true, ..CallOptions::default() },
    };
    Ok(bot.transport().execute(outgoing, page).await?.value)
}

/// Reads a page: the envelope first, then each update by itself, so that a strange one costs nobody but itself.
fn page(answer: &Answer) -> serde_json::Result<Page> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow, default)]
        updates: Option<Vec<&'a RawValue>>,
        marker: Option<i64>,
    }
    if answer.body.trim_ascii().is_empty() {
        return Ok(Page::default());
    }
    let Envelope { updates, marker } = serde_json::from_slice(&answer.body)?;
    let updates =
        updates.unwrap_or_default().into_iter().map(|raw| Update::read(raw.get())).collect::<Result<_, _>>()?;
    Ok(Page { updates, marker })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn read(body: &str) -> serde_json::Result<Page> {
        page(&Answer { status: StatusCode::OK, body: body.to_owned().into() })
    }

    #[test]
    fn an_empty_body_is_an_empty_page() {
        assert_eq!(read("").unwrap(), Page::default());
        assert_eq!(read(" \n").unwrap(), Page::default());
        assert_eq!(read("{}").unwrap(), Page::default());
        assert_eq!(read(r#"{"updates":null,"marker":null}"#).unwrap(), Page::default());
    }

    #[test]
    fn strange_updates_do_not_fail_their_page() {
        let page =
            read(r#"{"updates":[5,{"update_type":"new"},{"update_type":"bot_started"},null],"marker":7}"#).unwrap();
        assert_eq!(page.marker, Some(7));
        let tags: Vec<&str> = page.updates.iter().map(Update::tag).collect();
        assert_eq!(tags, ["", "new", "bot_started", ""]);
        assert!(page.updates.iter().all(|update| matches!(update, Update::Unknown(_))));
    }

    #[test]
    fn a_body_that_is_no_page_is_an_error() {
        for body in ["<html>", r#"{"updates":[{"#, "[]", r#"{"updates":{}}"#] {
            assert!(read(body).is_err(), "{body}");
        }
    }
}
