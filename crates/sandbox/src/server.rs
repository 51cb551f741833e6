//! The server of a sandbox: the API, the upload host, and deliveries to webhooks.

mod api;
mod connection;
pub(crate) mod delivery;
pub(crate) mod exchange;
pub(crate) mod faults;
mod long_poll;
mod routes;
pub(crate) mod save_signal;
pub(crate) mod state_writer;
mod truncated_body;
mod upload_host;
mod webhook_sender;
pub(crate) mod world;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::oneshot;

use connection::{Breakable, Breaker};
use world::World;

/// Runs the servers and delivers to webhooks, until `stop` is dropped. Then all connections are closed, also those of
/// held polls. `control` is served under `/sandbox`.
///
/// The server has its own thread and runtime, so that a blocked or stopped runtime of the bot does not affect it. The
/// end of the runtime ends all tasks of the server.
pub(super) fn run(
    listener: TcpListener,
    uploads: TcpListener,
    world: Arc<World>,
    delivery_timeout: Duration,
    control: Option<Router>,
    stop: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let Ok(runtime) = runtime else { return };
    runtime.spawn(upload_host::run(uploads, Arc::clone(&world)));
    runtime.spawn(webhook_sender::run(Arc::clone(&world), delivery_timeout));
    runtime.spawn(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let api = api::router(Arc::clone(&world));
        let app = match control {
            Some(control) => Router::new().nest("/sandbox", control).fallback_service(api),
            None => api,
        };
        let _ = axum::serve(Breakable { listener, world }, app.into_make_service_with_connect_info::<Breaker>()).await;
    });
    let _ = runtime.block_on(stop);
    // Does not wait for a thread that resolves the host of a webhook, which may take long.
    runtime.shutdown_background();
}
