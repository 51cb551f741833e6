//! Raw requests: any method, path and JSON body, for operations that the API document does not have.

use std::{borrow::Cow, fmt, future::IntoFuture, pin::Pin};

use bytes::Bytes;
use http::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    client::{
        bot::Bot,
        request::read_or_refusal,
        retry::Class,
        transport::{CallOptions, Outgoing, text},
    },
    error::{Error, Reason, Report, Result},
    json::read,
    redaction::Secret,
    validation::{Invalid, Place},
};

impl Bot {
    /// Creates a request from an HTTP method and a path, for example for a new API operation that [`api`](Self::api)
    /// does not have.
    ///
    /// - `method`: The HTTP method.
    /// - `path`: The path below the base URL of the API, for example `/chats`. The path begins with a slash. To add a
    ///   query, use [`RawRequest::query`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// let chats = bot.request(tamtam::http::Method::GET, "/chats").query("count", 5).await?;
    /// assert!(chats["chats"].is_array());
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> RawRequest {
        RawRequest::new(self.clone(), method, path.into())
    }
}

/// A request with any HTTP method and path. Created by [`Bot::request`].
///
/// The bot adds its token and, on TamTam, the API version to the request. By default, the request uses the time
/// limit and the retry policy of the bot. The only rate limit that applies is
/// [`Pace::requests_per_second`](crate::settings::Pace::requests_per_second).
#[derive(Clone)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct RawRequest {
    bot: Bot,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Result<Vec<u8>, String>>,
    options: CallOptions,
}

/// Hides the query values and the body, because they may contain the URL of a webhook.
impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        let body_bytes = self.body.as_ref().and_then(|body| Some(body.as_ref().ok()?.len()));
        f.debug_struct("RawRequest")
            .field("bot", &self.bot)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &query)
            .field("body_bytes", &body_bytes)
            .field("options", &self.options)
            .finish()
    }
}

impl RawRequest {
    pub(crate) fn new(bot: Bot, method: Method, path: String) -> Self {
        Self { bot, method, path, query: Vec::new(), body: None, options: CallOptions::default() }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Serializes `body` as JSON, and sets the JSON as the body of the request. By default, the request has no body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_vec(body).map_err(|error| error.to_string()));
        self
    }

    /// Sends the request and returns the body of the response as JSON. `request.await` is a shorter form of
    /// `request.send().await`.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If the path that you passed to [`Bot::request`] is invalid, or if the body cannot be serialized as JSON
    ///   ([`InvalidRequest`](crate::ErrorKind::InvalidRequest)). Nothing is sent.
    /// - If no connection can be opened ([`Connect`](crate::ErrorKind::Connect)), or if the connection breaks
    ///   ([`Connection`](crate::ErrorKind::Connection)).
    /// - If the complete response does not arrive within [`request_timeout`](Self::request_timeout)
    ///   ([`Timeout`](crate::ErrorKind::Timeout)).
    /// - If the server responds with an error status. [`ErrorKind`](crate::ErrorKind) lists the kind for each status.
    /// - If the body of the response is not JSON ([`Decode`](crate::ErrorKind::Decode)), or exceeds
    ///   [`BotBuilder::max_response_bytes`](crate::BotBuilder::max_response_bytes)
    ///   ([`TooLarge`](crate::ErrorKind::TooLarge)).
    ///
    /// If the response has status 200 and contains `success: false`, this method returns `Ok` with the JSON of the
    /// response, and does not retry the request.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the call is abandoned. The server may already have applied the request.
    pub async fn send(self) -> Result<serde_json::Value> {
        self.send_as().await
    }

    /// Sends the request and returns the body of the response, deserialized from JSON as `T`.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If [`send`](Self::send) returns an error.
    /// - If the response contains `success: false`, and cannot be deserialized as `T`. For this error,
    ///   [`Error::is_refused`] returns `true`. [`ErrorKind`](crate::ErrorKind) lists the kind for each [`Error::code`].
    /// - If any other response cannot be deserialized as `T` ([`Decode`](crate::ErrorKind::Decode)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the call is abandoned. The server may already have applied the request.
    pub async fn send_as<T: DeserializeOwned>(self) -> Result<T> {
        let operation = format!("{} {}", self.method, self.path);
        let fail = |invalid| Error::new(Reason::Invalid(invalid)).of(operation.clone(), Report::default());
        let mut url = self.bot.join(&self.path).map_err(fail)?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let not_json = |problem| Invalid::new(&Place::root("body"), format!("cannot be written as JSON: {problem}"));
        let body = self.body.transpose().map_err(|problem| fail(not_json(problem)))?;
        let class = match self.method {
            Method::GET | Method::HEAD | Method::OPTIONS => Class::Read,
            Method::PUT | Method::PATCH => Class::Repeat,
            Method::DELETE => Class::Remove,
            _ => Class::Act,
        };
        let mut options = self.options;
        options.secret = secret(&self.query, body.as_deref());
        let outgoing = Outgoing {
            operation: Cow::Owned(operation.clone()),
            class,
            method: self.method,
            url,
            body: body.map(Into::into),
            hold: None,
            pace_key: None,
            priority: self.bot.priority(),
            options,
        };
        let read = |body: &Bytes| Ok(read::read_foreign(&text(body))?);
        self.bot.transport().execute(&outgoing, |body| read_or_refusal(body, read)).await
    }
}

/// Returns the URLs in the query and the body of a request as secrets. One may be the URL of a webhook.
fn secret(query: &[(String, String)], body: Option<&[u8]>) -> Option<Secret> {
    fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => texts.push(text),
            Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
            Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
            _ => {}
        }
    }
    let body: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let mut texts: Vec<&str> = query.iter().map(|(_, value)| value.as_str()).collect();
    collect(&body, &mut texts);
    Secret::all(texts.into_iter().filter(|text| text.contains("://")).map(Secret::beyond_the_origin))
}

crate::client::request::call_options!(
    RawRequest,
    options,
    "[`BotBuilder::timeout`](crate::BotBuilder::timeout), which defaults to 30 s",
    "`true` for `GET`, `HEAD`, `OPTIONS`, `PUT`, `PATCH` and `DELETE`, and to `false` for other methods. With `true`, the server may apply the request twice."
);

impl IntoFuture for RawRequest {
    type Output = Result<serde_json::Value>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
