//! Faults of uploads.

/// What goes wrong with an upload. Places are counted in bytes from the beginning of the file, however it is sent. A
/// place that no request reaches leaves the fault waiting for one that does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadFault {
    /// The connection is reset when so many bytes have arrived. At the end of a request these bytes are kept, and only
    /// the answer is lost.
    ResetAt(u64),
    /// From so many bytes on nothing is read or said any more.
    StallAt(u64),
    /// A request that gets so far is read to its end, forgotten, and answered with this status.
    StatusAt(u64, u16),
    /// The file arrives, and is answered with this status and body.
    Answer(u16, String),
}
