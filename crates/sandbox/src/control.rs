//! The sandbox by HTTP: a test in any language acts as people and makes things go wrong.
//!
//! The program `tamtam-sandbox` has these endpoints on the port of the API, under `/sandbox`; in Rust
//! [`SandboxBuilder::control_endpoints`](crate::SandboxBuilder::control_endpoints) adds them. They take and return JSON,
//! and need no token. They are not part of the API of TamTam or MAX, so a bot must not use them.
//!
//! ```sh
//! JSON='Content-Type: application/json'
//! curl localhost:8090/sandbox/users -H "$JSON" -d '{"name": "Bob"}'
//! # {"chat_id":1512863912733,"user_id":687194768461}
//! curl localhost:8090/sandbox/users/687194768461/says -H "$JSON" -d '{"text": "hi"}'
//! # {"message_id":"mid.0000016..."}
//! curl localhost:8090/sandbox/users/687194768461/reads -H "$JSON" -d '{"timeout_ms": 2000}'
//! # {"text":"Hello, Bob", "message_id":"mid.0000016...", ...}
//! ```
//!
//! # Who may call
//!
//! Programs may call the endpoints, web pages may not: a page in the browser of this machine could otherwise read every
//! token and act as people. The server checks these headers before it runs a request:
//!
//! | header | accepted | otherwise |
//! |---|---|---|
//! | `Host` | `127.0.0.0/8`, `[::1]`, `localhost` or `*.localhost`, with any port | 403 |
//! | `Origin` | not sent, or `http://` and the `Host` of the request | 403 |
//! | `Sec-Fetch-Site` | not sent, `same-origin` or `none` | 403 |
//! | `Content-Type` | `application/json`; not required if there is no body | 415 |
//!
//! Each header may be sent once. If your client reaches the sandbox by another name, for example from a container, let it
//! send `Host: localhost`.
//!
//! # Who is there
//!
//! | endpoint | body | answer |
//! |---|---|---|
//! | `GET /sandbox` | | `service`, `base_url`, `upload_url`, `bots`: of each `user_id`, `name`, `username`, `token` |
//! | `POST /sandbox/users` | `name`, `username`?, `phone`? | `user_id`, and the `chat_id` of the dialog with the first bot |
//! | `POST /sandbox/bots` | `name`, `username` | `user_id`, `token` |
//! | `POST /sandbox/chats` | `title`, `members` (user ids; the first is the owner), `channel`? (false), `comments`? (false, MAX only), `public_link`? | `chat_id` |
//!
//! A `?` marks what may be left out. A body has 64 MiB at most. Bots among the members are administrators; if there is
//! none, the first bot is added.
//!
//! # What people do
//!
//! `POST /sandbox/users/{user_id}/{act}`, as [`Person`](crate::Person) does it. People act in the dialog with the first
//! bot; `chat_id` in the body names another chat, and `bot` (a user id) another bot.
//!
//! | act | body | answer |
//! |---|---|---|
//! | `starts` | `payload`? | |
//! | `stops` | | |
//! | `says` | `text`, `format`? (`markdown` or `html`), `attachments`? | `message_id` |
//! | `replies` | `message_id`, `text` | `message_id` |
//! | `forwards` | `message_id` | `message_id` |
//! | `edits` | `message_id`, `text` | |
//! | `deletes` | `message_id` | |
//! | `presses` | `button` (its text) | `callback_id`, if the button has one |
//! | `presses_app` | `button` (its text) | `init_data` |
//! | `opens_app` | `payload`? | `init_data` |
//! | `comments` | `message_id` (a channel post), `text` | `message_id` of the comment |
//! | `sees_comments` | `message_id` (a channel post) | `texts` |
//! | `clears`, `removes_dialog`, `unmutes` | | |
//! | `mutes` | `duration_ms`? (for ever) | |
//! | `sends_voice` | | |
//! | `shares_contact` | | `message_id` |
//! | `sends_location` | `latitude`, `longitude` | `message_id` |
//! | `joins`, `leaves` | | |
//! | `adds`, `removes`, `blocks`, `appoints` | `user_id` | |
//! | `renames_chat` | `title` | |
//! | `opens_constructor` | | `session_id` |
//! | `types` | `session_id`, `text` | |
//! | `presses_in_constructor` | `session_id`, `button` | |
//! | `posts` | `session_id` | `message_ids` |
//! | `sees` | | `texts`, as they are now |
//! | `reads` | `timeout_ms`? | the next message that was shown: `message_id`, `text`, `buttons`, `is_edit`, `message` |
//! | `reads_notification` | `timeout_ms`? | `text` |
//! | `reads_constructor` | `session_id`, `timeout_ms`? | `texts`, `buttons`, `hint`, `placeholder`, `allows_input` |
//!
//! MAX alone has Mini Apps, comments, dialogs that are cleared, removed or muted, and `sends_voice`; TamTam alone has
//! constructors.
//!
//! What waits does so for `timeout_ms`, 5000 if it is left out. `reads` gives what bots have shown, each message and edit once
//! and in order, and nothing that people wrote.
//!
//! An attachment has a `type`: `photo`, `video`, `audio` and `file` have their bytes as `base64` (and a file its `name`),
//! `sticker` a `code`, `link` a `url`, `contact` a `name` and a `phone`, `location` a `latitude` and a `longitude`.
//!
//! # What goes wrong
//!
//! | endpoint | body |
//! |---|---|
//! | `POST /sandbox/faults` | `operation`, `fault`, and what that takes; `times`?, `applied`?, `retry_after`? (s) |
//! | `DELETE /sandbox/faults` | forgets those that have not happened yet |
//! | `POST /sandbox/uploads/faults` | `fault`: `reset_at` or `stall_at` with `bytes`; `status_at` with `bytes`, `status`; `answer` with `status`, `body` |
//! | `POST /sandbox/uploads/not_ready` | `times`: how often a message with a file that comes from now on is refused |
//! | `POST /sandbox/updates` | `update`: any object, put before the bot; `bot`? |
//! | `POST /sandbox/updates/repeat` | gives the latest update once more; `bot`? |
//! | `POST /sandbox/deliveries/lose` | `times` |
//! | `POST /sandbox/clock` | `advance_ms`: lets time pass, as [`Sandbox::time_passes`](crate::Sandbox::time_passes) |
//!
//! An `operation` is an `operationId` of the API's document, such as `sendMessage`. Faults happen once unless `times` says
//! otherwise, one after the other; `applied` says whether the operation is carried out all the same. They are those of
//! [`Fault`](crate::Fault): `status` (with `status`), `error` (`status`, `code`, `message`), `answer`
//! (`status`, `body`), `not_ready`, `reset`, `cut_body`, `garbage`, `delay` (`delay_ms`).
//!
//! # What came of it
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /sandbox/transcript` | everything that happened, as text, a line each |
//! | `POST /sandbox/delivers` | waits until the webhooks have taken everything; `timeout_ms`? |
//! | `POST /sandbox/settles` | waits until the bots are idle, as [`Sandbox::settles`](crate::Sandbox::settles) does; `timeout_ms`? |
//! | `GET /sandbox/rate_limited` | `refused`: how many requests were over a limit of the server |
//!
//! # When it cannot be done
//!
//! The answer is `{"error": "..."}` with the status 400 for a request that is wrong, 403 for a `Host` or an `Origin` that is
//! refused, 404 for a path, a user or a chat that is not there, 405 for another method, 408 when nothing came in time (with
//! the `transcript`), 409 for what cannot be done in the messenger either, such as pressing a button that is not there, and
//! 415 for a `Content-Type` other than JSON.

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

/// The endpoints, to be nested under `/sandbox`.
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
            let why = format!("{method} is not for {}", uri.path());
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, why)
        })
        .fallback(async |OriginalUri(uri): OriginalUri| Refusal::not_found(format!("there is no {}", uri.path())))
        .layer(from_fn(check_caller))
        .layer(from_fn_with_state(Arc::clone(&control), tell_exchange))
        .with_state(control)
}

/// Tells of a request, without what was said in it, which may be a token.
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
