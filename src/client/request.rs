//! What all generated requests have in common: how they are sent, awaited and checked.

use std::fmt;

use bytes::Bytes;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::value::RawValue;

use crate::{
    client::{
        bot::Bot,
        transport::{CallOptions, Operation, Outgoing, Unread, text},
    },
    error::{Error, Kind, Refusal, Report},
    model::{read, union::Object},
    redaction::Secret,
    service::{Service, Unsuited},
    validation::Invalid,
};

/// What the generated client's methods return.
pub(crate) type Made = Result<reqwest::Request, progenitor_client::Error<()>>;

/// A request of the document. The generated code says what it consists of; this module sends it.
pub(crate) trait Request: Sized + Send + Sync + 'static {
    /// What the server answers.
    type Answer: DeserializeOwned + Send + 'static;
    /// What the caller gets.
    type Output;
    /// The operation it is a request for.
    const OPERATION: &'static Operation;

    /// What errors must not show of it.
    fn secret(&self) -> Option<Secret> {
        None
    }

    /// Removes optional values that the service does not have. Fails if a required value is not on the service.
    fn adapt(&mut self, _service: &Service) -> Result<(), Unsuited> {
        Ok(())
    }

    /// Fails if no server would take it.
    fn check(&self) -> Result<(), Invalid>;

    /// Makes the HTTP request.
    #[expect(clippy::result_large_err, reason = "it is `progenitor`'s, and looked at once")]
    fn make(&self, base_url: &str, http: reqwest::Client) -> Made;

    /// The caller's part of the answer, or the server's reason for not having done it.
    fn finish(answer: Self::Answer) -> Result<Self::Output, Refusal>;

    /// The caller's part when what was to be removed is gone already; `None` where there is no such thing.
    fn gone() -> Option<Self::Output>;
}

/// Sends a request.
// Not an `async fn`: its future would hold the request as well as the outgoing parts made of it.
pub(crate) fn send<R: Request>(
    request: R,
    bot: Bot,
    mut options: CallOptions,
) -> impl Future<Output = Result<R::Output, Error>> + Send {
    options.secret = request.secret();
    let outgoing = outgoing(request, &bot, options);
    async move {
        // By reference: a moved value would take room in the future twice.
        let outgoing = match outgoing {
            Ok(ref outgoing) => outgoing,
            Err(error) => return Err(error),
        };
        let read = |body: &Bytes| {
            let json = text(body);
            if R::OPERATION.reads_refusals {
                refusal(&json).map_or(Ok(()), Err)?;
            }
            R::finish(read::read(&json)?).map_err(Unread::Refused)
        };
        let read = |body: &Bytes| read_or_refusal(body, read);
        match bot.transport().execute(outgoing, read).await {
            Err(error) if error.is_already_gone() => R::gone().ok_or(error),
            done => done,
        }
    }
}

/// Reads an answer with `read`. If that fails, the answer is a refusal if it has `success: false`, else a misfit:
/// servers may refuse any operation with such a 200.
pub(crate) fn read_or_refusal<T>(body: &Bytes, read: impl Fn(&Bytes) -> Result<T, Unread>) -> Result<T, Unread> {
    read(body).map_err(|unread| {
        let json = text(body);
        match read::read::<IgnoredAny>(&json) {
            Ok(_) => refusal(&json).unwrap_or(unread),
            // The misfit may come before the place where the text is broken or cut.
            Err(not_json) => Unread::Misfit(not_json),
        }
    })
}

/// Reads a text as a refusal; `None` unless `success` is the boolean `false`. A `message` or `code` that is not a string
/// is shown as JSON.
fn refusal(json: &str) -> Option<Unread> {
    #[derive(Deserialize)]
    struct Refused {
        success: bool,
        message: Option<Box<RawValue>>,
        code: Option<Box<RawValue>>,
    }
    let Object(Refused { success, message, code }) = read::read(json).ok()?;
    let words =
        |message: Box<RawValue>| serde_json::from_str(message.get()).unwrap_or_else(|_| message.get().to_owned());
    (!success).then(|| Unread::Refused(Refusal::new(code.map(words), message.map(words))))
}

/// Fails if no server would take a request.
pub(crate) fn check<R: Request>(request: &R) -> Result<(), Error> {
    request.check().map_err(|invalid| Error::new(Kind::Invalid(invalid)).of(R::OPERATION.id, Report::default()))
}

/// Fits a request to the bot's service.
fn adapt<R: Request>(request: &mut R, service: &Service) -> Result<(), Error> {
    let fitted = match service.has(R::OPERATION.documents) {
        true => request.adapt(service),
        false => Err(service.unsupported(&format!("operation `{}`", R::OPERATION.id))),
    };
    fitted.map_err(|unsuited| {
        let kind = match unsuited {
            Unsuited::Invalid(invalid) => Kind::Invalid(invalid),
            Unsuited::Unsupported(problem) => Kind::Unsupported(format!("not sent: {problem}")),
        };
        Error::new(kind).of(R::OPERATION.id, Report::default())
    })
}

/// Checks a request and makes it.
fn outgoing<R: Request>(mut request: R, bot: &Bot, options: CallOptions) -> Result<Outgoing, Error> {
    adapt(&mut request, bot.service())?;
    check(&request)?;
    let fail = |kind| Error::new(kind).of(R::OPERATION.id, Report::default());
    // It cannot be made with a base URL without a host, or a body that cannot be written.
    let made = request.make(bot.base_url_text(), bot.transport().http.clone());
    let made = made.map_err(|error| fail(Kind::Build(format!("the request cannot be made: {}", describe(error)))))?;
    Ok(Outgoing::new(R::OPERATION, &made, bot.priority(), options))
}

/// Sends a request and reads its answer with `read`.
pub(crate) async fn fetch<R: Request, T>(
    request: R,
    bot: &Bot,
    options: CallOptions,
    read: impl Fn(Bytes) -> Result<T, Unread>,
) -> Result<T, Error> {
    let outgoing = outgoing(request, bot, options)?;
    let read = |body: &Bytes| read(body.clone());
    bot.transport().execute(&outgoing, |body| read_or_refusal(body, read)).await
}

/// The words of an error of the generated client, without a URL.
fn describe(error: progenitor_client::Error<()>) -> String {
    match error {
        progenitor_client::Error::CommunicationError(error) => error.without_url().to_string(),
        progenitor_client::Error::InvalidRequest(words) | progenitor_client::Error::Custom(words) => words,
        _ => "the HTTP client gave no reason".to_owned(),
    }
}

/// The settings that every request has, the document's and raw ones.
macro_rules! call_options {
    ($name:ident) => {
        impl $name {
            /// How long to wait for the whole answer, instead of the bot's own timeout.
            pub fn request_timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.options.timeout = Some(timeout);
                self
            }

            /// Says whether sending this twice is the same as sending it once. A call of which nobody knows whether it
            /// was done is tried again only if it is. The crate knows that of every operation of the document; of other
            /// requests it takes it for granted unless they are a POST.
            pub fn idempotent(mut self, idempotent: bool) -> Self {
                self.options.idempotent = Some(idempotent);
                self
            }

            /// Sends this once, whatever the bot's [`RetryPolicy`](crate::RetryPolicy) says.
            pub fn no_retry(mut self) -> Self {
                self.options.no_retry = true;
                self
            }
        }
    };
}

pub(crate) use call_options;

/// The settings of a call on a type with the request in its field `request`.
macro_rules! forward_call_options {
    ($name:ident) => {
        impl $name {
            /// Sets the time to wait for the whole answer. Defaults to [`BotBuilder::timeout`](crate::BotBuilder::timeout).
            pub fn request_timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.request = self.request.request_timeout(timeout);
                self
            }

            /// Sets whether the request may be repeated without harm. If a request may already have been applied, it is
            /// retried only when marked idempotent.
            pub fn idempotent(mut self, idempotent: bool) -> Self {
                self.request = self.request.idempotent(idempotent);
                self
            }

            /// Sends the request once, regardless of the [`RetryPolicy`](crate::RetryPolicy) of the bot.
            pub fn no_retry(mut self) -> Self {
                self.request = self.request.no_retry();
                self
            }
        }
    };
}

pub(crate) use forward_call_options;

/// The methods that every request of the document has.
macro_rules! request {
    ($name:ident -> $output:ty) => {
        crate::client::request::call_options!($name);

        impl $name {
            /// Sends the request; `.await` on the request itself does the same.
            ///
            /// # Errors
            ///
            /// As the operation's method of [`Api`] says.
            ///
            /// # Cancel safety
            ///
            /// As the operation's method of [`Api`] says.
            pub async fn send(self) -> crate::error::Result<$output> {
                let (bot, options) = (self.bot.clone(), self.options.clone());
                crate::client::request::send(self, bot, options).await
            }
        }

        impl ::std::future::IntoFuture for $name {
            type Output = crate::error::Result<$output>;
            type IntoFuture = ::std::pin::Pin<Box<dyn ::std::future::Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                let (bot, options) = (self.bot.clone(), self.options.clone());
                Box::pin(crate::client::request::send(self, bot, options))
            }
        }
    };
}

pub(crate) use request;

/// A list in the query: one string with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommaSeparated<T>(Vec<T>);

impl<T> FromIterator<T> for CommaSeparated<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T: fmt::Display> fmt::Display for CommaSeparated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, item)| {
            f.write_str(if index > 0 { "," } else { "" })?;
            item.fmt(f)
        })
    }
}

impl<T: fmt::Display> Serialize for CommaSeparated<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::*, client::retry::Class};

    /// What the contract says of each operation of the document.
    #[test]
    fn every_operation_is_of_the_class_that_the_contract_says() {
        macro_rules! classes {
            ($($class:ident: $($request:ident)*;)*) => {
                [$($((<$request as Request>::OPERATION, Class::$class),)*)*]
            };
        }
        let contract = classes! {
            Read: GetMyInfo GetChats GetChatByLink GetChat GetPinnedMessage GetMembership GetAdmins GetMembers
                GetSubscriptions GetMessages GetMessageById GetUpdates GetComments GetCommentById
                GetVideoAttachmentDetails;
            Repeat: EditMyInfo EditChat PinMessage EditMessage GetUploadUrl Subscribe PostAdmins EditMyCommands EditComment;
            Remove: UnpinMessage LeaveChat RemoveMember Unsubscribe DeleteMessage DeleteAdmins DeleteComment;
            Act: SendMessage AnswerOnCallback Construct SendAction AddMembers SendComment;
        };
        for (operation, class) in contract {
            assert_eq!(operation.class, class, "{}", operation.id);
        }
        let ids: std::collections::BTreeSet<&str> = contract.iter().map(|(operation, _)| operation.id).collect();
        assert_eq!(ids.len(), 37);
    }
}
