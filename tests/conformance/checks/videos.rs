//! Videos: upload and details.

use tamtam::{Attachment, Message, types::UploadType};

use super::attachments::tags;
use crate::{
    outcome::{Done, Skip},
    place::Place,
};

/// Posts a video.
async fn film(place: &Place) -> Result<Message, Skip> {
    let (chat, bytes) = (place.chat()?, place.video()?);
    place.takes_time_to_process();
    let video = place.bot.upload_video(bytes).file_name("video.mp4").await.unwrap();
    Ok(place.post(chat, place.text("a video").attach(video)).await)
}

pub(super) async fn a_video_is_uploaded(place: Place) -> Done {
    assert_eq!(tags(&film(&place).await?), ["video"]);
    Ok(())
}

pub(super) async fn videos_and_audio_have_a_token_before_the_upload(place: Place) -> Done {
    for (kind, has_token) in
        [(UploadType::Video, true), (UploadType::Audio, true), (UploadType::Image, false), (UploadType::File, false)]
    {
        let endpoint = place.bot.api().get_upload_url(kind.clone()).await.unwrap();
        assert_eq!(endpoint.token.is_some(), has_token, "{kind}");
    }
    Ok(())
}

pub(super) async fn a_video_has_its_details(place: Place) -> Done {
    let message = film(&place).await?;
    let [Attachment::Video(video)] = message.attachments() else { panic!("no video: {message:?}") };
    let token = video.payload.token.clone().expect("a received video has a token");
    let details = place.bot.video(token).await.unwrap();
    assert!(!details.token.is_empty() && details.width > 0 && details.height > 0, "{details:?}");
    Ok(())
}

pub(super) async fn an_unknown_video_is_not_found(place: Place) -> Done {
    let error = place.bot.video("conformance").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    Ok(())
}
