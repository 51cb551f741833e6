//! Receives the bytes of a file by both protocols, and applies faults.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use bytes::Bytes;
use futures_core::Stream as _;
use sha2::{Digest, Sha256};

use super::multipart::{Form, FormEvent};
use crate::server::world::World;
use crate::state::uploads::fault::UploadFault;
use crate::state::uploads::store::{PartialFile, UploadSession};

/// The end of a request that is not answered as usual.
#[derive(Debug)]
pub(super) enum UploadEnd {
    /// The answer of a fault.
    Answer(StatusCode, String),
    /// An error answer in the format of the API.
    Refused(StatusCode, &'static str),
    /// The connection is reset without an answer.
    Reset,
    /// The connection stays open without an answer.
    Stalled,
    /// The form carried a bot's token.
    Leaked,
}

/// The value of the header `Content-Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    first: u64,
    last: u64,
    total: u64,
}

impl ContentRange {
    /// Reads a value such as `bytes 0-2047999/6291456`.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (range, total) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let range = Self { first: first.parse().ok()?, last: last.parse().ok()?, total: total.parse().ok()? };
        (range.first <= range.last && range.last < range.total).then_some(range)
    }
}

/// Receives a whole file in a form. Returns the body of the answer.
pub(super) async fn form(
    world: &World,
    session: &UploadSession,
    content: &mut PartialFile,
    content_type: &str,
    body: Body,
    carries_token: impl Fn(&[u8]) -> bool,
) -> Result<String, UploadEnd> {
    let mut form =
        Form::new(content_type).ok_or(UploadEnd::Refused(StatusCode::BAD_REQUEST, "The form has no boundary"))?;
    // A form has the whole file: earlier bytes are dropped.
    *content = PartialFile { bytes: Some(Vec::new()), ..PartialFile::default() };
    let mut taker = Taker::new(world, session, content);
    let (mut has_file, mut other) = (false, Vec::new());
    let mut body = body.into_data_stream();
    while let Some(bytes) = next(&mut body).await? {
        let events = form.feed(&bytes).map_err(|problem| UploadEnd::Refused(StatusCode::BAD_REQUEST, problem))?;
        for event in events {
            match event {
                FormEvent::File { name, content_type } => {
                    has_file = true;
                    (taker.content.name, taker.content.content_type) = (name, content_type);
                }
                FormEvent::Data(bytes) => taker.take(&bytes)?,
                FormEvent::Other(bytes) => {
                    other.extend(bytes);
                    if carries_token(&other) {
                        return Err(UploadEnd::Leaked);
                    }
                    // Keeps the end, because a token may be split across chunks.
                    other.drain(..other.len().saturating_sub(MOST_TOKEN));
                }
            }
        }
    }
    if !form.is_done() {
        return Err(UploadEnd::Refused(StatusCode::BAD_REQUEST, "The form is incomplete"));
    }
    if !has_file {
        return Err(UploadEnd::Refused(StatusCode::BAD_REQUEST, "The form has no file"));
    }
    taker.finish(session, true).map(|answer| answer.unwrap_or_default())
}

/// The longest token in any encoding, in bytes.
const MOST_TOKEN: usize = 4096;

/// Receives a range. Returns `None` if the file is not complete yet.
pub(super) async fn range(
    world: &World,
    session: &UploadSession,
    content: &mut PartialFile,
    (range, name, content_type): (ContentRange, Option<String>, &str),
    body: Body,
) -> Result<Option<String>, UploadEnd> {
    let begins = content.confirmed == 0;
    if range.first != content.confirmed || content.total.is_some_and(|total| total != range.total) {
        return Err(UploadEnd::Refused(StatusCode::RANGE_NOT_SATISFIABLE, "The range does not continue the file"));
    }
    if begins {
        content.total = Some(range.total);
        content.name = name.unwrap_or_default();
        content_type.clone_into(&mut content.content_type);
        content.bytes = Some(Vec::new());
    }
    let mut taker = Taker::new(world, session, content);
    taker.check_size(range.total);
    let mut body = body.into_data_stream();
    loop {
        match next(&mut body).await {
            Ok(Some(bytes)) => taker.take(&bytes)?,
            Ok(None) => break,
            Err(end) => {
                taker.break_off();
                return Err(end);
            }
        }
    }
    if taker.end() != range.last + 1 {
        return Err(UploadEnd::Refused(StatusCode::BAD_REQUEST, "Content-Range and the body differ in length"));
    }
    taker.finish(session, range.last + 1 == range.total)
}

/// Returns the next chunk of a body. If the body breaks off, the connection is reset.
async fn next(body: &mut BodyDataStream) -> Result<Option<Bytes>, UploadEnd> {
    let piece = poll_fn(|cx| Pin::new(&mut *body).poll_next(cx)).await;
    piece.transpose().map_err(|_| UploadEnd::Reset)
}

/// Adds the bytes of a request to a file.
struct Taker<'a> {
    world: &'a World,
    content: &'a mut PartialFile,
    /// The hash of the file, including the bytes of this request.
    hash: Sha256,
    /// How many bytes of this request were received.
    taken: u64,
    /// The refusal to answer with, after the request is read to its end.
    refusal: Option<(StatusCode, &'static str)>,
    /// The largest accepted file, in bytes.
    most: u64,
}

impl<'a> Taker<'a> {
    fn new(world: &'a World, session: &UploadSession, content: &'a mut PartialFile) -> Self {
        content.rewind();
        let most = session.most_bytes.unwrap_or(u64::MAX);
        Self { world, hash: content.hash.clone(), content, taken: 0, refusal: None, most }
    }

    /// Refuses the file if `size` is too large. The request is still read to its end.
    fn check_size(&mut self, size: u64) {
        if size > self.most {
            self.refusal = Some((StatusCode::PAYLOAD_TOO_LARGE, "The file is larger than the service allows"));
        }
    }

    /// Returns the position in the file after the received bytes.
    fn end(&self) -> u64 {
        self.content.confirmed + self.taken
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), UploadEnd> {
        let end = self.end() + bytes.len() as u64;
        let (fault, most_kept) = self.world.act(|state| {
            state.uploads.bytes_taken += bytes.len() as u64;
            (state.uploads.fault_before(end), state.uploads.settings.most_kept)
        });
        let kept = match fault {
            Some(UploadFault::ResetAt(at) | UploadFault::StallAt(at)) => {
                let kept = at.saturating_sub(self.end()).min(bytes.len() as u64);
                &bytes[..usize::try_from(kept).unwrap_or(bytes.len())]
            }
            _ => bytes,
        };
        self.hash.update(kept);
        self.taken += kept.len() as u64;
        self.check_size(self.end());
        if self.end() > most_kept || self.refusal.is_some() {
            self.content.bytes = None;
        } else if let Some(all) = &mut self.content.bytes {
            all.extend_from_slice(kept);
        }
        match fault {
            None | Some(UploadFault::Answer(..)) => Ok(()),
            Some(UploadFault::StatusAt(_, status)) => {
                self.refusal = Some((status_of(status), TOLD));
                Ok(())
            }
            Some(fault) => {
                self.break_off();
                Err(if matches!(fault, UploadFault::StallAt(_)) { UploadEnd::Stalled } else { UploadEnd::Reset })
            }
        }
    }

    /// Ends an interrupted request. The received bytes are dropped, except of a range with `set_keep_partial`.
    fn break_off(&mut self) {
        if self.content.total.is_some() && self.world.act(|state| state.uploads.settings.keep_partial) {
            self.confirm();
        }
    }

    /// Keeps the received bytes.
    fn confirm(&mut self) {
        self.content.confirmed += self.taken;
        self.taken = 0;
        self.content.hash = self.hash.clone();
    }

    /// Ends a request. Returns the body of the answer if it `is_last`.
    fn finish(mut self, session: &UploadSession, is_last: bool) -> Result<Option<String>, UploadEnd> {
        if let Some((status, why)) = self.refusal {
            return Err(UploadEnd::Refused(status, why));
        }
        self.confirm();
        let confirmed = self.content.confirmed;
        self.world.act(|state| {
            let answer = is_last.then(|| state.finish_upload(session, self.content));
            // A fault at the end of the request: the bytes are kept, and only the answer is lost.
            match state.uploads.fault_before(confirmed + 1) {
                Some(UploadFault::StallAt(_)) => return Err(UploadEnd::Stalled),
                Some(UploadFault::ResetAt(_)) => return Err(UploadEnd::Reset),
                Some(UploadFault::StatusAt(_, status)) => {
                    return Err(UploadEnd::Refused(status_of(status), TOLD));
                }
                _ => {}
            }
            match answer.as_ref().and_then(|_| state.uploads.answer_instead()) {
                Some((status, body)) => {
                    Err(UploadEnd::Answer(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body))
                }
                None => Ok(answer),
            }
        })
    }
}

/// The message of the error body of [`UploadFault::StatusAt`].
const TOLD: &str = "Fault of the test";

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_range_beyond_its_total() {
        assert_eq!(ContentRange::parse("bytes 0-9/10"), Some(ContentRange { first: 0, last: 9, total: 10 }));
        for bad in ["", "0-9/10", "bytes 0-10/10", "bytes 5-4/10", "bytes 0-9/*", "bytes -9/10"] {
            assert_eq!(ContentRange::parse(bad), None, "{bad}");
        }
    }
}
