//! Reads the header `Retry-After`.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// The longest accepted delay. A longer one is assumed to be an error of the server or of a clock.
const MOST: Duration = Duration::from_secs(60 * 60);

/// Returns the delay in the headers, given in seconds or as a date. At most an hour. A past date means no delay.
///
/// Source: RFC 9110, section 10.2.3.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A number of seconds that overflows `u64`.
        Err(_) if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => MOST,
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(value: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value.parse().unwrap())]);
        // Sun, 06 Nov 1994 08:49:37 GMT
        retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    #[test]
    fn reads_and_caps_seconds_and_dates() {
        for (value, seconds) in [
            ("0", 0),
            ("7", 7),
            (" 120 ", 120),
            ("86400", 3600),
            ("99999999999999999999999999", 3600),
            ("Sun, 06 Nov 1994 08:49:42 GMT", 5),
            ("Sunday, 06-Nov-94 08:49:42 GMT", 5),
            ("Sun, 06 Nov 1994 08:49:07 GMT", 0),
            ("Mon, 07 Nov 1994 08:49:37 GMT", 3600),
        ] {
            assert_eq!(after(value), Some(Duration::from_secs(seconds)), "{value}");
        }
    }

    #[test]
    fn ignores_invalid_values() {
        for value in ["", "soon", "-1", "1.5", "Sun, 99 Nov 1994 08:49:42 GMT"] {
            assert_eq!(after(value), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }
}
