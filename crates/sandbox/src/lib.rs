//! TamTam in one process: a server on a loopback socket that behaves as the real one, and people
//! who write to your bot, press its buttons and read what it shows.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! use tamtam_sandbox::Sandbox;
//!
//! let tamtam = Sandbox::start().await;
//! let bot = tamtam.bot();
//! let alice = tamtam.user("Alice");
//! alice.says("hi");
//! bot.send(alice.chat_id(), "Hello, Alice").await?;
//! assert_eq!(alice.reads().await.text(), "Hello, Alice");
//! assert_eq!(tamtam.transcript(), "Alice starts Sandbox Bot\nAlice: hi\nSandbox Bot: Hello, Alice\n");
//! # Ok(())
//! # }
//! ```
//!
//! Requests go over real sockets and are judged as strictly as TamTam judges them: a wrong token is
//! a 401, what the API's document does not allow a 400 that names the field, and polls are held until
//! there is something to tell. What is tolerated beyond the document, such as the action
//! `sending_image`, is listed with its reasons in `openapi/tolerance.yaml`. The answers are written by hand from the
//! API's document and what the server is known to do beyond it, so that they can disagree with a client's models.
//!
//! [Testing your bot](crate::guide) shows whole tests.
//!
//! # Webhooks
//!
//! While a bot has a webhook, its updates are sent there and polls are refused with 405, as the API's document has it;
//! so is a poll that is held when the webhook is subscribed. Each webhook gets the updates it asks for one at a time and
//! in order. What it does not answer with 200 is sent again after a pause
//! ([`SandboxBuilder::redelivery`]), beside the others and in no order, for 8 hours of the sandbox's clock, which
//! [`Sandbox::time_passes`] moves; then the webhook is unsubscribed. [`Sandbox::delivers`] waits until everything has
//! arrived, [`Sandbox::on_delivery`] tells of every attempt.
//!
//! Nothing is lost between the two ways: what waits for a poll goes to the webhook that is subscribed then, and what no
//! webhook has taken, or asked for, can be polled when the last one is gone.
//!
//! Webhooks must be on one of TamTam's ports, but on a loopback host any port will do. Whatever `version` they ask for,
//! updates have the shape of 0.5.6.
//!
//! # Faults
//!
//! [`Sandbox::fails`] lets requests of an operation go wrong: a status, a reset, a body that breaks off, an answer that
//! comes too late; [`Fault`] tells of each whether the operation was carried out all the same.
//! [`Sandbox::loses_deliveries`] and [`Sandbox::repeats_update`] do the like to updates, and [`Sandbox::pushes`] sends
//! one that nobody knows. Uploads have faults of their own ([`Uploads::fail_next`]).
//!
//! # State
//!
//! [`SandboxBuilder::state_file`] keeps everything in a file, from which a later sandbox goes on. [`Sandbox::demo`] is
//! something to begin with.
//!
//! # A program
//!
//! The program `tamtam-sandbox` does the same for bots in any language, and prints its address when it is ready:
//! `cargo install tamtam-sandbox`, then `tamtam-sandbox --port 8090 --seed demo`. A test acts as people there, and makes
//! things go wrong, by the endpoints of [`control`].
//!
//! # Limits
//!
//! The server has a thread of its own and lives in real time. A runtime whose clock is paused
//! (`start_paused`) lets its timeouts pass while it waits for a socket: do not use one with it.
//!
//! Files go to a host of their own, see [`Uploads`], on another port than the API.
//!
//! The server formats texts by the notations that the document tells of, Markdown and HTML, and where their authors
//! have left a question open it does as CommonMark and browsers do: a marker without a partner stays text, a tag that is
//! not closed reaches to the end.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod builder;
pub mod control;
pub mod guide;
mod operations;
mod people;
mod protocol;
mod sandbox;
mod server;
mod state;

pub use builder::{SandboxBuilder, StartError};
pub use people::account::Account;
pub use people::constructor::Constructor;
pub use people::enclosure::Enclosure;
pub use people::group::Group;
pub use people::person::Person;
pub use people::uploads::Uploads;
pub use sandbox::Sandbox;
pub use server::delivery::Delivery;
pub use server::exchange::Exchange;
pub use server::faults::Fault;
pub use state::demo::Demo;
pub use state::event::Event;
pub use state::file::StateFileError;
pub use state::prepared::Prepared;
pub use state::seen::Seen;
pub use state::uploads::fault::UploadFault;
pub use state::uploads::reports::{ReceivedFile, UploadRequest, UploadStatus};

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
