//! Uploads: the methods of the bot, the settings, and the checks before sending.

use std::{fmt, future::IntoFuture, marker::PhantomData, pin::Pin, sync::Arc, time::Duration};

use http::HeaderValue;
use tracing::{Instrument as _, field::Empty};

use crate::{
    api::types::{AudioAttachmentRequest, FileAttachmentRequest, PhotoAttachmentRequest, VideoAttachmentRequest},
    client::bot::Bot,
    error::{Error, Reason, Report, Result},
    upload::{
        attempts,
        error::invalid,
        job::Job,
        media::Media,
        name,
        progress::{Progress, ProgressHook, SessionHook},
        session::UploadSession,
        source::Source,
    },
};

/// Default size from which a file is sent in ranges, in bytes. A smaller file is quickly sent again.
const RESUMABLE_FROM: u64 = 16 * 1024 * 1024;
/// Default size of a range, in bytes. The official client has this size, and all known servers accept it.
const CHUNK: u64 = 2_048_000;
/// Default time in which no byte may move before an attempt fails.
const IDLE: Duration = Duration::from_secs(60);

/// A request that uploads one file. Created by [`Bot::upload_photo`], [`Bot::upload_video`], [`Bot::upload_audio`] and
/// [`Bot::upload_file`].
///
/// To get an attachment, await the upload. To send the file as a message, pass the upload to [`Bot::send`]. `M` is the
/// type of the attachment.
///
/// # Upload host
///
/// The bytes are sent to a separate server, the *upload host*, which never receives the bot's token. Each upload has
/// its own URL on the host (the *upload URL*). The connection to the host uses `https`, unless the base URL of the API
/// begins with `http://`.
///
/// # Retries
///
/// By default, a file of at least 16 MiB is sent in *ranges* (parts of the file), one after another. After a temporary
/// failure, the upload continues after the last byte that the host has. If the host no longer accepts the upload URL,
/// the upload starts over with a new URL.
///
/// A smaller file is sent in one request. After a temporary failure, the upload starts over.
///
/// A [`Source::reader`] can be read only once. So its upload is retried only if no byte was read yet, or if the host
/// has all bytes that were read. A [`Source::stream`] is first written to a temporary file, so its upload is retried
/// like the upload of a file from a path.
///
/// The bot's [`RetryPolicy`](crate::settings::RetryPolicy) limits the retries:
///
/// - [`attempts`](crate::settings::RetryPolicy::attempts) limits the number of consecutive failures.
/// - [`budget`](crate::settings::RetryPolicy::budget) limits the sum of the delays before the retries. The time of
///   the attempts does not count.
///
/// Whenever the host confirms more bytes, both limits are reset. `attempts` also limits how often an upload starts
/// over in total.
///
/// # Time limits
///
/// An attempt fails if it makes no progress for [`idle_timeout`](Self::idle_timeout), 60 s by default. If a handler of
/// an update awaits the upload, the upload also stops when the handler exceeds its [time
/// limit](crate::updates::Run::handler_timeout), 120 s by default. The upload has no other time limit.
#[must_use = "an upload does nothing until it is awaited or sent"]
pub struct Upload<M> {
    bot: Bot,
    source: Source,
    file_name: Option<String>,
    content_type: Option<String>,
    on_progress: Option<ProgressHook>,
    on_session: Option<SessionHook>,
    session: Option<UploadSession>,
    resumable: Option<bool>,
    resumable_from: u64,
    chunk: u64,
    idle: Duration,
    media: PhantomData<fn() -> M>,
}

impl Bot {
    /// Uploads a photo. Send the returned upload as a message, or await the upload to get an attachment.
    ///
    /// `source`: A path, bytes, a [`Source::reader`] or a [`Source::stream`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let cat = std::env::temp_dir().join(format!("cat-{}.jpg", std::process::id()));
    /// # std::fs::write(&cat, "meow")?;
    /// use tamtam::NewMessageBody;
    ///
    /// // Upload and send one photo:
    /// bot.send(alice.chat_id(), bot.upload_photo(&cat).text("My cat")).await?;
    ///
    /// // Send several photos in one message, to two users:
    /// let first = bot.upload_photo(&cat).await?;
    /// let second = bot.upload_photo(b"another picture").file_name("dog.png").await?;
    /// let album = NewMessageBody::from("All of them").attach(first).attach(second);
    /// bot.send(alice.chat_id(), album.clone()).await?;
    /// # let bob = tamtam.user("Bob");
    /// # bob.starts();
    /// bot.send(bob.user_id(), album).await?;
    /// # assert_eq!(alice.reads().await.attachments().len(), 1);
    /// # assert_eq!(bob.reads().await.attachments().len(), 2);
    /// # std::fs::remove_file(cat)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload_photo(&self, source: impl Into<Source>) -> Upload<PhotoAttachmentRequest> {
        Upload::new(self, source.into())
    }

    /// Uploads a video. `source`: see [`upload_photo`](Self::upload_photo).
    pub fn upload_video(&self, source: impl Into<Source>) -> Upload<VideoAttachmentRequest> {
        Upload::new(self, source.into())
    }

    /// Uploads an audio recording. `source`: see [`upload_photo`](Self::upload_photo).
    pub fn upload_audio(&self, source: impl Into<Source>) -> Upload<AudioAttachmentRequest> {
        Upload::new(self, source.into())
    }

    /// Uploads a file of any kind. Users see the name of the file. `source`: see [`upload_photo`](Self::upload_photo).
    #[doc(alias = "send_document")]
    pub fn upload_file(&self, source: impl Into<Source>) -> Upload<FileAttachmentRequest> {
        Upload::new(self, source.into())
    }
}

impl<M: Media> Upload<M> {
    fn new(bot: &Bot, source: Source) -> Self {
        Self {
            bot: bot.clone(),
            source,
            file_name: None,
            content_type: None,
            on_progress: None,
            on_session: None,
            session: None,
            resumable: None,
            resumable_from: RESUMABLE_FROM,
            chunk: CHUNK,
            idle: IDLE,
            media: PhantomData,
        }
    }

    /// Sets the file name that users see. Defaults to the file name in the path of the source. For a source without a
    /// path, the name defaults to `photo`, `video`, `audio` or `file`.
    ///
    /// The name must have 1 to 255 bytes in UTF-8. The name must not be `.` or `..`, and must not contain a slash or a
    /// control character. With an invalid name, the upload fails
    /// ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Sets the content type, such as `video/mp4`. By default, the extension of the file name determines the type. If
    /// the extension is missing or unknown, the type defaults to `application/octet-stream`.
    ///
    /// If the type is invalid or begins with `multipart/`, the upload fails
    /// ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets a function that receives the progress whenever a piece of the file (at most 256 KiB) is sent. The function
    /// must not block, because it runs on the task that sends the bytes.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// let upload = bot.upload_file(vec![0; 1_000_000]).file_name("zeros.bin");
    /// upload.on_progress(|p| println!("{} of {} bytes", p.sent, p.total)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_progress(mut self, hook: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(hook));
        self
    }

    /// Sets whether the file is sent in ranges (`true`) or in one request (`false`). By default, a file
    /// of at least [`resumable_from`](Self::resumable_from) bytes is sent in ranges. With [`resume`](Self::resume), the
    /// file is always sent in ranges.
    pub fn resumable(mut self, resumable: bool) -> Self {
        self.resumable = Some(resumable);
        self
    }

    /// Sets the size, in bytes, from which a file is sent in ranges. Defaults to 16 MiB.
    /// [`resumable`](Self::resumable) overrides this setting.
    pub fn resumable_from(mut self, bytes: u64) -> Self {
        self.resumable_from = bytes;
        self
    }

    /// Sets the size of a range (a part of the file), in bytes. Defaults to 2,048,000. A value of 0 counts as 1.
    ///
    /// Each range is sent in its own request. If the connection breaks, at most one range is sent again. Memory use
    /// does not depend on this setting.
    pub fn chunk_size(mut self, bytes: u64) -> Self {
        self.chunk = bytes.max(1);
        self
    }

    /// Sets the time without progress after which an attempt of the upload fails
    /// ([`ErrorKind::Timeout`](crate::ErrorKind::Timeout)). Defaults to 60 s. The time that the upload waits for the
    /// source does not count.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Sets a function that receives the session (the state of the upload) whenever the session changes. Store the
    /// session durably, so that another process can pass the session to [`resume`](Self::resume).
    ///
    /// The function runs on the task that awaits the upload, so the function must return quickly. Writing a small local
    /// file is acceptable. The function is called only if the file is sent in ranges and the source is not a
    /// [`Source::stream`].
    pub fn on_session(mut self, hook: impl Fn(&UploadSession) + Send + Sync + 'static) -> Self {
        self.on_session = Some(Arc::new(hook));
        self
    }

    /// Continues the upload of a stored session, which can be from another process. The upload continues as after a
    /// [temporary failure](#retries).
    ///
    /// The source must be the same as for the stored session. The upload fails in these cases:
    ///
    /// - If the session belongs to another type of upload, for example to a photo instead of a video
    ///   ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    /// - If the source is a [`Source::stream`] (`InvalidRequest`).
    /// - If the session is from another kind of source, for example from a path instead of bytes
    ///   ([`ErrorKind::Source`](crate::ErrorKind::Source)).
    /// - For a path: if the size or the modification time of the file has changed (`ErrorKind::Source`).
    /// - For bytes: if the bytes have changed (`ErrorKind::Source`).
    /// - For a [`Source::reader`]: if the length has changed, or if the host has some but not all bytes of the file
    ///   (`ErrorKind::Source`).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let movie = std::env::temp_dir().join(format!("movie-{}.mp4", std::process::id()));
    /// # let session_file = std::env::temp_dir().join(format!("movie-{}.upload", std::process::id()));
    /// # std::fs::write(&movie, "a movie")?;
    /// use tamtam::ErrorKind;
    ///
    /// let file = session_file.clone();
    /// let mut upload = bot.upload_video(&movie).on_session(move |session| {
    ///     // If the process is killed here, the previous session remains.
    ///     let new = file.with_extension("new");
    ///     let json = serde_json::to_vec(session).unwrap_or_default();
    ///     let _ = std::fs::write(&new, json).and_then(|()| std::fs::rename(&new, &file));
    /// });
    /// let stored = std::fs::read(&session_file).ok();
    /// if let Some(session) = stored.and_then(|json| serde_json::from_slice(&json).ok()) {
    ///     upload = upload.resume(session);
    /// }
    /// let video = upload.await;
    /// // Remove the session if the upload succeeded, or if the file has changed.
    /// if video.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Source) {
    ///     let _ = std::fs::remove_file(&session_file);
    /// }
    /// let video = video?;
    /// // Store `video` until it is sent, to avoid a second upload after a crash.
    /// # std::fs::remove_file(movie)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(mut self, session: UploadSession) -> Self {
        self.session = Some(session);
        self
    }

    /// Uploads the file, and returns the attachment. `upload.await` is a shorter form of `upload.send().await`.
    ///
    /// # Errors
    ///
    /// The upload fails before it sends the first byte in these cases:
    ///
    /// - If the source is empty ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    /// - If the source is the path of a directory or of a special file, such as a pipe (`InvalidRequest`).
    /// - If the source exceeds the size limit of the service (`InvalidRequest`). On TamTam, the limit is 2 GiB. On MAX,
    ///   the limit is 50 MiB for a photo, 250 MiB for a video, 256 MiB for audio, and 4 GiB for a file.
    /// - If the file name or the content type is invalid (`InvalidRequest`).
    /// - If the file does not exist or cannot be read ([`ErrorKind::Source`](crate::ErrorKind::Source)).
    /// - If a [`Source::stream`] fails, or the temporary file cannot be written (`ErrorKind::Source`).
    /// - If the session does not fit the upload: see [`resume`](Self::resume).
    ///
    /// The upload fails after it has started in these cases:
    ///
    /// - If the source changes or cannot be read (`ErrorKind::Source`).
    /// - If a byte of a [`Source::reader`] is needed a second time (`ErrorKind::Source`).
    /// - If the upload host refuses the file (for example [`Rejected`](crate::ErrorKind::Rejected) or
    ///   [`Refused`](crate::ErrorKind::Refused)).
    /// - If the upload host fails or does not respond, even after retries ([`Server`](crate::ErrorKind::Server),
    ///   [`Connect`](crate::ErrorKind::Connect), [`Timeout`](crate::ErrorKind::Timeout) or
    ///   [`Connection`](crate::ErrorKind::Connection)).
    /// - If the response of the upload host cannot be read ([`Decode`](crate::ErrorKind::Decode) or
    ///   [`TooLarge`](crate::ErrorKind::TooLarge)).
    ///
    /// The request for the upload URL can fail with the errors of
    /// [`Api::get_upload_url`](crate::api::Api::get_upload_url).
    ///
    /// [`Error::may_have_been_applied`] is always `false`, because an upload alone changes nothing that users see.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the upload stops. An upload in ranges from a path or from bytes can
    /// continue later: call [`resume`](Self::resume) with the last session that the function of
    /// [`on_session`](Self::on_session) received.
    pub async fn send(self) -> Result<M> {
        let span = tracing::info_span!("tamtam.upload", operation = M::OPERATION, attempts = Empty);
        let upload = async {
            let bot = self.bot.clone();
            let fail = |reason| Error::new(reason).of(M::OPERATION, Report::default());
            let uploaded = match prepare(self).await {
                Ok(job) => attempts::run(&job).await,
                Err(reason) => Err(fail(reason)),
            };
            // The error of a reader or a stream may quote a URL with the token.
            uploaded.map(M::from_tokens).map_err(|error| error.without_secrets(&bot.transport().own_secrets()))
        };
        upload.instrument(span).await
    }
}

impl<M: Media> IntoFuture for Upload<M> {
    type Output = Result<M>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<M: Media> fmt::Debug for Upload<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("kind", &M::KIND)
            .field("bot", &self.bot)
            .field("source", &self.source)
            .field("file_name", &self.file_name)
            .finish_non_exhaustive()
    }
}

/// Opens the source, and checks the settings.
async fn prepare<M: Media>(upload: Upload<M>) -> Result<Job, Reason> {
    // These checks come first, because opening a stream writes it to the disk.
    if let Some(name) = &upload.file_name {
        name::check(name)?;
    }
    if let Some(content_type) = &upload.content_type {
        check_content_type(content_type)?;
    }
    if let Some(session) = &upload.session {
        if session.kind != M::KIND {
            return Err(invalid("session", &format!("belongs to an upload as {}", session.kind)));
        }
        if upload.source.is_stream() {
            return Err(invalid("session", "belongs to another source: a stream cannot be resumed, use a path"));
        }
    }
    let on_session = upload.on_session.filter(|_| !upload.source.is_stream());
    let limit = attempts::limit(upload.bot.service().limits(), &M::KIND);
    let mut source = upload.source.open(limit).await?;
    let name = match (upload.file_name, source.name.take()) {
        (Some(name), _) => name,
        (None, Some(name)) => name?,
        (None, None) => M::NAME.to_owned(),
    };
    name::check(&name)?;
    let guess = || mime_guess::from_path(&name).first_or_octet_stream().to_string();
    let content_type = upload.content_type.unwrap_or_else(guess);
    check_content_type(&content_type)?;
    let keeps = on_session.is_some() || upload.session.is_some();
    let identity = if keeps { source.marked_identity() } else { source.identity.clone() };
    if upload.session.as_ref().is_some_and(|session| session.identity != identity) {
        let problem = "the source does not match the session: upload it without `resume`".to_owned();
        return Err(Reason::Source { problem, source: None });
    }
    let by_size = identity.size >= upload.resumable_from;
    Ok(Job {
        bot: upload.bot,
        kind: M::KIND,
        operation: M::OPERATION,
        source,
        name,
        content_type,
        is_resumable: upload.session.is_some() || upload.resumable.unwrap_or(by_size),
        resumed: upload.session,
        chunk: upload.chunk,
        idle: upload.idle,
        on_progress: upload.on_progress,
        on_session,
        identity,
    })
}

/// Fails unless a text is a content type of a file.
fn check_content_type(content_type: &str) -> Result<(), Reason> {
    let is_one = HeaderValue::from_str(content_type).is_ok() && content_type.contains('/');
    // With the content type of a form, the host would read a range as a form.
    if !is_one || content_type.trim_start().starts_with("multipart/") {
        return Err(invalid("content_type", &format!("is `{content_type}`, expected a type such as `video/mp4`")));
    }
    Ok(())
}
