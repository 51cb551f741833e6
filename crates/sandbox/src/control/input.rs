//! Bodies of requests to the control endpoints.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reply::Refusal;

/// The largest accepted body, in bytes. Bodies may contain files as Base64.
const BODY_BYTES: usize = 64 * 1024 * 1024;

/// The bytes of a request's body.
pub(super) struct RawBody(pub(super) Bytes);

impl<S: Sync> FromRequest<S> for RawBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let too_large = |_| Refusal::wrong(format!("body: incomplete, or larger than {BODY_BYTES} bytes"));
        to_bytes(request.into_body(), BODY_BYTES).await.map(Self).map_err(too_large)
    }
}

pub(super) fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::wrong(format!("body: {error}")))
}

/// Removes and returns an optional field.
pub(super) fn take<T: for<'a> Deserialize<'a>>(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Refusal> {
    let value = fields.remove(name).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| Refusal::wrong(format!("{name}: {error}")))
}
