//! Streams of unknown length: they are written to a temporary file, which is then uploaded.

use std::{
    io::{self, Write as _},
    pin::Pin,
};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt as _;
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc;

use super::{blocking::off_this_thread, error::invalid};
use crate::error::{BoxError, Reason};

/// Number of pieces that wait for the disk.
const AHEAD: usize = 2;

pub(super) type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Writes a stream to a temporary file, which is removed when the returned path is dropped. Fails as soon as the stream
/// has more than `limit` bytes.
pub(super) async fn spool(mut stream: ByteStream, limit: Option<u64>) -> Result<TempPath, Reason> {
    let (pieces, receiver) = mpsc::channel(AHEAD);
    let write = off_this_thread(move || write(receiver));
    let read = async move {
        let mut size = 0_u64;
        loop {
            let piece = tokio::select! {
                piece = stream.next() => piece,
                // The thread has failed, and its error says why. The stream may never have another piece.
                () = pieces.closed() => break,
            };
            let Some(piece) = piece else { break };
            let piece = piece.map_err(|error| Reason::Source {
                problem: format!("the source cannot be read: {error}"),
                source: None,
            })?;
            size += piece.len() as u64;
            if let Some(limit) = limit.filter(|limit| size > *limit) {
                let problem = format!("has more than {limit} bytes, the limit of the service: make it smaller");
                return Err(invalid("source", &problem));
            }
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let (written, read) = tokio::join!(write, read);
    read?;
    written?.map_err(|error| Reason::Source {
        problem: format!("cannot write the source to a temporary file: {error}"),
        source: Some(error),
    })
}

/// Writes all pieces to a temporary file.
fn write(mut pieces: mpsc::Receiver<Bytes>) -> io::Result<TempPath> {
    let mut file = NamedTempFile::new()?;
    while let Some(piece) = pieces.blocking_recv() {
        file.write_all(&piece)?;
    }
    Ok(file.into_temp_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(pieces: &[&'static str]) -> ByteStream {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Box::pin(futures_util::stream::iter(pieces))
    }

    #[tokio::test]
    async fn a_stream_becomes_a_file_until_its_path_is_dropped() {
        let file = spool(stream(&["one ", "", "two"]), Some(7)).await.unwrap();
        let path = file.to_path_buf();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one two");
        drop(file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stream_over_the_limit_is_an_error() {
        let error = spool(stream(&["one ", "two"]), Some(6)).await.unwrap_err();
        assert!(error.to_string().contains("has more than 6 bytes"), "{error}");
    }
}
