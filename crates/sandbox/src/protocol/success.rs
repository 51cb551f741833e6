//! Answers with `success`.

use serde_json::{Value, json};

/// Returns the answer to an action that was done.
pub(crate) fn done() -> Value {
    json!({ "success": true })
}

/// Returns the answer to a valid request whose action was not done. Its status is 200.
pub(crate) fn refused(message: &str) -> Value {
    json!({ "success": false, "message": message })
}
