//! Uploads files, so that a bot can attach them to messages. A file from a path, a reader or a stream is read in
//! pieces, so memory use does not depend on the size of the file.
//!
//! [`Bot::upload_photo`](crate::Bot::upload_photo), [`upload_video`](crate::Bot::upload_video),
//! [`upload_audio`](crate::Bot::upload_audio) and [`upload_file`](crate::Bot::upload_file) create an [`Upload`]. Send
//! the upload as a message, or await the upload to get an attachment that can be sent many times:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! # let max = tamtam_sandbox::Sandbox::max().await;
//! # let (bot, alice) = (max.bot(), max.user("Alice"));
//! # alice.starts();
//! # let chat = alice.chat_id();
//! bot.send(chat, bot.upload_photo(b"a picture").text("My cat")).await?;
//!
//! let report = bot.upload_file(b"a report").file_name("report.txt").await?;
//! bot.send(chat, report.clone()).await?;
//! bot.send(chat, "Once more").attach(report).await?;
//! # assert_eq!(alice.sees().len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! Files are sent to the *upload host*, a separate server. By default, a file of at least 16 MiB is sent in *ranges*
//! (parts of the file), one after another. If the connection breaks, the upload resumes after the last byte that the
//! upload host has received. If the source is a path or bytes, another process can resume the upload with an
//! [`UploadSession`].
//!
//! A smaller file is sent in one HTTP request. If the connection breaks, the file is sent again from the start.

mod answer;
mod attempts;
mod blocking;
mod error;
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
mod spool;

pub use media::Media;
pub use message::UploadMessage;
pub(crate) use message::Uploads;
pub use progress::Progress;
pub use request::Upload;
pub use session::UploadSession;
pub use source::Source;
