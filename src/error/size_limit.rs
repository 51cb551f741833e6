//! The size limit that a body is over.

use std::fmt;

/// The most bytes of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeLimit {
    pub(crate) bytes: usize,
    /// The method of `BotBuilder` that sets it, if one does.
    setting: Option<&'static str>,
}

impl SizeLimit {
    /// A limit that a method of `BotBuilder` sets.
    pub(crate) const fn set_by(setting: &'static str, bytes: usize) -> Self {
        Self { bytes, setting: Some(setting) }
    }

    /// A limit that cannot be set.
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
