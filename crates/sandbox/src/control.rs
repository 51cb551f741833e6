//! HTTP endpoints to control a sandbox (a simulated messenger) from any language.
//!
//! The program `tamtam-sandbox` has these endpoints on the port of the API, under `/sandbox`. In Rust,
//! [`SandboxBuilder::control_endpoints`](crate::SandboxBuilder::control_endpoints) adds the endpoints. The endpoints
//! need no token. `GET /sandbox/transcript` returns plain text. All other endpoints accept and return JSON. The real
//! messengers do not have these endpoints.
//!
//! In this example, the person Bob writes to the bot, and the bot responds with a greeting:
//!
//! ```sh
//! JSON='Content-Type: application/json'
//! curl localhost:8090/sandbox/users -H "$JSON" -d '{"name": "Bob"}'
//! # {"chat_id":1512863912733,"user_id":687194768461}
//! curl localhost:8090/sandbox/users/687194768461/says -H "$JSON" -d '{"text": "hi"}'
//! # {"message_id":"mid.0000016..."}
//! curl localhost:8090/sandbox/users/687194768461/reads -H "$JSON" -d '{"timeout_ms":2000}'
//! # {"text":"Hello, Bob", "message_id":"mid.0000016...", ...}
//! ```
//!
//! This example sends the request to `/sandbox/users` in Rust:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use tamtam_sandbox::Sandbox;
//!
//! let tamtam = Sandbox::builder().control_endpoints().start().await;
//! let http = reqwest::Client::builder().no_proxy().build()?;
//! let request = http.post(format!("{}/sandbox/users", tamtam.base_url()));
//! let request = request.header("Content-Type", "application/json");
//! let response = request.body(r#"{"name": "Bob"}"#).send().await?;
//! assert_eq!(response.status(), 200);
//! assert!(response.text().await?.contains("user_id"));
//! # Ok(())
//! # }
//! ```
//!
//! # Access
//!
//! The endpoints refuse cross-origin requests from web pages, so that these pages cannot read the tokens of the bots.
//! The endpoints check these headers before they carry out a request:
//!
//! | header | accepted values | status if refused |
//! |---|---|---|
//! | `Host` | an address in `127.0.0.0/8`, `[::1]`, `localhost` or `*.localhost`; with or without a port | 403 |
//! | `Origin` | not sent, or `http://` followed by the value of `Host` | 403 |
//! | `Sec-Fetch-Site` | not sent, `same-origin` or `none` | 403 |
//! | `Content-Type` | `application/json`; not required if there is no body | 415 |
//!
//! Each of these headers may be sent at most once. If a client uses another host name, such as
//! `host.docker.internal` in a container, the client must send `Host: localhost`.
//!
//! # Users, bots and chats
//!
//! In the tables on this page, a `?` marks an optional field. If a row does not describe the response, the response is
//! `{}`. A dialog is a private chat between one person and a bot. Every sandbox starts with one bot, which this page
//! calls the *first bot*.
//!
//! | endpoint | fields of the body | fields of the response |
//! |---|---|---|
//! | `GET /sandbox` | | `service`, `base_url`, `upload_url`, `bots`; each bot has `user_id`, `name`, `username`, `token` |
//! | `POST /sandbox/users` | `name`, `username`?, `phone`? | `user_id`, and `chat_id` of the dialog with the first bot |
//! | `POST /sandbox/bots` | `name`, `username` | `user_id`, `token` |
//! | `POST /sandbox/chats` | `title`, `members`, `channel`?, `comments`?, `public_link`? | `chat_id` |
//!
//! `name` is the visible name. `username` is the username without the `@`. `phone` is the phone number on the contact
//! card of the person.
//!
//! The fields of `POST /sandbox/chats`:
//!
//! - `title`: the title of the chat.
//! - `members`: an array with at least one user id. The first member is the owner. Bots in the array become
//!   administrators. If the array contains no bot, the first bot is added.
//! - `channel`: whether the chat is a channel instead of a group. Defaults to `false`.
//! - `comments`: whether people can comment on posts of the channel. Defaults to `false`. `true` is refused for groups,
//!   and on TamTam.
//! - `public_link`: the last part of the public link, such as `news` for `https://tt.me/news`. By default, the chat is
//!   private.
//!
//! # Acts of people
//!
//! `POST /sandbox/users/{user_id}/{act}` performs an act of the person with the id `{user_id}`. The page of
//! [`Person`](crate::Person) describes most acts. A constructor is a window in which a bot helps a person to compose a
//! message. The page of [`Constructor`](crate::Constructor) describes the acts with a `session_id`. For example, the
//! act `reads_constructor` corresponds to `Constructor::reads`.
//!
//! The body of every act may also contain these fields:
//!
//! - `chat_id`: the id of the chat in which the person acts. Defaults to the dialog with `bot`.
//! - `bot`: the user id of the bot with which the person acts. Defaults to the first bot. Ignored if `chat_id` is the
//!   id of a dialog, because this id determines the bot.
//!
//! | act | fields of the body | fields of the response |
//! |---|---|---|
//! | `starts` | `payload`? | |
//! | `stops` | | |
//! | `says` | `text`?, `format`? (`markdown` or `html`; defaults to plain text), `attachments`? | `message_id` |
//! | `replies` | `message_id`, `text` | `message_id` |
//! | `forwards` | `message_id` | `message_id` |
//! | `edits` | `message_id`, `text` | |
//! | `deletes` | `message_id` | |
//! | `presses` | `button` (the text of the button) | `callback_id`, only for a button of the type `callback` |
//! | `presses_app` | `button` (the text of the button) | `init_data` |
//! | `opens_app` | `payload`? | `init_data` |
//! | `comments` | `message_id` (a channel post), `text` | `message_id` of the comment |
//! | `sees_comments` | `message_id` (a channel post) | `texts` |
//! | `clears`, `removes_dialog`, `unmutes` | | |
//! | `mutes` | `duration_ms`? (milliseconds; defaults to no time limit) | |
//! | `sends_voice` | | |
//! | `shares_contact` | | `message_id` |
//! | `sends_location` | `latitude`, `longitude` (degrees) | `message_id` |
//! | `joins`, `leaves` | | |
//! | `adds`, `removes`, `blocks`, `appoints` | `user_id` of a person or a bot | |
//! | `renames_chat` | `title` | |
//! | `opens_constructor` | | `session_id` |
//! | `types` | `session_id`, `text` | |
//! | `presses_in_constructor` | `session_id`, `button` (the text of the button) | |
//! | `posts` | `session_id` | `message_ids` |
//! | `sees` | | `texts`: the current texts of the messages in the chat |
//! | `reads` | `timeout_ms`? | `message_id`, `text`, `buttons`, `is_edit`, `message` |
//! | `reads_notification` | `timeout_ms`? | `text` |
//! | `reads_constructor` | `session_id`, `timeout_ms`? | `texts`, `buttons`, `hint`, `placeholder`, `allows_input` |
//!
//! These acts are for MAX only: `presses_app`, `opens_app`, `comments`, `sees_comments`, `clears`, `removes_dialog`,
//! `mutes`, `unmutes` and `sends_voice`. These acts are for TamTam only: `opens_constructor`, and the acts with a
//! `session_id`.
//!
//! `timeout_ms` is the maximum time to wait for the result, in milliseconds. It defaults to
//! [`SandboxBuilder::patience`](crate::SandboxBuilder::patience) (5 s by default). A value above 1 h counts as 1 h.
//!
//! `reads` waits for the next message or edit of a bot, and does not return messages of people. Each message and each
//! edit is returned once, the oldest first. [`Seen`](crate::Seen) describes the response to `reads`.
//! [`Prepared`](crate::Prepared) describes the response to `reads_constructor`.
//!
//! Each element of `attachments` has a `type`, and the fields of this type:
//!
//! | `type` | fields |
//! |---|---|
//! | `photo`, `video`, `audio` | `base64`: the bytes as Base64 |
//! | `file` | `name`: the file name; `base64`: the bytes as Base64 |
//! | `sticker` | `code` |
//! | `link` | `url` |
//! | `contact` | `name`, `phone` |
//! | `location` | `latitude`, `longitude` (degrees) |
//!
//! # Faults, updates and time
//!
//! | endpoint | fields of the body | effect |
//! |---|---|---|
//! | `POST /sandbox/faults` | `operation`, `fault` and its fields; `times`?, `applied`?, `retry_after`? | injects a fault into the next requests of an operation |
//! | `DELETE /sandbox/faults` | | removes all pending faults of operations; the faults of uploads stay |
//! | `POST /sandbox/uploads/faults` | `fault` and its fields | injects a fault into the next upload |
//! | `POST /sandbox/uploads/not_ready` | `times` | for each file that is uploaded later, refuses the first `times` messages with the file, as if the file were still being processed |
//! | `POST /sandbox/updates` | `update`, `bot`? | sends `update` to the bot; `update` may be any JSON object |
//! | `POST /sandbox/updates/repeat` | `bot`? | sends the latest update of the bot again |
//! | `POST /sandbox/deliveries/lose` | `times` | drops the next `times` deliveries to webhooks |
//! | `POST /sandbox/clock` | `advance_ms` | moves the clock forward by `advance_ms` milliseconds: see [`Sandbox::time_passes`](crate::Sandbox::time_passes) |
//!
//! `bot` is the user id of the bot that gets the update. `bot` defaults to the first bot.
//!
//! The fields of `POST /sandbox/faults`:
//!
//! - `operation`: the `operationId` of an operation in the API's OpenAPI document, such as `sendMessage`.
//! - `fault`: a fault from the next table.
//! - `times`: the number of requests that get the fault. Defaults to 1.
//! - `applied`: whether the sandbox carries out the operation before the fault. [`Fault`](crate::Fault) lists the
//!   defaults.
//! - `retry_after`: the value of the header `Retry-After`, in seconds. By default, the header is not sent.
//!
//! If an operation has several pending faults, they happen in the order in which they were injected.
//!
//! In the next two tables, the field `status` is an HTTP status from 200 to 999. The page of
//! [`Fault`](crate::Fault) describes the faults of `POST /sandbox/faults`:
//!
//! | `fault` | its fields |
//! |---|---|
//! | `status` | `status` |
//! | `error` | `status`, `code`, `message` |
//! | `answer` | `status`, `body` (a string) |
//! | `delay` | `delay_ms`: the delay in milliseconds |
//! | `not_ready`, `reset`, `cut_body`, `garbage` | |
//!
//! The page of [`UploadFault`](crate::UploadFault) describes the faults of `POST /sandbox/uploads/faults`:
//!
//! | `fault` | its fields |
//! |---|---|
//! | `reset_at`, `stall_at` | `bytes`: the position in the file, in bytes |
//! | `status_at` | `bytes`, `status` |
//! | `answer` | `status`, `body` (a string) |
//!
//! # Results
//!
//! | endpoint | fields of the body | effect |
//! |---|---|---|
//! | `GET /sandbox/transcript` | | returns all events as text: see [`Sandbox::transcript`](crate::Sandbox::transcript) |
//! | `POST /sandbox/delivers` | `timeout_ms`? | waits until the webhooks have accepted all updates |
//! | `POST /sandbox/settles` | `timeout_ms`? | waits until the bots are idle: see [`Sandbox::settles`](crate::Sandbox::settles) |
//! | `GET /sandbox/rate_limited` | | returns `refused`, the number of requests that were refused because of a rate limit |
//!
//! The default and the limit of `timeout_ms` are the same as for [acts](#acts-of-people).
//!
//! # Errors
//!
//! An error response is `{"error": "..."}`, with one of these statuses:
//!
//! | status | reason |
//! |---|---|
//! | 400 | the request is not valid, its body is larger than 64 MiB, or the bot has no update to repeat |
//! | 403 | the header `Host`, `Origin` or `Sec-Fetch-Site` is not accepted |
//! | 404 | the path, the user, the bot or the chat does not exist |
//! | 405 | the endpoint does not accept this HTTP method |
//! | 408 | no result within `timeout_ms`; for acts, the response also contains the field `transcript` |
//! | 409 | the messenger does not allow the act, for example because the button does not exist; or the username is already in use |
//! | 415 | the `Content-Type` is not JSON |

mod act;
mod acting;
pub(crate) mod context;
mod faults;
mod guard;
mod input;
mod outcome;
mod participants;
mod reply;

use std::sync::Arc;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{self, OriginalUri, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::server::exchange::Exchange;
use crate::state::tokens::Tokens;
use context::{Control, ControlState};
use reply::Refusal;

/// Returns the router of the endpoints, to be nested under `/sandbox`.
pub(crate) fn router(control: Control) -> Router {
    let control = Arc::new(control);
    Router::new()
        .route("/", get(participants::about))
        .route("/users", post(participants::add_user))
        .route("/users/{user_id}/{act}", post(acting::act))
        .route("/bots", post(participants::add_bot))
        .route("/chats", post(participants::add_chat))
        .route("/faults", post(faults::add).delete(faults::forget))
        .route("/uploads/faults", post(faults::add_to_uploads))
        .route("/uploads/not_ready", post(faults::set_not_ready))
        .route("/updates", post(faults::push_update))
        .route("/updates/repeat", post(faults::repeat_update))
        .route("/deliveries/lose", post(faults::lose_deliveries))
        .route("/clock", post(outcome::move_clock))
        .route("/transcript", get(outcome::tell))
        .route("/delivers", post(outcome::delivers))
        .route("/settles", post(outcome::settles))
        .route("/rate_limited", get(outcome::rate_limited))
        .method_not_allowed_fallback(async |method: Method, OriginalUri(uri): OriginalUri| {
            let why = format!("{} does not accept {method}", uri.path());
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, why)
        })
        .fallback(async |OriginalUri(uri): OriginalUri| Refusal::not_found(format!("there is no {}", uri.path())))
        .layer(from_fn(check_caller))
        .layer(from_fn_with_state(Arc::clone(&control), tell_exchange))
        .with_state(control)
}

/// Reports a request to the hooks, without query and bodies, because they may contain tokens.
async fn tell_exchange(
    extract::State(control): ControlState,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let tokens = control.world.act(|state| Tokens::of(state));
    let (method, path) = (request.method().to_string(), tokens.hide(uri.path()).to_owned());
    let response = next.run(request).await;
    control.world.tell_exchange(&Exchange::of_control(method, path, response.status().as_u16()));
    response
}

/// Runs a request only if the guard accepts its headers. A refused body is not read.
async fn check_caller(OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    let has_body = !request.body().is_end_stream();
    match guard::check(&uri, request.headers(), has_body) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}
