//! An upload as it is set up: the verbs, the settings, and what is checked before anything is sent.

use std::{fmt, future::IntoFuture, marker::PhantomData, pin::Pin, sync::Arc, time::Duration};

use http::HeaderValue;
use tracing::{Instrument as _, field::Empty};

use crate::{
    api::types::{AudioAttachmentRequest, FileAttachmentRequest, PhotoAttachmentRequest, VideoAttachmentRequest},
    client::bot::Bot,
    error::{Error, Kind, Report, Result},
    upload::{
        attempts,
        job::Job,
        media::Media,
        name,
        progress::{Progress, ProgressHook, SessionHook},
        session::UploadSession,
        source::{Source, invalid},
    },
};

/// From this size on a file is sent in ranges, in bytes: what is lost of a smaller one is soon sent again.
const RESUMABLE_FROM: u64 = 16 * 1024 * 1024;
/// How much a range has, in bytes: as much as the official client's, which every server has been seen to take.
const CHUNK: u64 = 2_048_000;
/// How long an upload may stand still.
const IDLE: Duration = Duration::from_secs(60);

/// An upload of one file, made by [`Bot::upload_photo`] and its like: set what is optional, then `.await` or
/// [`send`](Self::send) it, or give it to [`Bot::send`] as a message.
///
/// A file from 16 MiB on goes in ranges, which can be gone on with after a failure from the last byte that the host has;
/// a smaller one goes in one piece, and begins anew. How often that is tried, the bot's [`RetryPolicy`](crate::RetryPolicy)
/// says: so many failures in a row without a byte gained, and so many times from the beginning.
///
/// It takes as long as it takes. In a handler that [`Bot::run`] calls, the handler's time limit holds all the same
/// ([`Run::handler_timeout`](crate::Run::handler_timeout)).
///
/// The bytes go to another host than the API. It never sees the bot's token. It is spoken to over `https`, even when the
/// API calls it `http`, unless the API itself is at a plain `http` address.
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
    /// Uploads a picture. The source is a path, bytes, or a [`Source::reader`].
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
    /// // One photo, in one go:
    /// bot.send(alice.chat_id(), bot.upload_photo(&cat).text("My cat")).await?;
    ///
    /// // Several in one message, and once more to somebody else:
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

    /// Uploads a video, as [`upload_photo`](Self::upload_photo) does a picture.
    pub fn upload_video(&self, source: impl Into<Source>) -> Upload<VideoAttachmentRequest> {
        Upload::new(self, source.into())
    }

    /// Uploads an audio recording, as [`upload_photo`](Self::upload_photo) does a picture.
    pub fn upload_audio(&self, source: impl Into<Source>) -> Upload<AudioAttachmentRequest> {
        Upload::new(self, source.into())
    }

    /// Uploads a file of any kind, as [`upload_photo`](Self::upload_photo) does a picture. People see its name.
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

    /// The name that people see, of at most 255 bytes in UTF-8, without slashes and control characters; that of the path
    /// if not set.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// The content type, such as `video/mp4`; guessed from the file's name if not set.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Is told how far the upload has got, for every 256 KiB or so. It is called where the bytes are sent, so it must not
    /// block.
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

    /// Whether the file goes in ranges that can be gone on with (`true`), or in one piece (`false`), whatever its size.
    pub fn resumable(mut self, resumable: bool) -> Self {
        self.resumable = Some(resumable);
        self
    }

    /// From which size on the file goes in ranges, in bytes; 16 MiB if not set.
    pub fn resumable_from(mut self, bytes: u64) -> Self {
        self.resumable_from = bytes;
        self
    }

    /// How much a range has, in bytes; 2,048,000 if not set, as with the official client. So much is lost when a
    /// connection breaks, and each range waits for an answer. Memory does not depend on it.
    pub fn chunk_size(mut self, bytes: u64) -> Self {
        self.chunk = bytes.max(1);
        self
    }

    /// For how long no byte may move before the attempt fails; 60 s if not set. There is no limit to the whole. Time in
    /// which the source itself has nothing to give does not count.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Is told how the upload could be gone on with by another process, whenever that changes: keep it where it survives,
    /// and hand it to [`resume`](Self::resume). Nothing is told of a file that goes in one piece. It is called where the
    /// upload is awaited.
    pub fn on_session(mut self, hook: impl Fn(&UploadSession) + Send + Sync + 'static) -> Self {
        self.on_session = Some(Arc::new(hook));
        self
    }

    /// Goes on with an upload that was begun by this or another process, from the last byte that the host has. The file
    /// must be the same: one of another size, or modified since, is refused. If the host knows nothing of the upload any
    /// more, it begins anew.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let movie = std::env::temp_dir().join(format!("movie-{}.mp4", std::process::id()));
    /// # let kept = std::env::temp_dir().join(format!("movie-{}.upload", std::process::id()));
    /// # std::fs::write(&movie, "a movie")?;
    /// use tamtam::ErrorKind;
    ///
    /// let place = kept.clone();
    /// let mut upload = bot.upload_video(&movie).on_session(move |session| {
    ///     // Replaced as a whole: a kill in the middle leaves the one before.
    ///     let new = place.with_extension("new");
    ///     let json = serde_json::to_vec(session).unwrap_or_default();
    ///     let _ = std::fs::write(&new, json).and_then(|()| std::fs::rename(&new, &place));
    /// });
    /// if let Some(session) = std::fs::read(&kept).ok().and_then(|json| serde_json::from_slice(&json).ok()) {
    ///     upload = upload.resume(session);
    /// }
    /// let video = upload.await;
    /// // Done, or of no use any more, such as for a file that has changed. A small file never had one.
    /// if video.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Source) {
    ///     let _ = std::fs::remove_file(&kept);
    /// }
    /// let video = video?;
    /// // Keep `video` as you keep the session, if a kill between here and sending it must not upload it again.
    /// # std::fs::remove_file(movie)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(mut self, session: UploadSession) -> Self {
        self.session = Some(session);
        self
    }

    /// Uploads the file; `.await` on the upload itself does the same.
    ///
    /// # Errors
    ///
    /// When the source is no file, empty or gone, or has a name that would not arrive whole: then nothing was sent. When
    /// the source changes while it is read ([`ErrorKind::Source`]), the host refuses it, or neither host nor API can be
    /// reached. [`Error::may_have_been_applied`] is never true: what is not attached to a message nobody sees.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the upload. What has arrived is lost, unless [`on_session`](Self::on_session) kept it.
    pub async fn send(self) -> Result<M> {
        let span = tracing::info_span!("tamtam.upload", operation = M::OPERATION, attempts = Empty);
        let upload = async {
            let fail = |kind| Error::new(kind).of(M::OPERATION, Report::default());
            let job = prepare(self).await.map_err(fail)?;
            attempts::run(&job).await.map(M::from_tokens)
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

/// Opens the source, and checks what was set.
async fn prepare<M: Media>(upload: Upload<M>) -> Result<Job, Kind> {
    let mut source = upload.source.open().await?;
    let name = match (upload.file_name, source.name.take()) {
        (Some(name), _) => name,
        (None, Some(name)) => name?,
        (None, None) => M::NAME.to_owned(),
    };
    name::check(&name)?;
    let guess = || mime_guess::from_path(&name).first_or_octet_stream().to_string();
    let content_type = upload.content_type.unwrap_or_else(guess);
    // By a form's type the host would know a range for a form.
    let is_one = HeaderValue::from_str(&content_type).is_ok() && content_type.contains('/');
    if !is_one || content_type.trim_start().starts_with("multipart/") {
        return Err(invalid("content_type", &format!("is `{content_type}`, expected one such as `video/mp4`")));
    }
    let keeps = upload.on_session.is_some() || upload.session.is_some();
    let identity = if keeps { source.marked_identity() } else { source.identity.clone() };
    if let Some(session) = &upload.session {
        if session.kind != M::KIND {
            return Err(invalid("session", &format!("is that of an upload as {}", session.kind)));
        }
        if session.identity != identity {
            let problem = "the file is not the one whose upload was begun: upload it anew".to_owned();
            return Err(Kind::Source { problem, source: None });
        }
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
        on_session: upload.on_session,
        identity,
    })
}
