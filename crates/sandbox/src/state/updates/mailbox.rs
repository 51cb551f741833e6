//! Routes the updates of one bot to its webhooks, or to the queue that it polls. No network access; the caller passes
//! the time.

use serde::{Deserialize, Serialize};

use super::queue::{Position, Queue, Update};
use super::schedule::Undelivered;
use super::subscription::{Subscription, WebhookSettings};
use crate::protocol::service::UnsubscribeRule;
use crate::state::clock::Millis;

/// The updates that a bot has not received yet. An update waits at each webhook that is subscribed to its type. If
/// there is no such webhook, the update waits in the queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Mailbox {
    queue: Queue,
    subscriptions: Vec<Subscription>,
    /// The update types that the latest poll asked for. Empty stands for all types.
    #[serde(skip)]
    polled_types: Vec<String>,
    last: Option<Update>,
}

impl Mailbox {
    /// Creates an empty mailbox whose first update will have the position `first`.
    pub(crate) fn new(first: Position) -> Self {
        Self { queue: Queue::new(first), subscriptions: Vec::new(), polled_types: Vec::new(), last: None }
    }

    /// Returns the queue for a poll. `None` if the bot has a webhook.
    pub(crate) fn polled(&mut self) -> Option<&mut Queue> {
        self.subscriptions.is_empty().then_some(&mut self.queue)
    }

    /// Discards updates that happened before `time` and that no poll has committed.
    pub(crate) fn forget_before(&mut self, time: Millis) {
        self.queue.forget_before(time);
    }

    /// Records the update types that a poll asks for. Empty stands for all types.
    pub(crate) fn asks_for(&mut self, types: &[String]) {
        types.clone_into(&mut self.polled_types);
    }

    /// Returns how many updates wait for polls and are not committed. Returns 0 if the bot has a webhook.
    pub(crate) fn waiting(&self) -> usize {
        if self.subscriptions.is_empty() { self.queue.count(&self.polled_types) } else { 0 }
    }

    pub(crate) fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    pub(crate) fn subscriptions_mut(&mut self) -> &mut [Subscription] {
        &mut self.subscriptions
    }

    /// Continues after a restart. Updates that were being sent are sent again. The time between does not count as a
    /// failure of a webhook. At most `lost` positions were issued and not saved.
    pub(crate) fn resume(&mut self, now: Millis, lost: Position) {
        self.queue.resume(now, lost);
        for subscription in &mut self.subscriptions {
            subscription.schedule.resume(now);
        }
    }

    pub(crate) fn push(&mut self, update: Update, now: Millis) {
        self.last = Some(update.clone());
        if update.is_pushed_only && !self.subscriptions.iter().any(|one| one.settings.wants(&update.kind)) {
            return;
        }
        let position = self.queue.issue();
        self.route(position, update, now);
    }

    /// Adds the latest update again. Returns false if there is no update yet.
    pub(crate) fn repeat(&mut self, now: Millis) -> bool {
        let last = self.last.clone();
        last.map(|update| self.push(Update { time: now, ..update }, now)).is_some()
    }

    /// Adds a webhook, or replaces the settings of the webhook with this URL. `time` is the time of the subscription.
    /// The webhook gets the waiting updates of its types.
    pub(crate) fn subscribe(&mut self, id: i64, settings: WebhookSettings, time: Millis, now: Millis) {
        let known = self.subscriptions.iter_mut().find(|one| one.settings.url == settings.url);
        if let Some(known) = known {
            known.settings = settings;
            known.time = time;
            let unwanted = known.schedule.take_out(|update| !known.settings.wants(&update.kind));
            self.give_back(unwanted, now);
        } else {
            let schedule = Default::default();
            self.subscriptions.push(Subscription { id, settings, time, schedule });
        }
        for (position, update) in self.queue.take_all() {
            self.route(position, update, now);
        }
    }

    /// Removes the webhook with this URL. Returns false if no webhook has this URL.
    pub(crate) fn unsubscribe(&mut self, url: &str, now: Millis) -> bool {
        self.end(now, |subscription| subscription.settings.url == url)
    }

    /// Removes the webhooks that have failed for too long. Returns whether a webhook was removed.
    pub(crate) fn end_given_up(&mut self, now: Millis, unsubscribe_rule: UnsubscribeRule) -> bool {
        self.end(now, |subscription| subscription.schedule.is_given_up(now, unsubscribe_rule))
    }

    fn end(&mut self, now: Millis, is_over: impl Fn(&Subscription) -> bool) -> bool {
        let (ended, going_on): (Vec<_>, _) = std::mem::take(&mut self.subscriptions).into_iter().partition(is_over);
        self.subscriptions = going_on;
        let any = !ended.is_empty();
        for mut subscription in ended {
            self.give_back(subscription.schedule.take_out(|_| true), now);
        }
        any
    }

    /// Records that a webhook, if it still exists, has taken an update.
    pub(crate) fn delivered(&mut self, id: i64, position: Position) {
        for subscription in &mut self.subscriptions {
            if subscription.id == id {
                subscription.schedule.delivered(position);
            } else {
                subscription.schedule.known(position);
            }
        }
        // The webhook may have been unsubscribed while the update was being sent.
        self.queue.remove(position);
    }

    /// Records that a webhook, if it still exists, did not take an update. The update is sent again at `again`, or
    /// never if `None`.
    pub(crate) fn failed(&mut self, id: i64, position: Position, now: Millis, again: Option<Millis>, why: String) {
        if let Some(subscription) = self.subscriptions.iter_mut().find(|one| one.id == id) {
            subscription.schedule.failed(position, now, again, why);
        }
    }

    /// Routes the updates that a webhook no longer gets. Leaves out updates that another webhook has taken or holds.
    fn give_back(&mut self, parcels: Vec<(Position, Undelivered)>, now: Millis) {
        for (position, parcel) in parcels {
            let is_held = self.subscriptions.iter().any(|one| one.schedule.holds(position));
            if !parcel.is_known && !is_held {
                self.route(position, parcel.update, now);
            }
        }
    }

    fn route(&mut self, position: Position, update: Update, now: Millis) {
        let wanting = self.subscriptions.iter_mut().filter(|one| one.settings.wants(&update.kind));
        let mut is_taken = false;
        for subscription in wanting {
            subscription.schedule.add(position, update.clone(), now);
            is_taken = true;
        }
        if !is_taken && !update.is_pushed_only {
            self.queue.put(position, update);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 5_000;
    const LATER: Millis = NOW + 100;
    const A: i64 = 1;
    const B: i64 = 2;

    fn mailbox() -> Mailbox {
        Mailbox::new(0)
    }

    fn push(mailbox: &mut Mailbox, kinds: &[&'static str]) {
        for kind in kinds {
            let is_pushed_only = kind.starts_with('!');
            mailbox.push(Update { kind: (*kind).into(), json: (*kind).into(), time: NOW, is_pushed_only }, NOW);
        }
    }

    fn subscribe(mailbox: &mut Mailbox, id: i64, types: &[&str]) {
        let update_types = types.iter().map(|kind| (*kind).to_owned()).collect();
        let settings = WebhookSettings { url: id.to_string(), update_types, version: None, secret: None };
        mailbox.subscribe(id, settings, NOW, NOW);
    }

    fn unsubscribe(mailbox: &mut Mailbox, id: i64) {
        assert!(mailbox.unsubscribe(&id.to_string(), NOW));
    }

    /// Takes the due updates of a webhook, and returns their positions. At most one of them is new.
    fn due(mailbox: &mut Mailbox, id: i64, now: Millis) -> Vec<Position> {
        let subscription = mailbox.subscriptions_mut().iter_mut().find(|one| one.id == id).unwrap();
        subscription.schedule.take_due(now).into_iter().map(|due| due.position).collect()
    }

    /// Delivers all updates to a webhook, which takes them.
    fn deliver(mailbox: &mut Mailbox, id: i64) -> Vec<Position> {
        let mut delivered = Vec::new();
        loop {
            let positions = due(mailbox, id, LATER);
            if positions.is_empty() {
                return delivered;
            }
            for position in positions {
                mailbox.delivered(id, position);
                delivered.push(position);
            }
        }
    }

    fn polled(mailbox: &mut Mailbox) -> String {
        mailbox.polled().expect("no webhook").page(100, &[]).json()
    }

    #[test]
    fn waiting_updates_go_to_a_webhook_and_return_to_the_queue_if_not_taken() {
        let mut mailbox = mailbox();
        push(&mut mailbox, &["a", "b"]);
        subscribe(&mut mailbox, A, &[]);
        assert!(mailbox.polled().is_none());
        push(&mut mailbox, &["c"]);
        assert_eq!(due(&mut mailbox, A, NOW), [0]);
        mailbox.delivered(A, 0);
        assert_eq!(due(&mut mailbox, A, NOW), [1]);
        mailbox.failed(A, 1, NOW, Some(LATER), String::new());
        unsubscribe(&mut mailbox, A);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[b,c],"marker":3}"#);
    }

    #[test]
    fn an_unwanted_update_waits_for_another_webhook_or_a_poll() {
        let mut mailbox = mailbox();
        push(&mut mailbox, &["a", "b"]);
        subscribe(&mut mailbox, A, &["b"]);
        push(&mut mailbox, &["a", "b", "c"]);
        assert_eq!(deliver(&mut mailbox, A), [1, 3]);
        subscribe(&mut mailbox, B, &["a"]);
        assert_eq!(deliver(&mut mailbox, B), [0, 2]);
        unsubscribe(&mut mailbox, A);
        unsubscribe(&mut mailbox, B);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[c],"marker":5}"#);
    }

    #[test]
    fn two_webhooks_get_all_updates_and_taken_ones_are_not_polled() {
        let mut mailbox = mailbox();
        subscribe(&mut mailbox, A, &[]);
        subscribe(&mut mailbox, B, &[]);
        push(&mut mailbox, &["a", "b"]);
        assert_eq!(deliver(&mut mailbox, A), [0, 1]);
        assert_eq!(due(&mut mailbox, B, NOW), [0]);
        unsubscribe(&mut mailbox, A);
        unsubscribe(&mut mailbox, B);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[],"marker":2}"#);
    }

    #[test]
    fn updates_of_a_removed_webhook_go_to_the_other() {
        let mut mailbox = mailbox();
        subscribe(&mut mailbox, A, &[]);
        push(&mut mailbox, &["a"]);
        subscribe(&mut mailbox, B, &[]);
        push(&mut mailbox, &["b"]);
        assert_eq!(due(&mut mailbox, B, NOW), [1], "the first update is being sent to the other");
        mailbox.delivered(B, 1);
        unsubscribe(&mut mailbox, A);
        assert_eq!(deliver(&mut mailbox, B), [0]);
    }

    #[test]
    fn new_settings_keep_the_updates_that_are_still_wanted() {
        let mut mailbox = mailbox();
        subscribe(&mut mailbox, A, &["a", "b"]);
        push(&mut mailbox, &["a", "b", "c"]);
        assert_eq!(due(&mut mailbox, A, NOW), [0]);
        subscribe(&mut mailbox, A, &["a", "c"]);
        assert_eq!(mailbox.subscriptions().len(), 1);
        assert!(due(&mut mailbox, A, NOW).is_empty(), "the first is still being sent");
        mailbox.delivered(A, 0);
        assert_eq!(deliver(&mut mailbox, A), [2]);
        unsubscribe(&mut mailbox, A);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[b],"marker":3}"#);
    }

    #[test]
    fn an_update_taken_after_its_webhook_was_removed_is_not_polled() {
        let mut mailbox = mailbox();
        subscribe(&mut mailbox, A, &[]);
        push(&mut mailbox, &["a", "b"]);
        assert_eq!(due(&mut mailbox, A, NOW), [0]);
        unsubscribe(&mut mailbox, A);
        mailbox.delivered(A, 0);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[b],"marker":2}"#);
        mailbox.failed(A, 0, NOW, Some(LATER), String::new());
        assert_eq!(polled(&mut mailbox), r#"{"updates":[b],"marker":2}"#);
    }

    #[test]
    fn a_webhook_that_fails_for_hours_is_removed_and_the_other_stays() {
        let mut mailbox = mailbox();
        subscribe(&mut mailbox, A, &["a"]);
        subscribe(&mut mailbox, B, &["b"]);
        push(&mut mailbox, &["a", "b"]);
        due(&mut mailbox, A, NOW);
        mailbox.failed(A, 0, NOW, Some(LATER), String::new());
        let hours = |count: Millis| NOW + count * 60 * 60 * 1_000;
        assert!(!mailbox.end_given_up(hours(7), UnsubscribeRule::PerUpdate));
        assert!(mailbox.end_given_up(hours(8), UnsubscribeRule::PerUpdate));
        assert_eq!(mailbox.subscriptions().len(), 1);
        assert!(!mailbox.end_given_up(hours(9), UnsubscribeRule::PerUpdate));
        unsubscribe(&mut mailbox, B);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[a,b],"marker":2}"#);
    }

    #[test]
    fn webhook_only_updates_are_never_polled() {
        let mut mailbox = mailbox();
        push(&mut mailbox, &["!a", "b"]);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[b],"marker":1}"#);
        subscribe(&mut mailbox, A, &[]);
        push(&mut mailbox, &["!c", "d"]);
        assert_eq!(due(&mut mailbox, A, NOW), [0]);
        unsubscribe(&mut mailbox, A);
        assert_eq!(polled(&mut mailbox), r#"{"updates":[b,d],"marker":3}"#);
    }
}
