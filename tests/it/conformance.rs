//! Checks of the sandbox's answers against the document of the API, with the validator of `schemas.rs`.

use std::{
    ops::Deref,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tamtam::Service;
use tamtam_sandbox::{Delivery, Exchange, Sandbox, SandboxBuilder};

use crate::schemas::schemas;

/// A sandbox whose answers and webhook deliveries are checked against the document. Dropping it fails the test if any
/// of them did not fit.
pub(crate) struct Checked {
    sandbox: Sandbox,
    /// Whether the test itself sends the token to the upload host.
    pub(crate) leaks_expected: bool,
    faults: Arc<Mutex<Vec<String>>>,
}

/// Starts a sandbox and checks its answers.
pub(crate) async fn start() -> Checked {
    checked(Sandbox::builder()).await
}

/// Like [`start`], with settings.
pub(crate) async fn checked(builder: SandboxBuilder) -> Checked {
    let sandbox = builder.start().await;
    let faults = Arc::new(Mutex::new(Vec::new()));
    let (found, service) = (Arc::clone(&faults), sandbox.service());
    sandbox.on_exchange(move |exchange| found.lock().unwrap().extend(faults_of(&service, exchange)));
    let (found, service) = (Arc::clone(&faults), sandbox.service());
    sandbox.on_delivery(move |delivery| found.lock().unwrap().extend(faults_of_delivery(&service, delivery)));
    Checked { sandbox, leaks_expected: false, faults }
}

impl Deref for Checked {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        let faults = self.faults.lock().unwrap();
        if !std::thread::panicking() {
            assert!(faults.is_empty(), "answers of the sandbox do not fit the document:\n{}", faults.join("\n"));
            let leaks = self.sandbox.uploads().leaks();
            assert!(leaks.is_empty() || self.leaks_expected, "the upload host received the bot's token in {leaks:?}");
        }
    }
}

/// Returns the errors in the answer of an exchange.
pub(crate) fn faults_of(service: &Service, exchange: &Exchange) -> Vec<String> {
    // A test asked for an invalid answer.
    if exchange.is_faulty() {
        return Vec::new();
    }
    schemas(service).faults(exchange.operation(), exchange.status(), exchange.response_body())
}

/// Returns the errors in the update of a delivery.
pub(crate) fn faults_of_delivery(service: &Service, delivery: &Delivery) -> Vec<String> {
    let subject = format!("a webhook got {}", delivery.update());
    schemas(service).faults_by(&json!({"$ref": "#/$defs/Update"}), subject, delivery.update().as_bytes())
}

fn faults(operation: &str, status: u16, body: Value) -> Vec<String> {
    schemas(&Service::TamTam).faults(Some(operation), status, body.to_string().as_bytes())
}

fn message() -> Value {
    json!({
        "recipient": {"chat_id": 1, "chat_type": "dialog", "user_id": 2},
        "timestamp": 1,
        "body": {"mid": "m", "seq": 1, "text": null, "attachments": [
            {"payload": {"url": "u", "token": "t", "photo_id": 1}, "type": "image"},
        ]},
    })
}

#[test]
fn the_validator_accepts_a_valid_message() {
    assert_eq!(faults("getMessageById", 200, message()), [""; 0]);
    assert_eq!(faults("getMyInfo", 401, json!({"code": "c", "message": "m"})), [""; 0]);
    let update = json!({"timestamp": 1, "message": message(), "update_type": "message_created"});
    assert_eq!(faults("getUpdates", 200, json!({"updates": [update], "marker": null})), [""; 0]);
}

#[test]
fn the_validator_rejects_an_invalid_message() {
    let broken = |change: fn(&mut Value)| {
        let mut message = message();
        change(&mut message);
        faults("getMessageById", 200, message)
    };
    assert!(!broken(|message| message["extra"] = 1.into()).is_empty(), "an unknown key");
    assert!(!broken(|message| message["timestamp"] = "1".into()).is_empty(), "a wrong type");
    assert!(!broken(|message| message["recipient"] = Value::Null).is_empty(), "a null that is not allowed");
    assert!(!broken(|message| message["recipient"]["chat_type"] = "room".into()).is_empty(), "an unknown enum value");
    assert!(!broken(|message| message["body"]["attachments"][0]["type"] = "gif".into()).is_empty(), "an unknown tag");
    assert!(!broken(|message| message["body"]["attachments"][0]["type"] = "video".into()).is_empty(), "a wrong tag");
    assert!(!broken(|message| message["body"]["attachments"][0]["payload"]["x"] = 1.into()).is_empty(), "deep inside");
    assert!(!broken(|message| drop(message.as_object_mut().unwrap().remove("recipient"))).is_empty(), "a missing key");
    assert!(!faults("getMyInfo", 401, json!({"code": "c"})).is_empty(), "an error without a message");
    assert!(!faults("getMyInfo", 201, json!({})).is_empty(), "an answer that the document does not have");
}
