//! The size limit of a response body.

use std::fmt;

/// The maximum size of a body, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeLimit {
    pub(crate) bytes: usize,
    /// The method of `BotBuilder` that sets the limit. `None` for a fixed limit.
    setting: Option<&'static str>,
}

impl SizeLimit {
    /// Creates a limit that a method of `BotBuilder` sets.
    pub(crate) const fn set_by(setting: &'static str, bytes: usize) -> Self {
        Self { bytes, setting: Some(setting) }
    }

    /// Creates a fixed limit.
    pub(crate) const fn fixed(bytes: usize) -> Self {
        Self { bytes, setting: None }
    }
}

impl fmt::Display for SizeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)?;
        self.setting.map_or(Ok(()), |setting| write!(f, "; raise it with `BotBuilder::{setting}`"))
    }
}
