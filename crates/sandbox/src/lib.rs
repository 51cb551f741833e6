//! A simulated messenger in one process, [TamTam](Sandbox::start) or [MAX](Sandbox::max). A server on a loopback socket
//! behaves like the server of the messenger. Simulated people write to your bot, press its buttons and read its
//! messages.
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
//! let transcript = "Alice starts Sandbox Bot\nAlice: hi\nSandbox Bot: Hello, Alice\n";
//! assert_eq!(max.transcript(), transcript);
//! # Ok(())
//! # }
//! ```
//!
//! The sandbox needs no token and no network. Use it to build and test a MAX bot before MAX gives you a token.
//! [The guide](crate::guide) has complete tests.
//!
//! Requests go over real sockets. The sandbox checks requests as strictly as the real server:
//!
//! - A request with a wrong token is refused with the status 401. A request that the API's OpenAPI document does not
//!   allow is refused with the status 400, and the error names the field.
//! - A poll is held until there is an update, or until the timeout of the poll.
//! - Some requests are accepted although the document does not allow them, for example the chat action
//!   `sending_image`. `openapi/tolerance.yaml` in the repository lists these requests with the reasons.
//! - The responses are written by hand, from the API's documents and from known behaviour of the servers. They do not
//!   depend on the types of `tamtam`, so tests can reveal mistakes in these types.
//!
//! # Services
//!
//! [`Sandbox::start`] simulates version 0.5.6 of the API of TamTam. [`Sandbox::max`] simulates version 0.0.33 of the
//! API of MAX, which is a later generation of the same API. [`SandboxBuilder::service`] sets the service.
//!
//! Each service has its own operations, updates, rights, names and limits. Some acts of people exist on one service
//! only:
//!
//! - MAX: people [comment](Person::comments) on posts, open [Mini Apps](Person::opens_app), which are web pages inside
//!   the messenger, and [clear](Person::clears), [remove](Person::removes_dialog) or [mute](Person::mutes) a dialog. A
//!   dialog is the chat of one person with a bot.
//! - TamTam: people open [constructors](Person::opens_constructor), in which a bot helps to compose a message.
//!
//! The sandbox of MAX was never compared with the live MAX, because we have no token. The sandbox accepts all calls of
//! the official Node.js client of MAX.
//!
//! # Limits of requests
//!
//! A sandbox of MAX has the limits of MAX ([`RateLimit::max`]), for example 2 messages per second in each chat and 2
//! polls per second. A request over a limit is refused with the status 429. [`Sandbox::rate_limited`] counts the
//! refused requests. The limits of TamTam are not known, so a sandbox of TamTam has no limits by default.
//! [`SandboxBuilder::rate_limit`] sets the limits on both services.
//!
//! # Webhooks
//!
//! While a bot has a webhook, the sandbox delivers the updates of the bot to the webhook. Polls are then refused with
//! the status 405, also a poll that is held when the webhook is subscribed. Each webhook gets the types of updates in
//! its subscription, one update at a time and in order. [`Sandbox::delivers`] waits until all updates are delivered.
//! [`Sandbox::on_delivery`] reports every attempt.
//!
//! A delivery has failed if the webhook does not respond with the status 200. The update is then delivered again after
//! a pause, concurrently with later updates:
//!
//! | | on TamTam | on MAX |
//! |---|---|---|
//! | first pause ([`SandboxBuilder::redelivery`]) | 200 ms | 60 s |
//! | further pauses | of the same length | longer by a factor of 2.5 |
//! | retries of an update | unlimited | 10 |
//! | time for a response ([`SandboxBuilder::delivery_timeout`]) | 5 s | 30 s |
//! | the webhook is unsubscribed | after 8 h with the same update | after 8 h without a success |
//! | the secret header `X-Max-Bot-Api-Secret` | no | yes |
//!
//! The pauses and the 8 h are times on the sandbox's clock. [`Sandbox::time_passes`] moves this clock.
//!
//! A new webhook gets the updates that waited for a poll. After the last webhook is unsubscribed, polls return the
//! updates that no webhook has taken. On MAX, two kinds of updates are delivered only by webhook: updates about
//! comments, and updates about the bot's rights as an administrator.
//!
//! TamTam refuses URLs with a port that TamTam does not use. MAX refuses URLs without `https`, and delivers only to
//! port 443. A URL on a loopback host may have any port, and the scheme `http` or `https`. If a loopback server at an
//! `https` URL does not speak TLS, the sandbox delivers by plain HTTP. If the server speaks TLS, any certificate is
//! accepted. TLS needs the feature `rustls`, which is on by default.
//!
//! Updates of TamTam always have the format of version 0.5.6, even if the webhook asks for another `version`.
//!
//! # Faults
//!
//! - [`Sandbox::fails`] injects a [`Fault`] into requests of an operation, for example an error status, a reset of the
//!   connection, a truncated body, or a late response. The table of [`Fault`] says whether the operation is carried
//!   out.
//! - [`Sandbox::loses_deliveries`] drops deliveries to webhooks.
//! - [`Sandbox::repeats_update`] sends the latest update again.
//! - [`Sandbox::pushes`] sends an update that you define.
//! - [`Uploads::fail_next`] injects a fault into an upload.
//!
//! # State
//!
//! [`SandboxBuilder::state_file`] keeps the state in a file. A later sandbox with this file continues from the kept
//! state. [`Sandbox::demo`] creates items to start with, such as a group and a message with buttons.
//!
//! # The program `tamtam-sandbox`
//!
//! The program `tamtam-sandbox` simulates a messenger for bots in any language: `cargo install tamtam-sandbox`, then
//! `tamtam-sandbox --port 8090 --service max --seed demo`. The program prints its address when it is ready. Tests act
//! as people and inject faults through the endpoints of [`control`].
//!
//! # Restrictions
//!
//! - The server has its own thread and uses real time. Do not use the sandbox in a Tokio runtime with a paused clock
//!   (`start_paused`). The timeouts of the runtime would pass while the runtime waits for a socket.
//! - The API speaks HTTP on the loopback interface. Uploads go to another port than the API, see [`Uploads`].
//! - The API's documents do not define Markdown and HTML completely. In undefined cases, the server follows CommonMark
//!   and browsers. For example, an opening `*` without a closing `*` stays text. A tag that is not closed extends to
//!   the end of the text.

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
