//! The names of a queue on NATS.

use tamtam::UserId;

/// The name of a bot, such as `max-7`.
pub(crate) fn owner(service: &str, id: UserId) -> String {
    format!("{}-{id}", service.to_ascii_lowercase())
}

/// The names of a queue on NATS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) stream: String,
}

impl Names {
    /// The stream of dead letters.
    pub(crate) fn dead_stream(&self) -> String {
        format!("{}-dead", self.stream)
    }

    /// The subject of dead letters.
    pub(crate) fn dead(&self) -> String {
        format!("tamtam.{}.dead", self.stream)
    }

    /// The subject on which workers ask each other. Not stored.
    pub(crate) fn questions(&self) -> String {
        format!("tamtam.{}.questions", self.stream)
    }

    /// The subject of a slot.
    pub(crate) fn slot(&self, slot: u16) -> String {
        format!("tamtam.{}.slot.{slot}", self.stream)
    }

    /// The subjects of all slots.
    pub(crate) fn slots(&self) -> String {
        format!("tamtam.{}.slot.*", self.stream)
    }

    /// The durable consumer of a slot.
    pub(crate) fn consumer(slot: u16) -> String {
        format!("slot-{slot}")
    }

    /// The slot of a durable consumer.
    pub(crate) fn slot_of_consumer(name: &str) -> Option<u16> {
        name.strip_prefix("slot-")?.parse().ok()
    }
}
