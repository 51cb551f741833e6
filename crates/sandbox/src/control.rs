//! Endpoints that control the sandbox: a test in any language acts as people and injects faults by HTTP.
//!
//! The program `tamtam-sandbox` has these endpoints on the port of the API, under `/sandbox`. In Rust,
//! [`SandboxBuilder::control_endpoints`](crate::SandboxBuilder::control_endpoints) adds them. They accept and return
//! JSON, and need no token. They are not part of the API of TamTam or MAX, so a bot must not use them.
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
//! # Users, bots and chats
//!
//! | endpoint | body | answer |
//! |---|---|---|
//! | `GET /sandbox` | | `service`, `base_url`, `upload_url`, `bots`, each with `user_id`, `name`, `username`, `token` |
//! | `POST /sandbox/users` | `name`, `username`?, `phone`? | `user_id`, and the `chat_id` of the dialog with the first bot |
//! | `POST /sandbox/bots` | `name`, `username` | `user_id`, `token` |
//! | `POST /sandbox/chats` | `title`, `members` (user ids; the first is the owner), `channel`? (false), `comments`? (false, MAX only), `public_link`? | `chat_id` |
//!
//! A `?` marks optional fields. A body may have at most 64 MiB. Bots among the members are administrators. If there is
//! no bot among the members, the first bot is added.
//!
//! # Acts of people
//!
//! `POST /sandbox/users/{user_id}/{act}` works like the method of [`Person`](crate::Person) with this name. People act
//! in the dialog with the first bot. `chat_id` in the body names another chat, and `bot` (a user id) another bot.
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
//! | `mutes` | `duration_ms`? (without end) | |
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
//! | `reads` | `timeout_ms`? | the next message or edit of a bot: `message_id`, `text`, `buttons`, `is_edit`, `message` |
//! | `reads_notification` | `timeout_ms`? | `text` |
//! | `reads_constructor` | `session_id`, `timeout_ms`? | `texts`, `buttons`, `hint`, `placeholder`, `allows_input` |
//!
//! MAX only: `presses_app`, `opens_app`, `comments`, `sees_comments`, `clears`, `removes_dialog`, `mutes`, `unmutes`
//! and `sends_voice`. TamTam only: `opens_constructor`, and the acts with a `session_id`.
//!
//! `timeout_ms`: time to wait, in milliseconds. Defaults to 5000. `reads` returns the messages and edits of bots, each
//! once and in order. It does not return messages of people.
//!
//! An attachment has a `type` and the fields of its type:
//!
//! | `type` | fields |
//! |---|---|
//! | `photo`, `video`, `audio` | `base64`: the bytes as Base64 |
//! | `file` | `name`, `base64` |
//! | `sticker` | `code` |
//! | `link` | `url` |
//! | `contact` | `name`, `phone` |
//! | `location` | `latitude`, `longitude` (degrees) |
//!
//! # Faults, updates and time
//!
//! | endpoint | body |
//! |---|---|
//! | `POST /sandbox/faults` | `operation`, `fault` and its fields; `times`?, `applied`?, `retry_after`? (s) |
//! | `DELETE /sandbox/faults` | removes the faults that have not happened yet |
//! | `POST /sandbox/uploads/faults` | `fault`: `reset_at` or `stall_at` with `bytes`; `status_at` with `bytes`, `status`; `answer` with `status`, `body` |
//! | `POST /sandbox/uploads/not_ready` | `times`: how many times a message is refused because a file that is uploaded from now on is not processed |
//! | `POST /sandbox/updates` | `update`: any object, sent to the bot; `bot`? |
//! | `POST /sandbox/updates/repeat` | repeats the latest update; `bot`? |
//! | `POST /sandbox/deliveries/lose` | `times` |
//! | `POST /sandbox/clock` | `advance_ms`: moves the clock, as [`Sandbox::time_passes`](crate::Sandbox::time_passes) does |
//!
//! `operation`: an `operationId` of the API's document, such as `sendMessage`. `times`: how many times the fault
//! happens. Defaults to 1. Several faults happen one after the other. `applied`: whether the operation is carried out.
//! `fault`: a fault of [`Fault`](crate::Fault), with its fields: `status` (with `status`), `error` (`status`, `code`,
//! `message`), `answer` (`status`, `body`), `not_ready`, `reset`, `cut_body`, `garbage`, `delay` (`delay_ms`).
//!
//! # Results
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /sandbox/transcript` | the transcript as text, one line per event |
//! | `POST /sandbox/delivers` | waits until the webhooks have taken all updates; `timeout_ms`? |
//! | `POST /sandbox/settles` | waits until the bots are idle, as [`Sandbox::settles`](crate::Sandbox::settles) does; `timeout_ms`? |
//! | `GET /sandbox/rate_limited` | `refused`: how many requests were over a limit of the server |
//!
//! # Errors
//!
//! A refused request is answered with `{"error": "..."}`:
//!
//! | status | reason |
//! |---|---|
//! | 400 | the request is not valid |
//! | 403 | the `Host` or the `Origin` is refused |
//! | 404 | the path, the user or the chat does not exist |
//! | 405 | the endpoint has other methods |
//! | 408 | the time to wait is over; an act that reads also returns the `transcript` |
//! | 409 | the messenger does not allow the act, for example to press a button that does not exist |
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
