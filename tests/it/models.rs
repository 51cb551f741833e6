//! The models against the document they are made from: whatever instance a schema has, it is read and written whole.
//!
//! `TAMTAM_SEED` repeats a run, `TAMTAM_OPENAPI` takes the instances from another document.

mod clashes;
pub(crate) mod meaning;
mod tolerance;
mod unknown;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Debug,
    fs, thread,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tamtam::{Unknown, types};

use self::meaning::{difference, fits, kept, meaning};
use crate::{
    document::{Document, Shape, Union},
    instances::{Instances, Random},
};

/// Instances of every schema, and of every member of every union.
const INSTANCES_EACH: usize = 64;

/// Instances of every union as a whole: these have the members that are unknown or spoilt.
const INSTANCES_OF_A_UNION: usize = 500;

/// What a run must not fall short of, however the document changes.
const INSTANCES_AT_LEAST: usize = 10_000;

/// Reads JSON in one of the ways there are and writes what came of it.
type RoundTrip = fn(&str, Source) -> serde_json::Result<String>;

/// Reads a member of a union: its tag, and the unknown value if it is one.
type ReadMember = fn(&str) -> serde_json::Result<(String, Option<Unknown>)>;

/// Where JSON is read from: serde_json has code of its own for each.
#[derive(Debug, Clone, Copy)]
enum Source {
    Text,
    Reader,
    Value,
}

fn round_trip<T>(json: &str, source: Source) -> serde_json::Result<String>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let value: T = match source {
        Source::Text => serde_json::from_str(json)?,
        Source::Reader => serde_json::from_reader(json.as_bytes())?,
        Source::Value => serde_json::from_value(serde_json::from_str(json)?)?,
    };
    let written = serde_json::to_string(&value)?;
    assert_eq!(serde_json::from_str::<T>(&written)?, value, "what was written reads as something else");
    let as_value: Value = serde_json::from_str(&written)?;
    assert_eq!(serde_json::to_value(&value)?, as_value, "written as a `Value` it is something else");
    Ok(written)
}

macro_rules! schemas {
    ($($name:ident)*) => {
        /// Every type of the document.
        const SCHEMAS: &[(&str, RoundTrip)] = &[$((stringify!($name), round_trip::<types::$name>),)*];
    };
}

macro_rules! unions {
    ($($name:ident)*) => {
        /// Every union of the document.
        const UNIONS: &[(&str, ReadMember)] = &[$((stringify!($name), |json| {
            let member: types::$name = serde_json::from_str(json)?;
            let tag = member.tag().to_owned();
            Ok((tag, if let types::$name::Unknown(unknown) = member { Some(unknown) } else { None }))
        }),)*];
    };
}

schemas! {
    ActionRequestBody Attachment AttachmentPayload AttachmentRequest AudioAttachment AudioAttachmentRequest
    BotAddedToChatUpdate BotCommand BotInfo BotPatch BotRemovedFromChatUpdate BotStartedUpdate Button Callback
    CallbackAnswer CallbackButton CallbackConstructorInput Chat ChatAdminPermission ChatButton ChatList ChatMember
    ChatMembersList ChatPatch ChatStatus ChatTitleChangedUpdate ChatType ConstructedMessage ConstructedMessageBody
    ConstructorAnswer ConstructorInput ContactAttachment ContactAttachmentPayload ContactAttachmentRequest
    ContactAttachmentRequestPayload EmphasizedMarkup Error FailedUserDetails FileAttachment FileAttachmentPayload
    FileAttachmentRequest GetPinnedMessageResult GetSubscriptionsResult HeadingMarkup HighlightedMarkup Image
    InlineKeyboardAttachment InlineKeyboardAttachmentRequest InlineKeyboardAttachmentRequestPayload Intent Keyboard
    LinkButton LinkMarkup LinkedMessage LocationAttachment LocationAttachmentRequest MarkupElement
    MediaAttachmentPayload Message MessageBody MessageCallbackUpdate MessageChatCreatedUpdate MessageConstructedUpdate
    MessageConstructionRequest MessageConstructorInput MessageCreatedUpdate MessageEditedUpdate MessageLinkType
    MessageList MessageRemovedUpdate MessageStat ModifyMembersResult MonospacedMarkup NewMessageBody NewMessageLink
    PhotoAttachment PhotoAttachmentPayload PhotoAttachmentRequest PhotoAttachmentRequestPayload PhotoToken PhotoTokens
    PinMessageBody Recipient RequestContactButton RequestGeoLocationButton SendMessageResult SenderAction
    ShareAttachment ShareAttachmentPayload ShareAttachmentRequest SimpleQueryResult StickerAttachment
    StickerAttachmentPayload StickerAttachmentRequest StickerAttachmentRequestPayload StrikethroughMarkup StrongMarkup
    Subscription SubscriptionRequestBody TextFormat UnderlineMarkup Update UpdateList UploadEndpoint UploadType
    UploadedInfo User UserAddedToChatUpdate UserIdsList UserMentionMarkup UserRemovedFromChatUpdate UserWithPhoto
    VideoAttachment VideoAttachmentRequest
}

unions! { Attachment AttachmentRequest Button ConstructorInput MarkupElement Update }

/// Tells on a panic, wherever it comes from, how to have it again.
struct Case<'a> {
    seed: u64,
    schema: &'a str,
    json: &'a str,
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self { seed, schema, json } = self;
            eprintln!("this is an instance of {schema}; TAMTAM_SEED={seed} makes it again:\n{json}");
        }
    }
}

fn seed() -> u64 {
    match env::var("TAMTAM_SEED") {
        Ok(seed) => seed.parse().expect("TAMTAM_SEED is a number"),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
            now.as_secs() ^ u64::from(now.subsec_nanos()) << 32
        }
    }
}

fn table<T: Copy>(table: &[(&str, T)], name: &str) -> T {
    table.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is not in the table")).1
}

/// Reads and writes an instance in every way and compares what is left of it with what it says.
fn check(document: &Document, seed: u64, schema: &str, json: &str, value: &Value) {
    let _case = Case { seed, schema, json };
    let shape = document.schema(schema);
    let round_trip = table(SCHEMAS, schema);
    let expected = meaning(document, shape, value);
    let unknown = kept(document, shape, json);
    for source in [Source::Text, Source::Reader, Source::Value] {
        let written = round_trip(json, source).unwrap_or_else(|error| panic!("not read from {source:?}: {error}"));
        let actual: Value = serde_json::from_str(&written).expect("what is written is JSON");
        if let Some(difference) = difference(&expected, &actual, "") {
            panic!("read from {source:?} and written, {difference}\nwritten: {written}");
        }
        // A `Value` has forgotten how it was written.
        if !matches!(source, Source::Value) {
            assert_eq!(unknown, kept(document, shape, &written), "what is unknown, read from {source:?}");
        }
    }
}

/// What a member of a union must be read as: itself, or an unknown value with its reason.
fn check_member(document: &Document, seed: u64, name: &str, union: &Union, json: &str, value: &Value) {
    let _case = Case { seed, schema: name, json };
    let (tag, unknown) = table(UNIONS, name)(json).expect("whatever it is, it is read");
    assert_eq!(tag, union.tag_of(value).unwrap_or_default(), "the tag");
    match (union.member_of(value), unknown) {
        (Some(member), None) => assert!(fits(document, document.schema(member), value), "a spoilt {member} was read"),
        (Some(member), Some(unknown)) => {
            assert!(!fits(document, document.schema(member), value), "a good {member} was not read: {unknown:?}");
            assert!(unknown.error.is_some(), "a {member} that cannot be read, and no reason");
            assert_eq!(unknown.raw.get(), json.trim());
        }
        (None, unknown) => {
            let unknown = unknown.expect("nothing known has such a tag");
            assert_eq!(unknown.raw.get(), json.trim());
            assert!(
                unknown.error.is_none() || union.tag_of(value).is_none(),
                "an unknown tag is no error: {unknown:?}"
            );
        }
    }
}

#[test]
fn whatever_the_document_allows_is_read_and_written_whole() {
    let seed = seed();
    println!("TAMTAM_SEED={seed}");
    let (raw, tolerant) = (Document::raw(), Document::with_overlay());
    let mut made = BTreeMap::<&str, usize>::new();
    let mut count = 0;
    for (document, which) in [(&raw, "as it is"), (&tolerant, "with the overlay")] {
        for schema in document.types() {
            let random = Random::for_name(seed, &format!("{schema}, {which}"));
            let mut instances = Instances::new(document, &tolerant, random);
            let union = if let Shape::Union(union) = document.schema(schema) { Some(union) } else { None };
            let mut values = Vec::new();
            match union {
                None => values.extend((0..INSTANCES_EACH / 2).map(|_| instances.of(schema))),
                Some(union) => {
                    values.extend((0..INSTANCES_OF_A_UNION / 2).map(|_| instances.of(schema)));
                    for (tag, member) in &union.members {
                        values.extend((0..INSTANCES_EACH / 2).map(|_| instances.member_of(union, tag, member)));
                    }
                }
            }
            for value in &values {
                let json = instances.write(value);
                check(&tolerant, seed, schema, &json, value);
                if let Some(union) = union {
                    check_member(&tolerant, seed, schema, union, &json, value);
                }
            }
            count += values.len();
            instances.made.into_iter().for_each(|(what, times)| *made.entry(what).or_default() += times);
        }
    }
    println!("{count} instances with {made:#?}");
    assert!(count >= INSTANCES_AT_LEAST, "{count} instances are too few");
    for what in [
        "a tag that stands first",
        "a tag in the middle",
        "a tag that stands last",
        "a required null",
        "a required field that is absent",
        "an optional null",
        "an absent field",
        "an unknown key",
        "an unknown tag",
        "a known tag with a body that cannot be read",
        "a member without a tag",
        "an unknown value of an enum",
        "an integer at an end of its range",
        "an empty list or map",
        "a very long text",
    ] {
        assert!(made.contains_key(what), "TAMTAM_SEED={seed} made no instance with {what}");
    }
}

#[test]
fn the_table_has_every_schema_that_is_a_type() {
    let document = Document::with_overlay();
    let listed: BTreeSet<_> = SCHEMAS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, document.types().collect());
}

#[test]
fn the_table_has_every_union() {
    let document = Document::raw();
    let listed: BTreeSet<_> = UNIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, document.unions().map(|(name, _)| name).collect());
}

#[test]
fn the_same_seed_makes_the_same_instances() {
    let document = Document::raw();
    let make = |seed| {
        let mut instances = Instances::new(&document, &document, Random::for_name(seed, "UpdateList"));
        let value = instances.of("UpdateList");
        instances.write(&value)
    };
    assert_eq!(make(7), make(7));
    assert_ne!(make(7), make(8));
}

/// The instances above cannot tell: crates that only the tests need ask serde_json for exact floats, and in one build
/// that holds for all.
#[test]
fn the_crate_itself_asks_for_exact_floats() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let serde_json = dependencies.lines().find(|line| line.starts_with("serde_json = ")).unwrap();
    assert!(serde_json.contains("\"float_roundtrip\""), "{serde_json}");
}
