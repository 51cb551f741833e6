//! The HTTP side: the API, the upload host, and the courier that delivers to webhooks.

mod api;
pub(crate) mod bell;
mod connection;
mod courier;
mod cut;
pub(crate) mod delivery;
pub(crate) mod exchange;
pub(crate) mod faults;
pub(crate) mod keeper;
mod long_poll;
mod routes;
mod upload_host;
pub(crate) mod world;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::oneshot;

use connection::{Breakable, Breaker};
use world::World;

/// Serves, and delivers to webhooks, until `stop` is dropped; then every connection is closed, held polls included.
/// `control` is served under `/sandbox`.
///
/// It has a thread and a runtime of its own: the end of the runtime is the end of everything that
/// was spawned in it, and whatever the bot under test does to its own runtime, TamTam goes on.
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
    runtime.spawn(courier::run(Arc::clone(&world), delivery_timeout));
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
    // The name of a webhook's host may be looked up on a thread of its own, which takes its time and is not waited for.
    runtime.shutdown_background();
}
