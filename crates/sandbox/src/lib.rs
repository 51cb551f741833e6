//! A simulator of the messengers [TamTam](Sandbox::start) and [MAX](Sandbox::max), to test bots.
//!
//! A [`Sandbox`] is a simulated messenger in your test process. Its servers behave like the servers of the real
//! messenger. Simulated people write to your bot, press its buttons and read its messages.
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
//! A sandbox needs no real token and no internet access. Use a sandbox to build and test a MAX bot before MAX gives you
//! a token. [The guide](crate::guide) contains complete tests.
//!
//! # Requests and responses
//!
//! Your bot sends real HTTP requests to the sandbox. The sandbox follows these rules:
//!
//! - A request with a wrong token is refused with the status 401.
//! - The parameters and the body of a request must be valid according to the API's OpenAPI document. Otherwise, the
//!   request is refused with the status 400. The error names the invalid parameter or field. `openapi/tolerance.yaml`
//!   in the repository lists the exceptions: requests that the real servers are known to accept.
//! - The sandbox responds to a poll (a request for updates) when there is an update, or after the timeout of the poll.
//!   An update reports an event, such as a new message, to the bot.
//!
//! The responses follow the API's documentation and the known behavior of the real servers. The sandbox does not use
//! the types of `tamtam` to write responses, so tests can reveal mistakes in these types.
//!
//! # Services
//!
//! [`Sandbox::start`] simulates version 0.5.6 of the API of TamTam. [`Sandbox::max`] simulates version 0.0.33 of the
//! API of MAX. [`SandboxBuilder::service`] selects the service (TamTam or MAX).
//!
//! The services differ in operations, updates, administrator rights, field names and limits. People can do these things
//! only on MAX:
//!
//! - [Comment](Person::comments) on posts.
//! - Open [Mini Apps](Person::opens_app). A Mini App is a web page that opens inside the messenger.
//! - [Clear](Person::clears), [remove](Person::removes_dialog) or [mute](Person::mutes) a dialog. A dialog is a
//!   private chat between one person and a bot.
//! - Send [voice messages](Person::sends_voice).
//!
//! People can open [constructors](Person::opens_constructor) only on TamTam. A constructor is a window in which a bot
//! helps a person to compose a message.
//!
//! # Rate limits
//!
//! By default, a sandbox of MAX has the limits of MAX ([`RateLimit::max`]). For example, a bot can send 2 messages per
//! second in each chat, and poll 2 times per second. A request over a per-second limit is refused with the status 429.
//! [`Sandbox::rate_limited`] returns the number of these refusals. The limits of TamTam are not known, so a sandbox of
//! TamTam has no limits by default. [`SandboxBuilder::rate_limit`] sets the limits of a sandbox of either service.
//!
//! # Webhooks
//!
//! A webhook is a URL to which the sandbox sends the updates of a bot. To add a webhook, a bot creates a subscription
//! with the operation `subscribe`. A subscription can select types of updates. By default, a subscription selects all
//! types. The sandbox delivers new updates to a webhook in order, one at a time.
//!
//! While a bot has a webhook, the bot's polls are refused with the status 405. If a poll still waits for its response
//! when the bot adds a webhook, the sandbox refuses this poll.
//!
//! [`Sandbox::delivers`] waits until the webhooks have accepted all their updates. [`Sandbox::on_delivery`] reports
//! every attempt to deliver an update.
//!
//! To accept an update, a webhook must respond with the status 200 in time. Otherwise, the delivery fails. After a
//! pause, the sandbox delivers the update again (a redelivery). New updates do not wait for redeliveries. The services
//! have different rules:
//!
//! | | on TamTam | on MAX |
//! |---|---|---|
//! | default pause before the first redelivery ([`SandboxBuilder::redelivery`]) | 200 ms | 60 s |
//! | each further pause | as long as the first pause | 2.5 times the previous pause |
//! | redeliveries of an update | unlimited, until the webhook is removed | at most 10; then the update is lost |
//! | default time for a response, in real time ([`SandboxBuilder::delivery_timeout`]) | 5 s | 30 s |
//! | the sandbox removes the webhook | if one update is not accepted for 8 h | if all deliveries fail for 8 h |
//! | deliveries have the header `X-Max-Bot-Api-Secret` | no | if the subscription has a secret |
//!
//! The pauses and the 8 h pass in real time, unless [`Sandbox::time_passes`] skips them.
//!
//! A new webhook also gets the updates that were waiting for a poll, if the subscription selects their types. After the
//! last webhook of a bot is removed, polls return the updates that no webhook has accepted, except lost updates. On
//! MAX, updates about comments and about the bot's rights as an administrator are delivered only by webhook. These
//! updates are lost if no subscription of the bot selects their types.
//!
//! For tests, a webhook on a loopback host may have any port, and the scheme `http` or `https`. These rules apply to
//! webhooks on other hosts:
//!
//! | | on TamTam | on MAX |
//! |---|---|---|
//! | scheme | `http` or `https` | `https`; URLs with `http` are refused |
//! | port | 80, 443, 8080, 8443, or 16384 to 32383; URLs with other ports are refused | 443; URLs with other ports are not refused, but all deliveries to them fail |
//!
//! If a loopback server at an `https` URL uses TLS, the sandbox accepts any certificate. If the server does not use
//! TLS, the sandbox delivers by plain HTTP. TLS needs the feature `rustls`, which is on by default.
//!
//! # Faults
//!
//! - [`Sandbox::fails`] injects a [`Fault`] into the next requests of an operation. Examples of faults are an error
//!   status, a reset of the connection, and a late response. With some faults, the sandbox still carries out the
//!   operation, and changes only the response.
//! - [`Sandbox::loses_deliveries`] drops the next deliveries to webhooks.
//! - [`Sandbox::repeats_update`] sends the bot its latest update again.
//! - [`Sandbox::pushes`] sends the bot an update that you define.
//! - [`Uploads::fail_next`] injects a fault into the next upload.
//!
//! # State
//!
//! [`SandboxBuilder::state_file`] keeps the state of a sandbox in a file. A later sandbox with this file continues from
//! the saved state. [`Sandbox::demo`] creates a group, a message with buttons, and other items for a quick start.
//!
//! # The program `tamtam-sandbox`
//!
//! The program `tamtam-sandbox` simulates a messenger for bots in any programming language:
//!
//! ```text
//! cargo install tamtam-sandbox
//! tamtam-sandbox --port 8090 --service max --seed demo
//! ```
//!
//! The option `--seed demo` creates the items of [`Sandbox::demo`]. When the program is ready, it prints the URL of the
//! API and the token of the bot. If [`BotBuilder::from_env`](tamtam::BotBuilder::from_env) builds your bot, set the
//! environment variables `MAX_BASE_URL` and `MAX_TOKEN` to these values. Tests control the simulated people and inject
//! faults through the HTTP endpoints of [`control`].
//!
//! Without `--service`, the program simulates TamTam, unless its state file (option `--state`) contains a sandbox of
//! MAX. For a sandbox of TamTam, the variables are `TAMTAM_BASE_URL` and `TAMTAM_TOKEN`.
//!
//! # Restrictions
//!
//! - The sandbox has two servers: one for the API, and the [upload host](Uploads) for files. Both servers use HTTP
//!   without TLS. Each server has its own port on the loopback interface.
//! - The servers run in a separate thread, and use real time. Do not use the sandbox in a Tokio runtime with a paused
//!   clock (`start_paused`). In such a runtime, timeouts expire at once while the runtime waits for a socket.
//! - On TamTam, updates always have the format of version 0.5.6, even if a bot requests another version.
//! - The API's documentation defines Markdown and HTML only in part. In undefined cases, the sandbox follows
//!   CommonMark for Markdown, and the behavior of browsers for HTML.
//! - The sandbox of MAX has not been compared with the real MAX, because we have no token of MAX. The sandbox accepts
//!   all calls of the official Node.js client of MAX.

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
