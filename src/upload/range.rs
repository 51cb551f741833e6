//! Ranges of a resumable upload, and the host's reports of its progress.

use http::{HeaderMap, HeaderValue};

/// The header in which some servers send the position of the last byte.
const LAST_KNOWN_BYTE: &str = "x-last-known-byte";

/// The next bytes to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u64,
    /// The position after the last byte.
    pub(super) end: u64,
    pub(super) total: u64,
}

impl Range {
    /// Returns the range of at most `most` bytes that begins at `first`.
    pub(super) fn next(first: u64, most: u64, total: u64) -> Self {
        Self { first, end: first.saturating_add(most.max(1)).min(total), total }
    }

    pub(super) fn length(self) -> u64 {
        self.end - self.first
    }

    pub(super) fn is_last(self) -> bool {
        self.end == self.total
    }

    /// `bytes 0-2047999/6291456`
    pub(super) fn header(self) -> HeaderValue {
        let text = format!("bytes {}-{}/{}", self.first, self.end.saturating_sub(1), self.total);
        // Digits and punctuation are always a valid header.
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// Returns how many bytes the host has, from its response to a status query. `None` if the response cannot be read. An
/// empty response means 0 bytes.
pub(super) fn confirmed(headers: &HeaderMap, body: &str) -> Option<u64> {
    if let Some(last) = headers.get(LAST_KNOWN_BYTE) {
        let last: i64 = last.to_str().ok()?.trim().parse().ok()?;
        return u64::try_from(last.checked_add(1)?).ok();
    }
    match body.trim() {
        "" => Some(0),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        text => confirmed_range(text),
    }
}

/// Returns how many bytes the host has, from a range such as `0-2047999/6291456`. The response to a range has this
/// form, too. `None` if the range does not begin at 0: an upload with a gap cannot be resumed.
pub(super) fn confirmed_range(text: &str) -> Option<u64> {
    let text = text.trim();
    let (range, _total) = text.strip_prefix("bytes ").unwrap_or(text).split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let last: u64 = last.trim().parse().ok()?;
    if first.trim() == "0" { last.checked_add(1) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_each_other_to_the_end() {
        let (mut first, mut seen) = (0, Vec::new());
        while first < 10 {
            let range = Range::next(first, 4, 10);
            seen.push((range.header(), range.length(), range.is_last()));
            first = range.end;
        }
        let expected = [("bytes 0-3/10", 4, false), ("bytes 4-7/10", 4, false), ("bytes 8-9/10", 2, true)];
        assert_eq!(seen, expected.map(|(text, length, is_last)| (HeaderValue::from_static(text), length, is_last)));
        assert_eq!(Range::next(5, 0, 10).length(), 1, "a chunk size of 0 makes progress");
        assert_eq!(Range::next(5, u64::MAX, 10).end, 10);
    }

    #[test]
    fn a_status_is_read_in_every_form() {
        let none = HeaderMap::new();
        for (body, there) in [
            ("0-2047999/6291456", Some(2_048_000)),
            (" bytes 0-2047999/6291456\n", Some(2_048_000)),
            ("2048000", Some(2_048_000)),
            ("0", Some(0)),
            ("", Some(0)),
            ("5-9/20", None),
            ("0-/20", None),
            ("-1", None),
            ("<html>", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(confirmed(&none, body), there, "{body}");
        }
        for (header, there) in [("2047999", Some(2_048_000)), ("0", Some(1)), ("-1", Some(0)), ("x", None)] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(LAST_KNOWN_BYTE),
                HeaderValue::from_static(header),
            )]);
            assert_eq!(confirmed(&headers, "0-9/10"), there, "{header}");
        }
    }
}
