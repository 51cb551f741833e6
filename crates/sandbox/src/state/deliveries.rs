//! Deliveries of updates to the webhooks of all bots.

use std::time::Duration;

use super::State;
use super::clock::Millis;
use super::ids::UserId;
use super::updates::schedule::Due;
use crate::protocol::service::UnsubscribeRule;

/// An update to send to a webhook now.
#[derive(Debug)]
pub(crate) struct Parcel {
    bot: UserId,
    subscription: i64,
    pub(crate) url: String,
    /// The name and the value of the secret header, if the webhook has a secret.
    pub(crate) secret: Option<(&'static str, String)>,
    pub(crate) due: Due,
}

impl State {
    /// Takes the updates to send now. Report each one with [`delivered`](Self::delivered) or [`failed`](Self::failed).
    ///
    /// Also returns the time until the next check. `None` if none is scheduled.
    pub(crate) fn take_due(&mut self) -> (Vec<Parcel>, Option<Duration>) {
        self.end_given_up();
        let webhook = &self.service.traits().webhook;
        let (now, secret_header) = (self.clock.now(), webhook.secret_header);
        let gives_up = webhook.unsubscribe_rule == UnsubscribeRule::UntilSuccess;
        let (mut parcels, mut next) = (Vec::new(), None::<Millis>);
        for (bot, mailbox) in self.bots.iter_mut().map(|(id, bot)| (*id, &mut bot.mailbox)) {
            for one in mailbox.subscriptions_mut() {
                let (subscription, url) = (one.id, &one.settings.url);
                let secret = secret_header.zip(one.settings.secret.clone());
                let due = one.schedule.take_due(now).into_iter();
                let parcel = |due| Parcel { bot, subscription, url: url.clone(), secret: secret.clone(), due };
                parcels.extend(due.map(parcel));
                let given_up = one.schedule.gives_up_at().filter(|_| gives_up);
                next = next.into_iter().chain(one.schedule.next_due()).chain(given_up).min();
            }
        }
        let wait = next.map(|next| Duration::from_millis((next - now).max(1).unsigned_abs()));
        (parcels, wait)
    }

    /// Records that the webhook took an update.
    pub(crate) fn delivered(&mut self, parcel: &Parcel) {
        if let Some(bot) = self.bots.get_mut(&parcel.bot) {
            bot.mailbox.delivered(parcel.subscription, parcel.due.position);
        }
        self.touched = true;
    }

    /// Records a failed attempt. The update is sent again after a pause, unless no retries are left.
    pub(crate) fn failed(&mut self, parcel: &Parcel, why: String) {
        let (now, retries) = (self.clock.now(), self.service.traits().webhook.retries);
        let is_over = retries.is_some_and(|retries| parcel.due.attempt > retries);
        let again = (!is_over).then(|| now.saturating_add(self.pause_after(parcel.due.attempt)));
        if let Some(bot) = self.bots.get_mut(&parcel.bot) {
            bot.mailbox.failed(parcel.subscription, parcel.due.position, now, again, why);
        }
        self.end_given_up();
        self.touched = true;
    }

    /// Returns the pause before the next attempt, in milliseconds.
    fn pause_after(&self, attempt: u32) -> Millis {
        /// `growth` is in tenths.
        const WHOLE: Millis = 10;
        let growth = self.service.traits().webhook.growth;
        let longer = |pause: Millis, _| pause.saturating_mul(growth) / WHOLE;
        (1..attempt).fold(self.redelivery, longer)
    }

    /// Unsubscribes the webhooks that have failed for too long.
    pub(crate) fn end_given_up(&mut self) {
        let now = self.clock.now();
        let unsubscribe_rule = self.service.traits().webhook.unsubscribe_rule;
        for bot in self.bots.values_mut() {
            self.touched |= bot.mailbox.end_given_up(now, unsubscribe_rule);
        }
    }

    pub(crate) fn is_all_delivered(&self) -> bool {
        let mut subscriptions = self.bots.values().flat_map(|bot| bot.mailbox.subscriptions());
        subscriptions.all(|one| one.schedule.is_empty())
    }

    /// Whether every update is delivered to a webhook, or returned by a poll and committed.
    pub(crate) fn is_all_handled(&self) -> bool {
        self.is_all_delivered() && self.bots.values().all(|bot| bot.mailbox.waiting() == 0)
    }

    /// Returns the updates that the bots have not handled yet, as lines of text.
    pub(crate) fn unhandled(&self) -> String {
        let waiting = self.bots.iter().map(|(id, bot)| (self.name(*id), bot.mailbox.waiting()));
        let waiting = waiting.filter(|(_, count)| *count > 0);
        let polls = waiting.map(|(name, count)| format!("{name}: {count} updates are not polled and committed\n"));
        polls.chain([self.undelivered()]).collect()
    }

    /// Returns the undelivered updates, one line each.
    pub(crate) fn undelivered(&self) -> String {
        let subscriptions = self.bots.values().flat_map(|bot| bot.mailbox.subscriptions());
        subscriptions
            .flat_map(|one| one.schedule.lines().map(|line| format!("{}: {line}\n", one.settings.url)))
            .collect()
    }
}
