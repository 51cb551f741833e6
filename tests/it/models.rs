//! The models against the documents they are made from: every instance of a schema is read and written whole.
//!
//! `TAMTAM_SEED` repeats a run.

mod captured;
mod clashes;
mod key;
pub(crate) mod meaning;
mod misfits;
mod older;
mod tolerance;
mod unknown;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Debug,
    fs, iter, thread,
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

/// How often each instance gets misfits. With less, a run may miss one of the many places for a misfit.
const MARRED_EACH: usize = 3;

/// Minimum counts of a run for each document, so that a change of a document does not empty the test.
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
    BotAddedToChatUpdate BotAdminPermissionsChangedUpdate BotCommand BotCommandsInfo BotCommandsPatch BotInfo
    BotPatch BotRemovedFromChatUpdate BotStartedUpdate BotStoppedUpdate Button Callback CallbackAnswer
    CallbackButton CallbackConstructorInput Chat ChatAdmin ChatAdminPermission ChatAdminsList ChatButton
    ChatList ChatMember ChatMembersList ChatPatch ChatStatus ChatTitleChangedUpdate ChatType ClipboardButton CodeMarkup
    CommentCreatedUpdate CommentEditedUpdate CommentLinkedMessage CommentMessage CommentMessageBody
    CommentMessageList CommentRemovedUpdate ConstructedMessage ConstructedMessageBody ConstructorAnswer
    ConstructorInput ContactAttachment ContactAttachmentPayload ContactAttachmentRequest
    ContactAttachmentRequestPayload DialogClearedUpdate DialogMutedUpdate DialogRemovedUpdate
    DialogUnmutedUpdate EmphasizedMarkup Error FailedUserDetails FileAttachment FileAttachmentPayload
    FileAttachmentRequest GetPinnedMessageResult GetSubscriptionsResult HeadingMarkup HighlightedMarkup Image
    InlineKeyboardAttachment InlineKeyboardAttachmentRequest InlineKeyboardAttachmentRequestPayload Intent
    Keyboard LinkButton LinkMarkup LinkedMessage LocationAttachment LocationAttachmentRequest MarkupElement
    MediaAttachmentPayload Message MessageBody MessageButton MessageCallbackUpdate MessageChatCreatedUpdate
    MessageConstructedUpdate MessageConstructionRequest MessageConstructorInput MessageCreatedUpdate
    MessageEditedUpdate MessageLinkType MessageList MessageRemovedUpdate MessageStat ModifyMembersResult
    MonospacedMarkup NewCommentBody NewMessageBody NewMessageLink OpenAppButton PhotoAttachment
    PhotoAttachmentPayload PhotoAttachmentRequest PhotoAttachmentRequestPayload PhotoToken PhotoTokens
    PinMessageBody QuoteMarkup Recipient RequestContactButton RequestGeoLocationButton SendCommentResult
    SendMessageResult SenderAction ShareAttachment ShareAttachmentPayload ShareAttachmentRequest
    SimpleQueryResult StickerAttachment StickerAttachmentPayload StickerAttachmentRequest
    StickerAttachmentRequestPayload StrikethroughMarkup StrongMarkup Subscription SubscriptionRequestBody
    TextFormat UnderlineMarkup Update UpdateList UploadEndpoint UploadType UploadedInfo User
    UserAddedToChatUpdate UserIdsList UserMentionMarkup UserRemovedFromChatUpdate UserWithPhoto VideoAttachment
    VideoAttachmentDetails VideoAttachmentRequest VideoThumbnail VideoUrls
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

/// What does not fit at all is an error, wherever it is read from.
fn check_error(seed: u64, schema: &str, json: &str) {
    let _case = Case { seed, schema, json };
    for source in [Source::Text, Source::Reader, Source::Value] {
        let read = table(SCHEMAS, schema)(json, source);
        assert!(read.is_err(), "read from {source:?}, although it does not fit, and written as {read:?}");
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

/// Instances of a schema; of a union also of each member.
fn values(instances: &mut Instances<'_>, schema: &str, union: Option<&Union>) -> Vec<Value> {
    let Some(union) = union else { return (0..INSTANCES_EACH).map(|_| instances.of(schema)).collect() };
    let mut values: Vec<Value> = (0..INSTANCES_OF_A_UNION).map(|_| instances.of(schema)).collect();
    for (tag, member) in &union.members {
        values.extend((0..INSTANCES_EACH).map(|_| instances.member_of(union, tag, member)));
    }
    values
}

/// The union that a schema is, if it is one.
fn union<'d>(document: &'d Document, schema: &str) -> Option<&'d Union> {
    if let Shape::Union(union) = document.schema(schema) { Some(union) } else { None }
}

#[test]
fn all_that_the_document_allows_is_read_and_written_completely() {
    let seed = seed();
    println!("TAMTAM_SEED={seed}");
    let tolerant = Document::with_overlays();
    let each = Document::each();
    let documents = each.iter().map(|(name, document)| (document, *name)).chain([(&tolerant, "merged")]);
    let mut made = BTreeMap::<String, usize>::new();
    let (mut count, mut errors) = (0, 0);
    for (document, which) in documents {
        let count_before = count;
        for schema in document.types() {
            let random = Random::for_name(seed, &format!("{schema}, {which}"));
            let mut instances = Instances::new(document, &tolerant, random);
            let union = union(document, schema);
            let values = values(&mut instances, schema, union);
            for value in &values {
                let json = instances.write(value);
                if !fits(&tolerant, tolerant.schema(schema), value) {
                    // It has nothing but defaults: a chat whose kind is "", say.
                    check_error(seed, schema, &json);
                    errors += 1;
                    continue;
                }
                check(&tolerant, seed, schema, &json, value);
                if let Some(union) = union {
                    check_member(&tolerant, seed, schema, union, &json, value);
                }
            }
            count += values.len();
            instances.made.into_iter().for_each(|(what, times)| *made.entry(what).or_default() += times);
        }
        let count = count - count_before;
        println!("{which}: {count} instances");
        assert!(count >= INSTANCES_AT_LEAST, "{which}: {count} instances are too few");
    }
    println!("{count} instances with {made:#?}");
    assert!(errors < count / 100, "{errors} of {count} instances are errors");
    for what in [
        "a tag in first position",
        "a tag in the middle",
        "a tag in last position",
        "a required null",
        "an absent required field",
        "an optional null",
        "an absent field",
        "an unknown key",
        "an unknown tag",
        "a known tag with an unreadable body",
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
fn a_bad_value_affects_only_the_smallest_optional_part_around_it() {
    let seed = seed();
    println!("TAMTAM_SEED={seed}");
    let document = Document::with_overlays();
    let (mut made, mut marred) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for schema in document.types() {
        let random = Random::for_name(seed, &format!("{schema}, with misfits"));
        let mut instances = Instances::new(&document, &document, random);
        let union = union(&document, schema);
        let times = if union.is_none() { MARRED_EACH } else { 1 };
        for value in values(&mut instances, schema, union) {
            for mut value in iter::repeat_n(value, times) {
                instances.mar(&mut value, schema);
                let json = instances.write(&value);
                if !fits(&document, document.schema(schema), &value) {
                    // Nothing is left of it.
                    check_error(seed, schema, &json);
                    continue;
                }
                check(&document, seed, schema, &json, &value);
                if let Some(union) = union {
                    check_member(&document, seed, schema, union, &json, &value);
                }
            }
        }
        instances.made.into_iter().for_each(|(what, times)| *made.entry(what).or_default() += times);
        marred.append(&mut instances.marred);
    }
    println!("{made:#?}");
    let elements = ["null", "of a wrong type", "a list for an object"];
    let objects = ["an object without a required property", "an object with a bad required property"];
    let kinds = [
        ("an element of a list", [&elements[..], &objects].concat()),
        ("an entry of a map", [&elements[..], &objects].concat()),
        ("an optional property", [&elements[1..], &objects].concat()),
        ("a property with a default", [&["missing"], &elements[..]].concat()),
    ];
    let kinds = kinds.iter().flat_map(|(what, kinds)| kinds.iter().map(move |kind| format!("{what} that is {kind}")));
    for what in kinds.chain(["a misfit deep inside".to_owned()]) {
        assert!(made.contains_key(&what), "TAMTAM_SEED={seed} made no instance with {what}");
    }
    let places = places_of_misfits(&document);
    let missed: Vec<_> = places.difference(&marred).collect();
    assert!(missed.is_empty(), "TAMTAM_SEED={seed} put no misfit into {missed:?}");
}

/// Every place in a received schema where a value that does not fit costs no more than itself.
fn places_of_misfits(document: &Document) -> BTreeSet<String> {
    fn collect(document: &Document, shape: &Shape, place: &str, may_misfit: bool, found: &mut BTreeSet<String>) {
        if may_misfit && !matches!(document.resolve(shape), Shape::Union(_)) {
            found.insert(place.to_owned());
        }
        match shape {
            Shape::List(elements) | Shape::Map(elements) => {
                collect(document, &elements.shape, &format!("{place}[]"), elements.received, found);
            }
            Shape::Object(fields) => {
                for field in fields {
                    let place = format!("{place}.{}", field.name);
                    collect(document, &field.shape, &place, field.may_misfit(), found);
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    document.received().for_each(|schema| collect(document, document.schema(schema), schema, false, &mut found));
    assert!(
        ["Chat.icon", "Message.recipient", "ChatList.chats[]", "Chat.participants[]", "Keyboard.buttons[]"]
            .iter()
            .all(|place| found.contains(*place))
    );
    found
}

#[test]
fn an_instance_without_a_needed_part_is_an_error() {
    let seed = seed();
    println!("TAMTAM_SEED={seed}");
    let tolerant = Document::with_overlays();
    let [(_, tamtam), (_, max)] = &Document::each();
    let (mut failed, mut read) = (BTreeSet::new(), BTreeSet::new());
    for schema in tolerant.types() {
        let random = Random::for_name(seed, &format!("{schema}, spoilt"));
        // A schema of an overlay is in neither document.
        let mut documents = [tamtam, max].into_iter();
        let document = documents.find(|document| document.types().any(|known| known == schema)).unwrap_or(&tolerant);
        let mut instances = Instances::new(document, &tolerant, random);
        for _ in 0..INSTANCES_EACH {
            let mut value = instances.of(schema);
            instances.spoil_somewhere(&mut value, schema);
            for value in [Some(value), instances.nothing_like(schema)].into_iter().flatten() {
                let json = instances.write(&value);
                if fits(&tolerant, tolerant.schema(schema), &value) {
                    check(&tolerant, seed, schema, &json, &value);
                    read.insert(schema);
                } else {
                    check_error(seed, schema, &json);
                    failed.insert(schema);
                }
            }
        }
    }
    let errors = tolerant.types().filter(|schema| union(&tolerant, schema).is_none());
    assert_eq!(failed, errors.collect(), "TAMTAM_SEED={seed}: schemas with an instance that is an error");
    let received: BTreeSet<_> = tolerant.received().collect();
    let sent_only = tolerant.types().filter(|schema| !received.contains(schema));
    assert!(sent_only.count() > 10 && read.len() > 60, "TAMTAM_SEED={seed}: {read:?}");
}

#[test]
fn the_table_has_every_schema_that_is_a_type() {
    let document = Document::with_overlays();
    let listed: BTreeSet<_> = SCHEMAS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, document.types().collect());
}

#[test]
fn the_table_has_every_union() {
    let document = Document::with_overlays();
    let listed: BTreeSet<_> = UNIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, document.unions().map(|(name, _)| name).collect());
}

#[test]
fn the_same_seed_makes_the_same_instances() {
    let document = Document::with_overlays();
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
fn the_crate_enables_exact_floats() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let serde_json = dependencies.lines().find(|line| line.starts_with("serde_json = ")).unwrap();
    assert!(serde_json.contains("\"float_roundtrip\""), "{serde_json}");
}
