//! Sources of uploads, and the check that a source has not changed.

use std::{
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tempfile::TempPath;
use tokio::io::AsyncRead;

use super::{
    blocking::off_this_thread,
    error::{invalid, unreadable},
    spool::{ByteStream, spool},
};
use crate::{error::Reason, redaction::fnv_1a};

/// The content of an upload, from a path, bytes, a reader or a stream.
///
/// | source | created from |
/// |---|---|
/// | path | `&Path`, `PathBuf`, `&str`, `String` or `OsString`, with `From`. A string is the path of a file. |
/// | bytes | `bytes::Bytes`, `Vec<u8>`, `Box<[u8]>`, `&'static [u8]` or `&'static [u8; N]`, with `From` |
/// | reader | an `AsyncRead`, with [`Source::reader`] |
/// | stream | a `Stream`, with [`Source::stream`] |
///
/// For a path, the file is read during the upload. If the file changes during the upload, the upload fails
/// ([`ErrorKind::Source`](crate::ErrorKind::Source)).
pub struct Source(Inner);

enum Inner {
    Path(PathBuf),
    Bytes(Bytes),
    Reader { reader: Pin<Box<dyn AsyncRead + Send>>, length: u64 },
    Stream(ByteStream),
}

impl Source {
    /// Creates a source of exactly `length` bytes from a reader. Bytes after the first `length` bytes are not read. If
    /// the reader ends before `length` bytes, the upload fails ([`ErrorKind::Source`](crate::ErrorKind::Source)).
    ///
    /// A reader can be read only once. So a failed upload is retried only if no byte was read yet, or if the upload
    /// host (the server for files) has all bytes that were read. Another process cannot
    /// [resume](crate::upload::Upload::resume) the upload if the host has some but not all bytes of the file.
    pub fn reader(reader: impl AsyncRead + Send + 'static, length: u64) -> Self {
        Self(Inner::Reader { reader: Box::pin(reader), length })
    }

    /// Creates a source from a stream of unknown length, for example a download.
    ///
    /// The upload first writes the stream to a temporary file, and removes this file at the end. Retries read the
    /// temporary file. As soon as the stream exceeds the size limit of the service, the upload fails
    /// ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    ///
    /// A stream has these limitations:
    ///
    /// - The temporary directory of the system (`TMPDIR` on Unix) must have enough space for the temporary file.
    /// - If the process is killed, the temporary file remains.
    /// - Another process cannot [resume](crate::upload::Upload::resume) the upload.
    ///
    /// If you know the length, consider [`reader`](Self::reader). A reader needs no temporary file, but its upload is
    /// not always retried.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # alice.starts();
    /// use tamtam::upload::Source;
    ///
    /// let lines = ["one\n", "two\n"].map(|line| Ok::<_, std::io::Error>(line));
    /// let report = Source::stream(futures_util::stream::iter(lines));
    /// bot.send(alice.user_id(), bot.upload_file(report).file_name("report.txt")).await?;
    /// # assert_eq!(alice.reads().await.attachments().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream<S, B, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self(Inner::Stream(Box::pin(stream.map(|piece| piece.map(Into::into).map_err(Into::into)))))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Inner::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Inner::Reader { length, .. } => write!(f, "Reader({length} bytes)"),
            Inner::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl<const N: usize> From<&'static [u8; N]> for Source {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self(Inner::Bytes(Bytes::from_static(bytes)))
    }
}

macro_rules! source_from {
    ($($from:ty => |$value:ident| $inner:expr;)*) => {
        $(impl From<$from> for Source {
            fn from($value: $from) -> Self {
                Self($inner)
            }
        })*
    };
}

source_from! {
    &Path => |path| Inner::Path(path.to_owned());
    PathBuf => |path| Inner::Path(path);
    &PathBuf => |path| Inner::Path(path.clone());
    &str => |path| Inner::Path(path.into());
    String => |path| Inner::Path(path.into());
    &String => |path| Inner::Path(path.into());
    OsString => |path| Inner::Path(path.into());
    Box<[u8]> => |bytes| Inner::Bytes(bytes.into());
    Bytes => |bytes| Inner::Bytes(bytes);
    Vec<u8> => |bytes| Inner::Bytes(bytes.into());
    &'static [u8] => |bytes| Inner::Bytes(Bytes::from_static(bytes));
}

/// The identity of a source, to detect changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) size: u64,
    /// The modification time of a file, in Unix nanoseconds, or a hash of bytes.
    mark: Option<u64>,
}

/// An opened source.
pub(super) struct Opened {
    input: SourceInput,
    pub(super) identity: Identity,
    /// The name of the file. An error if the name is not Unicode.
    pub(super) name: Option<Result<String, Reason>>,
    /// The temporary file of a stream. Dropping it removes the file.
    _spooled: Option<TempPath>,
}

/// The input of an opened source.
#[derive(Clone)]
pub(super) enum SourceInput {
    File(PathBuf),
    Bytes(Bytes),
    Reader(Arc<Mutex<Reader>>),
}

/// A reader, and the number of bytes that were read from it.
pub(super) struct Reader {
    pub(super) reader: Pin<Box<dyn AsyncRead + Send>>,
    pub(super) position: u64,
}

impl Source {
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.0, Inner::Stream(_))
    }

    /// Opens the source. Fails if it cannot be uploaded, is empty, or is a stream of more than `limit` bytes.
    pub(super) async fn open(self, limit: Option<u64>) -> Result<Opened, Reason> {
        let mut spooled = None;
        let (input, identity, name) = match self.0 {
            Inner::Path(path) => {
                let path_there = path.clone();
                let (_, identity) = off_this_thread(move || open_file(&path_there)).await??;
                let name = path.file_name().map(|name| {
                    let name = name.to_str().map(str::to_owned);
                    name.ok_or_else(|| invalid("file_name", "of the path is not Unicode: set a name with `file_name`"))
                });
                (SourceInput::File(path), identity, name)
            }
            Inner::Bytes(bytes) => {
                let identity = Identity { size: bytes.len() as u64, mark: None };
                (SourceInput::Bytes(bytes), identity, None)
            }
            Inner::Reader { reader, length } => {
                let reader = Arc::new(Mutex::new(Reader { reader, position: 0 }));
                (SourceInput::Reader(reader), Identity { size: length, mark: None }, None)
            }
            Inner::Stream(stream) => {
                let file = spooled.insert(spool(stream, limit).await?);
                let path = file.to_path_buf();
                let path_there = path.clone();
                let (_, identity) = off_this_thread(move || open_file(&path_there)).await??;
                (SourceInput::File(path), identity, None)
            }
        };
        if identity.size == 0 {
            return Err(invalid("source", "is empty: there is nothing to upload"));
        }
        Ok(Opened { input, identity, name, _spooled: spooled })
    }
}

/// A source at the position where reading starts.
pub(super) enum ReadySource {
    File(fs::File),
    Bytes(Bytes),
    Reader(Arc<Mutex<Reader>>),
}

impl Opened {
    /// Returns the identity to store in a session.
    pub(super) fn marked_identity(&self) -> Identity {
        match &self.input {
            SourceInput::Bytes(bytes) => Identity { mark: Some(fnv_1a(bytes)), ..self.identity },
            _ => self.identity.clone(),
        }
    }

    /// Returns whether the source can be read from `offset` on.
    pub(super) fn can_go_to(&self, offset: u64) -> bool {
        match &self.input {
            SourceInput::File(_) | SourceInput::Bytes(_) => true,
            SourceInput::Reader(reader) => reader.lock().unwrap_or_else(PoisonError::into_inner).position == offset,
        }
    }

    /// Returns the source, positioned at `offset`.
    pub(super) async fn at(&self, offset: u64) -> Result<ReadySource, Reason> {
        if !self.can_go_to(offset) {
            let problem = format!(
                "the source can be read only once, but is needed again from byte {offset}: use a path or bytes to retry"
            );
            return Err(Reason::Source { problem, source: None });
        }
        Ok(match &self.input {
            SourceInput::File(path) => {
                let (path, expected) = (path.clone(), self.identity.clone());
                ReadySource::File(off_this_thread(move || reopen_file(&path, &expected, offset)).await??)
            }
            SourceInput::Bytes(bytes) => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                ReadySource::Bytes(bytes.slice(offset..))
            }
            SourceInput::Reader(reader) => ReadySource::Reader(Arc::clone(reader)),
        })
    }
}

/// Opens a file to upload.
fn open_file(path: &Path) -> Result<(fs::File, Identity), Reason> {
    let problem =
        |problem: &str, error| Reason::Source { problem: format!("{} {problem}", path.display()), source: Some(error) };
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => problem("does not exist", error),
        _ => problem(&format!("cannot be read: {error}"), error),
    };
    // Checked before opening: opening a pipe would wait for its other end.
    let metadata = fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        return Err(invalid("source", &format!("is a directory, not a file: {}", path.display())));
    }
    if !metadata.is_file() {
        let advice = "is not a regular file: pass it as `Source::reader` with a length, or as `Source::stream`";
        return Err(invalid("source", &format!("{advice}: {}", path.display())));
    }
    let file = fs::File::open(path).map_err(cannot)?;
    let identity = identity_of(&file).map_err(cannot)?;
    Ok((file, identity))
}

/// Opens a file again, if it is still the same.
fn reopen_file(path: &Path, expected: &Identity, offset: u64) -> Result<fs::File, Reason> {
    let (mut file, identity) = open_file(path)?;
    if identity != *expected {
        return Err(changed(expected, &identity));
    }
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset)).map_err(unreadable)?;
    Ok(file)
}

/// Returns the current identity of a file.
pub(super) fn identity_of(file: &fs::File) -> io::Result<Identity> {
    let metadata = file.metadata()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let mark = modified.and_then(|time| u64::try_from(time.as_nanos()).ok());
    Ok(Identity { size: metadata.len(), mark })
}

/// Returns the error of a file that has changed.
pub(super) fn changed(before: &Identity, now: &Identity) -> Reason {
    let problem = match now.size.cmp(&before.size) {
        std::cmp::Ordering::Less => format!("shrank from {} to {} bytes", before.size, now.size),
        std::cmp::Ordering::Greater => format!("grew from {} to {} bytes", before.size, now.size),
        std::cmp::Ordering::Equal => "was written to".to_owned(),
    };
    Reason::Source { problem: format!("the file {problem} while it was uploaded"), source: None }
}
