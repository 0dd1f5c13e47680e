//! A chore's steps: one line each with its duration, and a summary at the end.

use std::io::Write as _;
use std::time::Instant;

use crate::error::ChoreError;

/// Runs steps in order and keeps the count.
pub(crate) struct Steps {
    started: Instant,
    passed: usize,
}

impl Steps {
    /// Nothing run yet.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), passed: 0 }
    }

    /// Runs one step; its `Ok` text (a count, a version) stands on its line. Stops the chore at the first failure:
    /// the error is the step's own, followed by the summary.
    pub(crate) fn run(
        &mut self,
        name: &str,
        step: impl FnOnce() -> Result<String, ChoreError>,
    ) -> Result<(), ChoreError> {
        print!("{name:<16} ");
        // A step may take minutes: show its name first. A closed stdout is no reason to stop.
        let _ = std::io::stdout().flush();
        let started = Instant::now();
        let outcome = step();
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(note) => {
                self.passed += 1;
                println!("ok     {seconds:>7.1} s  {note}");
                Ok(())
            }
            Err(error) => {
                println!("FAILED {seconds:>7.1} s");
                let message = format!("step «{name}» failed\n\n{error}\n\n{}", self.summary(1));
                Err(match error {
                    ChoreError::Usage(_) => ChoreError::Usage(message),
                    ChoreError::Failed(_) => ChoreError::Failed(message),
                })
            }
        }
    }

    /// «N passed, N failed» and the time since the start.
    pub(crate) fn summary(&self, failed: usize) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        format!("steps: {} passed, {failed} failed, {seconds:.1} s", self.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_and_a_failure_keeps_its_message() {
        let mut steps = Steps::new();
        steps.run("one", || Ok(String::new())).expect("passes");
        let error = steps.run("two", || Err(ChoreError::failed("the bridge is out"))).expect_err("fails");
        let text = error.to_string();
        assert_eq!(error.exit_code(), 1);
        assert!(text.contains("«two»") && text.contains("the bridge is out"), "{text}");
        assert!(text.contains("1 passed, 1 failed"), "{text}");
    }
}
