//! All operations of the Bot APIs, generated from the OpenAPI documents.
//!
//! [`Api`] has a method for each operation, with the name of the operation. The method returns a request: required
//! parameters are arguments, and optional parameters are setters. The models are in [`types`](crate::types).
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
    // The style of generated code does not matter. Its behavior is tested.
    #![allow(clippy::all, rustdoc::redundant_explicit_links)]
    include!(concat!(env!("OUT_DIR"), "/tamtam.rs"));
}

use crate::client::bot::Bot;

pub use generated::operations::*;
pub(crate) use generated::types;

impl Bot {
    /// Returns the typed operations of the API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api { bot: self.clone() }
    }
}
