//! The API's HTTP side: checks the token, finds the operation, validates the request, answers.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{self, ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use bytes::Bytes;
use tokio::time::sleep;

use super::connection::Breaker;
use super::cut::Cut;
use super::exchange::Exchange;
use super::faults::{Fault, Spoilt};
use super::long_poll;
use super::routes::{self, Found, Handler};
use super::world::World;
use crate::operations::call::Call;
use crate::protocol::error::{ApiError, ErrorKind};
use crate::protocol::validation::{self, Asked};
use crate::protocol::wire;
use crate::state::tokens::Tokens;

/// Larger bodies are refused: the largest that the API's document allows is far smaller.
const BODY_BYTES: usize = 4 * 1024 * 1024;
const TOKEN: &str = "access_token";

pub(super) fn router(world: Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(world)
}

async fn handle(
    extract::State(world): extract::State<Arc<World>>,
    ConnectInfo(connection): ConnectInfo<Breaker>,
    request: Request,
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
            Err(_) => Err(ApiError::new(ErrorKind::BodyTooLarge, "Request body is cut or too large").into()),
        };
        let text = match answer {
            Ok(text) => text,
            Err(response) => {
                exchange.status = response.error.status();
                allow = response.allow;
                wire::to_text(&response.error.json())
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
fn end_by(fault: &Fault, mut exchange: Exchange, world: &World, connection: &Breaker) -> Response<Body> {
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

/// An error answer. `allow` has the methods of the path, if the request's method is not among them.
struct ErrorResponse {
    error: ApiError,
    allow: Option<String>,
}

impl From<ApiError> for ErrorResponse {
    fn from(error: ApiError) -> Self {
        Self { error, allow: None }
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
) -> Result<String, ErrorResponse> {
    let bot = token.and_then(|token| world.act(|state| state.bot_by_token(token)));
    let bot = bot.ok_or_else(ApiError::token)?;
    let (route, path) = match found {
        Found::Operation(route, path) => (route, path),
        Found::OtherMethods(others) => {
            let (method, path) = (&exchange.method, &exchange.path);
            let message = format!("Method {method} is not allowed for {path}");
            let error = ApiError::new(ErrorKind::MethodNotAllowed, message);
            return Err(ErrorResponse { error, allow: Some(others.join(", ")) });
        }
        Found::Nothing => {
            let message = format!("Path {} is not recognized", exchange.path);
            return Err(ApiError::new(ErrorKind::PathUnknown, message).into());
        }
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let written = parts.uri.query().unwrap_or_default();
    validation::check(&Asked { operation: route.operation, path: &path, query: written, content_type, body: &body })?;
    let call = Call { bot, path, query, body };
    match route.handler {
        Handler::Now(operation) => {
            let value = world.act(|state| operation(state, &call))?;
            Ok(wire::to_text(&value))
        }
        Handler::Poll => Ok(long_poll::get_updates(world, &call).await?),
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
