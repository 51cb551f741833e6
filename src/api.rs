//! All operations of the Bot APIs of MAX and TamTam. This module is generated from OpenAPI documents.
//!
//! [`Api`] has one method for each operation. Each method returns a request. Required parameters are arguments of the
//! method, and optional parameters are set with methods of the request. The types of the request bodies and responses
//! are in [`types`](crate::types).
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! # let tamtam = tamtam_sandbox::Sandbox::start().await;
//! # let bot = tamtam.bot();
//! let me = bot.api().get_my_info().await?;
//! println!("the bot is {} with the id {}", me.name, me.user_id);
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
    /// Returns an [`Api`], which has one method for each operation of the Bot API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api { bot: self.clone() }
    }
}
