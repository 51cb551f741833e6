//! What uploads result in: the attachments of the API's document, made of the tokens that the host gives.

use super::answer::FileTokens;
use crate::api::types::{
    AudioAttachmentRequest, FileAttachmentRequest, PhotoAttachmentRequest, PhotoAttachmentRequestPayload, UploadType,
    UploadedInfo, VideoAttachmentRequest,
};

/// What an upload results in: an attachment of one kind, ready to be put into a message, and into others after that.
///
/// These types can be kept (they are serde's) and attached again: tokens stay valid. Nobody else implements it.
pub trait Media: sealed::Media + Send + Sized + 'static {}

mod sealed {
    use crate::{
        api::types::{AttachmentRequest, UploadType},
        upload::answer::FileTokens,
    };

    pub trait Media: Into<AttachmentRequest> {
        /// What the API calls it.
        const KIND: UploadType;
        /// How errors call the upload.
        const OPERATION: &'static str;
        /// How a file is called that comes without a name.
        const NAME: &'static str;

        fn from_tokens(tokens: FileTokens) -> Self;
    }
}

macro_rules! media {
    ($($type:ident: $kind:ident, $operation:literal, $name:literal, $from:expr;)*) => {
        $(impl sealed::Media for $type {
            const KIND: UploadType = UploadType::$kind;
            const OPERATION: &'static str = $operation;
            const NAME: &'static str = $name;

            fn from_tokens(tokens: FileTokens) -> Self {
                Self::new($from(tokens))
            }
        }

        impl Media for $type {})*
    };
}

media! {
    PhotoAttachmentRequest: Image, "uploadPhoto", "photo", photo;
    VideoAttachmentRequest: Video, "uploadVideo", "video", info;
    AudioAttachmentRequest: Audio, "uploadAudio", "audio", info;
    FileAttachmentRequest: File, "uploadFile", "file", info;
}

fn photo(tokens: FileTokens) -> PhotoAttachmentRequestPayload {
    let payload = PhotoAttachmentRequestPayload::new();
    match tokens {
        FileTokens::Photos(photos) => payload.photos(photos),
        FileTokens::One(token) => payload.token(token),
    }
}

fn info(tokens: FileTokens) -> UploadedInfo {
    match tokens {
        FileTokens::One(token) => UploadedInfo::new().token(token),
        // Only of images a map is read.
        FileTokens::Photos(photos) => {
            photos.into_values().fold(UploadedInfo::new(), |info, photo| info.token(photo.token))
        }
    }
}
