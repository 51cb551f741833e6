//! A proxy between the bot and the API. It forwards everything, and checks every answer against the document.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use tamtam::{
    Service,
    reqwest::{Client, ClientBuilder, redirect::Policy},
    webhook::axum::{
        self, Router,
        body::{Body, Bytes, to_bytes},
        extract::{Request, State},
        http::{HeaderMap, Method, StatusCode, Uri, header},
        response::{IntoResponse, Response},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{operations, schemas::schemas};

/// The largest body that is forwarded, in bytes. Clients of the API send far smaller ones.
const MOST_BYTES: usize = 1 << 24;
/// The headers of a request that the API reads. On MAX the first one holds the token.
const ASKED_WITH: [header::HeaderName; 2] = [header::AUTHORIZATION, header::CONTENT_TYPE];
/// The headers of an answer that the bot reads.
const ANSWERED_WITH: [header::HeaderName; 2] = [header::CONTENT_TYPE, header::RETRY_AFTER];

/// A server on the loopback interface in front of the API.
pub(crate) struct Recorder {
    url: String,
    found: Arc<Mutex<Found>>,
    server: JoinHandle<()>,
}

/// The recorded operations and differences.
#[derive(Clone, Default)]
pub(crate) struct Found {
    /// The `operationId`s of the called operations.
    pub(crate) operations: BTreeSet<String>,
    /// The differences between answers and the document.
    pub(crate) differences: BTreeSet<String>,
}

struct Passing {
    service: Service,
    api: String,
    client: Client,
    found: Arc<Mutex<Found>>,
}

impl Recorder {
    /// Starts a proxy to the API of `service` at the URL `api`.
    pub(crate) async fn start(service: &Service, api: &str, client: ClientBuilder) -> Self {
        let found = Arc::<Mutex<Found>>::default();
        let passing = Passing {
            service: service.clone(),
            api: api.trim_end_matches('/').to_owned(),
            // Redirects are returned to the bot. Following them could send the token to another host.
            client: client.redirect(Policy::none()).build().expect("an HTTP client"),
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
                headers.into_iter().filter(|(name, _)| name.as_ref().is_some_and(|name| ANSWERED_WITH.contains(name)));
            let headers: Vec<_> = headers.filter_map(|(name, value)| Some((name?, value))).collect();
            let mut response = (status, Body::from(body)).into_response();
            response.headers_mut().extend(headers);
            response
        }
        // The URL can contain the token.
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
        for name in ASKED_WITH {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok((status, headers, answer.bytes().await?))
    }

    fn record(&self, method: &Method, path: &str, status: StatusCode, body: &[u8]) {
        let operation = operations::find(&self.service, method, path);
        let differences = schemas(&self.service).faults(operation.as_deref(), status.as_u16(), body);
        let mut found = self.found.lock().unwrap();
        found.operations.extend(operation);
        found.differences.extend(differences);
    }
}
