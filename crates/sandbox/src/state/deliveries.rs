//! What the webhooks of all bots are to get, and what became of it.

use std::time::Duration;

use super::State;
use super::clock::Millis;
use super::ids::UserId;
use super::updates::schedule::Due;

/// An update that is to be sent to a webhook now.
#[derive(Debug)]
pub(crate) struct Parcel {
    bot: UserId,
    subscription: i64,
    pub(crate) url: String,
    pub(crate) due: Due,
}

impl State {
    /// Takes what is to be sent now, each of which must be told to be delivered or failed, and tells when to look again.
    pub(crate) fn take_due(&mut self) -> (Vec<Parcel>, Option<Duration>) {
        self.end_given_up();
        let now = self.clock.now();
        let (mut parcels, mut next) = (Vec::new(), None::<Millis>);
        for (bot, mailbox) in self.bots.iter_mut().map(|(id, bot)| (*id, &mut bot.mailbox)) {
            for one in mailbox.subscriptions_mut() {
                let (subscription, url) = (one.id, &one.settings.url);
                let due = one.schedule.take_due(now).into_iter();
                parcels.extend(due.map(|due| Parcel { bot, subscription, url: url.clone(), due }));
                next = next.into_iter().chain(one.schedule.next_due()).min();
            }
        }
        let wait = next.map(|next| Duration::from_millis((next - now).max(1).unsigned_abs()));
        (parcels, wait)
    }

    /// The webhook has taken it.
    pub(crate) fn delivered(&mut self, parcel: &Parcel) {
        if let Some(bot) = self.bots.get_mut(&parcel.bot) {
            bot.mailbox.delivered(parcel.subscription, parcel.due.position);
        }
        self.touched = true;
    }

    /// The webhook has not taken it, and gets it again after a pause.
    pub(crate) fn failed(&mut self, parcel: &Parcel, why: String) {
        let again = self.clock.now().saturating_add(self.redelivery);
        if let Some(bot) = self.bots.get_mut(&parcel.bot) {
            bot.mailbox.failed(parcel.subscription, parcel.due.position, again, why);
        }
        self.end_given_up();
        self.touched = true;
    }

    /// Ends the webhooks that have refused an update for too long.
    pub(crate) fn end_given_up(&mut self) {
        let now = self.clock.now();
        for bot in self.bots.values_mut() {
            self.touched |= bot.mailbox.end_given_up(now);
        }
    }

    pub(crate) fn is_all_delivered(&self) -> bool {
        let mut subscriptions = self.bots.values().flat_map(|bot| bot.mailbox.subscriptions());
        subscriptions.all(|one| one.schedule.is_empty())
    }

    /// What was not delivered yet, a line each.
    pub(crate) fn undelivered(&self) -> String {
        let subscriptions = self.bots.values().flat_map(|bot| bot.mailbox.subscriptions());
        subscriptions
            .flat_map(|one| one.schedule.lines().map(|line| format!("{}: {line}\n", one.settings.url)))
            .collect()
    }
}
