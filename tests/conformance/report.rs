//! The report of a run on one service.

use std::io::Write;

use tamtam::Service;

use crate::{
    checks::{CHECKS, Check},
    operations,
    outcome::Skip,
    place::Place,
    recorder::Found,
    settings::Live,
};

/// The results of the checks of one service.
pub(crate) struct Report {
    service: Service,
    is_live: bool,
    passed: usize,
    skipped: Vec<String>,
    failed: Vec<String>,
    found: Found,
}

/// Runs each check of the service on a separate sandbox.
pub(crate) async fn on_sandboxes(service: Service) -> Report {
    let mut report = Report::new(service, false);
    report.say(&format!("{} on the sandbox", report.service.name()));
    for check in report.checks() {
        let place = Place::sandbox(&report.service).await;
        report.run(check, &place).await;
        report.add(place.recorder.found());
    }
    report
}

/// Runs all checks of the service with the account, one at a time.
pub(crate) async fn live(live: Live) -> Report {
    let mut report = Report::new(live.service.clone(), true);
    report.say(&format!("{} live: everything that is posted is deleted again", report.service.name()));
    let place = Place::live(live).await;
    for check in report.checks() {
        report.run(check, &place).await;
    }
    report.add(place.recorder.found());
    report
}

impl Report {
    fn new(service: Service, is_live: bool) -> Self {
        Self { service, is_live, passed: 0, skipped: Vec::new(), failed: Vec::new(), found: Found::default() }
    }

    /// Returns the checks of this service.
    fn checks(&self) -> Vec<&'static Check> {
        CHECKS.iter().filter(|check| check.services.include(&self.service)).collect()
    }

    /// Runs a check and cleans up after it. A failed check does not stop the run.
    async fn run(&mut self, check: &Check, place: &Place) {
        let done = tokio::spawn((check.run)(place.clone())).await;
        let left_behind = place.clean_up().await;
        match done {
            Err(panic) => {
                let panic = panic.into_panic();
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
                let transcript = place.transcript().map(|transcript| format!("\n{transcript}")).unwrap_or_default();
                self.fail(check.name, &format!("{text}{transcript}"));
            }
            Ok(_) if !left_behind.is_empty() => {}
            Ok(Err(why)) => self.skip(check.name, &why),
            Ok(Ok(())) => {
                self.passed += 1;
                self.say(&format!("passed: {}", check.name));
            }
        }
        if !left_behind.is_empty() {
            self.fail(check.name, &format!("could not clean up: {left_behind:?}"));
        }
    }

    fn skip(&mut self, name: &str, why: &Skip) {
        self.say(&format!("{why} ({name})"));
        self.skipped.push(format!("{why} ({name})"));
    }

    fn fail(&mut self, name: &str, why: &str) {
        self.say(&format!("FAILED: {name}: {why}"));
        self.failed.push(name.to_owned());
    }

    fn add(&mut self, found: Found) {
        self.found.operations.extend(found.operations);
        self.found.differences.extend(found.differences);
    }

    /// Prints the summary, and returns the problems.
    pub(crate) fn problems(&self) -> Vec<String> {
        let Self { service, is_live, passed, skipped, failed, found } = self;
        let (name, all) = (service.name(), operations::all(service));
        let not_called: Vec<_> = all.difference(&found.operations).collect();
        self.say(&format!("{name}: {passed} passed, {} skipped, {} failed", skipped.len(), failed.len()));
        skipped.iter().chain(failed).for_each(|line| self.say(&format!("  {line}")));
        self.say(&format!("{name}: {} of {} operations were called", found.operations.len(), all.len()));
        not_called.iter().for_each(|operation| self.say(&format!("  not {operation}")));
        found.differences.iter().for_each(|difference| self.say(&format!("not as documented: {difference}")));

        let problems = [
            (!is_live && !not_called.is_empty(), format!("operations were not called on the sandbox: {not_called:?}")),
            (!is_live && !skipped.is_empty(), format!("checks were skipped on the sandbox: {skipped:?}")),
            (!failed.is_empty(), format!("checks failed: {failed:?}")),
            (!found.differences.is_empty(), format!("{} answers are not as documented", found.differences.len())),
        ];
        let problems = problems.into_iter().filter(|(is_there, _)| *is_there);
        problems.map(|(_, problem)| format!("{name}: {problem}")).collect()
    }

    /// Prints a line. A live run bypasses the output capture of the test harness, so that its progress is visible.
    fn say(&self, line: &str) {
        if self.is_live { drop(writeln!(std::io::stderr(), "{line}")) } else { println!("{line}") }
    }
}
