//! The contract of the update stream, point by point, without network and time.

use http::StatusCode;

use super::*;
use crate::error::{ErrorCode, Kind};

/// A stream whose effects a test carries out by hand.
struct Stream {
    state: Option<StreamState>,
}

/// What a stream does, as a test compares it.
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

    /// One that polls already, without a store.
    fn polling() -> Self {
        let mut stream = Self::new(StartFrom::Backlog, false);
        assert_eq!(stream.asked(), ClearsWebhooks);
        assert_eq!(stream.then(Input::Cleared), Polls(None));
        stream
    }

    /// One that polls already and has a store, with nothing in it.
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

    /// A poll was answered after its hold.
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
    Error::new(Kind::Status { status, code, location: None, message: String::new(), retry_after })
}

fn server_is_down() -> Error {
    status(StatusCode::BAD_GATEWAY, None, None)
}

fn too_large() -> Error {
    let limit = crate::client::transport::SizeLimits::default().page;
    Error::new(Kind::TooLarge { status: StatusCode::OK, limit })
}

/// An answer with this body, read as a number.
fn misread(body: &str) -> Error {
    let source = serde_json::from_str::<u32>(body).unwrap_err();
    Error::new(Kind::Decode { status: StatusCode::OK, source })
}

#[test]
fn point_5_a_misfit_ends_the_start_and_a_body_that_is_not_json_does_not() {
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
fn point_5_a_page_over_the_size_limit_is_asked_for_with_half_the_limit() {
    let mut stream = Stream::polling();
    for fewer in [50, 25, 12, 6, 3, 1] {
        assert_eq!(stream.fails(too_large(), 1.0), Retries(Duration::ZERO));
        assert_eq!(stream.then(Input::Waited), PollsFewer(None, fewer));
    }
    assert_eq!(stream.fails(too_large(), 1.0), Fails, "a single update is over the limit");
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn point_5_the_page_size_grows_back_after_some_pages_that_fit() {
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
fn point_5_a_backlog_over_the_size_limit_is_skipped_in_smaller_pages() {
    let mut stream = Stream::new(StartFrom::Latest, false);
    assert_eq!(stream.asked(), ClearsWebhooks);
    assert_eq!(stream.then(Input::Cleared), Skips(None));
    assert_eq!(stream.fails(too_large(), 1.0), Retries(Duration::ZERO));
    assert_eq!(stream.then(Input::Waited), PollsFewer(None, 500));
}

#[test]
fn point_1_a_page_is_committed_when_more_is_asked_for_after_its_last_update() {
    let mut stream = Stream::polling();
    assert_eq!(stream.page(&["a", "b"], Some(10)), yields("a"));
    assert_eq!(stream.asked(), yields("b"));
    assert_eq!(stream.asked(), Polls(Some(10)));
    assert_eq!(stream.page(&["c"], Some(11)), yields("c"));
    assert_eq!(stream.asked(), Polls(Some(11)));
}

#[test]
fn point_1_it_starts_without_a_marker() {
    let mut stream = Stream::new(StartFrom::default(), false);
    assert_eq!(stream.asked(), ClearsWebhooks);
    assert_eq!(stream.then(Input::Cleared), Polls(None));
}

#[test]
fn point_2_no_page_is_asked_for_before_the_one_before_is_handed_out() {
    let mut stream = Stream::polling();
    assert_eq!(stream.page(&["a", "b", "c"], Some(10)), yields("a"));
    for tag in ["b", "c"] {
        assert_eq!(stream.asked(), yields(tag), "asking brings what is there, and no poll");
    }
    assert_eq!(stream.asked(), Polls(Some(10)));
}

#[test]
fn point_3_the_marker_is_saved_before_the_poll_that_commits_it() {
    let mut stream = Stream::storing();
    assert_eq!(stream.page(&["a"], Some(10)), yields("a"));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Saved { ok: true }), Polls(Some(10)));
    assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)), "the store has it already");
    assert_eq!(stream.page(&[], Some(12)), Saves(12), "an empty page can have a new marker");
}

#[test]
fn point_3_a_failed_save_does_not_stop_the_polling_and_is_made_good() {
    let mut stream = Stream::storing();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Saved { ok: false }), Polls(Some(10)));
    assert_eq!(stream.page(&[], Some(10)), Saves(10), "with the next poll it is tried again");
}

#[test]
fn point_3_it_starts_where_it_is_told() {
    for (start, loaded, first) in [
        (StartFrom::Stored, Some(7), Polls(Some(7))),
        (StartFrom::Stored, None, Polls(None)),
        (StartFrom::Backlog, Some(7), Polls(None)),
        (StartFrom::Latest, Some(7), Skips(None)),
    ] {
        let mut stream = Stream::new(start, true);
        assert_eq!(stream.asked(), Loads, "{start:?}: a store that cannot be read is found at the start");
        assert_eq!(stream.then(Input::Loaded(loaded)), ClearsWebhooks, "{start:?}");
        assert_eq!(stream.then(Input::Cleared), first, "{start:?}");
    }
}

#[test]
fn point_3_latest_skips_pages_until_one_is_empty() {
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
fn point_3_skipping_ends_although_something_is_waiting_all_the_time() {
    let mut stream = Stream::new(StartFrom::Latest, false);
    stream.asked();
    assert_eq!(stream.then(Input::Cleared), Skips(None));
    assert_eq!(stream.page_after(LONGEST_SKIP / 2, &["a"], Some(10)), Skips(Some(10)));
    assert_eq!(stream.page_after(LONGEST_SKIP / 2, &["b"], Some(11)), Polls(Some(11)));
}

#[test]
fn point_3_the_stored_marker_is_committed_although_nothing_was_polled() {
    let mut stream = Stream::new(StartFrom::Stored, true);
    stream.asked();
    assert_eq!(stream.then(Input::Loaded(Some(7))), ClearsWebhooks);
    assert_eq!(stream.then(Input::Stop), Commits(7));
}

#[test]
fn point_3_a_stored_marker_that_the_server_does_not_take_is_named() {
    let mut stream = Stream::new(StartFrom::Stored, true);
    stream.asked();
    stream.then(Input::Loaded(Some(7)));
    assert_eq!(stream.then(Input::Cleared), Polls(Some(7)));
    let refused = || status(StatusCode::BAD_REQUEST, Some("proto.payload"), None);
    let (state, effect) = stream.state.take().unwrap().step(Input::Failed { error: refused(), chance: 1.0 });
    let Effect::Fail(error) = effect else { panic!("{effect:?}") };
    assert!(error.to_string().contains("the marker 7 from the marker store"), "{error}");
    drop(state);
    let mut stream = Stream::polling();
    let (_, effect) = stream.state.take().unwrap().step(Input::Failed { error: refused(), chance: 1.0 });
    let Effect::Fail(error) = effect else { panic!("{effect:?}") };
    assert!(!error.to_string().contains("marker"), "{error}");
}

#[test]
fn point_3_skipping_ends_when_the_server_gives_no_way_past_a_page() {
    let mut stream = Stream::new(StartFrom::Latest, false);
    stream.asked();
    assert_eq!(stream.then(Input::Cleared), Skips(None));
    assert_eq!(stream.page(&["a"], None), Polls(None));
}

#[test]
fn point_3_a_store_that_cannot_be_read_ends_the_stream_before_the_first_poll() {
    let mut stream = Stream::new(StartFrom::Latest, true);
    assert_eq!(stream.asked(), Loads);
    assert_eq!(stream.fails(Error::new(Kind::MarkerStore("torn".into())), 1.0), Fails);
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn point_4_shutdown_hands_out_what_is_fetched_then_saves_commits_and_ends() {
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
fn point_4_shutdown_commits_although_the_marker_could_not_be_saved() {
    let mut stream = Stream::storing();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.then(Input::Stop), Saves(10), "the consumer asks while it stops");
    assert_eq!(stream.then(Input::Saved { ok: false }), Commits(10));
}

#[test]
fn point_4_shutdown_gives_up_a_poll_and_commits_what_it_may_not_have_committed() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.asked(), Polls(Some(10)));
    assert_eq!(stream.then(Input::Stop), Commits(10));
    assert_eq!(stream.then(Input::Committed), Ends);
}

#[test]
fn point_4_shutdown_with_nothing_to_commit_ends_at_once() {
    assert_eq!(Stream::polling().then(Input::Stop), Ends);
    assert_eq!(Stream::new(StartFrom::Stored, true).then(Input::Stop), Ends);
    let mut stream = Stream::polling();
    stream.page(&[], Some(10));
    assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)));
    assert_eq!(stream.then(Input::Stop), Ends, "the server has had the marker");
}

#[test]
fn point_4_shutdown_waits_for_a_save_that_is_under_way() {
    let mut stream = Stream::storing();
    stream.page(&["a"], Some(10));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Stop), GoesOn);
    assert_eq!(stream.then(Input::Saved { ok: true }), Commits(10));
}

#[test]
fn point_4_shutdown_cuts_a_wait_short() {
    let mut stream = Stream::polling();
    assert_eq!(stream.fails(server_is_down(), 1.0), Retries(BACKOFF.first));
    assert_eq!(stream.then(Input::Stop), Ends);
}

#[test]
fn point_4_shutdown_does_not_sit_out_a_pause() {
    let mut stream = Stream::storing();
    assert_eq!(stream.page(&["a"], Some(10)), yields("a"));
    assert_eq!(stream.asked(), Saves(10));
    assert_eq!(stream.then(Input::Saved { ok: true }), Polls(Some(10)));
    assert_eq!(stream.page_after(Duration::ZERO, &[], Some(11)), Waits(LEAST_INTERVAL));
    assert_eq!(stream.then(Input::Stop), Saves(11));
    assert_eq!(stream.then(Input::Saved { ok: true }), Commits(11));
}

#[test]
fn point_5_failures_that_pass_are_waited_for_with_growing_jitter_and_a_success_resets_it() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    stream.asked();
    for millis in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        assert_eq!(stream.fails(server_is_down(), 1.0), Retries(Duration::from_millis(millis)));
        assert_eq!(stream.then(Input::Waited), Polls(Some(10)), "from the same place");
    }
    assert_eq!(stream.fails(server_is_down(), 0.0), Retries(Duration::ZERO));
    assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
    assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)));
    assert_eq!(stream.fails(server_is_down(), 0.5), Retries(BACKOFF.first / 2));
}

#[test]
fn point_5_retry_after_is_waited_for_if_it_is_longer() {
    let asks = |seconds| status(StatusCode::TOO_MANY_REQUESTS, None, Some(Duration::from_secs(seconds)));
    let mut stream = Stream::polling();
    assert_eq!(stream.fails(asks(7), 1.0), Retries(Duration::from_secs(7)));
    stream.then(Input::Waited);
    assert_eq!(stream.fails(asks(0), 1.0), Retries(Duration::from_secs(1)));
}

#[test]
fn point_5_only_the_servers_own_word_ends_the_stream() {
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
            assert_eq!(stream.asked(), Ends, "one error, then nothing");
        }
    }
}

#[test]
fn point_5_a_server_that_has_no_such_method_is_asked_again_some_times_before_it_is_believed() {
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
        assert_eq!(stream.asked(), Polls(Some(marker)), "a page makes good for it");
    }
    for millis in [500, 1_000, 2_000] {
        assert_eq!(stream.fails(missing(), 1.0), Retries(Duration::from_millis(millis)), "with the usual backoff");
        assert_eq!(stream.then(Input::Waited), Polls(Some(11)));
    }
    assert_eq!(stream.fails(missing(), 1.0), Fails);
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn point_5_a_bot_starts_although_the_first_calls_meet_a_server_that_has_no_such_method() {
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
fn point_5_a_server_that_is_down_at_the_start_is_waited_for() {
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
fn point_6_what_cannot_be_read_is_handed_out_and_passed() {
    let mut stream = Stream::polling();
    assert_eq!(stream.page(&["never_heard_of"], Some(10)), yields("never_heard_of"));
    assert_eq!(stream.asked(), Polls(Some(10)));
}

#[test]
fn point_7_an_empty_page_without_a_marker_keeps_the_old_one() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    stream.asked();
    assert_eq!(stream.page(&[], None), Polls(Some(10)));
    assert_eq!(stream.page(&["b"], None), yields("b"));
    assert_eq!(stream.asked(), Waits(BACKOFF.first));
    assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
}

#[test]
fn point_7_updates_that_come_again_without_a_new_marker_slow_the_polling_down() {
    let mut stream = Stream::polling();
    stream.page(&["a"], Some(10));
    stream.asked();
    for (marker, millis) in [(None, 500), (Some(10), 1_000), (None, 2_000)] {
        assert_eq!(stream.page(&["b"], marker), yields("b"));
        assert_eq!(stream.asked(), Waits(Duration::from_millis(millis)));
        assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
    }
    assert_eq!(stream.page(&["b"], Some(11)), yields("b"));
    assert_eq!(stream.asked(), Polls(Some(11)), "the marker moves again");
}

#[test]
fn point_7_empty_pages_that_come_at_once_are_not_asked_for_in_a_loop() {
    let mut stream = Stream::polling();
    let took = Duration::from_millis(30);
    assert_eq!(stream.page_after(took, &[], Some(10)), Waits(LEAST_INTERVAL - took));
    assert_eq!(stream.then(Input::Waited), Polls(Some(10)));
    assert_eq!(stream.page_after(LEAST_INTERVAL, &[], Some(10)), Polls(Some(10)), "it was held: no pause");
    let mut stream = Stream::storing();
    assert_eq!(stream.page_after(Duration::ZERO, &[], Some(10)), Waits(LEAST_INTERVAL));
    assert_eq!(stream.then(Input::Waited), Saves(10));
}

#[test]
fn point_8_a_webhook_in_the_way_is_told_at_the_start() {
    let mut stream = Stream::new(StartFrom::Backlog, false);
    assert_eq!(stream.asked(), ClearsWebhooks);
    assert_eq!(stream.fails(Error::new(Kind::WebhookSubscribed(vec!["https://example.org".to_owned()])), 1.0), Fails);
    assert_eq!(stream.asked(), Ends);
}

#[test]
fn point_8_a_webhook_that_comes_later_is_looked_for() {
    for code in [None, Some("method.not.allowed")] {
        let refused = || status(StatusCode::METHOD_NOT_ALLOWED, code, None);
        let mut stream = Stream::new(StartFrom::Latest, false);
        stream.asked();
        stream.then(Input::Cleared);
        assert_eq!(stream.page(&[], Some(10)), Polls(Some(10)));
        assert_eq!(stream.fails(refused(), 1.0), Retries(BACKOFF.first));
        assert_eq!(stream.then(Input::Waited), ClearsWebhooks);
        assert_eq!(stream.then(Input::Cleared), Polls(Some(10)), "what came meanwhile is not skipped");
        // It was no webhook. The next page makes good for that.
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
