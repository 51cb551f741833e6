//! The record of one chat: values from its updates, with the times of these updates.

use serde::{Deserialize, Serialize};

use super::{
    known_chat::{ChatRole, KnownChat},
    sighting::Sighting,
};
use crate::{
    api::types::ChatType,
    id::{ChatId, UserId},
};

/// The data about one chat in a [`ChatBook`](crate::updates::ChatBook), stored in a
/// [`ChatStore`](crate::updates::ChatStore).
///
/// A record exists while the chat is in the book. After an update removes the chat from the book, the record
/// exists for at least 48 h. After [`ChatBook::forget`](crate::updates::ChatBook::forget), the 48 h begin at the last
/// update before the call. The book compares the timestamps of updates, and does not use the clock of the machine.
///
/// The fields are private. To store a record, serialize the record as JSON with serde. Later versions of the crate can
/// read the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRecord {
    chat_id: ChatId,
    since: i64,
    last_update: i64,
    /// Time of the newest update that only a bot in the chat receives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    present_at: Option<i64>,
    /// Time of the newest removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    removed_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chat_type: Option<ChatType>,
    /// The person of a dialog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_stopped: Option<Dated<bool>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_admin: Option<Dated<bool>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<Dated<String>>,
}

/// A value and the time of its update. An older update must not replace the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Dated<T> {
    at: i64,
    value: T,
}

impl ChatRecord {
    pub(super) fn new(chat_id: ChatId, at: i64) -> Self {
        Self {
            chat_id,
            since: at,
            last_update: at,
            present_at: None,
            removed_at: None,
            chat_type: None,
            user_id: None,
            is_stopped: None,
            is_admin: None,
            title: None,
        }
    }

    /// Returns the id of the chat. The id is the key of the record in the store.
    #[must_use]
    pub fn chat_id(&self) -> ChatId {
        self.chat_id
    }

    /// Returns the chat. `None` if an update (`bot_removed` or `dialog_removed`) or
    /// [`ChatBook::forget`](crate::updates::ChatBook::forget) removed the chat from the book.
    #[must_use]
    pub fn chat(&self) -> Option<KnownChat> {
        self.is_known().then(|| KnownChat {
            chat_id: self.chat_id,
            chat_type: self.chat_type.clone(),
            since: self.since,
            role: self.role(),
            title: self.title.as_ref().map(|title| title.value.clone()),
            last_update: self.last_update,
        })
    }

    /// Whether the bot is in the chat.
    pub(super) fn is_known(&self) -> bool {
        self.removed_at.is_none_or(|removed_at| self.present_at.is_some_and(|present_at| present_at > removed_at))
    }

    /// Whether the bot was removed from the chat before this time.
    pub(super) fn is_gone_since(&self, time: i64) -> bool {
        !self.is_known() && self.removed_at.is_some_and(|removed_at| removed_at < time)
    }

    pub(super) fn last_update(&self) -> i64 {
        self.last_update
    }

    /// The time of the newest update of the chat, also if that is a removal.
    pub(super) fn newest(&self) -> i64 {
        self.removed_at.map_or(self.last_update, |removed_at| removed_at.max(self.last_update))
    }

    /// Records an update. Returns whether more has changed than `last_update`.
    pub(super) fn observe(&mut self, seen: &Sighting<'_>) -> bool {
        let at = seen.at;
        if self.removed_at.is_some_and(|removed_at| at <= removed_at) {
            return false;
        }
        if seen.is_removal() {
            self.remove(at);
            return true;
        }
        let (was_known, was_present_at, was_since) = (self.is_known(), self.present_at, self.since);
        if seen.shows_presence() {
            self.present_at = self.present_at.max(Some(at));
        }
        let is_back = !was_known && self.is_known();
        self.since = if is_back { at } else { self.since.min(at) };
        let mut has_changed = is_back || self.since != was_since;
        // This change must survive a restart: an older removal can still arrive.
        has_changed |= seen.is_arrival() && self.present_at != was_present_at;
        has_changed |= self.note_type(seen);
        has_changed |= self.note_person(seen);
        if let Some(is_admin) = seen.is_admin() {
            has_changed |= replace(&mut self.is_admin, at, is_admin);
        }
        if let Some(title) = seen.title() {
            has_changed |= replace(&mut self.title, at, title.to_owned());
        }
        self.last_update = self.last_update.max(at);
        has_changed
    }

    /// Removes the bot from the chat at this time. Values of earlier updates do not apply to a later membership.
    pub(super) fn remove(&mut self, at: i64) {
        self.removed_at = self.removed_at.max(Some(at));
        self.is_stopped.take_if(|is_stopped| is_stopped.at <= at);
        self.is_admin.take_if(|is_admin| is_admin.at <= at);
        self.title.take_if(|title| title.at <= at);
        if self.since <= at {
            // The best guess if the bot came back before this removal arrived.
            self.since = self.present_at.map_or(at, |present_at| present_at.max(at));
        }
    }

    fn note_type(&mut self, seen: &Sighting<'_>) -> bool {
        if self.chat_type.is_some() && seen.at < self.last_update {
            return false;
        }
        match seen.update.chat_type() {
            Some(chat_type) if self.chat_type.as_ref() != Some(&chat_type) => {
                self.chat_type = Some(chat_type);
                true
            }
            _ => false,
        }
    }

    /// Records the person of a dialog, and whether the person has stopped the bot.
    fn note_person(&mut self, seen: &Sighting<'_>) -> bool {
        if !self.is_dialog() {
            return false;
        }
        let mut has_changed = false;
        if self.user_id.is_none() {
            self.user_id = seen.person();
            has_changed |= self.user_id.is_some();
        }
        if let Some(is_stopped) = seen.is_stopped() {
            has_changed |= replace(&mut self.is_stopped, seen.at, is_stopped);
        }
        has_changed
    }

    fn is_dialog(&self) -> bool {
        match &self.chat_type {
            Some(chat_type) => *chat_type == ChatType::Dialog,
            // The ids of groups and channels are negative.
            None => self.chat_id.0 > 0,
        }
    }

    fn role(&self) -> ChatRole {
        let is_true = |value: &Option<Dated<bool>>| value.as_ref().is_some_and(|value| value.value);
        if self.is_dialog() {
            ChatRole::Dialog { user_id: self.user_id, is_stopped: is_true(&self.is_stopped) }
        } else if is_true(&self.is_admin) {
            ChatRole::Admin
        } else {
            ChatRole::Member
        }
    }
}

/// Replaces `current`, unless it is newer than `at`. Returns whether the value has changed.
fn replace<T: PartialEq>(current: &mut Option<Dated<T>>, at: i64, value: T) -> bool {
    if current.as_ref().is_some_and(|current| current.at > at) {
        return false;
    }
    let is_other = current.as_ref().is_none_or(|current| current.value != value);
    *current = Some(Dated { at, value });
    is_other
}
