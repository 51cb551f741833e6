//! The HTTP server of the API: checks the token, finds the operation, validates the request, and answers.

use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{self, ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use tokio::time::sleep;

use super::connection::Breaker;
use super::exchange::Exchange;
use super::faults::{Fault, Spoilt};
use super::long_poll;
use super::routes::{self, Found, Handler, LimitedBy, Route};
use super::truncated_body::Cut;
use super::world::World;
use crate::operations::call::Call;
use crate::protocol::error::{ApiError, ErrorKind};
use crate::protocol::service::{Service, TokenPlace};
use crate::protocol::validation::{self, Asked};
use crate::protocol::wire;
use crate::state::State;
use crate::state::ids;
use crate::state::rate_limit::Limited;
use crate::state::tokens::Tokens;

/// The largest accepted body, in bytes. All bodies that the API's document allows are far smaller.
const BODY_BYTES: usize = 4 * 1024 * 1024;

pub(super) fn router(world: Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(world)
}

async fn handle(
    extract::State(world): extract::State<Arc<World>>,
    ConnectInfo(connection): ConnectInfo<Breaker>,
    request: Request,
) -> Response<Body> {
    let _counted = world.request();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await;
    let service = world.act(|state| state.service);
    let (token, query) = read_token(service.traits().token, &parts);
    let found = routes::find(service, parts.method.as_str(), parts.uri.path());
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
    let mut headers = Vec::new();
    if fault.as_ref().is_none_or(|fault| fault.lets_through()) {
        let answer = match body {
            Ok(body) => {
                let shown = (exchange.method.as_str(), exchange.path.as_str());
                let asked =
                    ApiRequest { token, found, parts: &parts, shown, query, connection: connection.connection() };
                answer(&world, service, asked, body).await
            }
            Err(_) => Err(ApiError::new(ErrorKind::BodyTooLarge, "Request body is incomplete or too large").into()),
        };
        let text = match answer {
            Ok(text) => text,
            Err(response) => {
                exchange.status = response.error.status();
                headers.extend(response.header);
                wire::to_text(&response.error.json())
            }
        };
        exchange.response_body = Bytes::from(text);
    }
    let Some(fault) = fault else {
        world.tell_exchange(&exchange);
        return respond(&exchange, &headers);
    };
    if let Some(delay) = fault.delay_after() {
        sleep(delay).await;
    }
    end_by(&fault, exchange, &world, &connection)
}

/// Applies a fault to the answer of a request.
fn end_by(fault: &Fault, mut exchange: Exchange, world: &World, connection: &Breaker) -> Response<Body> {
    exchange.is_faulty = true;
    let spoilt = fault.spoil(exchange.status, std::mem::take(&mut exchange.response_body));
    (exchange.status, exchange.response_body) = match &spoilt {
        Spoilt::Answer(status, body) | Spoilt::Cut(status, body) => (*status, body.clone()),
        Spoilt::Reset => (0, Bytes::new()),
    };
    world.tell_exchange(&exchange);
    let mut response = respond(&exchange, &[]);
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

/// An error answer.
struct ErrorResponse {
    error: ApiError,
    header: Option<(HeaderName, String)>,
}

impl From<ApiError> for ErrorResponse {
    fn from(error: ApiError) -> Self {
        Self { error, header: None }
    }
}

/// The head of a request.
struct ApiRequest<'a> {
    token: Token,
    found: Found,
    parts: &'a Parts,
    /// Method and path for messages, without the tokens of bots.
    shown: (&'a str, &'a str),
    query: Vec<(String, String)>,
    connection: Weak<()>,
}

/// The token of a request.
enum Token {
    Given(String),
    Missing,
    /// The token is in the query, and the service refuses tokens there.
    Misplaced,
}

async fn answer(
    world: &World,
    service: Service,
    ApiRequest { token, found, parts, shown: (method, shown_path), query, connection }: ApiRequest<'_>,
    body: Bytes,
) -> Result<String, ErrorResponse> {
    let bot = match token {
        Token::Given(token) => world.act(|state| state.bot_by_token(&token)).ok_or_else(ApiError::token)?,
        Token::Missing => return Err(ApiError::token().into()),
        Token::Misplaced => return Err(ApiError::token_in_query().into()),
    };
    let (route, path) = match found {
        Found::Operation(route, path) => (route, path),
        Found::OtherMethods(others) => {
            let message = format!("Method {method} is not allowed for {shown_path}");
            let error = ApiError::new(ErrorKind::MethodNotAllowed, message);
            return Err(ErrorResponse { error, header: Some((header::ALLOW, others.join(", "))) });
        }
        Found::Nothing => {
            let message = format!("Path {shown_path} is not recognized");
            return Err(ApiError::new(ErrorKind::PathUnknown, message).into());
        }
    };
    let call = Call { bot, path, query, body, connection };
    let (admitted, retry_after) = world.act(|state| {
        let limited = limited(state, route, &call);
        let (limit, now) = (state.rate_limit, state.clock.real_time());
        (state.recent.admit(bot, limited, limit, now), limit.retry_after_seconds())
    });
    admitted.map_err(|error| {
        let header = retry_after.map(|seconds| (header::RETRY_AFTER, seconds.to_string()));
        ErrorResponse { error, header }
    })?;
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let (path, query) = (call.path.as_slice(), parts.uri.query().unwrap_or_default());
    validation::check(service, &Asked { operation: route.operation, path, query, content_type, body: &call.body })?;
    match route.handler {
        Handler::Now(operation) => {
            let value = world.act(|state| operation(state, &call))?;
            Ok(wire::to_text(&value))
        }
        Handler::Poll => Ok(long_poll::get_updates(world, &call).await?),
    }
}

/// Returns the limit that a request counts against. If its chat is unknown, only the limit of the bot applies.
fn limited(state: &State, route: &Route, call: &Call) -> Limited {
    let chat = match route.limit {
        LimitedBy::Bot => None,
        LimitedBy::Polls => return Limited::Poll,
        LimitedBy::Recipient => {
            let user = call.integer("user_id").ok().flatten().map(|user| ids::dialog(user, call.bot));
            call.integer("chat_id").ok().flatten().or(user)
        }
        LimitedBy::Message => call.text("message_id").and_then(|mid| state.find(mid)).map(|(chat, _)| chat),
        LimitedBy::Callback => call.text("callback_id").and_then(|id| state.callbacks.get(id)).map(|one| one.chat),
    };
    chat.map_or(Limited::Any, |chat| Limited::InChat(route.operation, chat))
}

/// Returns the token, and the query parameters without the token.
fn read_token(place: TokenPlace, parts: &Parts) -> (Token, Vec<(String, String)>) {
    let (TokenPlace::Query(parameter) | TokenPlace::Authorization { refused: parameter }) = place;
    let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let (tokens, query): (Vec<_>, Vec<_>) = pairs.into_owned().partition(|(key, _)| key == parameter);
    let in_query = tokens.into_iter().next().map(|(_, token)| token);
    let token = match place {
        TokenPlace::Query(_) => in_query.map_or(Token::Missing, Token::Given),
        TokenPlace::Authorization { .. } if in_query.is_some() => Token::Misplaced,
        TokenPlace::Authorization { .. } => {
            let header = parts.headers.get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
            header.map_or(Token::Missing, |token| Token::Given(token.to_owned()))
        }
    };
    (token, query)
}

fn respond(exchange: &Exchange, extra: &[(HeaderName, String)]) -> Response<Body> {
    let mut response = Response::new(Body::from(exchange.response_body.clone()));
    *response.status_mut() = StatusCode::from_u16(exchange.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wire::MEDIA_TYPE));
    for (name, value) in extra {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}
