//! Faults of the upload host.

/// A fault of an upload.
///
/// The `u64` is a position in the file, in bytes from its beginning, also if the file is sent in ranges. The fault
/// waits until a request reaches this position. If a request ends exactly there, its bytes are kept, and only the
/// answer is affected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadFault {
    /// Resets the connection at this position.
    ResetAt(u64),
    /// Stops reading at this position, and sends no answer. The connection stays open.
    StallAt(u64),
    /// Reads a request that gets beyond this position to its end, discards it, and answers with this status.
    StatusAt(u64, u16),
    /// Stores the file, and answers with this status and body.
    Answer(u16, String),
}
