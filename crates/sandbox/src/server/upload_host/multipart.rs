//! Reads `multipart/form-data` (RFC 7578) incrementally. Buffers at most the length of a boundary of a file.
//!
//! `multer` 3.1 is not used: it drops the preamble and repeated part headers, in which a token may leak. It also reads
//! past the byte at which a fault must stop the upload.

use std::io::BufRead as _;

use super::disposition;

/// Names of form parts with a file. A part with another name is a file if it has a file name.
const FILE_PARTS: [&str; 4] = ["data", "v1", "files", "file"];
/// The longest headers of a part, in bytes. A form with longer headers is refused.
const MOST_HEADERS: usize = 16 * 1024;

/// A reader of a form.
pub(super) struct Form {
    /// The end of every part: line end, two dashes and boundary.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    state: FormState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormState {
    /// Before the first boundary.
    Preamble,
    /// After a boundary: the end of the form, or the headers of a part.
    Headers,
    /// In the body of a part.
    Body { is_file: bool },
    /// After the last boundary.
    Done,
}

/// A piece of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FormEvent {
    /// The file begins.
    File { name: String, content_type: String },
    /// A piece of the file.
    Data(Vec<u8>),
    /// A piece of the headers or of another part.
    Other(Vec<u8>),
}

impl Form {
    /// Creates a reader from the `Content-Type` of the request. Returns `None` if it has no boundary.
    pub(super) fn new(content_type: &str) -> Option<Self> {
        let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
        let boundary = boundary.trim_matches('"');
        // The first boundary has no line end before it, so one is put there.
        let form = Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            buffer: b"\r\n".to_vec(),
            state: FormState::Preamble,
        };
        (!boundary.is_empty()).then_some(form)
    }

    /// Whether the last boundary was read.
    pub(super) fn is_done(&self) -> bool {
        self.state == FormState::Done
    }

    /// Reads the next bytes of the form. Returns the pieces in them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<FormEvent>, &'static str> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        while self.step(&mut events)? {}
        Ok(events)
    }

    /// Reads one piece. Returns whether there may be another.
    fn step(&mut self, events: &mut Vec<FormEvent>) -> Result<bool, &'static str> {
        match self.state {
            FormState::Done => {
                self.buffer.clear();
                Ok(false)
            }
            FormState::Headers => self.headers(events),
            FormState::Preamble | FormState::Body { .. } => Ok(self.until_boundary(events)),
        }
    }

    fn headers(&mut self, events: &mut Vec<FormEvent>) -> Result<bool, &'static str> {
        if self.buffer.starts_with(b"--") {
            self.state = FormState::Done;
            return Ok(true);
        }
        let Some(end) = find(&self.buffer, b"\r\n\r\n") else {
            let too_long = self.buffer.len() > MOST_HEADERS;
            return if too_long { Err("the headers of a part are too long") } else { Ok(false) };
        };
        let headers: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let text = std::str::from_utf8(&headers).map_err(|_| "the headers of a part are not UTF-8")?;
        let header = |name: &str| {
            let fields = text.lines().filter_map(|line| line.split_once(':'));
            let found = fields.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
            found.map(str::to_owned).next()
        };
        let disposition = header("content-disposition").unwrap_or_default();
        let is_named = disposition::part_name(&disposition).is_some_and(|name| FILE_PARTS.contains(&name.as_str()));
        let file_name = disposition::file_name(&disposition);
        let is_file = is_named || file_name.is_some();
        if is_file {
            let name = file_name.unwrap_or_default();
            events.push(FormEvent::File { name, content_type: header("content-type").unwrap_or_default() });
        }
        events.push(FormEvent::Other(headers));
        self.state = FormState::Body { is_file };
        Ok(true)
    }

    /// Reads the bytes before the next boundary. Keeps bytes that may be the beginning of a boundary.
    fn until_boundary(&mut self, events: &mut Vec<FormEvent>) -> bool {
        let found = find(&self.buffer, &self.delimiter);
        let safe = found.unwrap_or_else(|| self.buffer.len().saturating_sub(self.delimiter.len() - 1));
        let piece: Vec<u8> = self.buffer.drain(..safe).collect();
        if !piece.is_empty() {
            let is_file = self.state == FormState::Body { is_file: true };
            events.push(if is_file { FormEvent::Data(piece) } else { FormEvent::Other(piece) });
        }
        if found.is_some() {
            self.buffer.drain(..self.delimiter.len());
            self.state = FormState::Headers;
        }
        found.is_some()
    }
}

/// Returns the position of `needle`. Skips to each occurrence of its first byte, which is fast for large files.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, mut from) = (*needle.first()?, 0);
    loop {
        // The standard library searches for a byte fast.
        let skipped = (&haystack[from..]).skip_until(first).ok()?;
        let at = (from + skipped).checked_sub(1)?;
        if haystack.get(at) != Some(&first) || skipped == 0 {
            return None;
        }
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] = b"--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nother\r\n--B\r\n\
        content-disposition: form-data; name=\"data\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n\
        one\r\n--\r\n--A two\r\n--B--\r\n";

    fn read(step: usize) -> (String, Vec<u8>, bool) {
        let mut form = Form::new("multipart/form-data; boundary=\"B\"").unwrap();
        let (mut name, mut data) = (String::new(), Vec::new());
        for bytes in FORM.chunks(step) {
            for event in form.feed(bytes).unwrap() {
                match event {
                    FormEvent::File { name: n, content_type } => name = format!("{n} {content_type}"),
                    FormEvent::Data(bytes) => data.extend(bytes),
                    FormEvent::Other(_) => {}
                }
            }
        }
        (name, data, form.is_done())
    }

    #[test]
    fn reads_the_same_file_from_chunks_of_any_size() {
        for step in 1..FORM.len() {
            assert_eq!(read(step), ("a.txt text/plain".to_owned(), b"one\r\n--\r\n--A two".to_vec(), true), "{step}");
        }
    }

    #[test]
    fn rejects_a_form_without_a_boundary() {
        assert!(Form::new("multipart/form-data").is_none());
        assert!(Form::new("multipart/form-data; boundary=").is_none());
    }
}
