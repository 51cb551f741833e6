//! Faults of the upload host.

/// A fault to inject into an upload, for [`Uploads::fail_next`](crate::Uploads::fail_next).
///
/// The `u64` in a variant is a position, in bytes from the beginning of the whole file, even if the bot sends the file
/// in several ranges. The fault occurs when a request reaches the position. If the file bytes of a request end exactly
/// at the position, the [upload host](crate::Uploads) keeps these bytes, and the fault affects only the response. The
/// upload host is the server to which bots upload files.
///
/// If a reset or a stall interrupts a range, [`Uploads::set_keep_partial`](crate::Uploads::set_keep_partial) sets
/// whether the host keeps the received part. By default, the host discards this part.
///
/// The `u16` in a variant is an HTTP status from 200 to 999.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::UploadFault;
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let fast = tamtam::settings::RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
/// # let bot = tamtam::Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(fast).http(|http| http.no_proxy()).build()?;
/// # /*
/// let bot = tamtam.bot();
/// # */
/// let host = tamtam.uploads();
/// host.fail_next(UploadFault::StatusAt(500, 503));
/// bot.upload_file(vec![7; 1000]).await?;
/// assert_eq!(host.requests()[0].status(), Some(503));
/// assert_eq!(host.received()[0].size(), 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadFault {
    /// A reset of the connection at this position, without a response.
    ResetAt(u64),
    /// A stall of the request at this position. The upload host stops reading, sends no response, and keeps the
    /// connection open.
    StallAt(u64),
    /// A response with this HTTP status and an error body to the request that reaches this position. The upload host
    /// reads the request to its end. If the request goes beyond the position, the host discards all file bytes of the
    /// request.
    StatusAt(u64, u16),
    /// A response with this HTTP status and this body to the request that completes a file. The upload host still
    /// stores the file.
    Answer(u16, String),
}
