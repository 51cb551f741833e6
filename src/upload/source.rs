//! What is uploaded: where its bytes come from, and whether they are what they were.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::{io::AsyncRead, sync::oneshot};

use crate::{
    error::Kind,
    redaction::fnv_1a,
    validation::{Invalid, Place},
};

/// Where the bytes of an upload come from.
///
/// Paths ([`Path`], [`PathBuf`], `&str` and `String` are paths) and bytes ([`Bytes`], `Vec<u8>`, `&'static [u8]`) convert
/// into it by themselves; [`Source::reader`] makes one of anything else.
///
/// A file is read while it is sent, on a thread of its own. It must not change in the meantime: one that grows, shrinks
/// or is written to fails the upload.
pub struct Source(Inner);

enum Inner {
    Path(PathBuf),
    Bytes(Bytes),
    Reader { reader: Pin<Box<dyn AsyncRead + Send>>, length: u64 },
}

impl Source {
    /// Exactly `length` bytes from a reader; what it has beyond them stays in it.
    ///
    /// They can be read only once. So an upload that fails when some of them are gone is not tried again, unless the host
    /// has all that were read.
    pub fn reader(reader: impl AsyncRead + Send + 'static, length: u64) -> Self {
        Self(Inner::Reader { reader: Box::pin(reader), length })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Inner::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Inner::Reader { length, .. } => write!(f, "Reader({length} bytes)"),
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
    Bytes => |bytes| Inner::Bytes(bytes);
    Vec<u8> => |bytes| Inner::Bytes(bytes.into());
    &'static [u8] => |bytes| Inner::Bytes(Bytes::from_static(bytes));
}

/// What tells a file from another, or from itself at another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) size: u64,
    /// Of a file, when it was modified (nanoseconds of Unix time); of bytes, a hash.
    mark: Option<u64>,
}

/// A source that can be read.
pub(super) struct Opened {
    input: SourceInput,
    pub(super) identity: Identity,
    /// The file's own name; an error if it is not Unicode.
    pub(super) name: Option<Result<String, Kind>>,
}

/// A source on its way out.
#[derive(Clone)]
pub(super) enum SourceInput {
    File(PathBuf),
    Bytes(Bytes),
    Reader(Arc<Mutex<Reader>>),
}

/// A reader, and how much has been read from it.
pub(super) struct Reader {
    pub(super) reader: Pin<Box<dyn AsyncRead + Send>>,
    pub(super) position: u64,
}

impl Source {
    /// Looks whether there is something to upload.
    pub(super) async fn open(self) -> Result<Opened, Kind> {
        let (input, identity, name) = match self.0 {
            Inner::Path(path) => {
                let path_there = path.clone();
                let (_, identity) = off_this_thread(move || open_file(&path_there)).await??;
                let name = path.file_name().map(|name| {
                    let name = name.to_str().map(str::to_owned);
                    name.ok_or_else(|| invalid("file_name", "of the path is not Unicode: set another by `file_name`"))
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
        };
        if identity.size == 0 {
            return Err(invalid("source", "is empty: there is nothing to upload"));
        }
        Ok(Opened { input, identity, name })
    }
}

/// A source that stands where it is to be read.
pub(super) enum ReadySource {
    File(fs::File),
    Bytes(Bytes),
    Reader(Arc<Mutex<Reader>>),
}

impl Opened {
    /// What can be kept with a session, to know the source again.
    pub(super) fn marked_identity(&self) -> Identity {
        match &self.input {
            SourceInput::Bytes(bytes) => Identity { mark: Some(fnv_1a(bytes)), ..self.identity },
            _ => self.identity.clone(),
        }
    }

    /// Whether it can be read from there on.
    pub(super) fn can_go_to(&self, offset: u64) -> bool {
        match &self.input {
            SourceInput::File(_) | SourceInput::Bytes(_) => true,
            SourceInput::Reader(reader) => reader.lock().unwrap_or_else(PoisonError::into_inner).position == offset,
        }
    }

    /// What it is read from, ready to be read from `offset` on.
    pub(super) async fn at(&self, offset: u64) -> Result<ReadySource, Kind> {
        if !self.can_go_to(offset) {
            let problem =
                format!("the source can be read only once, and the host asks for it again from byte {offset}");
            return Err(Kind::Source { problem, source: None });
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

/// Opens a file that can be uploaded.
fn open_file(path: &Path) -> Result<(fs::File, Identity), Kind> {
    let problem =
        |problem: &str, error| Kind::Source { problem: format!("{} {problem}", path.display()), source: Some(error) };
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => problem("does not exist", error),
        _ => problem(&format!("cannot be read: {error}"), error),
    };
    // Looked at before it is opened: opening a pipe waits for its other end.
    let metadata = fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        return Err(invalid("source", &format!("is a directory, not a file: {}", path.display())));
    }
    if !metadata.is_file() {
        let advice = "has no size of its own: give it as `Source::reader` with a length";
        return Err(invalid("source", &format!("{advice}: {}", path.display())));
    }
    let file = fs::File::open(path).map_err(cannot)?;
    let identity = identity_of(&file).map_err(cannot)?;
    Ok((file, identity))
}

/// Opens a file again, if it is still the same.
fn reopen_file(path: &Path, expected: &Identity, offset: u64) -> Result<fs::File, Kind> {
    let (mut file, identity) = open_file(path)?;
    if identity != *expected {
        return Err(changed(expected, &identity));
    }
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset))
        .map_err(|error| Kind::Source { problem: format!("cannot be read: {error}"), source: Some(error) })?;
    Ok(file)
}

/// What a file is like just now.
pub(super) fn identity_of(file: &fs::File) -> io::Result<Identity> {
    let metadata = file.metadata()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let mark = modified.and_then(|time| u64::try_from(time.as_nanos()).ok());
    Ok(Identity { size: metadata.len(), mark })
}

/// A file is not what it was.
pub(super) fn changed(before: &Identity, now: &Identity) -> Kind {
    let problem = match now.size.cmp(&before.size) {
        std::cmp::Ordering::Less => format!("shrank from {} to {} bytes", before.size, now.size),
        std::cmp::Ordering::Greater => format!("grew from {} to {} bytes", before.size, now.size),
        std::cmp::Ordering::Equal => "was written to".to_owned(),
    };
    Kind::Source { problem: format!("the file {problem} while it was uploaded"), source: None }
}

pub(super) fn invalid(field: &str, problem: &str) -> Kind {
    Kind::Invalid(Invalid::new(&Place::root(field), problem))
}

/// Does what may wait for a disk, or for a network behind it, where it holds nobody up.
async fn off_this_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Kind> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name("tamtam-upload".to_owned());
    let thread = thread.spawn(move || drop(done.send(work())));
    thread.map_err(|error| Kind::Source { problem: format!("no thread: {error}"), source: Some(error) })?;
    result.await.map_err(|_| Kind::Source { problem: "the reading thread is gone".to_owned(), source: None })
}
