//! The HTTP server of the upload host: refuses requests with a token, and answers uploads, queries and downloads.

mod disposition;
mod multipart;
mod take;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{self, ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;
use tokio::net::TcpListener;

use super::connection::{Breakable, Breaker};
use super::world::World;
use crate::state::tokens::Tokens;
use crate::state::uploads::reports::{UploadRequest, UploadStatus};
use crate::state::uploads::store::PartialFile;
use take::{ContentRange, UploadEnd};

/// A token in this place is recorded as a leak, but the request is not refused.
const IGNORED: &str = "header authorization";

/// Runs the upload host until its runtime ends.
pub(crate) async fn run(listener: std::net::TcpListener, world: Arc<World>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let app = Router::new().fallback(handle).with_state(Arc::clone(&world));
    let _ = axum::serve(Breakable { listener, world }, app.into_make_service_with_connect_info::<Breaker>()).await;
}

async fn handle(
    extract::State(world): extract::State<Arc<World>>,
    ConnectInfo(connection): ConnectInfo<Breaker>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let tokens = world.act(|state| Tokens::of(state));
    let number = world.act(|state| {
        state.uploads.requests.push(record(&parts, &tokens));
        state.uploads.requests.len() - 1
    });
    let leaks = leaks(&parts, &tokens);
    // Clients also send the header `Authorization` of the API to upload hosts. Real hosts ignore it.
    let is_taken = leaks.iter().all(|place| place == IGNORED);
    world.act(|state| state.uploads.leaks.extend(leaks));
    let answer = if is_taken { answer(&world, &parts, body, &tokens).await } else { Err(UploadEnd::Leaked) };
    let response = match answer {
        Ok(response) => response,
        Err(UploadEnd::Answer(status, body)) => reply(&world, status, body),
        Err(UploadEnd::Refused(status, message)) => refusal(&world, status, message),
        Err(UploadEnd::Leaked) => refusal(&world, StatusCode::BAD_REQUEST, "The request contains the token of a bot"),
        Err(UploadEnd::Stalled) => std::future::pending().await,
        Err(UploadEnd::Reset) => {
            answered(&world, number, None);
            connection.reset();
            return Response::new(Body::empty());
        }
    };
    answered(&world, number, Some(response.status().as_u16()));
    response
}

/// Records the status of a request, and reports the request to the hooks. `None`: the connection was reset.
fn answered(world: &World, number: usize, status: Option<u16>) {
    let request = world.act(|state| {
        let request = state.uploads.requests.get_mut(number)?;
        request.status = status;
        Some(request.clone())
    });
    if let Some(request) = request {
        world.tell_upload(&request);
    }
}

async fn answer(world: &World, parts: &Parts, body: Body, tokens: &Tokens) -> Result<Response<Body>, UploadEnd> {
    let not_found = || UploadEnd::Refused(StatusCode::NOT_FOUND, "There is no such path");
    let path = parts.uri.path();
    if let Some(id) = path.strip_prefix("/files/") {
        let (content_type, bytes) = world.act(|state| state.uploads.content(id)).ok_or_else(not_found)?;
        let bytes = bytes.ok_or(UploadEnd::Refused(StatusCode::GONE, "The file was too large to be kept"))?;
        let mut response = Response::new(Body::from(bytes));
        if let Ok(content_type) = HeaderValue::from_str(&content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        return Ok(response);
    }
    let id = path.strip_prefix("/upload/").ok_or_else(not_found)?;
    let session = world.act(|state| state.uploads.session(id)).ok_or_else(not_found)?;
    let mut content = session.content.lock().await;
    if parts.method == "GET" {
        return Ok(status(&content, world.act(|state| state.uploads.settings.status)));
    }
    if parts.method != "POST" {
        return Err(UploadEnd::Refused(StatusCode::METHOD_NOT_ALLOWED, "Only GET and POST are allowed"));
    }
    if content.is_done {
        return Err(UploadEnd::Refused(StatusCode::BAD_REQUEST, "The file of this URL is already uploaded"));
    }
    let content_type = text_of(&parts.headers, "content-type");
    if content_type.starts_with("multipart/form-data") {
        let carries = |bytes: &[u8]| tokens.are_in(&String::from_utf8_lossy(bytes));
        let answer = take::form(world, &session, &mut content, &content_type, body, carries).await;
        if matches!(answer, Err(UploadEnd::Leaked)) {
            world.act(|state| state.uploads.leaks.push("the form".to_owned()));
        }
        return answer.map(|answer| reply(world, StatusCode::OK, answer));
    }
    let range = ContentRange::parse(&text_of(&parts.headers, "content-range"));
    let range = range
        .ok_or(UploadEnd::Refused(StatusCode::BAD_REQUEST, "The request has neither a form nor a Content-Range"))?;
    let name = disposition::file_name(&text_of(&parts.headers, "content-disposition"));
    match take::range(world, &session, &mut content, (range, name, &content_type), body).await? {
        Some(answer) => Ok(reply(world, StatusCode::OK, answer)),
        None => Ok(text(StatusCode::CREATED, range_of(&content))),
    }
}

/// Returns the answer about the received part of a file.
fn status(content: &PartialFile, form: UploadStatus) -> Response<Body> {
    let mut response = text(StatusCode::OK, String::new());
    if let Some(last) = content.confirmed.checked_sub(1) {
        match form {
            UploadStatus::Range => *response.body_mut() = Body::from(range_of(content)),
            UploadStatus::Offset => *response.body_mut() = Body::from(content.confirmed.to_string()),
            UploadStatus::Header => {
                response.headers_mut().insert("x-last-known-byte", HeaderValue::from(last));
            }
        }
    } else if form == UploadStatus::Offset {
        *response.body_mut() = Body::from("0");
    }
    response
}

fn range_of(content: &PartialFile) -> String {
    let total = content.total.unwrap_or(content.confirmed);
    format!("0-{}/{total}", content.confirmed.saturating_sub(1))
}

/// Returns the places in the head of a request that have a token.
fn leaks(parts: &Parts, tokens: &Tokens) -> Vec<String> {
    let in_url = tokens.are_in(&parts.uri.to_string()).then(|| "the URL".to_owned());
    let is_carrier = |value: &HeaderValue| tokens.are_in(&String::from_utf8_lossy(value.as_bytes()));
    let carriers = parts.headers.iter().filter(|(_, value)| is_carrier(value));
    in_url.into_iter().chain(carriers.map(|(name, _)| format!("header {name}"))).collect()
}

/// Returns the record of a request, without header values that contain a token.
fn record(parts: &Parts, tokens: &Tokens) -> UploadRequest {
    let headers = parts.headers.keys().map(|name| (name.to_string(), text_of(&parts.headers, name.as_str())));
    let headers = headers.filter(|(_, value)| !tokens.are_in(value)).collect();
    let (method, path) = (tokens.hide(parts.method.as_str()), tokens.hide(parts.uri.path()));
    UploadRequest { method: method.to_owned(), path: path.to_owned(), headers, status: None }
}

fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// Returns the answer to an upload, which is JSON, or XML for a video. Only MAX sends JSON with the content type of
/// JSON.
fn reply(world: &World, status: StatusCode, body: String) -> Response<Body> {
    let is_labelled = body.starts_with('{') && world.act(|state| state.service.traits().labels_upload_json);
    let mut response = text(status, body);
    if is_labelled {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// Returns an answer with the content type `text/plain`.
fn text(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn refusal(world: &World, status: StatusCode, message: &str) -> Response<Body> {
    reply(world, status, json!({ "code": "upload.error", "message": message }).to_string())
}
