//! `multipart/form-data` (RFC 7578), read as it comes: no more of it is held than a boundary is long.
//!
//! Not `multer` 3.1: it drops the preamble and repeated part headers, in which a token may leak, and it reads on past the
//! byte at which a fault must stop the upload.

use std::io::BufRead as _;

use super::disposition;

/// Names of form parts with a file. A part with another name is a file if it has a file name.
const FILE_PARTS: [&str; 4] = ["data", "v1", "files", "file"];
/// A part with longer headers is no part, in bytes.
const MOST_HEADERS: usize = 16 * 1024;

/// A form on its way in.
pub(super) struct Form {
    /// Line end, dashes and boundary: what ends every part.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    state: FormState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormState {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary: the end of the form, or a part's headers.
    Headers,
    /// In the file, or in something else.
    Body { is_file: bool },
    /// Behind the last boundary.
    Done,
}

/// What has been read of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FormEvent {
    /// The file begins.
    File { name: String, content_type: String },
    /// A piece of the file.
    Data(Vec<u8>),
    /// A piece of anything but the file: headers, and other parts.
    Other(Vec<u8>),
}

impl Form {
    /// A form with the `Content-Type` of its request.
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

    /// Whether the form came to its end.
    pub(super) fn is_done(&self) -> bool {
        self.state == FormState::Done
    }

    /// Takes what has come in.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<FormEvent>, &'static str> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        while self.step(&mut events)? {}
        Ok(events)
    }

    /// Goes a step on; whether there may be another.
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
            return if too_long { Err("the headers of a part have no end") } else { Ok(false) };
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

    /// Hands out what comes before the next boundary, and what cannot be the beginning of one.
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

/// Where `needle` begins. It jumps from one first byte to the next, so that a large file is quickly looked through.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, mut from) = (*needle.first()?, 0);
    loop {
        // The standard library's search for a byte, which is a fast one.
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
    fn the_file_is_the_same_however_the_form_is_cut_up() {
        for step in 1..FORM.len() {
            assert_eq!(read(step), ("a.txt text/plain".to_owned(), b"one\r\n--\r\n--A two".to_vec(), true), "{step}");
        }
    }

    #[test]
    fn without_a_boundary_there_is_no_form() {
        assert!(Form::new("multipart/form-data").is_none());
        assert!(Form::new("multipart/form-data; boundary=").is_none());
    }
}
