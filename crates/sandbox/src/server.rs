//! The HTTP side: accepts connections, checks the token, finds the operation, has the request judged, answers.

pub(super) mod connection;
pub(super) mod error;
pub(super) mod exchange;
pub(super) mod fields;
pub(super) mod request;
pub(super) mod routes;
pub(super) mod wire;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::control::{self, Control};
use super::faults::{Cut, Spoilt};
use super::operations::{Handler, updates};
use super::tokens::Tokens;
use super::validation::{self, Asked};
use super::world::World;
use crate::updates::courier;
use connection::{Breakable, Breaker};
use error::{Fault, Kind};
use exchange::Exchange;
use request::Request;
use routes::Found;

/// Larger bodies are refused: the largest that the API's document allows is far smaller.
const BODY_BYTES: usize = 4 * 1024 * 1024;
const TOKEN: &str = "access_token";

/// Serves, and delivers to webhooks, until `stop` is dropped; then every connection is closed, held polls included.
///
/// It has a thread and a runtime of its own: the end of the runtime is the end of everything that
/// was spawned in it, and whatever the bot under test does to its own runtime, TamTam goes on.
pub(super) fn run(
    listener: TcpListener,
    uploads: TcpListener,
    world: Arc<World>,
    delivery_timeout: Duration,
    control: Option<Control>,
    stop: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let Ok(runtime) = runtime else { return };
    runtime.spawn(super::uploads::run(uploads, Arc::clone(&world)));
    runtime.spawn(courier::run(Arc::clone(&world), delivery_timeout));
    runtime.spawn(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let api = Router::new().fallback(handle).with_state(world);
        let app = match control {
            Some(control) => Router::new().nest("/sandbox", control::router(control)).fallback_service(api),
            None => api,
        };
        let _ = axum::serve(Breakable(listener), app.into_make_service_with_connect_info::<Breaker>()).await;
    });
    let _ = runtime.block_on(stop);
    // The name of a webhook's host may be looked up on a thread of its own, which takes its time and is not waited for.
    runtime.shutdown_background();
}

async fn handle(
    Shared(world): Shared<Arc<World>>,
    ConnectInfo(connection): ConnectInfo<Breaker>,
    request: HttpRequest,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await;
    let (token, query) = read_query(&parts.uri);
    let found = routes::find(parts.method.as_str(), parts.uri.path());
    let (operation, path_template) = match &found {
        Found::Operation(route, _) => (Some(route.operation), Some(route.template)),
        _ => (None, None),
    };
    let tokens = world.act(|state| Tokens::of(state));
    let told = |text: &str| tokens.hide(text).to_owned();
    let mut exchange = Exchange {
        operation,
        path_template,
        method: told(parts.method.as_str()),
        path: told(parts.uri.path()),
        query: query.iter().map(|(name, value)| (told(name), told(value))).collect(),
        request_body: body.as_ref().map(Bytes::clone).unwrap_or_default(),
        status: 200,
        response_body: Bytes::new(),
        is_faulty: false,
    };
    let fault = operation.and_then(|operation| world.faults().take(operation));
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay_before()) {
        sleep(delay).await;
    }
    let mut allow = None;
    if fault.as_ref().is_none_or(|fault| fault.lets_through()) {
        let answer = match body {
            Ok(body) => answer(&world, token.as_deref(), found, &parts, query, &exchange, body).await,
            Err(_) => Err(Fault::new(Kind::BodyTooLarge, "Request body is cut or too large").into()),
        };
        let text = match answer {
            Ok(text) => text,
            Err(refusal) => {
                exchange.status = refusal.fault.status();
                allow = refusal.allow;
                wire::to_text(&refusal.fault.json())
            }
        };
        exchange.response_body = Bytes::from(text);
    }
    let Some(fault) = fault else {
        world.tell_exchange(&exchange);
        return respond(&exchange, allow.as_deref());
    };
    if let Some(delay) = fault.delay_after() {
        sleep(delay).await;
    }
    end_by(&fault, exchange, &world, &connection)
}

/// What a request comes to that has met a fault.
fn end_by(fault: &super::faults::Fault, mut exchange: Exchange, world: &World, connection: &Breaker) -> Response<Body> {
    exchange.is_faulty = true;
    let spoilt = fault.spoil(exchange.status, std::mem::take(&mut exchange.response_body));
    (exchange.status, exchange.response_body) = match &spoilt {
        Spoilt::Answer(status, body) | Spoilt::Cut(status, body) => (*status, body.clone()),
        Spoilt::Reset => (0, Bytes::new()),
    };
    world.tell_exchange(&exchange);
    let mut response = respond(&exchange, None);
    match spoilt {
        Spoilt::Answer(..) => {}
        Spoilt::Cut(_, body) => {
            response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
            *response.body_mut() = Body::from_stream(Cut::new(&body));
        }
        Spoilt::Reset => connection.reset(),
    }
    if let Some(seconds) = fault.retry_after_seconds() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// What the server says no to, and the methods it would have taken.
struct Refusal {
    fault: Fault,
    allow: Option<String>,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fault, allow: None }
    }
}

async fn answer(
    world: &World,
    token: Option<&str>,
    found: Found,
    parts: &Parts,
    query: Vec<(String, String)>,
    exchange: &Exchange,
    body: Bytes,
) -> Result<String, Refusal> {
    let bot = token.and_then(|token| world.act(|state| state.bot_by_token(token)));
    let bot = bot.ok_or_else(Fault::token)?;
    let (route, path) = match found {
        Found::Operation(route, path) => (route, path),
        Found::OtherMethods(others) => {
            let (method, path) = (&exchange.method, &exchange.path);
            let message = format!("Method {method} is not allowed for {path}");
            let fault = Fault::new(Kind::MethodNotAllowed, message);
            return Err(Refusal { fault, allow: Some(others.join(", ")) });
        }
        Found::Nothing => {
            let message = format!("Path {} is not recognized", exchange.path);
            return Err(Fault::new(Kind::PathUnknown, message).into());
        }
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let written = parts.uri.query().unwrap_or_default();
    validation::check(&Asked { operation: route.operation, path: &path, query: written, content_type, body: &body })?;
    let request = Request { bot, path, query, body };
    match route.handler {
        Handler::Now(operation) => {
            let value = world.act(|state| operation(state, &request))?;
            Ok(wire::to_text(&value))
        }
        Handler::Poll => Ok(updates::get_updates(world, &request).await?),
    }
}

/// The token, and the parameters without it.
fn read_query(uri: &Uri) -> (Option<String>, Vec<(String, String)>) {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let (tokens, query): (Vec<_>, Vec<_>) = pairs.into_owned().partition(|(key, _)| key == TOKEN);
    (tokens.into_iter().next().map(|(_, token)| token), query)
}

fn respond(exchange: &Exchange, allow: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::from(exchange.response_body.clone()));
    *response.status_mut() = StatusCode::from_u16(exchange.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wire::MEDIA_TYPE));
    if let Some(allow) = allow.and_then(|allow| HeaderValue::from_str(allow).ok()) {
        headers.insert(header::ALLOW, allow);
    }
    response
}
