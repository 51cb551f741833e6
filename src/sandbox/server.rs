//! The HTTP side: accepts connections, checks the token, finds the operation, answers.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as HttpRequest, State as Shared};
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::courier;
use super::error::{Fault, Kind};
use super::exchange::Exchange;
use super::operations::{Handler, updates};
use super::request::Request;
use super::routes::{self, Found};
use super::wire;
use super::world::World;

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
    stop: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let Ok(runtime) = runtime else { return };
    runtime.spawn(super::uploads::run(uploads, Arc::clone(&world)));
    runtime.spawn(courier::run(Arc::clone(&world), delivery_timeout));
    runtime.spawn(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let listener = listener.tap_io(|stream| {
            // Small answers should not wait for the acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
        });
        let app = Router::new().fallback(handle).with_state(world);
        let _ = axum::serve(listener, app).await;
    });
    let _ = runtime.block_on(stop);
    // The name of a webhook's host may be looked up on a thread of its own, which takes its time and is not waited for.
    runtime.shutdown_background();
}

async fn handle(Shared(world): Shared<Arc<World>>, request: HttpRequest) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await;
    let (token, query) = read_query(&parts.uri);
    let found = routes::find(parts.method.as_str(), parts.uri.path());
    let (operation, path_template) = match &found {
        Found::Operation(route, _) => (Some(route.operation), Some(route.template)),
        _ => (None, None),
    };
    let mut exchange = Exchange {
        operation,
        path_template,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query,
        request_body: body.as_ref().map(Bytes::clone).unwrap_or_default(),
        status: 200,
        response_body: Bytes::new(),
    };
    let answer = match body {
        Ok(body) => answer(&world, token.as_deref(), found, &exchange, body).await,
        Err(_) => Err(Fault::new(Kind::BodyTooLarge, "Request body is cut or too large").into()),
    };
    let (text, allow) = match answer {
        Ok(text) => (text, None),
        Err(refusal) => {
            exchange.status = refusal.fault.status();
            (wire::to_text(&refusal.fault.json()), refusal.allow)
        }
    };
    exchange.response_body = Bytes::from(text);
    world.tell_exchange(&exchange);
    respond(&exchange, allow.as_deref())
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
    let request = Request { bot, path, query: exchange.query.clone(), body };
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
