//! Media that can be attached: videos, audio recordings and files.

use serde::{Deserialize, Serialize};

/// A video, an audio recording or a file that can be attached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Media {
    pub(crate) kind: MediaKind,
    pub(crate) token: String,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// Width and height of every video of the sandbox, in pixels.
pub(crate) const VIDEO_SIZE: (u32, u32) = (1280, 720);
/// The length of every video of the sandbox, in seconds.
pub(crate) const VIDEO_SECONDS: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MediaKind {
    Video,
    Audio,
    File,
}

impl MediaKind {
    /// Returns the kind with this name. `None` for photos: they have no kind and no file name.
    pub(crate) fn of(kind: &str) -> Option<Self> {
        [Self::Video, Self::Audio, Self::File].into_iter().find(|one| one.name() == kind)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        }
    }
}
