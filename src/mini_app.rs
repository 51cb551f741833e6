//! Checks data that MAX signed: data of Mini Apps, shared contacts and shared phone numbers.
//!
//! A Mini App is a web page that opens inside MAX. MAX passes the text `initData` to the page. This text contains data
//! of the user who opened the page, and a signature of MAX. The page sends the text to your server. Check the signature
//! before you trust the text, because anyone can send a forged text:
//!
//! ```
//! use std::time::SystemTime;
//! use tamtam::mini_app::{InvalidInitData, MiniApp};
//!
//! // Create the checker once, with the token of the Mini App's bot.
//! let mini_app = MiniApp::new("test-token")?;
//!
//! let init_data = "auth_date=1771409700&query_id=q-1&user=%7B%22id%22%3A7%7D\
//!     &start_param=a_b\
//!     &hash=916bd6ee2a63abf0efe9b7703a16f53662e923c0cdc0a7109016865f22f005ed";
//! // MAX signed this text long ago.
//! assert!(matches!(mini_app.check(init_data), Err(InvalidInitData::Expired { .. })));
//!
//! let signed_at =
//!     SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1771409700);
//! let data = mini_app.check_at(init_data, signed_at)?;
//! assert_eq!(data.user.unwrap().id.0, 7);
//! assert_eq!(data.start_param.as_deref(), Some("a_b"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`MiniApp::check`] and [`MiniApp::is_contact_genuine`] follow the documentation of MAX. MAX does not document the
//! signature that [`MiniApp::is_phone_genuine`] checks, so this method follows a third-party client library. The checks
//! were never tested with MAX itself.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use sha2::Sha256;

use crate::{
    error::{Error, Result},
    id::{ChatId, UserId},
    redaction::printable,
};

type HmacSha256 = Hmac<Sha256>;

/// Default maximum age of `initData`. MAX recommends it.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// How far the clock of MAX may be ahead of the local clock.
const MAX_AHEAD: Duration = Duration::from_secs(5 * 60);
/// The beginning of a contact. Without this check, the signed text of a phone number would pass as a contact.
const CONTACT: &str = "BEGIN:VCARD";
/// The length of a hash, in bytes.
const HASH: usize = 32;

/// A checker for data that MAX signed for a bot. Clones are cheap.
///
/// A *Mini App* is a web page that opens inside MAX.
///
/// | data | method |
/// |---|---|
/// | `initData`, the text that MAX passes to a Mini App | [`check`](Self::check) |
/// | a contact that a user shared with the bot | [`is_contact_genuine`](Self::is_contact_genuine) |
/// | a phone number that a user shared with a Mini App | [`is_phone_genuine`](Self::is_phone_genuine) |
///
/// The checker compares signatures in constant time.
#[derive(Clone)]
pub struct MiniApp {
    /// Signs `initData`.
    init_data: HmacSha256,
    /// Signs contacts.
    contacts: HmacSha256,
    max_age: Duration,
}

impl MiniApp {
    /// Creates a checker for the bot with this token. White space around the token is ignored. The checker does not
    /// store the token.
    ///
    /// # Errors
    ///
    /// Returns an error if the token is empty ([`ErrorKind::Build`](crate::ErrorKind::Build)).
    pub fn new(token: &str) -> Result<Self> {
        let token = token.trim();
        if token.is_empty() {
            return Err(Error::build("the token of the Mini App's bot is empty: pass the token of the bot"));
        }
        let secret = keyed(b"WebAppData").chain_update(token).finalize().into_bytes();
        Ok(Self { init_data: keyed(&secret), contacts: keyed(token.as_bytes()), max_age: MAX_AGE })
    }

    /// Sets the maximum age of the signature of `initData`. Defaults to 1 h, the maximum that MAX recommends.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tamtam::mini_app::MiniApp;
    ///
    /// let mini_app = MiniApp::new("token")?.max_age(Duration::from_secs(10 * 60));
    /// # Ok::<(), tamtam::Error>(())
    /// ```
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Checks the signature and the age of `initData`, and returns the content.
    ///
    /// - `init_data`: Unchanged value of `WebApp.initData` in the page. If you use the value of `WebAppData` in the
    ///   fragment of the page's URL instead, percent-decode this value once.
    ///
    /// If the check fails, respond to the request of the page with status 401.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If `init_data` is not a valid list of fields ([`Malformed`](InvalidInitData::Malformed)).
    /// - If a field occurs more than once ([`Repeated`](InvalidInitData::Repeated)).
    /// - If the field `hash` or `auth_date` is missing, or if `auth_date` is not a valid time
    ///   ([`Missing`](InvalidInitData::Missing)).
    /// - If MAX has not signed `init_data` for this bot ([`WrongHash`](InvalidInitData::WrongHash)).
    /// - If the signature is older than [`max_age`](Self::max_age) ([`Expired`](InvalidInitData::Expired)).
    /// - If the time of the signature is more than 5 min in the future ([`Future`](InvalidInitData::Future)).
    pub fn check(&self, init_data: &str) -> Result<InitData, InvalidInitData> {
        self.check_at(init_data, SystemTime::now())
    }

    /// Checks `initData` like [`check`](Self::check), but with `now` as the current time, for example in tests.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check`](Self::check).
    pub fn check_at(&self, init_data: &str, now: SystemTime) -> Result<InitData, InvalidInitData> {
        let mut fields = read_fields(init_data)?;
        let hash = fields.remove("hash").ok_or(InvalidInitData::Missing { name: "hash" })?;
        // MAX signs the fields sorted by name, which is the order of the map.
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !is_signed(&self.init_data, &lines.join("\n"), &hash) {
            return Err(InvalidInitData::WrongHash);
        }
        let data = InitData::read(fields)?;
        match now.duration_since(data.auth_date) {
            Ok(age) if age > self.max_age => Err(InvalidInitData::Expired { age }),
            Err(error) if error.duration() > MAX_AHEAD => Err(InvalidInitData::Future { ahead: error.duration() }),
            _ => Ok(data),
        }
    }

    /// Returns whether MAX signed a contact that a user shared with a `request_contact` button.
    ///
    /// - `vcf_info`, `hash`: Unchanged values of these fields of the
    ///   [`ContactAttachmentPayload`](crate::types::ContactAttachmentPayload).
    ///
    /// A signed contact can belong to a person other than the sender. To detect such a contact, compare the id of
    /// [`ContactAttachment::user`](crate::types::ContactAttachment::user) with the id of the message's sender.
    ///
    /// ```
    /// use tamtam::mini_app::MiniApp;
    ///
    /// let mini_app = MiniApp::new("test-token")?;
    /// let vcf_info = "BEGIN:VCARD\r\nTEL:79990000000\r\nEND:VCARD";
    /// // The signature of this contact for a bot with the token "test-token".
    /// let hash = "0d041d9949fbe03a35c4dc2bfebc1a00866b2571b688808ac746fb10d6908d64";
    /// assert!(mini_app.is_contact_genuine(vcf_info, hash));
    /// assert!(!mini_app.is_contact_genuine(&vcf_info.replace('7', "8"), hash));
    /// # Ok::<(), tamtam::Error>(())
    /// ```
    #[must_use]
    pub fn is_contact_genuine(&self, vcf_info: &str, hash: &str) -> bool {
        vcf_info.starts_with(CONTACT) && is_signed(&self.contacts, vcf_info, hash)
    }

    /// Returns whether MAX signed a phone number that a Mini App received from the JavaScript method
    /// `requestContact()`.
    ///
    /// - `auth_date`: Time of the signature, in Unix seconds. The method does not check the age of the signature.
    /// - `phone`: Phone number. A `+` at the beginning is ignored.
    /// - `user`: Id of the user who shared the phone number.
    /// - `hash`: Signature of MAX, in hexadecimal digits.
    ///
    /// MAX does not document this signature, so the check follows a third-party client library.
    ///
    /// ```
    /// use tamtam::mini_app::MiniApp;
    ///
    /// let mini_app = MiniApp::new("test-token")?;
    /// // The signature of this phone number for a bot with the token "test-token".
    /// let hash = "6feab7cf32edae31a6aa264caf298c3d5977f384aa160716fc9a910c2145019e";
    /// assert!(mini_app.is_phone_genuine(1771409700, "+79990000000", 7, hash));
    /// # Ok::<(), tamtam::Error>(())
    /// ```
    #[must_use]
    pub fn is_phone_genuine(&self, auth_date: i64, phone: &str, user: impl Into<UserId>, hash: &str) -> bool {
        let phone = phone.strip_prefix('+').unwrap_or(phone);
        let signed = format!("auth_date={auth_date}\nphone={phone}\nuser_id={}", user.into());
        is_signed(&self.contacts, &signed, hash)
    }
}

impl fmt::Debug for MiniApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniApp").field("max_age", &self.max_age).finish_non_exhaustive()
    }
}

/// The content of `initData`, the signed text that MAX passes to a Mini App (a web page inside MAX). Returned by
/// [`MiniApp::check`] and [`MiniApp::check_at`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InitData {
    /// The time of the signature.
    pub auth_date: SystemTime,
    /// The id of the session of the Mini App. `None` if MAX does not send it.
    pub query_id: Option<String>,
    /// The user who opened the Mini App. `None` if the field is missing or cannot be read.
    pub user: Option<MiniAppUser>,
    /// The chat from which the Mini App was opened. `None` if the field is missing or cannot be read.
    pub chat: Option<MiniAppChat>,
    /// The payload of the link or button that opened the Mini App. `None` if MAX does not send it.
    pub start_param: Option<String>,
    /// The signed fields (all fields except `hash`): the names, and the values after percent-decoding. The map also
    /// contains fields that this version of the crate does not support.
    pub fields: BTreeMap<String, String>,
}

/// The user who opened a Mini App (a web page inside MAX). See [`InitData::user`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MiniAppUser {
    /// The id of the user.
    pub id: UserId,
    /// The first name of the user. Empty if MAX does not send it.
    #[serde(default)]
    pub first_name: String,
    /// The last name of the user. `None` if MAX does not send it.
    #[serde(default)]
    pub last_name: Option<String>,
    /// The username, without `@`. `None` if MAX does not send it.
    #[serde(default)]
    pub username: Option<String>,
    /// The language code of the user's messenger app, for example `ru`. `None` if MAX does not send it.
    #[serde(default)]
    pub language_code: Option<String>,
    /// The URL of the user's profile picture. `None` if MAX does not send it.
    #[serde(default)]
    pub photo_url: Option<String>,
}

/// The chat from which a Mini App (a web page inside MAX) was opened. See [`InitData::chat`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MiniAppChat {
    /// The id of the chat.
    pub id: ChatId,
    /// The type of the chat: the unchanged value of the field `type`. `None` if MAX does not send the field.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// The error of a failed check of `initData`, the signed text that MAX passes to a Mini App (a web page inside MAX).
/// Returned by [`MiniApp::check`] and [`MiniApp::check_at`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidInitData {
    /// The text is not a valid list of fields.
    ///
    /// The fields have the form `name=value`, and are separated by `&`. The values are percent-encoded in UTF-8. MAX
    /// signs the decoded fields as lines, so a name or a decoded value must not contain a line break.
    #[error("initData is malformed: pass the text of `WebApp.initData` unchanged")]
    Malformed,
    /// A field occurs more than once.
    #[error("initData has the field `{name}` twice: pass the text of `WebApp.initData` unchanged")]
    Repeated {
        /// The name of the field.
        name: String,
    },
    /// The field `hash` or `auth_date` is missing, or `auth_date` is not a valid time.
    #[error("initData has no valid `{name}`: pass the text of `WebApp.initData` unchanged")]
    Missing {
        /// The name of the field.
        name: &'static str,
    },
    /// The hash (the signature of MAX) does not match the fields. The text was changed or forged, or MAX signed the
    /// text with a token other than the token in [`MiniApp::new`].
    #[error("the hash of initData does not match: it was changed, or it was signed for a bot with another token")]
    WrongHash,
    /// The time of the signature is more than 5 min in the future. The clock of this machine is probably wrong.
    #[error("initData was signed {} s in the future: set the clock of this machine", ahead.as_secs())]
    Future {
        /// The time of the signature minus the current time.
        ahead: Duration,
    },
    /// The signature is older than [`MiniApp::max_age`], 1 h by default.
    #[error("initData expired: it is {} s old; open the Mini App again", age.as_secs())]
    Expired {
        /// The age of the signature.
        age: Duration,
    },
}

impl InitData {
    fn read(fields: BTreeMap<String, String>) -> Result<Self, InvalidInitData> {
        let get = |name: &str| fields.get(name).cloned();
        let seconds = get("auth_date").and_then(|seconds| seconds.parse().ok());
        let auth_date = seconds.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        let auth_date = auth_date.ok_or(InvalidInitData::Missing { name: "auth_date" })?;
        let json = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        Ok(Self {
            auth_date,
            query_id: get("query_id"),
            user: serde_json::from_str(json("user")).ok(),
            chat: serde_json::from_str(json("chat")).ok(),
            start_param: get("start_param"),
            fields,
        })
    }
}

/// Reads the fields, and decodes their values once.
fn read_fields(init_data: &str) -> Result<BTreeMap<String, String>, InvalidInitData> {
    let mut fields = BTreeMap::new();
    for field in init_data.split('&') {
        let (name, value) = field.split_once('=').ok_or(InvalidInitData::Malformed)?;
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().map_err(|_| InvalidInitData::Malformed)?;
        if name.contains('\n') || value.contains('\n') {
            return Err(InvalidInitData::Malformed);
        }
        match fields.entry(name.to_owned()) {
            Entry::Occupied(_) => return Err(InvalidInitData::Repeated { name: printable(name).into_owned() }),
            Entry::Vacant(entry) => entry.insert(value.into_owned()),
        };
    }
    Ok(fields)
}

fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC accepts keys of any length")
}

/// Returns whether a hash in hexadecimal digits is the hash of a text. Compares in constant time.
fn is_signed(key: &HmacSha256, text: &str, hash: &str) -> bool {
    read_hash(hash).is_some_and(|hash| key.clone().chain_update(text).verify_slice(&hash).is_ok())
}

fn read_hash(hash: &str) -> Option<[u8; HASH]> {
    let (pairs, []) = hash.as_bytes().as_chunks::<2>() else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED_AT: u64 = 1_771_409_700;
    const FIELDS: &str = "auth_date=1771409700&query_id=q-1&user=%7B%22id%22%3A7%7D&start_param=a_b";
    const SIGNATURE: &str = "916bd6ee2a63abf0efe9b7703a16f53662e923c0cdc0a7109016865f22f005ed";

    fn mini_app() -> MiniApp {
        MiniApp::new("test-token").unwrap()
    }

    fn check_after(init_data: &str, seconds: u64) -> Result<InitData, InvalidInitData> {
        let now = UNIX_EPOCH + Duration::from_secs(SIGNED_AT + seconds);
        mini_app().check_at(init_data, now)
    }

    fn check(init_data: &str) -> Result<InitData, InvalidInitData> {
        check_after(init_data, 0)
    }

    /// Signs fields as MAX does.
    fn sign(fields: &str) -> String {
        let read = read_fields(fields).unwrap();
        let lines: Vec<String> = read.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let hash = mini_app().init_data.chain_update(lines.join("\n")).finalize().into_bytes();
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{fields}&hash={digits}")
    }

    #[test]
    fn signed_fields_are_read_in_any_order() {
        let signed = format!("{FIELDS}&hash={SIGNATURE}");
        assert_eq!(sign(FIELDS), signed);
        let mut fields: Vec<&str> = signed.split('&').collect();
        fields.reverse();
        let data = check(&fields.join("&")).unwrap();
        assert_eq!(data, check(&signed).unwrap());
        assert_eq!((data.query_id.as_deref(), data.start_param.as_deref()), (Some("q-1"), Some("a_b")));
        assert_eq!((data.user.unwrap().id, data.chat), (UserId(7), None));
        assert_eq!(data.fields["user"], r#"{"id":7}"#);
        assert!(!data.fields.contains_key("hash"));
    }

    #[test]
    fn a_change_of_any_byte_is_detected() {
        let signed = format!("{FIELDS}&hash={SIGNATURE}");
        for place in 0..signed.len() {
            let mut changed = signed.clone().into_bytes();
            changed[place] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(check(&changed).is_err(), "{changed}");
        }
        let other = MiniApp::new("other-token").unwrap();
        let other = other.check_at(&signed, UNIX_EPOCH + Duration::from_secs(SIGNED_AT));
        assert_eq!(other, Err(InvalidInitData::WrongHash));
    }

    #[test]
    fn invalid_init_data_is_refused_with_a_reason() {
        let missing = |name| Err(InvalidInitData::Missing { name });
        for (init_data, expected) in [
            ("", Err(InvalidInitData::Malformed)),
            ("hash", Err(InvalidInitData::Malformed)),
            ("a=%FF&hash=00", Err(InvalidInitData::Malformed)),
            ("a=1%0Ab=2&hash=00", Err(InvalidInitData::Malformed)),
            ("a\nb=2&hash=00", Err(InvalidInitData::Malformed)),
            ("a=1", missing("hash")),
            ("a=1&hash=", Err(InvalidInitData::WrongHash)),
            ("a=1&hash=zz", Err(InvalidInitData::WrongHash)),
            (&format!("{FIELDS}&hash={}", &SIGNATURE[1..]), Err(InvalidInitData::WrongHash)),
            (&format!("{FIELDS}&hash={SIGNATURE}00"), Err(InvalidInitData::WrongHash)),
            (&sign("query_id=1"), missing("auth_date")),
            (&sign("auth_date=-1"), missing("auth_date")),
            (&sign("auth_date=18446744073709551615"), missing("auth_date")),
        ] {
            assert_eq!(check(init_data), expected, "{init_data}");
        }
        let twice = format!("{FIELDS}&query_id=q-1&hash={SIGNATURE}");
        assert_eq!(check(&twice), Err(InvalidInitData::Repeated { name: "query_id".to_owned() }));
    }

    #[test]
    fn old_data_is_refused_and_a_clock_ahead_is_tolerated() {
        let signed = format!("{FIELDS}&hash={SIGNATURE}");
        assert!(check_after(&signed, 3600).is_ok());
        let age = Duration::from_secs(3601);
        assert_eq!(check_after(&signed, 3601), Err(InvalidInitData::Expired { age }));
        let patient = mini_app().max_age(age);
        assert!(patient.check_at(&signed, UNIX_EPOCH + Duration::from_secs(SIGNED_AT) + age).is_ok());
        let before = |ahead| patient.check_at(&signed, UNIX_EPOCH + Duration::from_secs(SIGNED_AT) - ahead);
        assert!(before(MAX_AHEAD).is_ok());
        let ahead = MAX_AHEAD + Duration::from_secs(1);
        assert_eq!(before(ahead), Err(InvalidInitData::Future { ahead }));
    }

    #[test]
    fn values_are_decoded_once_and_unreadable_values_are_kept_as_text() {
        let data = check(&sign("auth_date=1771409700&start_param=100%2525+a%2Bb&user=%5B%5D&chat=%7B%22id%22%3A-5%2C%22type%22%3A%22CHAT%22%7D")).unwrap();
        assert_eq!(data.start_param.as_deref(), Some("100%25 a+b"));
        assert_eq!((data.user, data.fields["user"].as_str()), (None, "[]"));
        let chat = data.chat.unwrap();
        assert_eq!((chat.id, chat.kind.as_deref()), (ChatId(-5), Some("CHAT")));
    }

    #[test]
    fn an_empty_token_is_refused_and_white_space_around_a_token_is_ignored() {
        assert!(MiniApp::new(" \n").is_err());
        let now = UNIX_EPOCH + Duration::from_secs(SIGNED_AT);
        let signed = format!("{FIELDS}&hash={SIGNATURE}");
        assert!(MiniApp::new("test-token\n").unwrap().check_at(&signed, now).is_ok());
    }

    #[test]
    fn debug_does_not_show_the_token() {
        assert_eq!(format!("{:?}", mini_app()), "MiniApp { max_age: 3600s, .. }");
    }

    #[test]
    fn contacts_are_genuine_only_if_unchanged() {
        let mini_app = mini_app();
        let vcf_info = "BEGIN:VCARD\r\nTEL:79990000000\r\nEND:VCARD";
        let hash = "0d041d9949fbe03a35c4dc2bfebc1a00866b2571b688808ac746fb10d6908d64";
        assert!(mini_app.is_contact_genuine(vcf_info, hash));
        assert!(!mini_app.is_contact_genuine(&vcf_info.replace("\r\n", "\n"), hash));
        let hash = "6feab7cf32edae31a6aa264caf298c3d5977f384aa160716fc9a910c2145019e";
        assert!(mini_app.is_phone_genuine(1_771_409_700, "79990000000", 7, hash));
        assert!(!mini_app.is_phone_genuine(1_771_409_700, "79990000000", 8, hash));
        assert!(!mini_app.is_contact_genuine("auth_date=1771409700\nphone=79990000000\nuser_id=7", hash));
    }
}
