//! The attempts of an upload: requests a URL, sends the bytes in one piece or in ranges, and retries.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header};
use reqwest::Url;

use super::{
    answer::{self, FileTokens},
    feed::Feed,
    flow::Flow,
    host::{self, HostResponse},
    job::Job,
    name,
    range::{self, Range},
    session::UploadSession,
};
use crate::{
    api::types::UploadType,
    client::{
        clock::millis,
        retry::{Class, Tries, Verdict},
        transport::unreadable,
    },
    error::{Error, Failure, Reason, Report, Result},
    redaction::{Secret, Secrets},
    service::Limits,
    validation::{Invalid, Place},
};

/// The error of an attempt, and whether the next attempt needs another URL.
#[derive(Debug)]
struct FailedAttempt {
    kind: Reason,
    /// Whether the URL cannot be used again.
    spent: bool,
}

impl FailedAttempt {
    fn spent(kind: Reason) -> Self {
        Self { kind, spent: true }
    }
}

impl From<Reason> for FailedAttempt {
    fn from(kind: Reason) -> Self {
        Self { kind, spent: false }
    }
}

/// A running upload.
struct Attempts<'a> {
    job: &'a Job,
    /// The upload URL, and the progress of the upload.
    session: UploadSession,
    /// The URL and the token of the file, which errors must not show.
    secret: Option<Secret>,
    /// Whether nothing was sent to the URL yet. Then the status query is skipped.
    is_fresh: bool,
    /// Number of URLs requested so far.
    urls: u32,
}

/// Returns the size limit of a kind of upload, in bytes. `None` if the service has no limit.
pub(super) fn limit(limits: &Limits, kind: &UploadType) -> Option<u64> {
    match kind {
        UploadType::Image => limits.image_bytes,
        UploadType::Video => limits.video_bytes,
        UploadType::Audio => limits.audio_bytes,
        UploadType::File => limits.file_bytes,
        UploadType::Unknown(_) => None,
    }
}

/// Fails if the file is over the size limit of the service.
fn check_size(job: &Job) -> Result<()> {
    let (service, size) = (job.bot.service(), job.identity.size);
    match limit(service.limits(), &job.kind) {
        Some(limit) if size > limit => {
            let problem =
                format!("has {size} bytes, the limit of {} for the type `{}` is {limit}", service.name(), job.kind);
            let invalid =
                Invalid::new(&Place::root("source"), format!("{problem}: make it smaller, or send it as a file"));
            Err(Error::new(Reason::Invalid(invalid)).of(job.operation, Report::default()))
        }
        _ => Ok(()),
    }
}

/// Runs the upload.
pub(super) async fn run(job: &Job) -> Result<FileTokens> {
    check_size(job)?;
    let transport = job.bot.transport();
    let clock = &transport.clock;
    let started = clock.now();
    let tries = || Tries::new(transport.retry.clone(), Class::Read, None);
    let mut run = match &job.resumed {
        Some(session) => Attempts::new(job, session.clone(), false, 0),
        None => Attempts::new(job, begin(job).await?, true, 1),
    };
    let (mut tries_left, mut waited, mut attempts, mut furthest) = (tries(), Duration::ZERO, 0, 0);
    loop {
        attempts += 1;
        let FailedAttempt { kind, spent } = match run.attempt().await {
            Ok(tokens) => {
                tracing::Span::current().record("attempts", attempts);
                return Ok(tokens);
            }
            Err(failed) => failed,
        };
        if run.session.confirmed > furthest {
            // The host confirmed new bytes. Reset the retries: the upload makes progress, so it will end.
            (tries_left, waited, furthest) = (tries(), Duration::ZERO, run.session.confirmed);
        }
        let failure = if spent { Failure::Unknown } else { kind.failure() };
        let verdict = tries_left.after(failure, waited, kind.retry_after(), clock.chance());
        let report =
            Report { attempts, elapsed: clock.now().duration_since(started), ambiguous: false, may_be_gone: false };
        let error = Error::new(kind).of(job.operation, report);
        let status = error.status().map(|status| status.as_u16());
        let (operation, reason) = (job.operation, error.reason_unquoted());
        // A resumable upload with the same URL continues at the byte that the host reports.
        let begins_again = spent || !job.is_resumable;
        let goes_on = !begins_again || job.source.can_go_to(0) && run.urls < transport.retry.most_attempts();
        let delay = match verdict {
            Verdict::Again(delay) if goes_on => delay,
            _ => {
                tracing::debug!(operation, attempts, ?failure, status, error = reason, "upload failed");
                return Err(error);
            }
        };
        let delay_ms = millis(delay);
        tracing::warn!(operation, attempt = attempts, ?failure, status, error = reason, delay_ms, "retrying");
        transport.wait_to_retry(&error, delay).await;
        waited += delay;
        if spent {
            run = Attempts::new(job, begin(job).await?, true, run.urls + 1);
            furthest = 0;
        }
    }
}

/// Requests a URL for the upload. This request has its own retries and its own error.
async fn begin(job: &Job) -> Result<UploadSession> {
    let endpoint = job.bot.api().get_upload_url(job.kind.clone()).await.map_err(unambiguous)?;
    Ok(UploadSession {
        kind: job.kind.clone(),
        url: endpoint.url,
        token: endpoint.token,
        confirmed: 0,
        identity: job.identity.clone(),
    })
}

/// Marks the error of an upload URL as unambiguous: a URL that was not used has no effect that people see.
fn unambiguous(error: Error) -> Error {
    let report = Report { ambiguous: false, ..*error.report() };
    match error.operation().map(str::to_owned) {
        Some(operation) => error.of(operation, report),
        None => error,
    }
}

impl<'a> Attempts<'a> {
    fn new(job: &'a Job, session: UploadSession, is_fresh: bool, urls: u32) -> Self {
        let token = session.token.as_deref().map(|token| Secret::new(token, "..."));
        let secret = Secret::all([Secret::beyond_the_origin(&session.url), token]);
        Self { job, session, secret, is_fresh, urls }
    }

    async fn attempt(&mut self) -> Result<FileTokens, FailedAttempt> {
        let url = host::address(&self.session.url, self.job.bot.base_url()).map_err(FailedAttempt::spent)?;
        if self.job.is_resumable { self.ranges(url).await } else { self.form(url).await }
    }

    /// Sends the file in one piece. A URL that may have received a part of the file is not used again.
    async fn form(&mut self, url: Url) -> Result<FileTokens, FailedAttempt> {
        let job = self.job;
        let flow = self.flow(0).await?;
        let boundary = format!("tamtam-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"data\"; {}\r\nContent-Type: {}\r\n\r\n",
            name::parameters(&job.name),
            job.content_type,
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let (length, total) = (head.len() as u64 + tail.len() as u64, job.identity.size);
        let request = job
            .bot
            .transport()
            .http
            .post(url)
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .header(header::CONTENT_LENGTH, length.saturating_add(total))
            .body(flow.body(Bytes::from(head), total, Bytes::from(tail)));
        let answer = self.exchange(request, Some(&flow)).await;
        let answer = answer.map_err(|kind| FailedAttempt { spent: is_worth_another_url(&kind, true), kind })?;
        self.read(&answer).map_err(|kind| FailedAttempt { spent: kind.failure() == Failure::Garbled, kind })
    }

    /// Sends the file in ranges, from the first byte that the host does not have.
    async fn ranges(&mut self, url: Url) -> Result<FileTokens, FailedAttempt> {
        let total = self.job.identity.size;
        let mut first = if std::mem::take(&mut self.is_fresh) { 0 } else { self.confirmed_by_host(&url).await? };
        self.confirm(first);
        if first == total {
            // The host has the whole file, but the response was lost. Only the token of the URL can replace it.
            return self.read_lost().map_err(FailedAttempt::spent);
        }
        let mut flow = self.flow(first).await?;
        loop {
            let range = Range::next(first, self.job.chunk, total);
            let answer = self.range(&url, &flow, range).await?;
            if range.is_last() {
                return self
                    .read(&answer)
                    .map_err(|kind| FailedAttempt { spent: kind.failure() == Failure::Garbled, kind });
            }
            let there = range::confirmed_range(&answer.body).unwrap_or(range.end);
            if there > range.end || there <= first {
                let told = format!("the host confirmed {there} bytes after the range {first}-{}", range.end - 1);
                return Err(FailedAttempt::spent(Reason::Refused(told.into())));
            }
            if there < range.end {
                flow = self.flow(there).await?;
            }
            first = there;
            self.confirm(first);
        }
    }

    /// Sends a range.
    async fn range(&self, url: &Url, flow: &Flow, range: Range) -> Result<HostResponse, FailedAttempt> {
        let disposition = format!("attachment; {}", name::parameters(&self.job.name));
        let request = self
            .job
            .bot
            .transport()
            .http
            .post(url.clone())
            .header(header::CONTENT_TYPE, self.job.content_type.as_str())
            .header(header::CONTENT_DISPOSITION, disposition)
            .header(header::CONTENT_RANGE, range.header())
            .header(header::CONTENT_LENGTH, range.length())
            .body(flow.body(Bytes::new(), range.length(), Bytes::new()));
        let answer = self.exchange(request, Some(flow)).await;
        answer.map_err(|kind| FailedAttempt { spent: is_worth_another_url(&kind, false), kind })
    }

    /// Asks the host how many bytes of the file it has.
    async fn confirmed_by_host(&self, url: &Url) -> Result<u64, FailedAttempt> {
        let request = self.job.bot.transport().http.get(url.clone());
        let answer = self.exchange(request, None).await.map_err(|kind| {
            // The host no longer has this upload: request another URL.
            let is_gone = matches!(&kind, Reason::Status { status, .. } if status.is_client_error()
                && !matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT));
            FailedAttempt { spent: is_gone || is_worth_another_url(&kind, false), kind }
        })?;
        let confirmed = range::confirmed(&answer.headers, &answer.body);
        let confirmed = confirmed.filter(|confirmed| *confirmed <= self.job.identity.size);
        let told = || {
            let words = self.secrets().clean(&answer.body).into_owned();
            Reason::Refused(format!("the host's status of the upload cannot be read: {}", excerpt(&words)).into())
        };
        confirmed.ok_or_else(|| FailedAttempt::spent(told()))
    }

    async fn exchange(&self, request: reqwest::RequestBuilder, flow: Option<&Flow>) -> Result<HostResponse, Reason> {
        host::exchange(request, flow, self.job.idle, &self.secrets()).await
    }

    async fn flow(&self, offset: u64) -> Result<Flow, Reason> {
        let feed = Feed::of(&self.job.source, offset).await?;
        Ok(Flow::new(feed, self.job.identity.size, self.job.on_progress.clone()))
    }

    fn confirm(&mut self, confirmed: u64) {
        self.session.confirmed = confirmed;
        if let Some(hook) = &self.job.on_session {
            hook(&self.session);
        }
    }

    fn read(&self, answer: &HostResponse) -> Result<FileTokens, Reason> {
        let given = self.session.token.as_deref();
        answer::read_tokens(&self.job.kind, answer.status, &answer.body, given).map_err(|kind| match kind {
            Reason::Decode { status, source } => unreadable(status, source, &self.secrets()),
            // Redact first, then shorten: a part of a secret would not be recognized.
            Reason::Refused(refusal) => {
                let message = refusal.message.map(|words| excerpt(&self.secrets().clean(&words)));
                Reason::Refused(message.into())
            }
            other => other,
        })
    }

    fn secrets(&self) -> Secrets<'_> {
        self.job.bot.transport().own_secrets().and(self.secret.as_ref())
    }

    fn read_lost(&self) -> Result<FileTokens, Reason> {
        let lost = || Reason::Refused("the host has the whole file, but its response was lost".to_owned().into());
        self.session.token.clone().map(FileTokens::One).ok_or_else(lost)
    }
}

/// Returns whether a retry needs another URL. The API documents this for the statuses 416 and 500. For a form, this is
/// also true for all temporary errors, because it is unknown how much has arrived.
fn is_worth_another_url(kind: &Reason, is_form: bool) -> bool {
    match kind {
        Reason::Status { status, .. } if matches!(status.as_u16(), 416 | 500) => true,
        kind => is_form && !matches!(kind.failure(), Failure::Refused | Failure::Misfit | Failure::NotSent),
    }
}

/// Returns the beginning of a text from the host.
fn excerpt(text: &str) -> String {
    /// Maximum length, in characters. Enough to recognize the text.
    const MOST: usize = 200;
    text.trim().chars().take(MOST).collect()
}
