//! The common code of all generated requests: checking, sending and awaiting them.

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
    error::{Error, Reason, Refusal, Report},
    json::{read, union::Object},
    redaction::Secret,
    service::{Service, Unsuited},
    validation::Invalid,
};

/// The return type of the generated client.
pub(crate) type Made = Result<reqwest::Request, progenitor_client::Error<()>>;

/// A request of the API document. The generated code implements the trait, and this module sends the request.
pub(crate) trait Request: Sized + Send + Sync + 'static {
    /// The type of the response body.
    type Answer: DeserializeOwned + Send + 'static;
    /// The type that the caller gets.
    type Output;
    /// The operation of the request.
    const OPERATION: &'static Operation;

    /// Returns the parts of the request that errors must not show.
    fn secret(&self) -> Option<Secret> {
        None
    }

    /// Removes optional values that the service does not support. Fails if a required value is not supported.
    fn adapt(&mut self, _service: &Service) -> Result<(), Unsuited> {
        Ok(())
    }

    /// Fails if the request is invalid.
    fn check(&self) -> Result<(), Invalid>;

    /// Builds the HTTP request.
    #[expect(clippy::result_large_err, reason = "the type is from `progenitor`, and converted at once")]
    fn make(&self, base_url: &str, http: reqwest::Client) -> Made;

    /// Returns the caller's part of the response, or the reason of a refusal.
    fn finish(answer: Self::Answer) -> Result<Self::Output, Refusal>;

    /// Returns the output for an item that is already removed. `None` if the operation does not remove items.
    fn gone() -> Option<Self::Output>;
}

/// Sends a request.
// Not an `async fn`: its future would hold both the request and the outgoing parts.
pub(crate) fn send<R: Request>(
    request: R,
    bot: Bot,
    mut options: CallOptions,
) -> impl Future<Output = Result<R::Output, Error>> + Send {
    options.secret = request.secret();
    let outgoing = outgoing(request, &bot, options);
    async move {
        // By reference: a moved value would be in the future twice.
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

/// Reads a response with `read`. If `read` fails, a response with `success: false` is a refusal, and any other a
/// misfit. Servers may refuse any operation with status 200.
pub(crate) fn read_or_refusal<T>(body: &Bytes, read: impl Fn(&Bytes) -> Result<T, Unread>) -> Result<T, Unread> {
    read(body).map_err(|unread| {
        let json = text(body);
        match read::read::<IgnoredAny>(&json) {
            Ok(_) => refusal(&json).unwrap_or(unread),
            // `read` may fail at a misfit before the invalid or truncated JSON.
            Err(not_json) => Unread::Misfit(not_json),
        }
    })
}

/// Reads a text as a refusal. Returns `None` unless `success` is the boolean `false`. A `message` or `code` that is not
/// a string is returned as JSON.
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

/// Fails if the request is invalid.
pub(crate) fn check<R: Request>(request: &R) -> Result<(), Error> {
    request.check().map_err(|invalid| Error::new(Reason::Invalid(invalid)).of(R::OPERATION.id, Report::default()))
}

/// Fails if a request is invalid, or if the service of the bot does not have it. The request is not sent.
pub(crate) fn check_for<R: Request>(mut request: R, service: &Service) -> Result<(), Error> {
    adapt(&mut request, service)?;
    check(&request)
}

/// Adapts a request to the service of the bot.
fn adapt<R: Request>(request: &mut R, service: &Service) -> Result<(), Error> {
    let fitted = match service.has(R::OPERATION.documents) {
        true => request.adapt(service),
        false => Err(service.unsupported(&format!("operation `{}`", R::OPERATION.id))),
    };
    fitted.map_err(|unsuited| {
        let kind = match unsuited {
            Unsuited::Invalid(invalid) => Reason::Invalid(invalid),
            Unsuited::Unsupported(problem) => Reason::Unsupported(format!("not sent: {problem}")),
        };
        Error::new(kind).of(R::OPERATION.id, Report::default())
    })
}

/// Checks and builds a request.
fn outgoing<R: Request>(mut request: R, bot: &Bot, options: CallOptions) -> Result<Outgoing, Error> {
    adapt(&mut request, bot.service())?;
    check(&request)?;
    let fail = |kind| Error::new(kind).of(R::OPERATION.id, Report::default());
    // Fails if the base URL has no host, or if the body cannot be serialized.
    let made = request.make(bot.base_url_text(), bot.transport().http.clone());
    let made = made.map_err(|error| fail(Reason::Build(format!("cannot build the request: {}", describe(error)))))?;
    Ok(Outgoing::new(R::OPERATION, &made, bot.priority(), options))
}

/// Sends a request and reads its response with `read`.
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

/// Returns the message of an error of the generated client, without a URL.
fn describe(error: progenitor_client::Error<()>) -> String {
    match error {
        progenitor_client::Error::CommunicationError(error) => error.without_url().to_string(),
        progenitor_client::Error::InvalidRequest(words) | progenitor_client::Error::Custom(words) => words,
        _ => "the HTTP client gave no reason".to_owned(),
    }
}

/// Implements the settings of all requests, including raw requests. `$time_limit` and `$idempotent` describe the
/// defaults.
macro_rules! call_options {
    ($name:ident, $($options:ident).+, $idempotent:tt) => {
        crate::client::request::call_options!(
            $name,
            $($options).+,
            "[`BotBuilder::timeout`](crate::BotBuilder::timeout), which defaults to 30 s",
            $idempotent
        );
    };
    ($name:ident, $($options:ident).+, $time_limit:tt, $idempotent:tt) => {
        impl $name {
            /// Sets the time limit of each attempt (the first try or a retry), including the time to connect and to
            /// read the response. An attempt that exceeds the limit fails
            /// ([`ErrorKind::Timeout`](crate::ErrorKind::Timeout)).
            ///
            #[doc = concat!("Defaults to ", $time_limit, ".")]
            pub fn request_timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.$($options).+.timeout = Some(timeout);
                self
            }

            /// Sets whether the request is retried even if the server may already have applied it, for example after a
            /// broken connection.
            #[doc = concat!("Defaults to ", $idempotent)]
            pub fn idempotent(mut self, idempotent: bool) -> Self {
                self.$($options).+.idempotent = Some(idempotent);
                self
            }

            /// Turns off all retries of this request, regardless of the [`RetryPolicy`](crate::settings::RetryPolicy)
            /// of the bot.
            pub fn no_retry(mut self) -> Self {
                self.$($options).+.no_retry = true;
                self
            }
        }
    };
}

pub(crate) use call_options;

/// Implements the methods of all requests of the document. `$method` is the method of `Api` that creates the request.
macro_rules! request {
    ($name:ident, $method:ident, $time_limit:tt, $idempotent:tt -> $output:ty) => {
        crate::client::request::call_options!($name, options, $time_limit, $idempotent);

        impl $name {
            /// Sends the request and returns the result.
            ///
            /// # Errors
            ///
            #[doc = concat!("See the errors of [`Api::", stringify!($method), "`].")]
            ///
            /// # Cancel safety
            ///
            #[doc = concat!("See [`Api::", stringify!($method), "`].")]
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

/// A list in the query, as one comma-separated string.
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

    #[test]
    fn every_operation_has_the_retry_class_of_the_contract() {
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
