//! Capture of `tracing` events of the code under test.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{Dispatch, level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::format::FmtSpan;

/// The captured output of all targets, as long as the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Traced(Arc<Mutex<Vec<u8>>>);

/// Stops the capture when it is dropped.
pub(crate) struct Guard {
    _listens: DefaultGuard,
    /// With only one subscriber, `tracing` checks the interest in a new event only on the thread that first reaches it,
    /// and caches the result for all threads. A second subscriber makes it ask all subscribers.
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
    /// Starts a capture on this thread, on which `tokio::test` runs all tasks, including those of connections.
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

    /// Like [`start`](Self::start), but captures only events, as one JSON object per line.
    pub(crate) fn json(level: LevelFilter) -> (Self, Guard) {
        let traced = Self::default();
        let writer = traced.clone();
        let another = Dispatch::new(tracing_subscriber::registry());
        let subscriber =
            tracing_subscriber::fmt().json().with_max_level(level).with_writer(move || writer.clone()).finish();
        (traced, Guard { _listens: tracing::subscriber::set_default(subscriber), _another: another })
    }

    /// Returns the events of the crate. The capture must have been started by [`json`](Self::json).
    pub(crate) fn events(&self) -> Vec<Value> {
        let events = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        events.into_iter().filter(|event| event["target"].as_str().unwrap().starts_with("tamtam")).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}
