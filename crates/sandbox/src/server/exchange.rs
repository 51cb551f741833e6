//! A request with its response, for logs and for checks of the traffic.

use std::fmt;

/// An HTTP request to the API of the sandbox, with its response. [`Sandbox::on_exchange`](crate::Sandbox::on_exchange)
/// adds a hook that receives each exchange.
///
/// `...` replaces each of these texts that contains a bot's token: the method, the path, and the names and values of
/// query parameters. Bodies stay unchanged, even if they contain a token.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::mpsc;
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let (sender, exchanges) = mpsc::channel();
/// tamtam.on_exchange(move |exchange| drop(sender.send(exchange.clone())));
/// tamtam.bot().api().get_my_info().await?;
/// let exchange = exchanges.recv()?;
/// assert_eq!(exchange.operation(), Some("getMyInfo"));
/// assert_eq!((exchange.method(), exchange.path()), ("GET", "/me"));
/// assert_eq!(exchange.status(), 200);
/// # Ok(())
/// # }
/// ```
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
    /// Creates the exchange of a request to a control endpoint.
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

    /// Returns the `operationId` of the request in the API's OpenAPI document, such as `sendMessage`. `None` if the
    /// document does not contain this path and method.
    pub fn operation(&self) -> Option<&'static str> {
        self.operation
    }

    /// Returns the path template in the API's OpenAPI document, such as `/chats/{chatId}`. `None` if the document does
    /// not contain this path and method.
    pub fn path_template(&self) -> Option<&'static str> {
        self.path_template
    }

    /// Returns the HTTP method, such as `POST`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path in the request, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the decoded names and values of the query parameters, in the order of the request. The parameter
    /// `access_token` is left out. The slice is empty if the request is for a [`control`](crate::control) endpoint.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// Returns the bytes of the request's body. The slice is empty in these cases:
    ///
    /// - The request has no body.
    /// - The body is incomplete or larger than 4 MiB.
    /// - The request is for a [`control`](crate::control) endpoint.
    pub fn request_body(&self) -> &[u8] {
        &self.request_body
    }

    /// Returns the requested version of the API, from the query parameter `v`. `None` if the request has no `v`. The
    /// sandbox accepts any version.
    pub fn version(&self) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == "v").map(|(_, version)| version.as_str())
    }

    /// Returns whether a [`Fault`](crate::Fault) was injected into this request.
    pub fn is_faulty(&self) -> bool {
        self.is_faulty
    }

    /// Returns the HTTP status of the response, or 0 if the connection was reset.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns all bytes of the response's body, even if [`Fault::cut_body`](crate::Fault::cut_body) sends only half of
    /// the bytes. The slice is empty if the connection was reset, or if the request is for a
    /// [`control`](crate::control) endpoint.
    pub fn response_body(&self) -> &[u8] {
        &self.response_body
    }
}

/// Shows only the names of query parameters and the sizes of bodies, because values may be secret.
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
