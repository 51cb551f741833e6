//! Tests of the state machine of the update stream, without network and time.

use http::StatusCode;

use super::*;
use crate::error::{ErrorCode, Reason};

/// A stream whose effects are simulated by the test.
struct Stream {
    state: Option<StreamState>,
}

/// An effect in a form that tests can compare.
#[derive(Debug, PartialEq)]
enum Does {
    Yields(String),
    Fails,
    Ends,
    GoesOn,
    Loads,
    ClearsWebhooks,
    Polls(Option<i64>),
    PollsFewer(Option<i64>, i64),
    Skips(Option<i64>),
    Saves(i64),
    Commits(i64),
    Waits(Duration),
    Retries(Duration),
}

use Does::*;

impl Stream {
    fn new(start_from: StartFrom, stored: bool) -> Self {
        Self { state: Some(StreamState::new(start_from, stored, BACKOFF, None)) }
    }

    /// Returns a stream without a store that has sent its first poll.
    fn polling() -> Self {
        let mut stream = Self::new(StartFrom::Backlog, false);
        assert_eq!(stream.asked(), ClearsWebhooks);
        assert_eq!(stream.then(Input::Cleared), Polls(None));
        stream
    }

    /// Returns a stream with an empty store that has sent its first poll.
    fn storing() -> Self {
        let mut stream = Self::new(StartFrom::Stored, true);
        assert_eq!(stream.asked(), Loads);
        assert_eq!(stream.then(Input::Loaded(None)), ClearsWebhooks);
        assert_eq!(stream.then(Input::Cleared), Polls(None));
        stream
    }

    fn then(&mut self, input: Input) -> Does {
        let (state, effect) = self.state.take().unwrap().step(input);
        self.state = Some(state);
        match effect {
            Effect::Yield(update) => Yields(update.tag().to_owned()),
            Effect::Fail(_) => Fails,
            Effect::End => Ends,
            Effect::Continue => GoesOn,
            Effect::Load => Loads,
            Effect::ClearWebhooks { .. } => ClearsWebhooks,
            Effect::Poll { marker, limit: Some(limit) } => PollsFewer(marker, limit),
            Effect::Poll { marker, limit: None } => Polls(marker),
            Effect::Skip { marker, limit: LARGEST_LIMIT } => Skips(marker),
            Effect::Skip { marker, limit } => PollsFewer(marker, limit),
            Effect::Save { marker } => Saves(marker),
            Effect::Commit { marker } => Commits(marker),
            Effect::Wait(delay) | Effect::Stuck { delay } => Waits(delay),
            Effect::Retry { delay, .. } => Retries(delay),
        }
    }

    fn asked(&mut self) -> Does {
        self.then(Input::Asked)
    }

    /// Answers a poll after its hold of 30 s.
    fn page(&mut self, tags: &[&str], marker: Option<i64>) -> Does {
        self.page_after(Duration::from_secs(30), tags, marker)
    }

    fn page_after(&mut self, took: Duration, tags: &[&str], marker: Option<i64>) -> Does {
        let update = |tag: &&str| serde_json::from_str(&format!(r#"{{"update_type":"{tag}"}}"#)).unwrap();
        let page = Page { updates: tags.iter().map(update).collect(), marker, ..Page::default() };
        self.then(Input::Page { page, took })
    }

    fn fails(&mut self, error: Error, chance: f64) -> Does {
        self.then(Input::Failed { error, chance })
    }
}

fn yields(tag: &str) -> Does {
    Yields(tag.to_owned())
}

fn status(status: StatusCode, code: Option<&str>, retry_after: Option<Duration>) -> Error {
    let code = code.map(ErrorCode::from);
    Error::new(Reason::Status { status, code, location: None, message: String::new(), retry_after })
}

fn server_is_down() -> Error {
    status(StatusCode::BAD_GATEWAY, None, None)
}

fn too_large() -> Error {
    let limit = crate::client::transport::SizeLimits::default().page;
    Error::new(Reason::TooLarge { status: StatusCode::OK, limit })
}

/// Returns the error of a response with this body, read as a number.
fn misread(body: &str) -> Error {
    let source = serde_json::from_str::<u32>(body).unwrap_err();
    Error::new(Reason::Decode { status: StatusCode::OK, source })
}

#[test]
fn a_misfit_at_the_start_ends_the_stream_but_a_body_that_is_not_json_is_retried() {
    let mut loading = Stream::new(StartFrom::Stored, true);
    assert_eq!(loading.asked(), Loads);
    let mut clearing = Stream::new(StartFrom::Stored, false);
    assert_eq!(clearing.asked(), ClearsWebhooks);
    for (mut stream, again) in [(loading, Loads), (clearing, ClearsWebhooks)] {
        for not_json in ["<html>", ""] {
            assert_eq!(stream.fails(misread(not_json), 1.0), Retries(BACKOFF.first));
            assert_eq!(stream.then(Input::Waited), again);
            stream.state.as_mut().unwrap().failures = 0;
        }
        assert_eq!(stream.fails(misread("{}"), 1.0), Fails);
        assert_eq!(stream.asked(), Ends);
    }
    let mut polling = Stream::polling();
    assert_eq!(polling.fails(misread("{}"), 1.0), Retries(BACKOFF.first), "a captive portal may answer");
}

#[test]
fn a_page_over_the_size_limit_is_requested_again_with_half_the_limit() {
    let mut stream = Stream::polling();
    for fewer in [50, 25, 12, 6, 3, 1] {
        assert_eq!(stream.fails(too_large(), 1.0), Retries(Duration::ZERO));
        assert_eq!(stream.then(Input::Waited), PollsFewer(None, fewer));
    }
    assert_eq!(stream.fails(too_large(), 1.0), Fails, "a single update is over the limit");
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn the_page_size_grows_again_after_some_pages_within_the_size_limit() {
    let mut stream = Stream::polling();
    for _ in 0..2 {
        assert_eq!(stream.fails(too_large(), 1.0), Retries(Duration::ZERO));
        assert!(matches!(stream.then(Input::Waited), PollsFewer(None, _)));
    }
    let mut marker = 0;
    for limit in [25, 50] {
        for _ in 1..FITTING_PAGES {
            marker += 1;
            assert_eq!(stream.page(&["a"], Some(marker)), yields("a"));
            assert_eq!(stream.asked(), PollsFewer(Some(marker), limit));
        }
        marker += 1;
        assert_eq!(stream.page(&["a"], Some(marker)), yields("a"));
        if limit == 25 {
            assert_eq!(stream.asked(), PollsFewer(Some(marker), 50));
        }
    }
    assert_eq!(stream.asked(), Polls(Some(marker)));
}

#[test]
fn a_backlog_over_the_size_limit_is_skipped_in_smaller_pages() {
    let mut stream = Stream::new(StartFrom::Latest, false);
    assert_eq!(stream.asked(), ClearsWebhooks);
    assert_eq!(stream.then(Input::Cleared), Skips(None));
    assert_eq!(stream.fails(too_large(), 1.0), Retries(Duration::ZERO));
    assert_eq!(stream.then(Input::Waited), PollsFewer(None, 500));
}

#[test]
fn a_page_is_committed_by_the_request_after_its_last_update() {
    let mut stream = Stream::polling();
    assert_eq!(stream.page(&["a", "b"], Some(10)), yields("a"));
    assert_eq!(stream.asked(), yields("b"));
    assert_eq!(stream.asked(), Polls(Some(10)));
    assert_eq!(stream.page(&["c"], Some(11)), yields("c"));
    assert_eq!(stream.asked(), Polls(Some(11)));
}

#[test]
fn starts_without_a_marker() {
    let mut stream = Stream::new(StartFrom::default(), false);
    assert_eq!(stream.asked(), ClearsWebhooks);
    assert_eq!(stream.then(Input::Cleared), Polls(None));
}

#[test]
fn the_next_page_is_requested_only_after_the_last_update_of_a_page_was_returned() {
    let mut stream = Stream::polling();
    assert_eq!(stream.page(&["a", "b", "c"], Some(10)), yields("a"));
    for tag in ["b", "c"] {
        assert_eq!(stream.asked(), yields(tag), "a fetched update is returned without a poll");
    }
    assert_eq!(stream.asked(), Polls(Some(10)));
}

#[test]
fn the_marker_is_saved_before_the_poll_that_commits_it() {
    let mut stream = Stream::storing();
    assert_eq!(stream.page(&["a"], Some(10)), yields("a"));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Saved { ok: true }), Polls(Some(10)));
    assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)), "the store already has the marker");
    assert_eq!(stream.page(&[], Some(12)), Saves(12), "an empty page can have a new marker");
}

#[test]
fn a_failed_save_does_not_stop_the_polling_and_is_retried() {
    let mut stream = Stream::storing();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Saved { ok: false }), Polls(Some(10)));
    assert_eq!(stream.page(&[], Some(10)), Saves(10), "the save is retried after the poll");
}

#[test]
fn starts_at_the_configured_place() {
    for (start, loaded, first) in [
        (StartFrom::Stored, Some(7), Polls(Some(7))),
        (StartFrom::Stored, None, Polls(None)),
        (StartFrom::Backlog, Some(7), Polls(None)),
        (StartFrom::Latest, Some(7), Skips(None)),
    ] {
        let mut stream = Stream::new(start, true);
        assert_eq!(stream.asked(), Loads, "{start:?}: the store is always read at the start");
        assert_eq!(stream.then(Input::Loaded(loaded)), ClearsWebhooks, "{start:?}");
        assert_eq!(stream.then(Input::Cleared), first, "{start:?}");
    }
}

#[test]
fn latest_skips_pages_until_one_is_empty() {
    let mut stream = Stream::new(StartFrom::Latest, true);
    stream.asked();
    stream.then(Input::Loaded(None));
    assert_eq!(stream.then(Input::Cleared), Skips(None));
    let at_once = Duration::ZERO;
    assert_eq!(stream.page_after(at_once, &["a", "b"], Some(10)), Skips(Some(10)));
    assert_eq!(stream.page_after(at_once, &["c"], Some(11)), Skips(Some(11)));
    assert_eq!(stream.page_after(at_once, &[], Some(11)), Saves(11));
    assert_eq!(stream.then(Input::Saved { ok: true }), Polls(Some(11)));
    assert_eq!(stream.page(&["d"], Some(12)), yields("d"));
}

#[test]
fn skipping_ends_after_the_longest_skip_although_updates_are_pending() {
    let mut stream = Stream::new(StartFrom::Latest, false);
    stream.asked();
    assert_eq!(stream.then(Input::Cleared), Skips(None));
    assert_eq!(stream.page_after(LONGEST_SKIP / 2, &["a"], Some(10)), Skips(Some(10)));
    assert_eq!(stream.page_after(LONGEST_SKIP / 2, &["b"], Some(11)), Polls(Some(11)));
}

#[test]
fn a_shutdown_before_the_first_poll_commits_the_stored_marker() {
    let mut stream = Stream::new(StartFrom::Stored, true);
    stream.asked();
    assert_eq!(stream.then(Input::Loaded(Some(7))), ClearsWebhooks);
    assert_eq!(stream.then(Input::Stop), Commits(7));
}

#[test]
fn the_error_names_a_stored_marker_that_the_server_refuses() {
    let mut stream = Stream::new(StartFrom::Stored, true);
    stream.asked();
    stream.then(Input::Loaded(Some(7)));
    assert_eq!(stream.then(Input::Cleared), Polls(Some(7)));
    let refused = || status(StatusCode::BAD_REQUEST, Some("proto.payload"), None);
    let (state, effect) = stream.state.take().unwrap().step(Input::Failed { error: refused(), chance: 1.0 });
    let Effect::Fail(error) = effect else { panic!("{effect:?}") };
    assert!(error.to_string().contains("the marker 7 is from the marker store"), "{error}");
    drop(state);
    let mut stream = Stream::polling();
    let (_, effect) = stream.state.take().unwrap().step(Input::Failed { error: refused(), chance: 1.0 });
    let Effect::Fail(error) = effect else { panic!("{effect:?}") };
    assert!(!error.to_string().contains("marker"), "{error}");
}

#[test]
fn skipping_ends_after_a_page_without_a_new_marker() {
    let mut stream = Stream::new(StartFrom::Latest, false);
    stream.asked();
    assert_eq!(stream.then(Input::Cleared), Skips(None));
    assert_eq!(stream.page(&["a"], None), Polls(None));
}

#[test]
fn a_store_that_cannot_be_read_ends_the_stream_before_the_first_poll() {
    let mut stream = Stream::new(StartFrom::Latest, true);
    assert_eq!(stream.asked(), Loads);
    assert_eq!(stream.fails(Error::new(Reason::MarkerStore("torn".into())), 1.0), Fails);
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn a_shutdown_returns_fetched_updates_then_saves_commits_and_ends() {
    let mut stream = Stream::storing();
    assert_eq!(stream.page(&["a", "b"], Some(10)), yields("a"));
    assert_eq!(stream.then(Input::Stop), GoesOn);
    assert_eq!(stream.asked(), yields("b"));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Saved { ok: true }), Commits(10));
    assert_eq!(stream.then(Input::Committed), Ends);
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn a_shutdown_commits_although_the_marker_could_not_be_saved() {
    let mut stream = Stream::storing();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.then(Input::Stop), Saves(10), "the consumer requests an update during the shutdown");
    assert_eq!(stream.then(Input::Saved { ok: false }), Commits(10));
}

#[test]
fn a_shutdown_drops_the_poll_in_flight_and_commits_its_marker() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.asked(), Polls(Some(10)));
    assert_eq!(stream.then(Input::Stop), Commits(10));
    assert_eq!(stream.then(Input::Committed), Ends);
}

#[test]
fn a_shutdown_with_nothing_to_commit_ends_at_once() {
    assert_eq!(Stream::polling().then(Input::Stop), Ends);
    assert_eq!(Stream::new(StartFrom::Stored, true).then(Input::Stop), Ends);
    let mut stream = Stream::polling();
    stream.page(&[], Some(10));
    assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)));
    assert_eq!(stream.then(Input::Stop), Ends, "the server already has the marker");
}

#[test]
fn a_shutdown_waits_for_a_save_in_progress() {
    let mut stream = Stream::storing();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Stop), GoesOn);
    assert_eq!(stream.then(Input::Saved { ok: true }), Commits(10));
}

#[test]
fn a_shutdown_ends_the_delay_of_a_retry() {
    let mut stream = Stream::polling();
    assert_eq!(stream.fails(server_is_down(), 1.0), Retries(BACKOFF.first));
    assert_eq!(stream.then(Input::Stop), Ends);
}

#[test]
fn a_shutdown_ends_a_pause_between_two_polls() {
    let mut stream = Stream::storing();
    assert_eq!(stream.page(&["a"], Some(10)), yields("a"));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Saved { ok: true }), Polls(Some(10)));
    assert_eq!(stream.page_after(Duration::ZERO, &[], Some(11)), Waits(LEAST_INTERVAL));
    assert_eq!(stream.then(Input::Stop), Saves(11));
    assert_eq!(stream.then(Input::Saved { ok: true }), Commits(11));
}

#[test]
fn temporary_failures_are_retried_with_growing_jitter_and_a_success_resets_it() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    stream.asked();
    for millis in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        assert_eq!(stream.fails(server_is_down(), 1.0), Retries(Duration::from_millis(millis)));
        assert_eq!(stream.then(Input::Waited), Polls(Some(10)), "from the same marker");
    }
    assert_eq!(stream.fails(server_is_down(), 0.0), Retries(Duration::ZERO));
    assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
    assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)));
    assert_eq!(stream.fails(server_is_down(), 0.5), Retries(BACKOFF.first / 2));
}

#[test]
fn retry_after_replaces_a_shorter_delay() {
    let asks = |seconds| status(StatusCode::TOO_MANY_REQUESTS, None, Some(Duration::from_secs(seconds)));
    let mut stream = Stream::polling();
    assert_eq!(stream.fails(asks(7), 1.0), Retries(Duration::from_secs(7)));
    stream.then(Input::Waited);
    assert_eq!(stream.fails(asks(0), 1.0), Retries(Duration::from_secs(1)));
}

#[test]
fn only_a_client_error_with_an_api_code_ends_the_stream() {
    use StatusCode as S;
    for (status_code, code, ends) in [
        (S::UNAUTHORIZED, Some("verify.token"), true),
        (S::FORBIDDEN, Some("verify.token"), true),
        (S::BAD_REQUEST, Some("proto.payload"), true),
        (S::NOT_FOUND, Some("chat.not.found"), true),
        (S::NOT_FOUND, Some("method.not.found"), false),
        (S::FORBIDDEN, None, false),
        (S::UNAUTHORIZED, None, false),
        (S::NOT_FOUND, None, false),
        (S::REQUEST_TIMEOUT, Some("timeout"), false),
        (S::TOO_MANY_REQUESTS, Some("too.many.requests"), false),
        (S::INTERNAL_SERVER_ERROR, Some("internal.error"), false),
        (S::SERVICE_UNAVAILABLE, None, false),
        (S::FOUND, None, false),
    ] {
        let mut stream = Stream::polling();
        let does = stream.fails(status(status_code, code, None), 1.0);
        assert_eq!(does, if ends { Fails } else { Retries(BACKOFF.first) }, "{status_code} {code:?}");
        if ends {
            assert_eq!(stream.asked(), Ends, "the error is the last item");
        }
    }
}

#[test]
fn method_not_found_is_permanent_after_some_retries() {
    let missing = || status(StatusCode::NOT_FOUND, Some("method.not.found"), None);
    let mut stream = Stream::polling();
    for marker in [10, 11] {
        for _ in 0..ASKED_AGAIN {
            assert!(matches!(stream.fails(missing(), 1.0), Retries(_)));
            assert!(matches!(stream.then(Input::Waited), Polls(_)));
            // Other failures do not count.
            assert!(matches!(stream.fails(server_is_down(), 1.0), Retries(_)));
            assert!(matches!(stream.then(Input::Waited), Polls(_)));
        }
        assert_eq!(stream.page(&["a"], Some(marker)), yields("a"));
        assert_eq!(stream.asked(), Polls(Some(marker)), "a page resets the count");
    }
    for millis in [500, 1_000, 2_000] {
        assert_eq!(stream.fails(missing(), 1.0), Retries(Duration::from_millis(millis)), "with the usual backoff");
        assert_eq!(stream.then(Input::Waited), Polls(Some(11)));
    }
    assert_eq!(stream.fails(missing(), 1.0), Fails);
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn method_not_found_is_retried_at_the_start() {
    let missing = || status(StatusCode::NOT_FOUND, Some("method.not.found"), None);
    let mut stream = Stream::new(StartFrom::Stored, true);
    assert_eq!(stream.asked(), Loads);
    assert_eq!(stream.fails(missing(), 1.0), Retries(BACKOFF.first));
    assert_eq!(stream.then(Input::Waited), Loads);
    assert_eq!(stream.then(Input::Loaded(Some(7))), ClearsWebhooks);
    assert_eq!(stream.fails(missing(), 1.0), Retries(BACKOFF.first));
    assert_eq!(stream.then(Input::Waited), ClearsWebhooks);
    assert_eq!(stream.then(Input::Cleared), Polls(Some(7)));
}

#[test]
fn a_server_that_is_down_at_the_start_is_retried() {
    let mut stream = Stream::new(StartFrom::Stored, true);
    assert_eq!(stream.asked(), Loads);
    assert_eq!(stream.fails(server_is_down(), 1.0), Retries(Duration::from_millis(500)));
    assert_eq!(stream.then(Input::Waited), Loads);
    assert_eq!(stream.then(Input::Loaded(Some(7))), ClearsWebhooks);
    assert_eq!(stream.fails(server_is_down(), 1.0), Retries(Duration::from_millis(500)));
    assert_eq!(stream.then(Input::Waited), ClearsWebhooks);
    assert_eq!(stream.then(Input::Cleared), Polls(Some(7)));
}

#[test]
fn an_unknown_update_is_returned_and_committed() {
    let mut stream = Stream::polling();
    assert_eq!(stream.page(&["never_heard_of"], Some(10)), yields("never_heard_of"));
    assert_eq!(stream.asked(), Polls(Some(10)));
}

#[test]
fn an_empty_page_without_a_marker_keeps_the_old_marker() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    stream.asked();
    assert_eq!(stream.page(&[], None), Polls(Some(10)));
    assert_eq!(stream.page(&["b"], None), yields("b"));
    assert_eq!(stream.asked(), Waits(BACKOFF.first));
    assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
}

#[test]
fn repeated_updates_without_a_new_marker_slow_down_the_polling() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    stream.asked();
    for (marker, millis) in [(None, 500), (Some(10), 1_000), (None, 2_000)] {
        assert_eq!(stream.page(&["b"], marker), yields("b"));
        assert_eq!(stream.asked(), Waits(Duration::from_millis(millis)));
        assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
    }
    assert_eq!(stream.page(&["b"], Some(11)), yields("b"));
    assert_eq!(stream.asked(), Polls(Some(11)), "the marker has changed");
}

#[test]
fn empty_pages_without_a_hold_do_not_cause_a_busy_loop() {
    let mut stream = Stream::polling();
    let took = Duration::from_millis(30);
    assert_eq!(stream.page_after(took, &[], Some(10)), Waits(LEAST_INTERVAL - took));
    assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
    assert_eq!(stream.page_after(LEAST_INTERVAL, &[], Some(10)), Polls(Some(10)), "the poll was held: no pause");
    let mut stream = Stream::storing();
    assert_eq!(stream.page_after(Duration::ZERO, &[], Some(10)), Waits(LEAST_INTERVAL));
    assert_eq!(stream.then(Input::Waited), Saves(10));
}

#[test]
fn a_subscribed_webhook_is_an_error_at_the_start() {
    let mut stream = Stream::new(StartFrom::Backlog, false);
    assert_eq!(stream.asked(), ClearsWebhooks);
    assert_eq!(stream.fails(Error::new(Reason::WebhookSubscribed(vec!["https://example.org".to_owned()])), 1.0), Fails);
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn method_not_allowed_checks_again_for_webhooks() {
    for code in [None, Some("method.not.allowed")] {
        let refused = || status(StatusCode::METHOD_NOT_ALLOWED, code, None);
        let mut stream = Stream::new(StartFrom::Latest, false);
        stream.asked();
        stream.then(Input::Cleared);
        assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)));
        assert_eq!(stream.fails(refused(), 1.0), Retries(BACKOFF.first));
        assert_eq!(stream.then(Input::Waited), ClearsWebhooks);
        assert_eq!(stream.then(Input::Cleared), Polls(Some(10)), "updates that arrived meanwhile are not skipped");
        // No webhook was subscribed, so a second refusal ends the stream if it has a code.
        let does = stream.fails(refused(), 1.0);
        assert_eq!(does, if code.is_some() { Fails } else { Retries(BACKOFF.first) });
    }
}

#[test]
fn a_shutdown_after_the_end_does_nothing() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    stream.asked();
    assert_eq!(stream.fails(status(StatusCode::UNAUTHORIZED, Some("verify.token"), None), 1.0), Fails);
    assert_eq!(stream.then(Input::Stop), GoesOn);
    assert_eq!(stream.asked(), Ends);
}
