//! Computes when a request may be sent, from the limits and the pause after a 429. Pure: the time is a parameter.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::{Hash, Hasher},
    time::Duration,
};

use tokio::time::Instant;

use crate::service::Pace;

/// The time for which a request counts after its response. Limits are per second, and 20 ms are a margin for clocks.
const WINDOW: Duration = Duration::from_millis(1_020);
/// The time after which a request without a response is assumed to have reached the server. Shorter for polls, because
/// the server holds their responses.
const ARRIVAL: Duration = Duration::from_secs(2);
const ARRIVAL_OF_POLLS: Duration = Duration::from_millis(500);
/// After an idle time, a third of the limit may be sent at once.
const BURST_SHARE: u32 = 3;
/// Background requests leave a tenth of the limit to other requests.
const RESERVE_SHARE: u32 = 10;
/// The time from the end of a pause until the bot reaches its limit.
const RAMP: Duration = Duration::from_secs(5);
/// If the pace has no limit, the rate after a pause reaches `RAMP_LIMIT` requests per second within [`RAMP`], and grows
/// until [`LONG_RAMP`]. So waiting requests are not all sent at once.
const RAMP_LIMIT: u32 = 30;
const LONG_RAMP: Duration = Duration::from_secs(60);
/// The share of the limit with which a bot starts after a pause.
const RAMP_START: f64 = 0.1;
/// A map is shrunk if it uses less than an eighth of its capacity.
const SHRINK_SHARE: usize = 8;

/// The shortest sleep of a waiting request before it looks at the queue again.
const LEAST_SLEEP: Duration = Duration::from_millis(1);

/// The priority of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Priority {
    #[default]
    Normal,
    /// Uses only spare capacity.
    Background,
}

/// A group of requests with a limit of its own, in addition to the limit of the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PaceKey {
    Polls,
    /// Requests of an operation to a chat: the operation, and the parameter that names the chat, with its value.
    Chat(&'static str, &'static str, i64),
}

/// The limit that delays a request, and the time at which to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// The limit of the [`PaceKey`] is used up.
    Key(Instant),
    /// The limit of the bot is used up, or the bot pauses.
    Bot(Instant),
}

/// A request that counts against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    number: u64,
    /// The time until which the request counts if it is not answered earlier.
    until: Instant,
    slot: Option<Slot>,
}

/// One of the allowed requests per second of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    key: PaceKey,
    index: u32,
}

/// Hashes only the chat and the index, as one integer. Hashing the names would double the cost of the pace, and they
/// hardly differ.
impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let chat = match self.key {
            PaceKey::Polls => 0,
            PaceKey::Chat(_, _, chat) => chat,
        };
        state.write_u64(chat.cast_unsigned() ^ u64::from(self.index).rotate_left(32));
    }
}

/// The request in a slot.
#[derive(Debug)]
struct Taken {
    number: u64,
    until: Instant,
}

/// The requests that count against a limit.
///
/// The server counts a request when it arrives, between sending and response. So a request counts here from sending
/// until [`WINDOW`] after its response. Without a response, it counts until [`WINDOW`] after its assumed arrival
/// ([`ARRIVAL`]).
#[derive(Debug, Default)]
struct Window {
    /// The numbers of requests without a response, in order, and the latest time until which each counts.
    unanswered: VecDeque<(u64, Instant)>,
    /// The times until which answered requests count, in order.
    answered: VecDeque<Instant>,
}

impl Window {
    fn add(&mut self, ticket: Ticket) {
        self.unanswered.push_back((ticket.number, ticket.until));
    }

    fn forget(&mut self, now: Instant) {
        self.unanswered.retain(|(_, until)| *until > now);
        while self.answered.front().is_some_and(|until| *until <= now) {
            self.answered.pop_front();
        }
    }

    /// Returns the time at which there is room for another request. `None` if there is room now.
    fn busy(&self, most: usize) -> Option<Instant> {
        let beyond = (self.unanswered.len() + self.answered.len()).checked_sub(most)?;
        let unanswered = self.unanswered.iter().map(|(_, until)| *until);
        let mut all: Vec<Instant> = unanswered.chain(self.answered.iter().copied()).collect();
        Some(*all.select_nth_unstable(beyond).1)
    }

    fn answered(&mut self, ticket: Ticket, now: Instant) {
        // A request that no longer counts is already removed.
        if self.cancel(ticket) {
            self.answered.push_back(now + WINDOW);
        }
    }

    /// Removes a request without a response. Returns whether it still counted.
    fn cancel(&mut self, ticket: Ticket) -> bool {
        let found = self.unanswered.binary_search_by_key(&ticket.number, |(number, _)| *number);
        found.is_ok_and(|index| self.unanswered.remove(index).is_some())
    }
}

/// The recent requests of a bot, and the times at which the next ones may be sent.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    /// The number of the next request.
    number: u64,
    sent: Window,
    /// The time of the next request if requests are sent at equal intervals.
    next: Option<Instant>,
    /// The earliest time of the next background request.
    next_background: Option<Instant>,
    /// The slots of keys that are taken, or were taken until recently. One map without an allocation per key, because
    /// many small allocations would not return memory to the system.
    slots: HashMap<Slot, Taken>,
    /// The times at which to check whether a slot is free.
    by_time: VecDeque<(Instant, Slot)>,
    /// The end of the pause after a 429.
    pause: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            number: 0,
            sent: Window::default(),
            next: None,
            next_background: None,
            slots: HashMap::new(),
            by_time: VecDeque::new(),
            pause: None,
        }
    }

    /// Admits a request now, and counts it if there is a limit. Returns the limit that delays it otherwise.
    pub(super) fn try_admit(
        &mut self,
        now: Instant,
        key: Option<PaceKey>,
        priority: Priority,
    ) -> Result<Option<Ticket>, Busy> {
        self.forget(now);
        let slot = match key.map(|key| self.free_slot(now, key)) {
            Some(Err(at)) => return Err(Busy::Key(at)),
            Some(Ok(slot)) => slot,
            None => None,
        };
        if let Some(at) = self.bot_busy(now, priority) {
            return Err(Busy::Bot(at));
        }
        let limit = self.limit(now);
        if let Some(limit) = limit {
            self.count(now, limit, priority);
        }
        if limit.is_none() && slot.is_none() {
            return Ok(None);
        }
        let arrival = if key == Some(PaceKey::Polls) { ARRIVAL_OF_POLLS } else { ARRIVAL };
        let ticket = Ticket { number: self.number, until: now + arrival + WINDOW, slot };
        self.number += 1;
        if limit.is_some() {
            self.sent.add(ticket);
        }
        if let Some(slot) = slot {
            self.slots.insert(slot, Taken { number: ticket.number, until: ticket.until });
        }
        Ok(Some(ticket))
    }

    /// Records that a request was answered, or dropped by its caller.
    pub(super) fn answered(&mut self, ticket: Ticket, now: Instant) {
        self.sent.answered(ticket, now);
        if let Some(slot) = ticket.slot
            && let Some(taken) = self.slots.get_mut(&slot)
            && taken.number == ticket.number
        {
            // A request that no longer counts is not counted again.
            taken.until = if taken.until > now { now + WINDOW } else { now };
            self.by_time.push_back((taken.until, slot));
        }
    }

    /// Records that an admitted request is not sent.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        self.sent.cancel(ticket);
        if let Some(slot) = ticket.slot
            && self.slots.get(&slot).is_some_and(|taken| taken.number == ticket.number)
        {
            self.slots.remove(&slot);
        }
    }

    /// Estimates when a waiting request may be sent.
    ///
    /// - `of_key`: Number of earlier requests of the same key.
    /// - `places`: Number of all earlier requests.
    pub(super) fn due(
        &mut self,
        now: Instant,
        (key, of_key): (Option<PaceKey>, usize),
        (priority, places): (Priority, usize),
    ) -> Instant {
        let per_place = |limit: Option<u32>, places: usize| {
            let limit = limit.map_or(f64::INFINITY, f64::from);
            WINDOW.mul_f64((places as f64 / limit).min(60.0))
        };
        let of_bot = match self.bot_busy(now, priority) {
            Some(at) => at + per_place(self.limit(now), places),
            None => now,
        };
        let of_key = key.and_then(|key| Some(self.free_slot(now, key).err()? + per_place(self.limit_of(key), of_key)));
        // A minimum, to avoid a busy loop.
        of_bot.max(of_key.unwrap_or(now)).max(now + LEAST_SLEEP)
    }

    /// Returns a free slot of a key, or the time at which one becomes free. `None` if the key has no limit.
    fn free_slot(&self, now: Instant, key: PaceKey) -> Result<Option<Slot>, Instant> {
        let (limit, mut first_free) = (self.limit_of(key).unwrap_or(0), None);
        for offset in 0..limit {
            // Starts at a different index each time: if few slots are taken, the first one is usually free.
            let slot = Slot { key, index: ((self.number + u64::from(offset)) % u64::from(limit)) as u32 };
            match self.slots.get(&slot) {
                Some(taken) if taken.until > now => {
                    first_free = Some(first_free.map_or(taken.until, |first: Instant| first.min(taken.until)));
                }
                _ => return Ok(Some(slot)),
            }
        }
        first_free.map_or(Ok(None), Err)
    }

    /// Pauses all requests until `end`, or until the end of a longer pause.
    pub(super) fn pause_until(&mut self, end: Instant) {
        self.pause = Some(self.pause.map_or(end, |pause| pause.max(end)));
    }

    /// Returns the end of the latest pause.
    pub(super) fn pause_end(&self) -> Option<Instant> {
        self.pause
    }

    /// Returns the shortest useful pause: a limit per second has room again after a second.
    pub(super) fn least_pause(&self) -> Duration {
        let Pace { requests, chat_requests, polls } = self.pace;
        if requests.or(chat_requests).or(polls).is_some() { WINDOW } else { Duration::ZERO }
    }

    /// Returns the rest of the pause. `None` if there is no pause.
    pub(super) fn paused_for(&self, now: Instant) -> Option<Duration> {
        self.pause.and_then(|end| end.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    fn limit_of(&self, key: PaceKey) -> Option<u32> {
        match key {
            PaceKey::Polls => self.pace.polls,
            PaceKey::Chat(..) => self.pace.chat_requests,
        }
    }

    /// Returns when the limit of the bot allows the request. `None` if it allows the request now.
    fn bot_busy(&self, now: Instant, priority: Priority) -> Option<Instant> {
        if let Some(end) = self.pause.filter(|end| *end > now) {
            return Some(end);
        }
        let limit = self.limit(now)?;
        // While the limit grows after a pause, bursts are not allowed.
        let burst = if self.is_ramping(now) { 1 } else { (limit / BURST_SHARE).max(1) };
        let due = self.next.unwrap_or(now).max(now);
        let early = due.checked_sub(interval(limit) * (burst - 1)).filter(|early| *early > now);
        let background = self.next_background.filter(|at| priority == Priority::Background && *at > now);
        [self.sent.busy(room(limit, priority)), early, background].into_iter().flatten().max()
    }

    /// Counts a request that is sent now.
    fn count(&mut self, now: Instant, limit: u32, priority: Priority) {
        self.next = Some(self.next.unwrap_or(now).max(now) + interval(limit));
        if priority == Priority::Background {
            self.next_background = Some(now + WINDOW / u32::try_from(room(limit, priority)).unwrap_or(u32::MAX));
        }
    }

    /// Returns the current limit of the bot. It grows after a pause.
    fn limit(&self, now: Instant) -> Option<u32> {
        let Some(since) = self.since_pause(now) else { return self.pace.requests };
        let share = (since.as_secs_f64() / RAMP.as_secs_f64()).max(RAMP_START);
        let grown = |limit: u32| ((f64::from(limit) * share).ceil() as u32).max(1);
        match self.pace.requests {
            Some(limit) => Some(grown(limit).min(limit)),
            None => (since < LONG_RAMP).then(|| grown(RAMP_LIMIT)),
        }
    }

    fn is_ramping(&self, now: Instant) -> bool {
        self.since_pause(now).is_some_and(|since| since < RAMP)
    }

    fn since_pause(&self, now: Instant) -> Option<Duration> {
        self.pause.and_then(|end| now.checked_duration_since(end))
    }

    /// Removes requests and slots that no longer count.
    fn forget(&mut self, now: Instant) {
        self.sent.forget(now);
        while let Some((_, slot)) = self.by_time.front().copied().filter(|(until, _)| *until <= now) {
            self.by_time.pop_front();
            if let Entry::Occupied(taken) = self.slots.entry(slot)
                && taken.get().until <= now
            {
                taken.remove();
            }
        }
        if self.slots.capacity() > SHRINK_SHARE * self.slots.len().max(SHRINK_SHARE) {
            self.slots.shrink_to(self.slots.len());
            self.by_time.shrink_to(self.by_time.len());
        }
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.slots.len()
    }
}

fn interval(limit: u32) -> Duration {
    Duration::from_secs(1) / limit.max(1)
}

/// Returns how many requests of a priority may count at the same time.
fn room(limit: u32, priority: Priority) -> usize {
    let reserve = if priority == Priority::Background { (limit / RESERVE_SHARE).max(1) } else { 0 };
    limit.saturating_sub(reserve).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Pace = Pace { requests: Some(30), chat_requests: Some(2), polls: Some(2) };

    fn chat(id: i64) -> Option<PaceKey> {
        Some(PaceKey::Chat("sendMessage", "chat_id", id))
    }

    /// Sends a request and answers it immediately.
    fn admit(schedule: &mut Schedule, now: Instant, key: Option<PaceKey>) -> Result<(), Busy> {
        let ticket = schedule.try_admit(now, key, Priority::Normal)?;
        ticket.into_iter().for_each(|ticket| schedule.answered(ticket, now));
        Ok(())
    }

    /// Sends requests as early as possible, one after the other, and answers each immediately. Returns the times of
    /// sending.
    fn send(schedule: &mut Schedule, mut now: Instant, count: usize, priority: Priority) -> Vec<Instant> {
        let mut sent = Vec::new();
        while sent.len() < count {
            match schedule.try_admit(now, None, priority) {
                Ok(ticket) => {
                    sent.push(now);
                    if let Some(ticket) = ticket {
                        schedule.answered(ticket, now);
                    }
                }
                Err(Busy::Bot(at) | Busy::Key(at)) => {
                    assert!(at > now, "a delay ends in the future");
                    now = at;
                }
            }
        }
        sent
    }

    fn most_in_a_second(sent: &[Instant]) -> usize {
        let within = |first: &Instant| sent.iter().filter(|at| **at >= *first && **at < *first + WINDOW).count();
        sent.iter().map(within).max().unwrap_or(0)
    }

    #[test]
    fn sends_at_the_limit_but_never_above_it() {
        let start = Instant::now();
        let sent = send(&mut Schedule::new(MAX), start, 600, Priority::Normal);
        assert_eq!(most_in_a_second(&sent), 30);
        let took = sent[599] - start;
        assert!(took < Duration::from_millis(21_100), "{took:?}");
    }

    #[test]
    fn a_request_counts_until_a_second_after_its_response() {
        let (mut schedule, now) = (Schedule::new(Pace::none().requests_per_second(3)), Instant::now());
        let mut send = |at: u64| schedule.try_admit(now + Duration::from_millis(at), None, Priority::Normal);
        let (first, second, third) = (send(0), send(400), send(800));
        let [first, second, third] = [first, second, third].map(|ticket| ticket.unwrap().unwrap());
        let busy = |at: u64| Err(Busy::Bot(now + Duration::from_millis(at)));
        assert_eq!(schedule.try_admit(now + Duration::from_millis(1_200), None, Priority::Normal), busy(3_020));
        // The third request is answered first, and the first one last.
        schedule.answered(third, now + Duration::from_millis(810));
        schedule.answered(second, now + Duration::from_millis(820));
        schedule.answered(first, now + Duration::from_millis(1_300));
        assert_eq!(schedule.try_admit(now + Duration::from_millis(1_300), None, Priority::Normal), busy(1_830));
        let admitted = schedule.try_admit(now + Duration::from_millis(1_830), None, Priority::Normal);
        assert!(admitted.is_ok_and(|ticket| ticket.is_some()));
    }

    #[test]
    fn sends_a_burst_of_a_third_of_the_limit() {
        let start = Instant::now();
        let sent = send(&mut Schedule::new(MAX), start, 12, Priority::Normal);
        assert_eq!(sent.iter().filter(|at| **at == start).count(), 10);
    }

    #[test]
    fn a_chat_has_a_limit_of_its_own() {
        let (mut schedule, now) = (Schedule::new(MAX), Instant::now());
        assert_eq!(admit(&mut schedule, now, chat(1)), Ok(()));
        assert_eq!(admit(&mut schedule, now, chat(1)), Ok(()));
        assert_eq!(admit(&mut schedule, now, chat(1)), Err(Busy::Key(now + WINDOW)));
        assert_eq!(admit(&mut schedule, now, chat(2)), Ok(()));
        assert_eq!(admit(&mut schedule, now, None), Ok(()));
        assert_eq!(admit(&mut schedule, now + WINDOW, chat(1)), Ok(()));
    }

    #[test]
    fn polls_have_a_limit_of_their_own() {
        let (mut schedule, now) = (Schedule::new(MAX), Instant::now());
        let poll = Some(PaceKey::Polls);
        assert_eq!(admit(&mut schedule, now, poll), Ok(()));
        assert_eq!(admit(&mut schedule, now, poll), Ok(()));
        assert_eq!(admit(&mut schedule, now, poll), Err(Busy::Key(now + WINDOW)));
    }

    #[test]
    fn background_requests_leave_room_for_others() {
        let mut schedule = Schedule::new(MAX);
        let mut now = Instant::now();
        let mut delays = Vec::new();
        // At full rate, with a normal request after every ninth.
        for sent in 0..300 {
            now = *send(&mut schedule, now, 1, Priority::Background).last().unwrap();
            if sent % 9 == 0 {
                let normal = send(&mut schedule, now, 1, Priority::Normal)[0];
                delays.push(normal - now);
            }
        }
        assert_eq!(delays.iter().max(), Some(&Duration::ZERO));
    }

    #[test]
    fn a_burst_waits_for_one_slot_at_a_time_beside_background_requests() {
        let mut schedule = Schedule::new(MAX);
        let start = Instant::now();
        let now = *send(&mut schedule, start, 100, Priority::Background).last().unwrap();
        let burst = send(&mut schedule, now, 10, Priority::Normal);
        let slot = WINDOW / 20;
        let longest = burst.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(longest <= slot, "{longest:?}");
    }

    #[test]
    fn after_a_pause_the_rate_grows_slowly() {
        let (mut schedule, now) = (Schedule::new(MAX), Instant::now());
        let end = now + Duration::from_secs(2);
        schedule.pause_until(end);
        schedule.pause_until(now + Duration::from_secs(1));
        assert_eq!(schedule.paused_for(now), Some(Duration::from_secs(2)));
        assert_eq!(admit(&mut schedule, now, chat(1)), Err(Busy::Bot(end)));
        let sent = send(&mut schedule, now, 200, Priority::Normal);
        assert_eq!(sent[0], end);
        let in_first_second = sent.iter().filter(|at| **at < end + Duration::from_secs(1)).count();
        assert!((2..8).contains(&in_first_second), "{in_first_second}");
        let later = end + RAMP + WINDOW;
        let at_full_rate = sent.iter().filter(|at| **at >= later && **at < later + WINDOW).count();
        assert!(at_full_rate >= 29, "{at_full_rate}");
        assert_eq!(schedule.paused_for(end), None);
    }

    #[test]
    fn without_limits_only_a_pause_delays_requests() {
        let (mut schedule, now) = (Schedule::new(Pace::none()), Instant::now());
        for _ in 0..1_000 {
            assert_eq!(schedule.try_admit(now, chat(1), Priority::Background), Ok(None));
        }
        assert_eq!(schedule.remembered(), 0);
        schedule.pause_until(now + WINDOW);
        assert!(schedule.try_admit(now, None, Priority::Normal).is_err());
        let sent = send(&mut schedule, now, 1_000, Priority::Normal);
        let end = now + WINDOW;
        let in_first_second = sent.iter().filter(|at| **at < end + Duration::from_secs(1)).count();
        assert!((2..8).contains(&in_first_second), "{in_first_second}");
        let later = end + RAMP;
        let at_reference = sent.iter().filter(|at| **at >= later && **at < later + Duration::from_secs(1)).count();
        assert!((20..40).contains(&at_reference), "{at_reference}");
        assert!(sent[999] < end + Duration::from_secs(20), "the rate keeps growing");
        let sent = send(&mut schedule, end + LONG_RAMP, 1_000, Priority::Normal);
        assert_eq!(sent[999], sent[0], "there is no limit after the long ramp");
    }

    #[test]
    fn idle_chats_are_forgotten() {
        let mut schedule = Schedule::new(Pace { requests: None, ..MAX });
        let now = Instant::now();
        for id in 0..100_000 {
            assert_eq!(admit(&mut schedule, now, chat(id)), Ok(()));
        }
        assert_eq!(schedule.remembered(), 100_000);
        assert_eq!(admit(&mut schedule, now + WINDOW, None), Ok(()));
        assert_eq!(schedule.remembered(), 0);
        assert!(schedule.slots.capacity() < 100 && schedule.by_time.capacity() < 100);
    }
}
