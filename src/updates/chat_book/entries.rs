//! All records of a chat book, without input and output.

use std::collections::BTreeMap;

use super::{known_chat::KnownChat, record::ChatRecord, sighting::Sighting};
use crate::{api::types::Update, id::ChatId};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// How long a removal is kept, in milliseconds between updates. Webhooks are called again for 8 h, and servers keep
/// updates for polling for 24 h: no older update can arrive after that.
const REMOVAL_KEPT_MS: i64 = 48 * HOUR_MS;
/// The minimum time between two searches for old removals, in milliseconds between updates. A search visits all chats.
const SWEEP_PAUSE_MS: i64 = HOUR_MS;
/// How old the saved `last_update` of a chat may be, in milliseconds between updates. So a busy chat is saved once a
/// day, not once per message.
const LAST_UPDATE_STEP_MS: i64 = 24 * HOUR_MS;

#[derive(Debug, Default)]
pub(super) struct Entries {
    chats: BTreeMap<ChatId, Entry>,
    /// Time of the newest update.
    newest: i64,
    next_sweep: i64,
}

#[derive(Debug)]
struct Entry {
    record: ChatRecord,
    /// The `last_update` that was saved, or is about to be.
    saved_update: i64,
}

/// A record that must be saved. If the entries have no such record, it must be removed from the store.
pub(super) type Change = ChatId;

impl Entry {
    fn new(record: ChatRecord) -> Self {
        Self { saved_update: record.last_update(), record }
    }
}

impl Entries {
    pub(super) fn of(records: impl IntoIterator<Item = ChatRecord>) -> Self {
        let chats: BTreeMap<_, _> = records.into_iter().map(|record| (record.chat_id(), Entry::new(record))).collect();
        let newest = chats.values().map(|entry| entry.record.newest()).max().unwrap_or_default();
        Self { chats, newest, next_sweep: 0 }
    }

    pub(super) fn chats(&self) -> impl Iterator<Item = KnownChat> {
        self.chats.values().filter_map(|entry| entry.record.chat())
    }

    pub(super) fn len(&self) -> usize {
        self.chats.values().filter(|entry| entry.record.is_known()).count()
    }

    pub(super) fn record(&self, chat_id: ChatId) -> Option<&ChatRecord> {
        self.chats.get(&chat_id).map(|entry| &entry.record)
    }

    /// Records an update. Returns the change if there is something to save.
    pub(super) fn apply(&mut self, update: &Update) -> Option<Change> {
        let seen = Sighting::of(update)?;
        self.newest = self.newest.max(seen.at);
        // Any other update can follow a removal that is already dropped. In a dialog, the person is present.
        if !self.chats.contains_key(&seen.chat_id)
            && !seen.shows_presence()
            && !seen.is_removal()
            && !seen.is_in_dialog()
        {
            return None;
        }
        let mut is_new = false;
        let entry = self.chats.entry(seen.chat_id).or_insert_with(|| {
            is_new = true;
            Entry::new(ChatRecord::new(seen.chat_id, seen.at))
        });
        let mut has_changed = entry.record.observe(&seen) || is_new;
        has_changed |= entry.record.last_update().saturating_sub(entry.saved_update) >= LAST_UPDATE_STEP_MS;
        has_changed.then(|| {
            entry.saved_update = entry.record.last_update();
            seen.chat_id
        })
    }

    /// Drops removals that are too old to matter. Returns them as changes.
    pub(super) fn sweep(&mut self) -> Vec<Change> {
        let mut dropped = Vec::new();
        if self.newest >= self.next_sweep {
            self.next_sweep = self.newest.saturating_add(SWEEP_PAUSE_MS);
            let oldest = self.newest.saturating_sub(REMOVAL_KEPT_MS);
            self.chats.retain(|chat_id, entry| {
                let is_old = entry.record.is_gone_since(oldest);
                if is_old {
                    dropped.push(*chat_id);
                }
                !is_old
            });
        }
        dropped
    }

    /// Removes a chat as if the bot had been removed at its last update. Returns whether the bot was in it.
    pub(super) fn forget(&mut self, chat_id: ChatId) -> bool {
        match self.chats.get_mut(&chat_id) {
            Some(entry) if entry.record.is_known() => {
                entry.record.remove(entry.record.last_update());
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{api::types::ChatType, id::UserId, updates::chat_book::known_chat::ChatRole};

    const GROUP: i64 = -5;
    const DIALOG: i64 = 5;

    fn update(kind: &str, at: i64, rest: Value) -> Update {
        let mut json = json!({"update_type": kind, "timestamp": at});
        json.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_str(&json.to_string()).unwrap()
    }

    fn in_group(kind: &str, at: i64) -> Update {
        update(
            kind,
            at,
            json!({"chat_id": GROUP, "user": {"user_id": 7, "name": "A"}, "is_channel": false, "title": "T"}),
        )
    }

    fn in_dialog(kind: &str, at: i64) -> Update {
        update(kind, at, json!({"chat_id": DIALOG, "user": {"user_id": 7, "name": "A"}}))
    }

    fn message(chat: i64, chat_type: &str, at: i64) -> Value {
        json!({
            "sender": {"user_id": 7, "name": "A", "is_bot": false}, "timestamp": at,
            "recipient": {"chat_id": chat, "chat_type": chat_type},
            "body": {"mid": "m", "seq": 1, "text": "hi", "attachments": []},
        })
    }

    fn said(chat: i64, chat_type: &str, at: i64) -> Update {
        update("message_created", at, json!({"message": message(chat, chat_type, at)}))
    }

    fn pressed(chat: i64, chat_type: &str, at: i64) -> Update {
        let callback = json!({"timestamp": at, "callback_id": "c", "user": {"user_id": 7, "name": "A"}});
        update("message_callback", at, json!({"message": message(chat, chat_type, at), "callback": callback}))
    }

    fn rights(at: i64, is_admin: bool) -> Update {
        let rest = json!({"chat_id": GROUP, "user_id": 7, "bot_id": 1, "is_channel": true, "is_admin": is_admin});
        update("bot_admin_permissions_changed", at, rest)
    }

    fn after<'a>(updates: impl IntoIterator<Item = &'a Update>) -> Entries {
        let mut entries = Entries::default();
        for update in updates {
            entries.apply(update);
        }
        entries
    }

    fn chats(entries: &Entries) -> Vec<KnownChat> {
        entries.chats().collect()
    }

    fn only(entries: &Entries) -> KnownChat {
        let mut chats = chats(entries);
        assert_eq!(chats.len(), 1, "{chats:?}");
        chats.remove(0)
    }

    /// Returns all permutations of the places of `count` updates.
    fn orders(count: usize) -> Vec<Vec<usize>> {
        let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
        let mut all = Vec::new();
        for order in orders(last) {
            for place in 0..count {
                let mut order = order.clone();
                order.insert(place, last);
                all.push(order);
            }
        }
        all
    }

    #[test]
    fn updates_that_show_the_bot_in_a_chat_add_it() {
        for (update, chat_type) in [
            (in_group("bot_added", 1), Some(ChatType::Chat)),
            (said(GROUP, "channel", 1), Some(ChatType::Channel)),
            (in_group("user_added", 1), Some(ChatType::Chat)),
            (in_group("chat_title_changed", 1), None),
        ] {
            let mut entries = Entries::default();
            assert_eq!(entries.apply(&update), Some(ChatId(GROUP)), "{update:?}");
            assert_eq!(entries.apply(&update), None, "the update is repeated");
            let chat = only(&entries);
            assert_eq!((chat.chat_type, chat.since, chat.last_update), (chat_type, 1, 1));
            assert_eq!((chat.chat_id, chat.role), (ChatId(GROUP), ChatRole::Member));
        }
    }

    /// A removal that is already dropped may have been before them.
    #[test]
    fn updates_that_can_follow_a_removal_do_not_add_a_group() {
        let removed =
            |chat: i64| update("message_removed", 1, json!({"chat_id": chat, "user_id": 7, "message_id": "m"}));
        let unknown = |chat: i64| update("chat_moved", 1, json!({"chat_id": chat}));
        for update in [pressed(GROUP, "chat", 1), removed(GROUP), unknown(GROUP), rights(1, false)] {
            assert_eq!(Entries::default().apply(&update), None, "{update:?}");
        }
        for update in [pressed(DIALOG, "dialog", 1), removed(DIALOG), unknown(DIALOG), in_dialog("dialog_cleared", 1)] {
            assert_eq!(Entries::default().apply(&update), Some(ChatId(DIALOG)), "{update:?}");
        }
    }

    #[test]
    fn a_dialog_records_its_person_and_whether_the_bot_is_stopped() {
        let mut entries = Entries::default();
        let mut is_stopped = |update: &Update| {
            entries.apply(update);
            match only(&entries).role {
                ChatRole::Dialog { user_id, is_stopped } => {
                    assert_eq!(user_id, Some(UserId(7)));
                    is_stopped
                }
                role => panic!("{role:?}"),
            }
        };
        assert!(!is_stopped(&in_dialog("bot_started", 10)));
        assert!(is_stopped(&in_dialog("bot_stopped", 20)));
        assert!(is_stopped(&said(DIALOG, "dialog", 15)), "an older message");
        assert!(!is_stopped(&said(DIALOG, "dialog", 30)));
        assert!(!is_stopped(&in_dialog("bot_stopped", 25)), "an older stop");
        assert!(is_stopped(&in_dialog("bot_stopped", 40)));
        assert!(!is_stopped(&in_dialog("bot_started", 50)));
    }

    #[test]
    fn a_bot_that_writes_is_not_the_person_of_a_dialog() {
        let mut json = message(DIALOG, "dialog", 2);
        json["sender"] = json!({"user_id": 1, "name": "Bot", "is_bot": true});
        let own = update("message_created", 2, json!({"message": json}));
        let entries = after([&in_dialog("bot_stopped", 1), &own]);
        assert_eq!(only(&entries).role, ChatRole::Dialog { user_id: Some(UserId(7)), is_stopped: true });
        assert_eq!(only(&after([&own])).role, ChatRole::Dialog { user_id: None, is_stopped: false });
    }

    #[test]
    fn rights_and_titles_are_the_newest() {
        let title = |at, title: &str| {
            let user = json!({"user_id": 7, "name": "A"});
            update("chat_title_changed", at, json!({"chat_id": GROUP, "user": user, "title": title}))
        };
        let mut entries = after([&rights(10, true), &title(20, "new"), &rights(5, false), &title(15, "old")]);
        let chat = only(&entries);
        assert_eq!((chat.role, chat.title.as_deref()), (ChatRole::Admin, Some("new")));
        assert_eq!((chat.chat_type, chat.since, chat.last_update), (Some(ChatType::Channel), 5, 20));
        entries.apply(&rights(12, false));
        assert_eq!(only(&entries).role, ChatRole::Member, "the title is newer, the rights are not");
    }

    #[test]
    fn a_chat_button_creates_a_chat_with_its_title() {
        let chat = json!({
            "chat_id": GROUP, "type": "chat", "status": "active", "title": "A talk", "last_event_time": 1,
            "participants_count": 2, "is_public": false,
        });
        let created = update("message_chat_created", 3, json!({"chat": chat, "message_id": "m"}));
        let chat = only(&after([&created]));
        assert_eq!((chat.role, chat.title.as_deref()), (ChatRole::Admin, Some("A talk")));
        assert_eq!((chat.chat_type, chat.since), (Some(ChatType::Chat), 3));
    }

    #[test]
    fn messages_from_a_constructor_add_no_chat() {
        let mut from_constructor = message(GROUP, "chat", 1);
        from_constructor["constructor"] = json!({"user_id": 1, "name": "Bot", "is_bot": true});
        let callback = json!({"timestamp": 1, "callback_id": "c", "user": {"user_id": 7, "name": "A"}});
        let pressed = update("message_callback", 1, json!({"message": from_constructor, "callback": callback}));
        let posted = json!({"session_id": "s", "message": message(GROUP, "chat", 1)});
        for update in [pressed, update("message_constructed", 1, posted)] {
            assert!(chats(&after([&update])).is_empty(), "{update:?}");
        }
    }

    #[test]
    fn an_update_without_a_chat_or_a_time_changes_nothing() {
        for json in [
            json!({"update_type": "bot_added", "chat_id": GROUP, "user": {"user_id": 7, "name": "A"}}),
            json!({"update_type": "message_created", "timestamp": 1}),
            json!({"update_type": "weather"}),
        ] {
            let update: Update = serde_json::from_str(&json.to_string()).unwrap();
            assert_eq!(Entries::default().apply(&update), None, "{update:?}");
        }
    }

    #[test]
    fn a_removal_that_cannot_be_read_removes_the_chat() {
        // Without `user`, which the model requires.
        let removed = update("bot_removed", 2, json!({"chat_id": GROUP}));
        assert!(matches!(removed, Update::Unknown(_)));
        assert!(chats(&after([&in_group("bot_added", 1), &removed])).is_empty());
    }

    #[test]
    fn an_old_update_does_not_add_a_removed_chat_again() {
        let removed = in_group("bot_removed", 20);
        for old in [said(GROUP, "chat", 19), said(GROUP, "chat", 20), in_group("bot_added", 10), rights(15, true)] {
            let mut entries = after([&in_group("bot_added", 10), &removed]);
            assert_eq!(entries.apply(&old), None);
            assert!(chats(&entries).is_empty(), "{old:?}");
            assert!(chats(&after([&removed, &old])).is_empty(), "{old:?}");
        }
        assert_eq!(only(&after([&removed, &said(GROUP, "chat", 21)])).since, 21);
    }

    #[test]
    fn updates_that_can_follow_a_removal_do_not_add_the_chat_again() {
        for (removed, later) in [
            (in_dialog("dialog_removed", 20), in_dialog("bot_stopped", 21)),
            (in_dialog("dialog_removed", 20), in_dialog("dialog_cleared", 21)),
            (in_dialog("dialog_removed", 20), pressed(DIALOG, "dialog", 21)),
            (in_group("bot_removed", 20), rights(21, false)),
            (in_group("bot_removed", 20), pressed(GROUP, "chat", 21)),
        ] {
            for order in [[&removed, &later], [&later, &removed]] {
                assert!(chats(&after(order)).is_empty(), "{order:?}");
            }
        }
    }

    #[test]
    fn a_removal_clears_earlier_rights_and_titles() {
        let updates = [
            rights(5, true),
            in_group("chat_title_changed", 6),
            in_group("bot_removed", 10),
            in_group("bot_added", 20),
        ];
        for order in orders(updates.len()) {
            let chat = only(&after(order.iter().map(|place| &updates[*place])));
            assert_eq!((chat.role, chat.title, chat.since), (ChatRole::Member, None, 20), "{order:?}");
        }
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let updates = [
            in_dialog("bot_started", 10),
            in_dialog("bot_stopped", 20),
            in_dialog("dialog_removed", 21),
            in_dialog("bot_started", 30),
            in_dialog("bot_stopped", 40),
        ];
        for order in orders(updates.len()) {
            let chat = only(&after(order.iter().map(|place| &updates[*place])));
            assert_eq!(chat.role, ChatRole::Dialog { user_id: Some(UserId(7)), is_stopped: true }, "{order:?}");
            assert_eq!(chat.last_update, 40);
        }
    }

    #[test]
    fn only_a_newer_update_adds_a_forgotten_chat_again() {
        let mut entries = after([&in_group("bot_added", 10), &said(GROUP, "chat", 20)]);
        assert!(entries.forget(ChatId(GROUP)));
        assert!(!entries.forget(ChatId(GROUP)) && !entries.forget(ChatId(1)));
        entries.apply(&said(GROUP, "chat", 20));
        assert_eq!(entries.len(), 0);
        entries.apply(&said(GROUP, "chat", 21));
        assert_eq!(only(&entries).since, 21);
    }

    #[test]
    fn a_removal_is_dropped_after_48_hours_of_updates() {
        let mut entries = after([&in_group("bot_removed", 1), &in_dialog("bot_started", 1)]);
        assert!(entries.sweep().is_empty());
        entries.apply(&said(DIALOG, "dialog", 1 + REMOVAL_KEPT_MS));
        assert!(entries.sweep().is_empty());
        entries.apply(&said(DIALOG, "dialog", 2 + REMOVAL_KEPT_MS));
        assert!(entries.sweep().is_empty(), "the last search was less than an hour ago");
        entries.apply(&said(DIALOG, "dialog", 1 + REMOVAL_KEPT_MS + SWEEP_PAUSE_MS));
        assert_eq!(entries.sweep(), [ChatId(GROUP)]);
        assert!(entries.record(ChatId(GROUP)).is_none());
        assert_eq!(only(&entries).chat_id, ChatId(DIALOG));
    }

    #[test]
    fn a_busy_chat_is_saved_once_a_day() {
        let mut entries = after([&said(GROUP, "chat", 1)]);
        for at in [2, HOUR_MS, LAST_UPDATE_STEP_MS] {
            assert_eq!(entries.apply(&said(GROUP, "chat", at)), None);
        }
        assert_eq!(entries.apply(&said(GROUP, "chat", 1 + LAST_UPDATE_STEP_MS)), Some(ChatId(GROUP)));
        assert_eq!(entries.apply(&said(GROUP, "chat", 2 + LAST_UPDATE_STEP_MS)), None);
        assert_eq!(only(&entries).last_update, 2 + LAST_UPDATE_STEP_MS);
    }

    #[test]
    fn handles_extreme_timestamps() {
        let times = [i64::MAX, i64::MIN, 1, -1];
        let mut entries = Entries::default();
        for at in times {
            entries.apply(&said(GROUP, "chat", at));
            entries.apply(&in_group("bot_removed", at));
            entries.sweep();
        }
        assert_eq!(entries.len(), 0);
    }

    #[test]
    fn a_record_is_the_same_after_it_was_stored() {
        let updates = [rights(10, true), in_group("chat_title_changed", 11), in_dialog("bot_stopped", 12)];
        let entries = after(&updates);
        let stored: Vec<String> =
            entries.chats.values().map(|entry| serde_json::to_string(&entry.record).unwrap()).collect();
        let records: Vec<ChatRecord> = stored.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
        assert_eq!(chats(&Entries::of(records)), chats(&entries));
    }
}
