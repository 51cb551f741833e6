//! One request with its answer, for logs and checks of what goes over the wire.

use std::fmt;

/// A request that the sandbox has answered. No bot's token shows in its path and query: what has one in it is `...`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    pub(crate) operation: Option<&'static str>,
    pub(crate) path_template: Option<&'static str>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) request_body: bytes::Bytes,
    pub(crate) status: u16,
    pub(crate) response_body: bytes::Bytes,
    pub(crate) is_faulty: bool,
}

impl Exchange {
    /// A request to one of the control endpoints.
    pub(crate) fn of_control(method: String, path: String, status: u16) -> Self {
        Self {
            operation: None,
            path_template: None,
            method,
            path,
            query: Vec::new(),
            request_body: bytes::Bytes::new(),
            status,
            response_body: bytes::Bytes::new(),
            is_faulty: false,
        }
    }

    /// The `operationId` of the API's document; `None` if path and method are not in it.
    pub fn operation(&self) -> Option<&'static str> {
        self.operation
    }

    /// The path as the API's document has it, such as `/chats/{chatId}`; `None` if it has none.
    pub fn path_template(&self) -> Option<&'static str> {
        self.path_template
    }

    /// The HTTP method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it was sent, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The decoded parameters of the query in the order they were sent, without `access_token`.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The bytes of the request's body; empty if it had none.
    pub fn request_body(&self) -> &[u8] {
        &self.request_body
    }

    /// The version of the API that was asked for (`v` in the query), which the sandbox takes whatever it is.
    pub fn version(&self) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == "v").map(|(_, version)| version.as_str())
    }

    /// Whether a [`Fault`](crate::Fault) made of the answer what it is.
    pub fn is_faulty(&self) -> bool {
        self.is_faulty
    }

    /// The HTTP status of the answer; 0 if the connection was reset instead.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The bytes of the answer's body, whole also if the client gets half of them.
    pub fn response_body(&self) -> &[u8] {
        &self.response_body
    }
}

/// Values may be secrets: shows the names of query parameters and the sizes of bodies.
impl fmt::Debug for Exchange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.query.iter().map(|(name, _)| name).collect();
        out.debug_struct("Exchange")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_names", &names)
            .field("request_bytes", &self.request_body.len())
            .field("status", &self.status)
            .field("response_bytes", &self.response_body.len())
            .field("is_faulty", &self.is_faulty)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let exchange = Exchange {
            operation: Some("sendMessage"),
            query: vec![("chat_id".to_owned(), "s3cret".to_owned())],
            request_body: r#"{"text":"s3cret"}"#.into(),
            response_body: r#"{"url":"s3cret"}"#.into(),
            ..Exchange::of_control("POST".to_owned(), "/messages".to_owned(), 200)
        };
        let shown = format!("{exchange:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        for part in ["sendMessage", "/messages", "chat_id", "request_bytes: 17"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
