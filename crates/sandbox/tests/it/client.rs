//! An HTTP client that sends raw requests and returns raw JSON.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tamtam::Service;
use tamtam_sandbox::{Account, Person, RateLimit, Sandbox, SandboxBuilder};

use crate::conformance::{self, Checked};

#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    service: Service,
    pub(crate) base: String,
    pub(crate) token: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json
    }

    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.json["success"], false, "{}", self.text);
        self.json["message"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.text);
        self.json["message"].as_str().unwrap().to_owned()
    }
}

impl Api {
    pub(crate) fn of(tamtam: &Sandbox) -> Self {
        let (base, token) = (tamtam.base_url().to_owned(), tamtam.token().to_owned());
        Self { http: reqwest::Client::new(), service: tamtam.service(), base, token }
    }

    /// Returns a client for another bot.
    pub(crate) fn of_bot(&self, account: &Account) -> Self {
        Self { token: account.token().to_owned(), ..self.clone() }
    }

    /// Returns a client with its own connections.
    pub(crate) fn apart(&self) -> Self {
        Self { http: reqwest::Client::new(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.bare(method, path);
        if self.service == Service::Max {
            request.header("authorization", &self.token)
        } else {
            request.query(&[("access_token", &self.token)])
        }
    }

    /// Returns a request without a token.
    pub(crate) fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap();
        Answer { status, text, json }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(self.request(method, path).body(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// Sends a message to a chat.
    pub(crate) async fn post(&self, chat: i64, body: Value) -> Answer {
        self.call("POST", &format!("/messages?chat_id={chat}"), body).await
    }

    pub(crate) async fn say(&self, chat: i64, text: &str) -> String {
        mid(&self.post(chat, json!({ "text": text })).await.ok()["message"])
    }

    /// Returns all waiting updates, and the marker.
    pub(crate) async fn updates(&self) -> (Vec<Value>, i64) {
        let page = self.get("/updates?timeout=0&limit=1000").await.ok();
        (page["updates"].as_array().unwrap().clone(), page["marker"].as_i64().unwrap())
    }

    pub(crate) async fn kinds(&self) -> Vec<String> {
        let (updates, _) = self.updates().await;
        updates.iter().map(|update| update["update_type"].as_str().unwrap().to_owned()).collect()
    }

    /// Commits all waiting updates.
    pub(crate) async fn drain(&self) {
        let (_, marker) = self.updates().await;
        self.get(&format!("/updates?timeout=0&marker={marker}")).await.ok();
    }
}

pub(crate) fn mid(message: &Value) -> String {
    message["body"]["mid"].as_str().unwrap().to_owned()
}

/// Returns a builder of a sandbox without limits.
pub(crate) fn unlimited(service: &Service) -> SandboxBuilder {
    Sandbox::builder().service(service.clone()).rate_limit(RateLimit::none())
}

/// Returns a sandbox, a client, and Alice in an open dialog.
pub(crate) async fn dialog() -> (Checked, Api, Person) {
    dialog_on(Sandbox::builder()).await
}

/// Returns the same as [`dialog`], on a sandbox with these settings.
pub(crate) async fn dialog_on(builder: SandboxBuilder) -> (Checked, Api, Person) {
    let tamtam = conformance::checked(builder.bot_name("Echo").bot_username("echo_bot")).await;
    let alice = tamtam.user("Alice");
    alice.starts();
    let api = Api::of(&tamtam);
    (tamtam, api, alice)
}

pub(crate) fn keyboard(rows: Value) -> Value {
    json!({ "type": "inline_keyboard", "payload": { "buttons": rows } })
}

pub(crate) fn callback(text: &str, payload: &str) -> Value {
    json!({ "type": "callback", "text": text, "payload": payload })
}

pub(crate) fn photo(url: &str) -> Value {
    json!({ "type": "image", "payload": { "url": url } })
}
