//! Tests of the models against their documents: every instance of a schema is read and written completely.
//!
//! The environment variable `TAMTAM_SEED` repeats a run.

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
use tamtam::types::{self, Unknown};

use self::meaning::{difference, fits, kept, meaning};
use crate::{
    document::{Document, Shape, Union},
    instances::{Instances, Random},
};

/// Number of instances of every schema, and of every member of every union.
const INSTANCES_EACH: usize = 64;

/// Number of instances of every union. Only these include unknown and spoilt members.
const INSTANCES_OF_A_UNION: usize = 500;

/// Number of variants with misfits of each instance. With fewer, a run may miss some places of misfits.
const MARRED_EACH: usize = 3;

/// Minimum number of instances for each document, so that a change of a document does not empty the test.
const INSTANCES_AT_LEAST: usize = 10_000;

/// A function that reads JSON from a source and writes the value.
type RoundTrip = fn(&str, Source) -> serde_json::Result<String>;

/// A function that reads a value of a union. It returns its tag, and the unknown value if there is one.
type ReadMember = fn(&str) -> serde_json::Result<(String, Option<Unknown>)>;

/// The source of JSON. serde_json has separate code for each.
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
    assert_eq!(serde_json::from_str::<T>(&written)?, value, "the written JSON is read as another value");
    let as_value: Value = serde_json::from_str(&written)?;
    assert_eq!(serde_json::to_value(&value)?, as_value, "the value is written differently as a `Value`");
    Ok(written)
}

macro_rules! schemas {
    ($($name:ident $(=> $renamed:ident)?)*) => {
        /// Every type of the document, by the name of its schema.
        const SCHEMAS: &[(&str, RoundTrip)] =
            &[$((stringify!($name), round_trip::<schemas!(@ $name $($renamed)?)>),)*];
    };
    (@ $name:ident) => { types::$name };
    (@ $name:ident $renamed:ident) => { types::$renamed };
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
    DialogUnmutedUpdate EmphasizedMarkup Error => ApiError FailedUserDetails FileAttachment FileAttachmentPayload
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

/// An instance under test. It prints how to reproduce a panic.
struct Case<'a> {
    seed: u64,
    schema: &'a str,
    json: &'a str,
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self { seed, schema, json } = self;
            eprintln!("failed for an instance of {schema}; set TAMTAM_SEED={seed} to repeat the run:\n{json}");
        }
    }
}

fn seed() -> u64 {
    match env::var("TAMTAM_SEED") {
        Ok(seed) => seed.parse().expect("TAMTAM_SEED must be a number"),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the time is after 1970");
            now.as_secs() ^ u64::from(now.subsec_nanos()) << 32
        }
    }
}

fn table<T: Copy>(table: &[(&str, T)], name: &str) -> T {
    table.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is not in the table")).1
}

/// Reads an instance from every source, writes it, and compares the result with its meaning.
fn check(document: &Document, seed: u64, schema: &str, json: &str, value: &Value) {
    let _case = Case { seed, schema, json };
    let shape = document.schema(schema);
    let round_trip = table(SCHEMAS, schema);
    let expected = meaning(document, shape, value);
    let unknown = kept(document, shape, json);
    for source in [Source::Text, Source::Reader, Source::Value] {
        let written = round_trip(json, source).unwrap_or_else(|error| panic!("not read from {source:?}: {error}"));
        let actual: Value = serde_json::from_str(&written).expect("the output is JSON");
        if let Some(difference) = difference(&expected, &actual, "") {
            panic!("read from {source:?} and written, {difference}\nwritten: {written}");
        }
        // A `Value` does not keep its notation.
        if !matches!(source, Source::Value) {
            assert_eq!(unknown, kept(document, shape, &written), "unknown parts, read from {source:?}");
        }
    }
}

/// Checks that JSON that does not fit its schema is an error from every source.
fn check_error(seed: u64, schema: &str, json: &str) {
    let _case = Case { seed, schema, json };
    for source in [Source::Text, Source::Reader, Source::Value] {
        let read = table(SCHEMAS, schema)(json, source);
        assert!(read.is_err(), "does not fit, but was read from {source:?} and written as {read:?}");
    }
}

/// Checks that a value of a union is read as its member, or as an unknown value with an error.
fn check_member(document: &Document, seed: u64, name: &str, union: &Union, json: &str, value: &Value) {
    let _case = Case { seed, schema: name, json };
    let (tag, unknown) = table(UNIONS, name)(json).expect("every value of a union is read");
    assert_eq!(tag, union.tag_of(value).unwrap_or_default(), "the tag");
    match (union.member_of(value), unknown) {
        (Some(member), None) => assert!(fits(document, document.schema(member), value), "an invalid {member} was read"),
        (Some(member), Some(unknown)) => {
            assert!(!fits(document, document.schema(member), value), "a valid {member} was not read: {unknown:?}");
            assert!(unknown.error.is_some(), "a {member} that was not read has no error");
            assert_eq!(unknown.raw.get(), json.trim());
        }
        (None, unknown) => {
            let unknown = unknown.expect("a value with an unknown tag is unknown");
            assert_eq!(unknown.raw.get(), json.trim());
            assert!(
                unknown.error.is_none() || union.tag_of(value).is_none(),
                "an unknown tag is no error: {unknown:?}"
            );
        }
    }
}

/// Generates instances of a schema, and for a union also of each member.
fn values(instances: &mut Instances<'_>, schema: &str, union: Option<&Union>) -> Vec<Value> {
    let Some(union) = union else { return (0..INSTANCES_EACH).map(|_| instances.of(schema)).collect() };
    let mut values: Vec<Value> = (0..INSTANCES_OF_A_UNION).map(|_| instances.of(schema)).collect();
    for (tag, member) in &union.members {
        values.extend((0..INSTANCES_EACH).map(|_| instances.member_of(union, tag, member)));
    }
    values
}

/// Returns the union of a schema, or `None` for another kind of schema.
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
                    // All its values are defaults, for example a chat whose type is "".
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
                    // Nothing is left of the instance.
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

/// Returns every place in a received schema where a value that does not fit affects only itself.
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
        // A schema that an overlay adds is in neither document.
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

/// Round trips cannot check this feature: dependencies of the tests also enable it, and features apply to the whole
/// build.
#[test]
fn the_crate_enables_exact_floats() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let serde_json = dependencies.lines().find(|line| line.starts_with("serde_json = ")).unwrap();
    assert!(serde_json.contains("\"float_roundtrip\""), "{serde_json}");
}
