//! Uploads: files of any size and from any source, streamed with constant memory, to attach to messages.

mod answer;
mod attempts;
mod feed;
mod flow;
mod host;
mod job;
mod media;
mod message;
mod name;
mod progress;
mod range;
mod request;
mod session;
mod source;

pub use media::Media;
pub use message::UploadMessage;
pub(crate) use message::Uploads;
pub use progress::Progress;
pub use request::Upload;
pub use session::UploadSession;
pub use source::Source;
