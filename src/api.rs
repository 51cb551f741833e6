//! Every operation of the Bot APIs, and the one place where generated code enters the crate.
//!
//! [`Api`] has a method per operation of the OpenAPI documents, under the operation's own name. Each returns a request:
//! required parameters are arguments, optional ones setters. The models are in [`types`].
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! # let tamtam = tamtam_sandbox::Sandbox::start().await;
//! # let bot = tamtam.bot();
//! let chats = bot.api().get_chats().count(20).await?;
//! println!("the bot is in {} chats", chats.chats.len());
//! # Ok(())
//! # }
//! ```

pub(crate) mod generated {
    // How generated code is spelled is nobody's concern; what it does is tested.
    #![allow(clippy::all, rustdoc::redundant_explicit_links)]
    include!(concat!(env!("OUT_DIR"), "/tamtam.rs"));
}

use crate::client::bot::Bot;

pub use generated::operations::*;
pub(crate) use generated::types;

impl Bot {
    /// Every operation of the API, typed.
    #[must_use]
    pub fn api(&self) -> Api {
        Api { bot: self.clone() }
    }
}
