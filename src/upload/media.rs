//! Results of uploads: attachments with the tokens that the host returned.

use super::answer::FileTokens;
use crate::api::types::{
    AudioAttachmentRequest, FileAttachmentRequest, PhotoAttachmentRequest, PhotoAttachmentRequestPayload, UploadType,
    UploadedInfo, VideoAttachmentRequest,
};

/// A trait for the results of an [`Upload`](crate::upload::Upload): a photo, a video, an audio recording or a file to
/// attach to messages.
///
/// A result can be attached to any number of messages. The result contains the token of the uploaded file. The token
/// stays valid, so you can store the result with serde, and attach it later.
///
/// This trait is sealed: other crates cannot implement it.
pub trait Media: sealed::Media + Send + Sized + 'static {}

mod sealed {
    use crate::{
        api::types::{AttachmentRequest, UploadType},
        upload::answer::FileTokens,
    };

    pub trait Media: Into<AttachmentRequest> {
        /// The type in the API.
        const KIND: UploadType;
        /// The name of the operation in errors.
        const OPERATION: &'static str;
        /// The name of a file without a name.
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
        // Only the response to the upload of an image is read as photos.
        FileTokens::Photos(photos) => {
            photos.into_values().fold(UploadedInfo::new(), |info, photo| info.token(photo.token))
        }
    }
}
