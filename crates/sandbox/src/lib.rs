//! A simulated messenger in one process, [TamTam](Sandbox::start) or [MAX](Sandbox::max). A server on a loopback socket
//! behaves like the real one. Simulated people write to your bot, press its buttons and read its messages.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! use tamtam_sandbox::Sandbox;
//!
//! let max = Sandbox::max().await; // `Sandbox::start()` is TamTam.
//! let bot = max.bot();
//! let alice = max.user("Alice");
//! alice.says("hi");
//! bot.send(alice.chat_id(), "Hello, Alice").await?;
//! assert_eq!(alice.reads().await.text(), "Hello, Alice");
//! assert_eq!(max.transcript(), "Alice starts Sandbox Bot\nAlice: hi\nSandbox Bot: Hello, Alice\n");
//! # Ok(())
//! # }
//! ```
//!
//! The sandbox needs no token and no network. Use it to build and test a MAX bot before MAX gives you a token.
//! [The guide](crate::guide) has complete tests.
//!
//! Requests go over real sockets, and are checked as strictly as by the real server:
//!
//! - A wrong token is answered with 401. A request that the API's document does not allow is answered with 400, and the
//!   error names the field.
//! - Polls are held until there is an update.
//! - `openapi/tolerance.yaml` lists the requests that are accepted although the document does not allow them, each with
//!   its reason. An example is the action `sending_image`.
//! - The answers are written by hand, from the API's documents and from known behaviour of the servers. So they do not
//!   depend on the models of `tamtam`, and can reveal mistakes there.
//!
//! # Services
//!
//! [`Sandbox::start`] simulates version 0.5.6 of the API of TamTam. [`Sandbox::max`] simulates version 0.0.33 of the
//! API of MAX, which is a later generation of the same API. [`SandboxBuilder::service`] sets the service.
//!
//! Each service has its own operations, updates, rights, names and limits. People of MAX can also
//! [comment](Person::comments) on posts, open [Mini Apps](Person::opens_app), and [clear](Person::clears),
//! [remove](Person::removes_dialog) or [mute](Person::mutes) a dialog. People of TamTam can open
//! [constructors](Person::opens_constructor).
//!
//! The sandbox of MAX was never compared with the live MAX, because we have no token. It accepts all calls of the
//! official Node.js client of MAX.
//!
//! # Limits of requests
//!
//! A sandbox of MAX has the limits of MAX ([`RateLimit::max`]), for example 2 messages per second in each chat and 2
//! polls per second. A request over a limit is refused with 429, and [`Sandbox::rate_limited`] counts it. The limits of
//! TamTam are not known, so a sandbox of TamTam has none. [`SandboxBuilder::rate_limit`] sets the limits on both
//! services.
//!
//! # Webhooks
//!
//! While a bot has a webhook, its updates are delivered there, and polls are refused with 405. A poll that is held when
//! the webhook is subscribed is refused, too. Each webhook gets the updates that it asks for, one at a time and in
//! order. [`Sandbox::delivers`] waits until everything is delivered. [`Sandbox::on_delivery`] reports every attempt.
//!
//! An update that is not answered with 200 is delivered again after a pause, concurrently with later updates:
//!
//! | | on TamTam | on MAX |
//! |---|---|---|
//! | first pause ([`SandboxBuilder::redelivery`]) | 200 ms | 60 s |
//! | further pauses | of the same length | longer by a factor of 2.5 |
//! | retries of an update | unlimited | 10 |
//! | time to answer ([`SandboxBuilder::delivery_timeout`]) | 5 s | 30 s |
//! | the webhook is unsubscribed | after 8 h with the same update | after 8 h without a success |
//! | the secret header `X-Max-Bot-Api-Secret` | no | yes |
//!
//! The pauses and the 8 h are times on the sandbox's clock, which [`Sandbox::time_passes`] moves.
//!
//! A new webhook gets the updates that waited for a poll. After the last webhook is unsubscribed, the updates that no
//! webhook has taken can be polled. On MAX, updates about comments, and about the bot's rights as an administrator, are
//! only delivered by webhook.
//!
//! TamTam refuses URLs with a port that TamTam does not use. MAX refuses URLs without `https`, and delivers only to
//! port 443. A URL on a loopback host may have any port and either scheme. If a loopback server at an `https` URL does
//! not speak TLS, updates are delivered to it by plain HTTP. If it speaks TLS, any certificate is accepted. TLS needs
//! the feature `rustls`, which is on by default.
//!
//! Updates of TamTam always have the shape of version 0.5.6, even if the webhook asks for another `version`.
//!
//! # Faults
//!
//! [`Sandbox::fails`] injects a [`Fault`] into requests of an operation: a status, a reset, a truncated body, or a late
//! answer. The docs of each fault say whether the operation is carried out. [`Sandbox::loses_deliveries`] drops
//! deliveries to webhooks. [`Sandbox::repeats_update`] repeats the latest update. [`Sandbox::pushes`] sends an update
//! of your own. [`Uploads::fail_next`] injects a fault into an upload.
//!
//! # State
//!
//! [`SandboxBuilder::state_file`] keeps the state in a file, and a later sandbox continues from it. [`Sandbox::demo`]
//! creates a group, a message with buttons, and other items to start with.
//!
//! # A program
//!
//! The program `tamtam-sandbox` does the same for bots in any language: `cargo install tamtam-sandbox`, then
//! `tamtam-sandbox --port 8090 --service max --seed demo`. It prints its address when it is ready. Tests act as people
//! and inject faults through the endpoints of [`control`].
//!
//! # Restrictions
//!
//! - The server has its own thread and uses real time. Do not use it in a runtime with a paused clock (`start_paused`):
//!   the timeouts of the runtime would pass while it waits for a socket.
//! - The API speaks HTTP on the loopback interface. Uploads go to another port than the API, see [`Uploads`].
//! - The documents do not define Markdown and HTML completely. For the rest, the server follows CommonMark and
//!   browsers: a marker without a partner stays text, and a tag that is not closed extends to the end of the text.

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
pub use people::mini_app::AppLaunch;
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
pub use state::rate_limit::RateLimit;
pub use state::seen::Seen;
pub use state::uploads::fault::UploadFault;
pub use state::uploads::reports::{ReceivedFile, UploadRequest, UploadStatus};

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
