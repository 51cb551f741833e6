//! Reads the body of a response, up to a limit of decompressed bytes.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Limited};
use reqwest::Response;

use crate::error::{Reason, SizeLimit};

/// The default size limit of a page of updates. The largest page, 1000 long messages with attachments, has about 16
/// MiB.
const PAGE_BYTES: usize = 64 * 1024 * 1024;
/// The default size limit of other responses. The largest is a list of 100 long messages: less than 2 MiB.
const RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// The maximum sizes of response bodies, in bytes after decompression.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeLimits {
    pub(crate) page: SizeLimit,
    pub(crate) response: SizeLimit,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self {
            page: SizeLimit::set_by("max_page_bytes", PAGE_BYTES),
            response: SizeLimit::set_by("max_response_bytes", RESPONSE_BYTES),
        }
    }
}

/// Reads the complete body of a response. Fails as soon as the body exceeds the limit.
pub(crate) async fn read(response: Response, limit: SizeLimit) -> Result<Bytes, Reason> {
    let status = response.status();
    let body = Limited::new(reqwest::Body::from(response), limit.bytes).collect().await;
    body.map(Collected::to_bytes).map_err(|error| match error.downcast::<reqwest::Error>() {
        Ok(error) => Reason::Cut { status, source: (*error).into() },
        // The only other error of a limited body.
        Err(_) => Reason::TooLarge { status, limit },
    })
}
