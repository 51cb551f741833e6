//! What stands between the bot and the API: it passes everything on, and holds every answer against the document.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use tamtam::{
    reqwest::{Client, ClientBuilder},
    webhook::axum::{
        self, Router,
        body::{Body, Bytes, to_bytes},
        extract::{Request, State},
        http::{HeaderMap, Method, StatusCode, Uri, header},
        response::{IntoResponse, Response},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{DOCUMENT, schemas::SCHEMAS};

/// The largest body that a client of the API sends.
const MOST_BYTES: usize = 1 << 24;
/// The headers of an answer that mean something to the bot; the others speak of a connection that is not its own.
const PASSED_ON: [header::HeaderName; 2] = [header::CONTENT_TYPE, header::RETRY_AFTER];

/// A server on the loopback interface in front of the API's.
pub(crate) struct Recorder {
    url: String,
    found: Arc<Mutex<Found>>,
    server: JoinHandle<()>,
}

/// What has been seen.
#[derive(Clone, Default)]
pub(crate) struct Found {
    /// The operations that were asked for, by their `operationId`.
    pub(crate) operations: BTreeSet<String>,
    /// How answers differ from the document.
    pub(crate) differences: BTreeSet<String>,
}

struct Passing {
    api: String,
    client: Client,
    found: Arc<Mutex<Found>>,
}

impl Recorder {
    /// Passes requests on to the API at this URL.
    pub(crate) async fn start(api: &str, client: ClientBuilder) -> Self {
        let found = Arc::<Mutex<Found>>::default();
        let passing = Passing {
            api: api.trim_end_matches('/').to_owned(),
            client: client.build().expect("an HTTP client"),
            found: Arc::clone(&found),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket"));
        let app = Router::new().fallback(pass).with_state(Arc::new(passing));
        let server = tokio::spawn(async { axum::serve(listener, app).await.expect("a server that serves") });
        Self { url, found, server }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn found(&self) -> Found {
        self.found.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(passing): State<Arc<Passing>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    match passing.ask(&parts.method, &parts.uri, parts.headers, body).await {
        Ok((status, headers, body)) => {
            passing.record(&parts.method, parts.uri.path(), status, &body);
            let headers =
                headers.into_iter().filter(|(name, _)| name.as_ref().is_some_and(|name| PASSED_ON.contains(name)));
            let headers: Vec<_> = headers.filter_map(|(name, value)| Some((name?, value))).collect();
            let mut response = (status, Body::from(body)).into_response();
            response.headers_mut().extend(headers);
            response
        }
        // Without the URL, which has the token.
        Err(error) => (StatusCode::BAD_GATEWAY, error.without_url().to_string()).into_response(),
    }
}

impl Passing {
    async fn ask(
        &self,
        method: &Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> tamtam::reqwest::Result<(StatusCode, HeaderMap, Bytes)> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.api)).body(body);
        if let Some(kind) = headers.get(header::CONTENT_TYPE) {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok((status, headers, answer.bytes().await?))
    }

    fn record(&self, method: &Method, path: &str, status: StatusCode, body: &[u8]) {
        let operation = operation(method, path);
        let differences = SCHEMAS.faults(operation.as_deref(), status.as_u16(), body);
        let mut found = self.found.lock().unwrap();
        found.operations.extend(operation);
        found.differences.extend(differences);
    }
}

/// The operation that a request is for, by the document.
fn operation(method: &Method, path: &str) -> Option<String> {
    let paths = DOCUMENT["paths"].as_object()?;
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let named = fitting.filter_map(|(template, operations)| {
        let id = operations[method.as_str().to_lowercase()]["operationId"].as_str()?;
        Some((template, id.to_owned()))
    });
    // `/chats/-1` would be a link as well.
    named.min_by_key(|(template, _)| template.contains("{chatLink}")).map(|(_, id)| id)
}

/// Whether a path is one of this template; the id of a chat is a number.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(expected, found)| match *expected {
            "{chatId}" => found.parse::<i64>().is_ok(),
            parameter if parameter.starts_with('{') => !found.is_empty(),
            literal => literal == found,
        })
}
