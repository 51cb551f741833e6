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

/// An upload of one file. Created by [`Bot::upload_photo`] and similar methods. Set its options, then `.await` or
/// [`send`](Self::send) it, or pass it to [`Bot::send`] as a message.
///
/// A file of at least 16 MiB is sent in ranges. After a failure, the upload continues at the last byte that the host
/// has. A smaller file is sent in one piece, and starts over after a failure. The bot's
/// [`RetryPolicy`](crate::settings::RetryPolicy) limits the consecutive failures without progress, and the number of times that
/// an upload starts over.
///
/// An upload has no total time limit. In a handler that [`Bot::run`] calls, the time limit of the handler still applies
/// ([`Run::handler_timeout`](crate::updates::Run::handler_timeout)).
///
/// The bytes are sent to an upload host, not to the API. The host never receives the bot's token. The connection uses
/// `https`, even if the API returns an `http` URL, unless the API itself has an `http` address.
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
    /// Uploads a picture. `source` is a path, bytes, or a [`Source::reader`].
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

    /// Uploads a video. Otherwise the same as [`upload_photo`](Self::upload_photo).
    pub fn upload_video(&self, source: impl Into<Source>) -> Upload<VideoAttachmentRequest> {
        Upload::new(self, source.into())
    }

    /// Uploads an audio recording. Otherwise the same as [`upload_photo`](Self::upload_photo).
    pub fn upload_audio(&self, source: impl Into<Source>) -> Upload<AudioAttachmentRequest> {
        Upload::new(self, source.into())
    }

    /// Uploads a file of any kind. People see its name. Otherwise the same as [`upload_photo`](Self::upload_photo).
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

    /// Sets the name that people see: at most 255 bytes in UTF-8, without slashes and control characters. Defaults to
    /// the name in the path. Without a path, it defaults to `photo`, `video`, `audio` or `file`.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Sets the content type, such as `video/mp4`. Defaults to a guess from the name of the file.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets a function that receives the progress, about every 256 KiB. The function runs on the task that sends the
    /// bytes, so it must not block.
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

    /// Sets whether the file is sent in ranges that can be resumed (`true`) or in one piece (`false`), regardless of
    /// its size. By default, the size decides: see [`resumable_from`](Self::resumable_from).
    pub fn resumable(mut self, resumable: bool) -> Self {
        self.resumable = Some(resumable);
        self
    }

    /// Sets the size from which the file is sent in ranges, in bytes. Defaults to 16 MiB.
    pub fn resumable_from(mut self, bytes: u64) -> Self {
        self.resumable_from = bytes;
        self
    }

    /// Sets the size of a range, in bytes (at least 1). Defaults to 2,048,000, as in the official client. If a
    /// connection breaks, up to one range is sent again. Each range waits for a response. Memory use does not depend on
    /// the size.
    pub fn chunk_size(mut self, bytes: u64) -> Self {
        self.chunk = bytes.max(1);
        self
    }

    /// Sets the time in which no byte may move before the attempt fails. Defaults to 60 s. The whole upload has no time
    /// limit. Time in which the source has no data does not count.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Sets a function that receives the session whenever it changes. Store the session durably. Another process can
    /// pass it to [`resume`](Self::resume). The function is not called for a file that is sent in one piece. It runs on
    /// the task that awaits the upload.
    pub fn on_session(mut self, hook: impl Fn(&UploadSession) + Send + Sync + 'static) -> Self {
        self.on_session = Some(Arc::new(hook));
        self
    }

    /// Continues an upload that this or another process started, from the last byte that the host has. The file must be
    /// the same: a file with another size or modification time is refused. If the host no longer has the upload, it
    /// starts over.
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
    ///     // Replaces the file atomically: a kill leaves the previous session.
    ///     let new = place.with_extension("new");
    ///     let json = serde_json::to_vec(session).unwrap_or_default();
    ///     let _ = std::fs::write(&new, json).and_then(|()| std::fs::rename(&new, &place));
    /// });
    /// let stored = std::fs::read(&kept).ok();
    /// if let Some(session) = stored.and_then(|json| serde_json::from_slice(&json).ok()) {
    ///     upload = upload.resume(session);
    /// }
    /// let video = upload.await;
    /// // Done, or useless, for example if the file has changed. A small file has no session.
    /// if video.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Source) {
    ///     let _ = std::fs::remove_file(&kept);
    /// }
    /// let video = video?;
    /// // To avoid a second upload after a kill, store `video` until it is sent.
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
    /// Nothing is sent if the source is not a file, is missing or empty, exceeds the size limit of the service, or has
    /// a name that would not arrive unchanged. Also fails if the source changes while it is read
    /// ([`ErrorKind::Source`](crate::ErrorKind::Source)), if the host refuses the file, or if the host or the API cannot be reached.
    /// [`Error::may_have_been_applied`] is always `false`: people do not see a file without a message.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the upload. The bytes that have arrived are lost, unless the session of
    /// [`on_session`](Self::on_session) is stored.
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

/// Opens the source, and checks the settings.
async fn prepare<M: Media>(upload: Upload<M>) -> Result<Job, Reason> {
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
    // With the content type of a form, the host would read a range as a form.
    let is_one = HeaderValue::from_str(&content_type).is_ok() && content_type.contains('/');
    if !is_one || content_type.trim_start().starts_with("multipart/") {
        return Err(invalid("content_type", &format!("is `{content_type}`, expected a type such as `video/mp4`")));
    }
    let keeps = upload.on_session.is_some() || upload.session.is_some();
    let identity = if keeps { source.marked_identity() } else { source.identity.clone() };
    if let Some(session) = &upload.session {
        if session.kind != M::KIND {
            return Err(invalid("session", &format!("belongs to an upload as {}", session.kind)));
        }
        if session.identity != identity {
            let problem = "the file is not the one of the session: upload it without `resume`".to_owned();
            return Err(Reason::Source { problem, source: None });
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
