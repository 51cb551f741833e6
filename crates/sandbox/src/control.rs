//! The sandbox by HTTP: a test in any language acts as people and makes things go wrong.
//!
//! The program `tamtam-sandbox` has these endpoints on the port of the API, under `/sandbox`; in Rust
//! [`SandboxBuilder::control_endpoints`](super::SandboxBuilder::control_endpoints) adds them. They take and give JSON and
//! want no token. Requests to them are no part of the API: no client of TamTam may need them.
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
//! | `GET /sandbox` | | `base_url`, `upload_url`, `bots`: of each `user_id`, `name`, `username`, `token` |
//! | `POST /sandbox/users` | `name`, `username`? | `user_id`, and the `chat_id` of the dialog with the first bot |
//! | `POST /sandbox/bots` | `name`, `username` | `user_id`, `token` |
//! | `POST /sandbox/chats` | `title`, `members` (user ids; the first is the owner), `channel`? (false), `public_link`? | `chat_id` |
//!
//! A `?` marks what may be left out. A body has 64 MiB at most. Bots among the members are administrators; if there is none, the first bot is added.
//!
//! # What people do
//!
//! `POST /sandbox/users/{user_id}/{act}`, as [`Person`](super::Person) does it. People act in the dialog with the first
//! bot; `chat_id` in the body names another chat, and `bot` (a user id) another bot.
//!
//! | act | body | answer |
//! |---|---|---|
//! | `starts` | `payload`? | |
//! | `stops` | | |
//! | `says` | `text`, `attachments`? | `message_id` |
//! | `replies` | `message_id`, `text` | `message_id` |
//! | `forwards` | `message_id` | `message_id` |
//! | `edits` | `message_id`, `text` | |
//! | `deletes` | `message_id` | |
//! | `presses` | `button` (its text) | `callback_id`, if the button has one |
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
//! What waits does so for `timeout_ms`, 5000 if it is left out. `reads` gives what bots have shown, each message and edit once
//! and in order, and nothing that people wrote.
//!
//! An attachment has a `type`: `photo`, `video`, `audio` and `file` have their bytes as `base64` (and a file its `name`),
//! `sticker` a `code`, `link` a `url`.
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
//! | `POST /sandbox/clock` | `advance_ms`: lets time pass, as [`Sandbox::time_passes`](super::Sandbox::time_passes) |
//!
//! An `operation` is an `operationId` of the API's document, such as `sendMessage`. Faults happen once unless `times` says
//! otherwise, one after the other; `applied` says whether the operation is carried out all the same. They are those of
//! [`Fault`](super::Fault): `status` (with `status`), `error` (`status`, `code`, `message`), `answer`
//! (`status`, `body`), `not_ready`, `reset`, `cut_body`, `garbage`, `delay` (`delay_ms`).
//!
//! # What came of it
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /sandbox/transcript` | everything that happened, as text, a line each |
//! | `POST /sandbox/delivers` | waits until the webhooks have taken everything; `timeout_ms`? |
//!
//! # When it cannot be done
//!
//! The answer is `{"error": "..."}` with the status 400 for a request that is wrong, 403 for a `Host` or an `Origin` that is
//! refused, 404 for a path, a user or a chat that is not there, 405 for another method, 408 when nothing came in time (with
//! the `transcript`), 409 for what cannot be done in the messenger either, such as pressing a button that is not there, and
//! 415 for a `Content-Type` other than JSON.

mod act;
mod fault;
mod guard;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, HttpBody as _, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, OriginalUri, Path, Request, State as Shared};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::clock;
use super::people::actor::Actor;
use super::server::exchange::Exchange;
use super::server::wire;
use super::state::State;
use super::state::ids::UserId;
use super::tokens::Tokens;
use super::transcript;
use super::world::World;
use act::Act;

/// Larger bodies are refused; files come in them as Base64.
const BODY_BYTES: usize = 64 * 1024 * 1024;

/// What the endpoints know beside the world.
pub(super) struct Control {
    pub(super) world: Arc<World>,
    pub(super) base_url: String,
    pub(super) patience: Duration,
}

type Shares = Shared<Arc<Control>>;
type Answer = Result<Json, Refusal>;

/// A body.
struct Json(Value);

/// Why something was not done.
#[derive(Debug)]
struct Refusal(StatusCode, Value);

impl Refusal {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self(status, json!({ "error": why.into() }))
    }

    fn wrong(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    fn not_found(why: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, why)
    }
}

/// The bytes of a request.
struct Body(Bytes);

impl<S: Sync> FromRequest<S> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let too_large = |_| Refusal::wrong(format!("body: it is cut, or larger than {BODY_BYTES} bytes"));
        to_bytes(request.into_body(), BODY_BYTES).await.map(Self).map_err(too_large)
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, wire::MEDIA_TYPE)], wire::to_text(&self.0)).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

/// The endpoints, to be nested under `/sandbox`.
pub(super) fn router(control: Control) -> Router {
    let control = Arc::new(control);
    Router::new()
        .route("/", get(about))
        .route("/users", post(add_user))
        .route("/users/{user_id}/{act}", post(act))
        .route("/bots", post(add_bot))
        .route("/chats", post(add_chat))
        .route("/faults", post(fault::add).delete(fault::forget))
        .route("/uploads/faults", post(fault::add_to_uploads))
        .route("/uploads/not_ready", post(fault::set_not_ready))
        .route("/updates", post(fault::push_update))
        .route("/updates/repeat", post(fault::repeat_update))
        .route("/deliveries/lose", post(fault::lose_deliveries))
        .route("/clock", post(move_clock))
        .route("/transcript", get(tell))
        .route("/delivers", post(delivers))
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
    Shared(control): Shares,
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

async fn about(Shared(control): Shares) -> Answer {
    let (upload_url, bots) = control.world.act(|state| {
        let bots = state.bots.iter().filter_map(|(user_id, bot)| {
            let user = state.users.get(user_id)?;
            let (name, username) = (&user.name, &user.username);
            Some(json!({ "user_id": user_id, "name": name, "username": username, "token": bot.token }))
        });
        (state.uploads.base_url.clone(), bots.collect::<Vec<_>>())
    });
    Ok(Json(json!({ "base_url": control.base_url, "upload_url": upload_url, "bots": bots })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    name: String,
    username: Option<String>,
}

async fn add_user(Shared(control): Shares, Body(body): Body) -> Answer {
    let new: NewUser = read(&body)?;
    control.world.act(|state| {
        if let Some(username) = new.username.as_deref().filter(|username| state.has_username(username)) {
            return Err(Refusal::new(StatusCode::CONFLICT, format!("there is @{username} already")));
        }
        let user_id = state.add_person(new.name);
        if let Some(user) = state.users.get_mut(&user_id) {
            user.username = new.username;
        }
        let dialog = Actor { user_id, bot: first_bot(state), group: None }.chat_id();
        Ok(Json(json!({ "user_id": user_id, "chat_id": dialog })))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBot {
    name: String,
    username: String,
}

async fn add_bot(Shared(control): Shares, Body(body): Body) -> Answer {
    let new: NewBot = read(&body)?;
    let conflict = format!("there is a bot @{} already", new.username);
    let added = control.world.act(|state| state.add_another_bot(new.name, new.username));
    let (user_id, token) = added.ok_or_else(|| Refusal::new(StatusCode::CONFLICT, conflict))?;
    Ok(Json(json!({ "user_id": user_id, "token": token })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChat {
    title: String,
    members: Vec<UserId>,
    #[serde(default)]
    channel: bool,
    public_link: Option<String>,
}

async fn add_chat(Shared(control): Shares, Body(body): Body) -> Answer {
    let new: NewChat = read(&body)?;
    control.world.act(|state| {
        if let Some(stranger) = new.members.iter().find(|member| !state.users.contains_key(member)) {
            return Err(Refusal::not_found(format!("there is no user {stranger}")));
        }
        let Some((owner, others)) = new.members.split_first() else {
            return Err(Refusal::wrong("members: a chat needs an owner"));
        };
        let mut others = others.to_vec();
        if !new.members.iter().any(|member| state.is_bot(*member)) {
            others.push(first_bot(state));
        }
        let chat_id = state.found_with(new.title, *owner, others, new.channel);
        if let Some(name) = new.public_link {
            state.make_public(chat_id, &name);
        }
        Ok(Json(json!({ "chat_id": chat_id })))
    })
}

async fn act(Shared(control): Shares, path: Result<Path<(String, String)>, PathRejection>, Body(body): Body) -> Answer {
    let Path((user, act)) = path.map_err(|error| Refusal::not_found(error.body_text()))?;
    let user_id: UserId = user.parse().map_err(|_| Refusal::not_found(format!("there is no person {user}")))?;
    let mut fields: Map<String, Value> = if body.is_empty() { Map::new() } else { read(&body)? };
    let (chat_id, bot) = (take(&mut fields, "chat_id")?, take(&mut fields, "bot")?);
    let timeout = take(&mut fields, "timeout_ms")?.map_or(control.patience, Duration::from_millis);
    fields.insert("act".to_owned(), act.as_str().into());
    let read = serde_json::from_value(fields.into());
    let act: Act = read.map_err(|error| Refusal::wrong(format!("{act}: {error}")))?;
    let actor = control.world.act(|state| find_actor(state, user_id, bot, chat_id))?;
    if !act.is_reading() {
        let done = control.world.act(|state| act.perform(actor, state).map_err(|why| say_no(state, actor, &why)));
        return done.map(Json);
    }
    let read = wait(&control, timeout, |state| act.read(actor, state)).await;
    read.map(Json).ok_or_else(|| {
        control.world.act(|state| {
            let why = format!("{} got nothing in {timeout:?}", state.name(actor.user_id));
            Refusal(
                StatusCode::REQUEST_TIMEOUT,
                json!({ "error": why, "transcript": transcript::render(&state.events) }),
            )
        })
    })
}

/// The person with this id, in a chat: of a dialog the bot is known by it.
fn find_actor(state: &State, user_id: UserId, bot: Option<UserId>, chat_id: Option<UserId>) -> Result<Actor, Refusal> {
    if state.users.get(&user_id).is_none_or(|user| user.is_bot) {
        return Err(Refusal::not_found(format!("there is no person {user_id}")));
    }
    if let Some(bot) = bot.filter(|bot| !state.is_bot(*bot)) {
        return Err(Refusal::not_found(format!("there is no bot {bot}")));
    }
    let bot = bot.unwrap_or_else(|| first_bot(state));
    let Some(chat_id) = chat_id else { return Ok(Actor { user_id, bot, group: None }) };
    let mut dialogs = state.bots.keys().map(|bot| Actor { user_id, bot: *bot, group: None });
    if let Some(dialog) = dialogs.find(|dialog| dialog.chat_id() == chat_id) {
        return Ok(dialog);
    }
    let is_there = state.chats.get(&chat_id).is_some_and(|chat| !chat.is_dialog());
    let actor = is_there.then_some(Actor { user_id, bot, group: Some(chat_id) });
    actor.ok_or_else(|| Refusal::not_found(format!("there is no chat {chat_id} that this person could act in")))
}

fn say_no(state: &State, actor: Actor, why: &str) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, format!("{} {why}", state.name(actor.user_id)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passing {
    advance_ms: u64,
}

async fn move_clock(Shared(control): Shares, Body(body): Body) -> Answer {
    let passing: Passing = read(&body)?;
    let fits = control.world.act(|state| state.let_pass(Duration::from_millis(passing.advance_ms)));
    if fits { done() } else { Err(Refusal::wrong(format!("advance_ms: {}", clock::TOO_FAR))) }
}

async fn tell(Shared(control): Shares) -> Response {
    let text = control.world.act(|state| transcript::render(&state.events));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

async fn delivers(Shared(control): Shares, Body(body): Body) -> Answer {
    let mut fields: Map<String, Value> = if body.is_empty() { Map::new() } else { read(&body)? };
    let timeout = take(&mut fields, "timeout_ms")?.map_or(control.patience, Duration::from_millis);
    let delivered = wait(&control, timeout, |state| state.is_all_delivered().then_some(())).await;
    if delivered.is_some() {
        return done();
    }
    let undelivered = control.world.act(|state| state.undelivered());
    let why = format!("not everything was delivered in {timeout:?}:\n{undelivered}");
    Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, why))
}

async fn wait<T>(control: &Control, timeout: Duration, look: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
    // A time that no clock can show is one that never comes.
    const LONGEST: Duration = Duration::from_secs(60 * 60);
    control.world.wait(Instant::now() + timeout.min(LONGEST), look).await
}

/// The bot that every sandbox has.
fn first_bot(state: &State) -> UserId {
    state.first_bot.unwrap_or_default()
}

fn done() -> Answer {
    Ok(Json(json!({})))
}

fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::wrong(format!("body: {error}")))
}

/// Takes a field that need not be there.
fn take<T: for<'a> Deserialize<'a>>(fields: &mut Map<String, Value>, name: &str) -> Result<Option<T>, Refusal> {
    let value = fields.remove(name).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| Refusal::wrong(format!("{name}: {error}")))
}
