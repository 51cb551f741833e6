//! A page in lanes: what keeps its order is one lane, and all lanes go on at the same time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::{JoinError, JoinSet};

use crate::{
    api::types::Update,
    client::{bot::Bot, clock::Clock, retry::Backoff},
    id::{ChatId, SessionId, UserId},
    updates::{
        handler::{Handling, Outcome},
        health::{Health, Moment},
    },
};

/// What keeps its order: the updates of a chat, else of a constructor session, else of a user, else all others.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Lane {
    Chat(ChatId),
    Session(SessionId),
    User(UserId),
    Other,
}

impl Lane {
    fn of(update: &Update) -> Self {
        update
            .chat_id()
            .map(Self::Chat)
            .or_else(|| update.session_id().map(Self::Session))
            .or_else(|| update.user_id().map(Self::User))
            .unwrap_or(Self::Other)
    }
}

/// Updates that wait for those before them in their lane; `None` when its task has ended.
type Queue = Arc<Mutex<Option<VecDeque<Update>>>>;

/// Adds an update to a lane whose task goes on; gives it back if there is none.
fn push(queue: Option<&Queue>, update: Update) -> Option<Update> {
    let Some(queue) = queue else { return Some(update) };
    match &mut *queue.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(waiting) => {
            waiting.push_back(update);
            None
        }
        None => Some(update),
    }
}

/// The next update of a lane. When there is none, its task ends.
fn pop(queue: &Queue) -> Option<Update> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let next = queue.as_mut().and_then(VecDeque::pop_front);
    if next.is_none() {
        *queue = None;
    }
    next
}

/// Waits until there is room for another lane.
async fn room(tasks: &mut JoinSet<()>, concurrency: usize) {
    while let Some(ended) = tasks.try_join_next() {
        lane_ended(ended).await;
    }
    while tasks.len() >= concurrency {
        one_ends(tasks).await;
    }
}

/// Waits for one of the lanes.
async fn one_ends(tasks: &mut JoinSet<()>) {
    if let Some(ended) = tasks.join_next().await {
        lane_ended(ended).await;
    }
}

async fn lane_ended(ended: Result<(), JoinError>) {
    let Err(error) = ended else { return };
    match error.try_into_panic() {
        // Handlers do not panic to here, so this is no handler's panic. The page must not pass for handled.
        Ok(panic) => std::panic::resume_unwind(panic),
        // The runtime is being shut down.
        Err(_) => std::future::pending().await,
    }
}

/// Handles the lanes of a page.
#[derive(Clone)]
pub(super) struct Lanes {
    pub(super) bot: Bot,
    pub(super) handling: Handling,
    pub(super) health: Health,
    /// The waits before an update is handed out again.
    pub(super) backoff: Backoff,
}

impl Lanes {
    /// Handles a page, at most `concurrency` lanes at a time. Each lane is a task, so that they use all cores.
    pub(super) async fn handle(self, page: VecDeque<Update>, concurrency: usize, tasks: &mut JoinSet<()>) {
        let mut queues: HashMap<Lane, Queue> = HashMap::new();
        let moment = self.health.moment();
        for update in page {
            let lane = Lane::of(&update);
            if let Some(update) = push(queues.get(&lane), update) {
                room(tasks, concurrency).await;
                let queue = Queue::new(Mutex::new(Some(VecDeque::from([update]))));
                queues.insert(lane, Arc::clone(&queue));
                tasks.spawn(self.clone().handle_lane(queue, moment));
            }
        }
        while !tasks.is_empty() {
            one_ends(tasks).await;
        }
    }

    async fn handle_lane(self, queue: Queue, moment: Moment) {
        while let Some(update) = pop(&queue) {
            let _handed_out = self.health.hand_out(&update, moment);
            let mut next = Some((update, 1));
            while let Some((update, attempts)) = next.take() {
                let in_flight = self.health.begin();
                let outcome = self.handling.handle(&self.bot, update, attempts).await;
                drop(in_flight);
                match outcome {
                    Outcome::Handled => self.health.count_handled(),
                    Outcome::Skipped => self.health.count_skipped(),
                    Outcome::Again(update) => {
                        let clock: &dyn Clock = &*self.bot.transport().clock;
                        clock.sleep(self.backoff.jittered(attempts, clock.chance())).await;
                        next = Some((update, attempts.saturating_add(1)));
                    }
                }
            }
        }
    }
}
