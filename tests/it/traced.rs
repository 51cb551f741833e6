//! What a subscriber of `tracing` sees of the code under test.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{Dispatch, level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::format::FmtSpan;

/// What was traced, of every target, as long as the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Traced(Arc<Mutex<Vec<u8>>>);

/// Ends the listening when it is dropped.
pub(crate) struct Guard {
    _listens: DefaultGuard,
    /// While there is only one subscriber, `tracing` asks the thread that comes upon a new event first whether anybody
    /// listens, and remembers its answer for all threads. A second one makes it ask the subscribers.
    _another: Dispatch,
}

impl io::Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Traced {
    /// Listens on this thread, on which `tokio::test` runs everything, the connections' tasks too.
    pub(crate) fn start(level: LevelFilter) -> (Self, Guard) {
        let traced = Self::default();
        let writer = traced.clone();
        let another = Dispatch::new(tracing_subscriber::registry());
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_span_events(FmtSpan::FULL)
            .with_writer(move || writer.clone())
            .finish();
        (traced, Guard { _listens: tracing::subscriber::set_default(subscriber), _another: another })
    }

    /// As [`start`](Self::start), as a service logs: events only, one JSON object per line.
    pub(crate) fn json(level: LevelFilter) -> (Self, Guard) {
        let traced = Self::default();
        let writer = traced.clone();
        let another = Dispatch::new(tracing_subscriber::registry());
        let subscriber =
            tracing_subscriber::fmt().json().with_max_level(level).with_writer(move || writer.clone()).finish();
        (traced, Guard { _listens: tracing::subscriber::set_default(subscriber), _another: another })
    }

    /// The events of the crate, if they were traced as [`json`](Self::json).
    pub(crate) fn events(&self) -> Vec<Value> {
        let events = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        events.into_iter().filter(|event| event["target"].as_str().unwrap().starts_with("tamtam")).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}
