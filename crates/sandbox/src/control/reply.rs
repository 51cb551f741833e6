//! Answers of the control endpoints.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::protocol::wire;

pub(super) type Reply = Result<Json, Refusal>;

/// The JSON body of an answer.
pub(super) struct Json(pub(super) Value);

/// An error answer: the status, and the JSON with the reason.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) Value);

impl Refusal {
    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self(status, json!({ "error": why.into() }))
    }

    pub(super) fn wrong(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    pub(super) fn not_found(why: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, why)
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, wire::MEDIA_TYPE)], wire::to_text(&self.0)).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

pub(super) fn done() -> Reply {
    Ok(Json(json!({})))
}
