//! Reading the body of a response, up to a limit of unpacked bytes.

use std::fmt;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Limited};
use reqwest::Response;

use crate::error::Kind;

/// The default limit of a page of updates. The largest real page, 1000 long messages with attachments, has about 16 MiB.
const PAGE_BYTES: usize = 64 * 1024 * 1024;
/// The default limit of any other response. The largest is a list of 100 long messages: less than 2 MiB.
const RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// The most bytes that bodies may have when they are unpacked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeLimits {
    pub(crate) page: SizeLimit,
    pub(crate) response: SizeLimit,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self {
            page: SizeLimit { bytes: PAGE_BYTES, setting: Some("max_page_bytes") },
            response: SizeLimit { bytes: RESPONSE_BYTES, setting: Some("max_response_bytes") },
        }
    }
}

/// The most bytes of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeLimit {
    pub(crate) bytes: usize,
    /// The method of `BotBuilder` that sets it, if one does.
    setting: Option<&'static str>,
}

impl SizeLimit {
    /// A limit that cannot be set.
    pub(crate) const fn fixed(bytes: usize) -> Self {
        Self { bytes, setting: None }
    }
}

impl fmt::Display for SizeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)?;
        self.setting.map_or(Ok(()), |setting| write!(f, " (`BotBuilder::{setting}` sets it)"))
    }
}

/// Reads the body of a response whole. Fails as soon as more than the limit has arrived.
pub(crate) async fn read(response: Response, limit: SizeLimit) -> Result<Bytes, Kind> {
    let status = response.status();
    let body = Limited::new(reqwest::Body::from(response), limit.bytes).collect().await;
    body.map(Collected::to_bytes).map_err(|error| match error.downcast::<reqwest::Error>() {
        Ok(error) => Kind::Cut { status, source: (*error).into() },
        // The one other error of a limited body.
        Err(_) => Kind::TooLarge { status, limit },
    })
}
