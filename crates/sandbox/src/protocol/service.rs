//! The services that a sandbox simulates, and their differences as data.

use serde::{Deserialize, Serialize};

/// A service that a sandbox simulates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Service {
    #[default]
    TamTam,
    #[serde(rename = "MAX")]
    Max,
}

/// The differences between the services.
#[derive(Debug)]
pub(crate) struct Traits {
    /// The display name.
    pub(crate) name: &'static str,
    /// The name of the OpenAPI document.
    pub(crate) document: &'static str,
    pub(crate) token: TokenPlace,
    /// The beginning of links to chats and bots.
    pub(crate) links: &'static str,
    /// The beginning of links that mention users.
    pub(crate) mention: &'static str,
    /// The schemes that link buttons may have. Empty: any scheme.
    pub(crate) link_schemes: &'static [&'static str],
    /// Whether users have a first and a last name instead of one name.
    pub(crate) splits_names: bool,
    /// Whether empty lists and missing objects are omitted. Otherwise they are null.
    pub(crate) omits_nulls: bool,
    /// Whether text may have quotes.
    pub(crate) has_quotes: bool,
    /// Whether a bot receives messages of groups and channels only with the right to read them.
    pub(crate) hides_messages: bool,
    /// Whether channels have comments.
    pub(crate) has_comments: bool,
    /// Whether bots have constructors.
    pub(crate) has_constructors: bool,
    /// Whether a bot gets an update when a user stops, clears, removes or mutes the dialog.
    pub(crate) has_dialog_updates: bool,
    /// Whether callback buttons have an intent.
    pub(crate) has_intents: bool,
    /// Whether a subscription has a version.
    pub(crate) has_versions: bool,
    /// Whether a forwarded message loses its buttons.
    pub(crate) forwards_without_buttons: bool,
    /// Whether videos have width, height and duration.
    pub(crate) measures_videos: bool,
    /// The property with the user of a contact card.
    pub(crate) contact_user: &'static str,
    /// Whether the card that a user shares is signed and always has a phone number.
    pub(crate) signs_contacts: bool,
    /// Whether a card may have only a phone number.
    pub(crate) takes_bare_phones: bool,
    /// Whether a bot can add users to channels.
    pub(crate) adds_to_channels: bool,
    /// Whether `addMembers` returns the users who could not be added.
    pub(crate) names_failed_members: bool,
    /// Whether a post always notifies the members of a channel.
    pub(crate) notifies_channels: bool,
    /// Whether a bot can set the description of a chat.
    pub(crate) describes_chats: bool,
    /// Whether `getMessages` has `before` and `after`.
    pub(crate) has_before_and_after: bool,
    /// Whether `sendMessage` accepts a chat and a user together. The chat is used.
    pub(crate) takes_both_recipients: bool,
    /// Whether the upload host sends JSON with the content type of JSON.
    pub(crate) labels_upload_json: bool,
    /// Whether an edit with a file that is not ready is answered with 200.
    pub(crate) refuses_unready_edits: bool,
    /// The right that deleting messages of others requires. `None`: every administrator can delete them.
    pub(crate) delete_right: Option<&'static str>,
    /// The answer of the upload host if the bot already has the token of the file.
    pub(crate) retval: &'static str,
    /// Whether polls share the updates: each update goes to one of them.
    pub(crate) shares_updates: bool,
    pub(crate) keyboard: Option<KeyboardLimits>,
    /// How long a message in a dialog can be edited, in milliseconds. Messages with a keyboard can always be edited.
    pub(crate) dialog_edits: Option<i64>,
    pub(crate) permissions: &'static [&'static str],
    pub(crate) max_admins: Option<usize>,
    pub(crate) update_types: &'static [&'static str],
    /// Update types that are delivered only by webhook.
    pub(crate) webhook_only: &'static [&'static str],
    pub(crate) webhook: WebhookTraits,
    /// The largest upload of each type, in bytes. Types without an entry have no limit.
    pub(crate) upload_bytes: &'static [(&'static str, u64)],
    /// Whether `getUploadUrl` returns the token of videos and audio.
    pub(crate) gives_upload_tokens: bool,
}

/// The place of the token in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenPlace {
    /// In this query parameter.
    Query(&'static str),
    /// In the header `Authorization`. A token in this query parameter is refused.
    Authorization { refused: &'static str },
}

/// Limits of an inline keyboard.
#[derive(Debug)]
pub(crate) struct KeyboardLimits {
    pub(crate) rows: usize,
    pub(crate) buttons: usize,
    pub(crate) row_buttons: usize,
    /// Buttons in a row with a wide button.
    pub(crate) wide_row_buttons: usize,
    pub(crate) wide: &'static [&'static str],
}

/// When a failing webhook is unsubscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnsubscribeRule {
    /// After it has failed for 8 h with one update.
    PerUpdate,
    /// After it has failed for 8 h without taking an update.
    UntilSuccess,
}

/// The rules for webhooks.
#[derive(Debug)]
pub(crate) struct WebhookTraits {
    /// Whether URLs must be `https`, except on loopback hosts.
    pub(crate) https_only: bool,
    /// The ports that updates are sent to.
    pub(crate) ports: &'static [u16],
    /// The first and the last port of a range of further ports.
    pub(crate) port_range: Option<(u16, u16)>,
    /// Whether a URL with another port is refused. Otherwise it is subscribed, but gets no updates.
    pub(crate) refuses_ports: bool,
    /// The default pause before the first redelivery, in milliseconds.
    pub(crate) redelivery: i64,
    /// The factor from each pause to the next, in tenths.
    pub(crate) growth: i64,
    /// The maximum number of redeliveries of an update. `None`: unlimited.
    pub(crate) retries: Option<u32>,
    pub(crate) unsubscribe_rule: UnsubscribeRule,
    /// The default time for a webhook to answer, in milliseconds.
    pub(crate) timeout: u64,
    pub(crate) secret_header: Option<&'static str>,
}

static TAMTAM: Traits = Traits {
    name: "TamTam",
    document: "tamtam",
    token: TokenPlace::Query("access_token"),
    links: "https://tt.me",
    mention: "tamtam://user/",
    link_schemes: &[],
    splits_names: false,
    omits_nulls: false,
    has_quotes: false,
    hides_messages: false,
    has_comments: false,
    has_constructors: true,
    has_dialog_updates: false,
    has_intents: true,
    has_versions: true,
    forwards_without_buttons: false,
    measures_videos: false,
    contact_user: "tam_info",
    signs_contacts: false,
    takes_bare_phones: false,
    adds_to_channels: true,
    names_failed_members: false,
    notifies_channels: false,
    describes_chats: false,
    has_before_and_after: false,
    takes_both_recipients: false,
    labels_upload_json: false,
    refuses_unready_edits: false,
    delete_right: None,
    retval: "<?xml version=\"1.0\" encoding=\"UTF-8\"?><retval>1</retval>",
    shares_updates: false,
    keyboard: None,
    dialog_edits: None,
    permissions: &["read_all_messages", "add_remove_members", "add_admins", "change_chat_info", "pin_message", "write"],
    max_admins: None,
    update_types: &[
        "message_callback",
        "message_created",
        "message_removed",
        "message_edited",
        "bot_added",
        "bot_removed",
        "user_added",
        "user_removed",
        "bot_started",
        "chat_title_changed",
        "message_construction_request",
        "message_constructed",
        "message_chat_created",
    ],
    webhook_only: &[],
    webhook: WebhookTraits {
        https_only: false,
        ports: &[80, 443, 8080, 8443],
        port_range: Some((16_384, 32_383)),
        refuses_ports: true,
        // The real TamTam waits 30 to 60 s, which is too long for tests.
        redelivery: 200,
        growth: 10,
        retries: None,
        unsubscribe_rule: UnsubscribeRule::PerUpdate,
        timeout: 5_000,
        secret_header: None,
    },
    upload_bytes: &[],
    gives_upload_tokens: false,
};

static MAX: Traits = Traits {
    name: "MAX",
    document: "max",
    token: TokenPlace::Authorization { refused: "access_token" },
    links: "https://max.ru",
    mention: "max://user/",
    link_schemes: &["http", "https", "max", "tel", "mailto"],
    splits_names: true,
    omits_nulls: true,
    has_quotes: true,
    hides_messages: true,
    has_comments: true,
    has_constructors: false,
    has_dialog_updates: true,
    has_intents: false,
    has_versions: false,
    forwards_without_buttons: true,
    measures_videos: true,
    contact_user: "max_info",
    signs_contacts: true,
    takes_bare_phones: true,
    adds_to_channels: false,
    names_failed_members: true,
    notifies_channels: true,
    describes_chats: true,
    has_before_and_after: true,
    // Two clients always send both, and claim to work with the live server.
    takes_both_recipients: true,
    // Four clients do not read an answer with another content type.
    labels_upload_json: true,
    refuses_unready_edits: true,
    delete_right: Some("delete"),
    // The real answer was seen with and without an XML prolog.
    retval: "<retval>1</retval>",
    shares_updates: true,
    keyboard: Some(KeyboardLimits {
        rows: 30,
        buttons: 210,
        row_buttons: 7,
        wide_row_buttons: 3,
        wide: &["link", "open_app", "request_contact", "request_geo_location"],
    }),
    // 7 days.
    dialog_edits: Some(7 * 24 * 60 * 60 * 1_000),
    permissions: &[
        "read_all_messages",
        "add_remove_members",
        "add_admins",
        "change_chat_info",
        "pin_message",
        "write",
        "edit_link",
        "edit",
        "delete",
        "can_call",
        "view_stats",
    ],
    max_admins: Some(50),
    update_types: &[
        "message_created",
        "message_callback",
        "message_edited",
        "message_removed",
        "comment_created",
        "comment_edited",
        "comment_removed",
        "bot_added",
        "bot_removed",
        "user_added",
        "user_removed",
        "bot_started",
        "bot_stopped",
        "dialog_cleared",
        "dialog_removed",
        "dialog_muted",
        "dialog_unmuted",
        "chat_title_changed",
        "bot_admin_permissions_changed",
    ],
    webhook_only: &["comment_created", "comment_edited", "comment_removed", "bot_admin_permissions_changed"],
    webhook: WebhookTraits {
        https_only: true,
        ports: &[443],
        port_range: None,
        refuses_ports: false,
        redelivery: 60_000,
        growth: 25,
        retries: Some(10),
        unsubscribe_rule: UnsubscribeRule::UntilSuccess,
        timeout: 30_000,
        secret_header: Some("X-Max-Bot-Api-Secret"),
    },
    // Decimal units: the documentation does not say which.
    upload_bytes: &[("image", 50_000_000), ("video", 250_000_000), ("audio", 256_000_000), ("file", 4_000_000_000)],
    gives_upload_tokens: true,
};

impl Service {
    pub(crate) const fn traits(self) -> &'static Traits {
        match self {
            Self::TamTam => &TAMTAM,
            Self::Max => &MAX,
        }
    }

    /// Converts a service of the SDK. `None` unless it is `TamTam` or `Max` with unchanged settings.
    pub(crate) fn of(service: &tamtam::Service) -> Option<Self> {
        [Self::TamTam, Self::Max].into_iter().find(|one| one.in_sdk() == *service)
    }

    pub(crate) const fn in_sdk(self) -> tamtam::Service {
        match self {
            Self::TamTam => tamtam::Service::TamTam,
            Self::Max => tamtam::Service::Max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The overlay of the SDK and this file define the documented limits independently.
    #[test]
    fn the_sdk_has_the_same_limits() {
        let traits = Service::Max.traits();
        let limits = tamtam::Service::Max.limits().clone();
        let keyboard = traits.keyboard.as_ref().unwrap();
        assert_eq!(limits.keyboard_rows, Some(keyboard.rows));
        assert_eq!(limits.keyboard_buttons, Some(keyboard.buttons));
        assert_eq!(limits.row_buttons, Some(keyboard.row_buttons));
        assert_eq!(limits.wide_row_buttons, Some(keyboard.wide_row_buttons));
        assert_eq!(limits.wide_buttons.iter().map(|one| &**one).collect::<Vec<_>>(), keyboard.wide);
        assert!(traits.mention.starts_with("max://"));
        assert_eq!(Service::of(&tamtam::Service::Max), Some(Service::Max));
        assert_eq!(Service::of(&tamtam::Service::Max.with_name("mine")), None);
    }

    #[test]
    fn webhook_only_types_are_update_types() {
        for service in [Service::TamTam, Service::Max] {
            let Traits { webhook_only, update_types, .. } = service.traits();
            assert!(webhook_only.iter().all(|kind| update_types.contains(kind)));
        }
    }
}
