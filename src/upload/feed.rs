//! The feed: reads a source piece by piece, so that memory use does not depend on the size.

use std::{
    fs,
    io::Read as _,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::{io::ReadBuf, sync::mpsc};

use super::error::unreadable;
use super::source::{Identity, Opened, Reader, ReadySource, changed, identity_of};
use crate::error::Reason;

/// Size of one read, in bytes. Large enough that system calls and thread switches cost little.
const PIECE: usize = 256 * 1024;
/// Number of pieces that are read ahead: one waits while the next is read.
const AHEAD: usize = 2;

/// The bytes of a source, in order.
pub(super) struct Feed {
    from: From,
    /// The rest of a piece that was cut at the end of a range.
    rest: Bytes,
    /// The position in the source after the returned bytes.
    pub(super) position: u64,
    total: u64,
}

enum From {
    Thread(mpsc::Receiver<Result<Bytes, Reason>>),
    Bytes(Bytes),
    Reader(Arc<Mutex<Reader>>),
}

impl Feed {
    /// Creates a feed of a source from `offset` to the end.
    pub(super) async fn of(source: &Opened, offset: u64) -> Result<Self, Reason> {
        let total = source.identity.size;
        let from = match source.at(offset).await? {
            ReadySource::File(file) => {
                From::Thread(read_ahead(file, total - offset.min(total), source.identity.clone())?)
            }
            ReadySource::Bytes(bytes) => From::Bytes(bytes),
            ReadySource::Reader(reader) => From::Reader(reader),
        };
        Ok(Self { from, rest: Bytes::new(), position: offset, total })
    }

    /// Returns the next piece, of at most `most` bytes.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>, most: u64) -> Poll<Result<Bytes, Reason>> {
        if self.rest.is_empty() {
            self.rest = ready!(self.poll_read(cx, most))?;
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        let piece = self.rest.split_to(most);
        self.position += piece.len() as u64;
        Poll::Ready(Ok(piece))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, most: u64) -> Poll<Result<Bytes, Reason>> {
        let ended = |position, total| Reason::Source {
            problem: format!("the source ended after {position} of {total} bytes"),
            source: None,
        };
        match &mut self.from {
            From::Thread(pieces) => {
                let piece = ready!(pieces.poll_recv(cx));
                Poll::Ready(piece.unwrap_or_else(|| Err(ended(self.position, self.total))))
            }
            From::Bytes(bytes) => {
                let piece = bytes.split_to(PIECE.min(bytes.len()));
                Poll::Ready(if piece.is_empty() { Err(ended(self.position, self.total)) } else { Ok(piece) })
            }
            From::Reader(reader) => {
                let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
                // Read at most `most` bytes: bytes that are read but not sent would be lost.
                let mut piece = vec![0; usize::try_from(most).unwrap_or(usize::MAX).min(PIECE)];
                let mut buffer = ReadBuf::new(&mut piece);
                let read = ready!(reader.reader.as_mut().poll_read(cx, &mut buffer));
                let length = buffer.filled().len();
                reader.position += length as u64;
                piece.truncate(length);
                Poll::Ready(match read {
                    Ok(()) if length > 0 => Ok(piece.into()),
                    Ok(()) => Err(ended(self.position, self.total)),
                    Err(error) => Err(unreadable(error)),
                })
            }
        }
    }
}

/// Reads the next `left` bytes of a file on a separate thread, until the receiver is dropped.
fn read_ahead(
    mut file: fs::File,
    mut left: u64,
    expected: Identity,
) -> Result<mpsc::Receiver<Result<Bytes, Reason>>, Reason> {
    let (pieces, receiver) = mpsc::channel(AHEAD);
    let read = move || {
        let (give_back, returned) = std::sync::mpsc::channel();
        while left > 0 {
            let buffer = returned.try_recv().unwrap_or_default();
            let piece = read_piece(&mut file, buffer, left, &expected);
            left = left.saturating_sub(piece.as_ref().map_or(left, |piece| piece.len() as u64));
            let piece = piece.map(|buffer| Bytes::from_owner(Lent { buffer, give_back: give_back.clone() }));
            if pieces.blocking_send(piece).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("tamtam-upload".to_owned()).spawn(read);
    thread.map_err(unreadable)?;
    Ok(receiver)
}

/// A buffer that returns to the reading thread when its bytes were sent. A new buffer costs a page fault per 4 KiB.
struct Lent {
    buffer: Vec<u8>,
    give_back: std::sync::mpsc::Sender<Vec<u8>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // The reading thread may have ended.
        let _ = self.give_back.send(std::mem::take(&mut self.buffer));
    }
}

/// Reads the next piece of a file. `left`: remaining bytes. Fails before the last piece if the file has changed.
fn read_piece(file: &mut fs::File, mut piece: Vec<u8>, left: u64, expected: &Identity) -> Result<Vec<u8>, Reason> {
    let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
    piece.resize(most, 0);
    let mut filled = 0;
    while filled < most {
        match file.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    if filled < most || most as u64 == left {
        let now = identity_of(file).map_err(unreadable)?;
        if now != *expected || filled < most {
            return Err(changed(expected, &now));
        }
    }
    Ok(piece)
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("position", &self.position).field("total", &self.total).finish_non_exhaustive()
    }
}
