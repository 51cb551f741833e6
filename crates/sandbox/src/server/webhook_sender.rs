//! Sends updates to webhooks. The state decides which updates are due.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{ClientBuilder, Url};
use tokio::time::timeout;

use super::delivery::Delivery;
use super::world::World;
use crate::protocol::service::Service;
use crate::protocol::wire;
use crate::state::deliveries::Parcel;
use crate::state::updates::subscription::{is_loopback, is_reached};

/// The only status that means that the webhook has taken the update.
const OK: u16 = 200;

/// Time for a TLS handshake with a webhook on this machine. A server that does not speak TLS may stay silent.
const HANDSHAKE: Duration = Duration::from_secs(1);

/// Clients for webhooks on this machine, and on others.
#[derive(Clone)]
struct Http {
    here: reqwest::Client,
    elsewhere: reqwest::Client,
    /// Loopback addresses whose servers do not speak TLS.
    plain: Arc<Mutex<BTreeSet<String>>>,
}

/// Delivers updates as long as it is polled. Dropping it does not cancel deliveries in flight.
pub(crate) async fn run(world: Arc<World>, patience: Duration) {
    let mut changes = world.changes();
    // `Err` if the clients need the certificates of the system, and the system has none.
    let mut http: Option<Result<Http, String>> = None;
    let service = world.act(|state| state.service);
    loop {
        // Marked as seen before looking: a change between the look and the wait ends the wait.
        changes.mark_unchanged();
        let (parcels, wait) = world.act(|state| state.take_due());
        for parcel in parcels {
            // Built at the first delivery: most sandboxes have no webhook, and building a client is slow.
            let http = http.get_or_insert_with(|| clients(patience)).clone();
            tokio::spawn(deliver(Arc::clone(&world), service, http, parcel, patience));
        }
        let changed = changes.changed();
        let _ = match wait {
            Some(wait) => timeout(wait, changed).await.is_ok(),
            None => changed.await.is_ok(),
        };
    }
}

async fn deliver(world: Arc<World>, service: Service, http: Result<Http, String>, parcel: Parcel, patience: Duration) {
    let outcome = match http {
        _ if world.loses_delivery() => Err("dropped by loses_deliveries".to_owned()),
        Ok(http) => send(&http, service, &parcel, patience).await,
        Err(why) => Err(why),
    };
    let delivery = Delivery {
        url: parcel.url.clone(),
        update: Arc::clone(&parcel.due.json),
        attempt: parcel.due.attempt,
        outcome: outcome.clone(),
    };
    let why = match outcome {
        Ok(OK) => {
            // Hooks run before the delivery counts, so that `delivers` returns after them. It also counts if a hook
            // panics.
            let told = catch_unwind(AssertUnwindSafe(|| world.tell_delivery(&delivery)));
            world.act(|state| state.delivered(&parcel));
            return told.unwrap_or_else(|panic| resume_unwind(panic));
        }
        Ok(status) => format!("status {status}"),
        Err(why) => why,
    };
    // Hooks run after the failure counts, so that a hook can skip the pause with `time_passes`.
    world.act(|state| state.failed(&parcel, why));
    world.tell_delivery(&delivery);
}

/// Sends an update. Returns the status of the answer, or the reason why there is no answer.
async fn send(http: &Http, service: Service, parcel: &Parcel, patience: Duration) -> Result<u16, String> {
    let url = Url::parse(&parcel.url).map_err(|error| error.to_string())?;
    if !is_reached(&url, service) {
        return Err(format!("{} sends nothing to this port", service.traits().name));
    }
    let is_here = url.host_str().is_some_and(is_loopback);
    let client = if is_here { &http.here } else { &http.elsewhere };
    let post = async |url: Url| {
        let mut request = client.post(url).header(header::CONTENT_TYPE, wire::MEDIA_TYPE);
        if let Some((name, secret)) = &parcel.secret {
            request = request.header(*name, secret);
        }
        request.body(parcel.due.json.to_string()).send().await
    };
    let attempt = async {
        if !is_here || url.scheme() == "http" {
            return post(url).await;
        }
        // The server of a test may have no TLS. In production, a proxy terminates TLS.
        let (address, mut plain) = (url.authority().to_owned(), url.clone());
        let _ = plain.set_scheme("http");
        if http.plain().contains(&address) {
            let response = post(plain).await;
            if response.is_err() {
                // Another server may listen there next time.
                http.plain().remove(&address);
            }
            return response;
        }
        match post(url).await {
            Err(error) if is_no_tls(&error) => {
                let response = post(plain).await;
                if response.is_ok() {
                    http.plain().insert(address);
                }
                response
            }
            response => response,
        }
    };
    let no_answer = || format!("no answer in {patience:?}");
    let response = timeout(patience, attempt).await.map_err(|_| no_answer())?;
    response
        .map(|response| response.status().as_u16())
        .map_err(|error| if error.is_timeout() { no_answer() } else { explain(&error.without_url()) })
}

impl Http {
    fn plain(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.plain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the server was reached, but does not speak TLS. No request was sent in this case.
fn is_no_tls(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    let mut is_refused = false;
    while let Some(cause) = source {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        is_refused |= kind == Some(io::ErrorKind::ConnectionRefused);
        source = cause.source();
    }
    error.is_connect() && !is_refused
}

/// Resolves every name to the loopback interface. It is used only for names that end with `localhost`.
struct ThisMachine;

impl Resolve for ThisMachine {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        Box::pin(ready(Ok(Box::new(addresses.into_iter()) as Addrs)))
    }
}

fn clients(patience: Duration) -> Result<Http, String> {
    let here = builder(patience).connect_timeout(HANDSHAKE).dns_resolver(Arc::new(ThisMachine));
    // Tests use self-signed certificates.
    #[cfg(feature = "rustls")]
    let here = here.danger_accept_invalid_certs(true);
    let build = |builder: ClientBuilder| builder.build().map_err(|error| explain(&error));
    Ok(Http { here: build(here)?, elsewhere: build(builder(patience))?, plain: Arc::default() })
}

fn builder(patience: Duration) -> ClientBuilder {
    reqwest::Client::builder()
        // A proxy of the environment cannot reach this machine.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // If the webhook closed a reused connection at that moment, the delivery would fail for no visible reason.
        .pool_max_idle_per_host(0)
        .timeout(patience)
}

/// Returns the error with its causes.
fn explain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
