//! Uploads: files of any size and from any source, streamed with constant memory, to attach to messages.

mod answer;
mod attempts;
mod blocking;
mod feed;
mod flow;
mod host;
mod job;
mod media;
mod message;
mod name;
mod problem;
mod progress;
mod range;
mod request;
mod session;
mod source;
mod spool;

pub use media::Media;
pub use message::UploadMessage;
pub(crate) use message::Uploads;
pub use progress::Progress;
pub use request::Upload;
pub use session::UploadSession;
pub use source::Source;
