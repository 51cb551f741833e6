//! The error of the generator: a mistake in a document, and its place.

use std::fmt;

/// A mistake in a document or an overlay, with its file and its place in the file.
#[derive(Debug)]
pub(crate) struct Error {
    file: String,
    place: String,
    message: String,
}

impl Error {
    /// Creates an error at a dotted place, such as `components.schemas.Chat.properties.icon`.
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: String::new(), place: place.into(), message: message.into() }
    }

    pub(super) fn in_file(mut self, file: &str) -> Self {
        self.file = file.to_owned();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.file, &self.place] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

pub(super) type Result<T> = std::result::Result<T, Error>;
