//! Errors of the HTTP client without secrets.

use std::{error::Error, iter::successors};

use h2::Reason;

/// An error of the HTTP client. It has no URL, which may contain the token, and no text of the server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error(transparent)]
    Client(reqwest::Error),
    /// A GOAWAY, without the text that the server may add.
    #[error("the server closed the connection (HTTP/2 GOAWAY: {0})")]
    GoneAway(Reason),
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let reason =
            in_http2(&error).filter(|error| error.is_go_away() && error.is_remote()).and_then(h2::Error::reason);
        match reason {
            Some(reason) => Self::GoneAway(reason),
            None => Self::Client(error),
        }
    }
}

impl HttpError {
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_timeout())
    }

    /// Returns the innermost source. The errors around it add no information.
    pub(crate) fn root(&self) -> &dyn Error {
        let mut root: &dyn Error = self;
        while let Some(source) = root.source() {
            root = source;
        }
        root
    }
}

/// Returns the HTTP/2 error among the sources of an error.
pub(crate) fn in_http2(error: &reqwest::Error) -> Option<&h2::Error> {
    let first: &(dyn Error + 'static) = error;
    successors(Some(first), |&error| error.source()).find_map(|error| error.downcast_ref())
}
