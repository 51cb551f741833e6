//! Sends updates to webhooks: when and what is decided elsewhere.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use tokio::time::timeout;

use super::delivery::Delivery;
use super::world::World;
use crate::protocol::wire;
use crate::state::deliveries::Parcel;

/// The one status that says that an update was taken.
const TAKEN: u16 = 200;

/// The client, or why there is none: it fails where a certificate store is asked for and not there.
type Http = Result<reqwest::Client, String>;

/// Delivers as long as it is polled. Dropping it ends nothing of what is being sent.
pub(crate) async fn run(world: Arc<World>, patience: Duration) {
    let mut changes = world.changes();
    let mut http: Option<Http> = None;
    loop {
        // Marked as seen before looking: a change between the look and the wait ends the wait.
        changes.mark_unchanged();
        let (parcels, wait) = world.act(|state| state.take_due());
        for parcel in parcels {
            // Most sandboxes have no webhook, and a client takes its time.
            let http = http.get_or_insert_with(|| client(patience)).clone();
            tokio::spawn(deliver(Arc::clone(&world), http, parcel, patience));
        }
        let changed = changes.changed();
        let _ = match wait {
            Some(wait) => timeout(wait, changed).await.is_ok(),
            None => changed.await.is_ok(),
        };
    }
}

async fn deliver(world: Arc<World>, http: Http, parcel: Parcel, patience: Duration) {
    let outcome = match http {
        _ if world.loses_delivery() => Err("lost on its way, as the test asked for".to_owned()),
        Ok(http) => send(&http, &parcel, patience).await,
        Err(why) => Err(why),
    };
    let delivery = Delivery {
        url: parcel.url.clone(),
        update: Arc::clone(&parcel.due.json),
        attempt: parcel.due.attempt,
        outcome: outcome.clone(),
    };
    let why = match outcome {
        Ok(TAKEN) => {
            // Told before it counts: who waits for the delivery has seen it. A hook that panics does not make it undone.
            let told = catch_unwind(AssertUnwindSafe(|| world.tell_delivery(&delivery)));
            world.act(|state| state.delivered(&parcel));
            return told.unwrap_or_else(|panic| resume_unwind(panic));
        }
        Ok(status) => format!("status {status}"),
        Err(why) => why,
    };
    // Told after it counts: who hears of it can let the time until the next attempt pass.
    world.act(|state| state.failed(&parcel, why));
    world.tell_delivery(&delivery);
}

/// The status of the answer, or why there was none.
async fn send(http: &reqwest::Client, parcel: &Parcel, patience: Duration) -> Result<u16, String> {
    let request = http.post(&parcel.url).header(header::CONTENT_TYPE, wire::MEDIA_TYPE);
    let response = request.body(parcel.due.json.to_string()).send().await;
    response.map(|response| response.status().as_u16()).map_err(|error| {
        if error.is_timeout() { format!("no answer in {patience:?}") } else { explain(&error.without_url()) }
    })
}

fn client(patience: Duration) -> Http {
    let client = reqwest::Client::builder()
        // The environment's proxy has no way to this machine.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // A connection that the webhook closes just then would be a failure that nobody understands.
        .pool_max_idle_per_host(0)
        .timeout(patience);
    client.build().map_err(|error| explain(&error))
}

/// The error with its causes, which say what happened.
fn explain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
